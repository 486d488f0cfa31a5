"""The short way through a look: guards, then parameters, then the endpoint.

FastAPI solves every dependency and every kind of parameter anew for each request, which for the smallest look costs more than policy, log
and opening together (benchmarks, P1). A route whose dependencies are plain callables of the request and whose parameters stand in path,
query and headers alone needs none of that: what it takes is read off FastAPI's own description of it, once, and validated by the same
Pydantic fields with the same errors. Every other route is FastAPI's.

A POST with one JSON body may go that way too, as far as all goes well: whatever is odd about its query, headers or body is left to FastAPI,
which reads the same body again and says what is wrong with it (``LongWay``).
"""

import json
from collections.abc import Awaitable, Callable, Coroutine
from http import HTTPStatus
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction, signature
from typing import Any, Final, get_origin
from urllib.parse import parse_qsl

from fastapi import HTTPException, Request, Response, params
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_MOST_PARAMETERS: Final = 256
"""Above the longest list that a schema takes (200 ids)."""
_SEQUENCES: Final = frozenset({list, tuple, set, frozenset})


class LongWay(Exception):
    """The framework is to answer this request: nothing was done but to ask the guards and to read the body."""


class _Query:
    """The query string, as one model."""

    def __init__(self, name: str, model: type[BaseModel]) -> None:
        self.name, self._model = name, model
        self._many = {
            field.alias or key
            for key, field in model.model_fields.items()
            if get_origin(field.annotation) in _SEQUENCES
        }
        try:
            self._empty: BaseModel | None = model()
        except ValidationError:
            self._empty = None

    def read(self, text: bytes, errors: list[Any]) -> BaseModel | None:
        if not text and self._empty is not None:
            return self._empty
        found: dict[str, Any] = {}
        try:
            pairs = parse_qsl(text.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
        except ValueError:
            errors.append({"type": "too_long", "loc": ("query",), "msg": "too many parameters", "input": None})
            return None
        for key, value in pairs:
            if key in self._many:
                found.setdefault(key, []).append(value)
            else:
                found[key] = value
        try:
            return self._model.model_validate(found)
        except ValidationError as error:
            errors += [{**fault, "loc": ("query", *fault["loc"])} for fault in error.errors(include_url=False)]
            return None


def _is_plain(dependant: Dependant) -> bool:
    """Tell whether a dependency is a coroutine of the request and nothing else."""
    call = dependant.call
    body = call if iscoroutinefunction(call) else getattr(call, "__call__", None)  # noqa: B004 — the method itself is looked at
    parameters = (
        dependant.path_params,
        dependant.query_params,
        dependant.header_params,
        dependant.cookie_params,
        dependant.body_params,
    )
    return (
        iscoroutinefunction(body)
        and not isgeneratorfunction(body)
        and not isasyncgenfunction(body)
        and not dependant.dependencies
        and not any(parameters)
        and bool(dependant.name)
        and dependant.request_param_name is not None
        and dependant.response_param_name is None
    )


class _Direct:
    """One endpoint, with what it takes and from where."""

    def __init__(
        self,
        endpoint: Callable[..., Awaitable[Response]],
        dependant: Dependant,
        query: _Query | None,
        body: ModelField | None = None,
    ) -> None:
        self._endpoint, self._query, self._body = endpoint, query, body
        self._before = [(each.name or "", each.request_param_name or "", each.call) for each in dependant.dependencies]
        self._paths, self._headers = tuple(dependant.path_params), tuple(dependant.header_params)
        self._request_name = dependant.request_param_name

    async def handle(self, request: Request) -> Response:
        """Ask the guards, read the parameters, call the endpoint."""
        values: dict[str, Any] = {}
        for name, parameter, dependency in self._before:
            values[name] = await dependency(**{parameter: request})  # type: ignore[misc]  # checked by ``_is_plain``
        errors = self._read(request, values)
        if errors:
            raise RequestValidationError(errors)
        if self._request_name is not None:
            values[self._request_name] = request
        return await self._endpoint(**values)

    async def take(self, request: Request) -> Response:
        """As ``handle``, with a body; raise ``LongWay`` for anything that the framework is to answer."""
        values: dict[str, Any] = {}
        for name, parameter, dependency in self._before:
            values[name] = await dependency(**{parameter: request})  # type: ignore[misc]  # checked by ``_is_plain``
        if self._body is None or (request.scope["query_string"] and self._query is None):
            raise LongWay
        try:
            given = _json(request.headers.get("content-type"), await request.body())
        except ClientDisconnect as error:
            raise HTTPException(HTTPStatus.BAD_REQUEST) from error
        values[self._body.name], faults = self._body.validate(given, values, loc=("body",))
        if faults or self._read(request, values):
            raise LongWay
        if self._request_name is not None:
            values[self._request_name] = request
        return await self._endpoint(**values)

    def _read(self, request: Request, values: dict[str, Any]) -> list[Any]:
        errors: list[Any] = []
        path, text = request.scope["path_params"], request.scope["query_string"]
        for field in self._paths:
            values[field.name], faults = field.validate(path[field.alias], values, loc=("path", field.alias))
            errors += faults or ()
        if self._query is not None:
            values[self._query.name] = self._query.read(text, errors)
        elif text:
            errors += _unknown(text)
        for field in self._headers:
            given = request.headers.get(field.alias)
            if given is None:
                values[field.name] = field.get_default()
            else:
                values[field.name], faults = field.validate(given, values, loc=("header", field.alias))
                errors += faults or ()
        return errors


def direct_handler(dependant: Dependant) -> Handler | None:
    """Give the short way for an endpoint that answers a ``Response`` itself, or ``None`` when it needs FastAPI's."""
    if dependant.body_params:
        return None
    direct = _direct(dependant, None)
    return None if direct is None else direct.handle


def direct_taker(dependant: Dependant) -> Handler | None:
    """Give the short way for an endpoint that takes one JSON body besides; ``None`` as ``direct_handler``."""
    if len(dependant.body_params) != 1:
        return None
    body = dependant.body_params[0]
    about, model = body.field_info, body.field_info.annotation
    whole = type(about) is params.Body and not about.embed and about.media_type == "application/json"
    if not whole or not (isinstance(model, type) and issubclass(model, BaseModel)):
        return None
    direct = _direct(dependant, body)
    return None if direct is None else direct.take


def _direct(dependant: Dependant, body: ModelField | None) -> _Direct | None:
    endpoint = dependant.call
    odd = (dependant.cookie_params, dependant.response_param_name, dependant.background_tasks_param_name)
    if endpoint is None or not _answers(endpoint):
        return None
    if any(odd) or not dependant.dependencies or not all(map(_is_plain, dependant.dependencies)):
        return None
    query = _query_of(dependant)
    if query is None and dependant.query_params:
        return None
    return _Direct(endpoint, dependant, query, body)


def _json(declared: str | None, body: bytes) -> Any:  # noqa: ANN401 — any JSON
    """Read a body that is declared as JSON and nothing else, as the framework would; raise ``LongWay``."""
    if declared != "application/json":
        raise LongWay
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise LongWay from error


def _answers(endpoint: Callable[..., Any]) -> bool:
    """Tell whether an endpoint says that it answers a ``Response``, so that there is nothing left to serialise."""
    promised = signature(endpoint).return_annotation
    kind = get_origin(promised) or promised
    return isinstance(kind, type) and issubclass(kind, Response)


def _query_of(dependant: Dependant) -> _Query | None:
    if len(dependant.query_params) != 1:
        return None
    field = dependant.query_params[0]
    model = field.field_info.annotation
    return _Query(field.name, model) if isinstance(model, type) and issubclass(model, BaseModel) else None


def _unknown(text: bytes) -> list[dict[str, Any]]:
    names = dict.fromkeys(
        key for key, _ in parse_qsl(text.decode("latin-1"), keep_blank_values=True)[:_MOST_PARAMETERS]
    )
    return [{"type": "extra_forbidden", "loc": ("query", name), "msg": "unknown", "input": None} for name in names]
