"""The one place where a failure becomes a document (RFC 9457), whoever raised it: a rule of ours, validation, or the framework.

Promises: every non-2xx answer outside ``/oauth`` and ``/scim`` has this shape; ``code`` is stable; ``detail`` speaks the language that
the caller asked for; nothing that the caller sent or that is stored is quoted. A refusal is put on record after the transaction has
been rolled back and before the answer leaves.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from app.kit.context import RequestContext, current_request
from app.kit.errors import (
    BodyTooLarge,
    FieldError,
    Internal,
    Invalid,
    MethodNotAllowed,
    NotFound,
    Problem,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)

MEDIA_TYPE: Final = "application/problem+json"
_REFUSALS: Final = frozenset(
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.TOO_MANY_REQUESTS}
)
_FRAMEWORK: Final[Mapping[int, type[Problem]]] = {
    kind.status: kind
    for kind in (
        Unauthenticated,
        NotFound,
        MethodNotAllowed,
        BodyTooLarge,
        UnsupportedMediaType,
        Invalid,
        Unavailable,
    )
} | {HTTPStatus.BAD_REQUEST: Invalid}

RecordRefusal = Callable[[RequestContext, Problem], Awaitable[None]]

_log = structlog.get_logger("duanhao.http")

_WORDS: Final[dict[str, tuple[str, str, str]]] = {
    "missing": ("missing", "This member is required.", "缺少必填项。"),
    "extra_forbidden": ("unknown_member", "This member is not known here.", "未知的字段。"),
    "json_invalid": ("malformed_json", "The body is not valid JSON.", "请求内容不是有效的 JSON。"),
    "string_too_long": ("too_long", "The text is too long.", "文本过长。"),
    "string_too_short": ("too_short", "The text is too short.", "文本过短。"),
    "too_long": ("too_many", "There are too many items.", "条目过多。"),
    "too_short": ("too_few", "There are too few items.", "条目过少。"),
    "uuid_parsing": ("malformed_id", "This is not an id.", "标识格式不正确。"),
    "enum": ("unknown_value", "This value is not one of those allowed.", "取值不在允许范围内。"),
    "literal_error": ("unknown_value", "This value is not one of those allowed.", "取值不在允许范围内。"),
}
_SIZES: Final = frozenset({"too_long", "too_short"})
_UNREAD: Final = frozenset({"model_attributes_type", "model_type", "dict_type"})
_OTHERWISE: Final = ("invalid_value", "This value is not valid here.", "取值无效。")
FAULT_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    code: (english, chinese) for code, english, chinese in (*_WORDS.values(), _OTHERWISE)
}
"""What the framework's own faults are called here, and in words: English and Chinese."""


class ProblemError(BaseModel):
    """One fault inside the request."""

    model_config = ConfigDict(extra="forbid")
    pointer: str = Field(examples=["/mobile"])
    code: str = Field(examples=["malformed_phone"])
    detail: str = Field(examples=["This is not a telephone number."])


class ProblemDocument(BaseModel):
    """The shape of every refusal and failure (RFC 9457)."""

    type: str = Field(examples=["urn:duanhao:problem:not_found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["Not found"])
    instance: str = Field(examples=["urn:duanhao:request:01J8Z0"])
    code: str = Field(examples=["not_found"])
    errors: list[ProblemError]


def responses(*problems: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """Describe ``problems`` for OpenAPI, one entry per status with every code named."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for problem in problems:
        entry = by_status.setdefault(
            problem.status,
            {
                "description": "",
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}, "examples": {}}},
            },
        )
        entry["description"] = ", ".join(filter(None, (entry["description"], f"`{problem.code}`")))
        entry["content"][MEDIA_TYPE]["examples"][problem.code] = {
            "value": {
                "type": f"urn:duanhao:problem:{problem.code}",
                "title": problem.title,
                "status": problem.status,
                "detail": problem.title,
                "instance": "urn:duanhao:request:example",
                "code": problem.code,
                "errors": [],
            }
        }
    return by_status


def also(documented: Mapping[int | str, dict[str, Any]], *problems: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """Add ``problems`` to what an operation documents already, beside others of the same status."""
    found = {**documented}
    for status, entry in responses(*problems).items():
        examples = found.get(status, {}).get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
        told = dict.fromkeys((*examples, *entry["content"][MEDIA_TYPE]["examples"]))
        entry["description"] = ", ".join(f"`{code}`" for code in told)
        entry["content"][MEDIA_TYPE]["examples"] |= examples
        found[status] = entry
    return found


def every_problem(root: type[Problem] = Problem) -> Iterator[type[Problem]]:
    """List all problem classes that are loaded, each once, parents first."""
    yield root
    for child in root.__subclasses__():
        yield from every_problem(child)


def render(problem: Problem, context: RequestContext | None) -> Response:
    """Write the document in the language of the request."""
    chinese = context is not None and context.language == "zh"
    request_id = context.request_id if context is not None else "none"
    document = {
        "type": f"urn:duanhao:problem:{problem.code}",
        "title": problem.title_zh if chinese else problem.title,
        "status": problem.status,
        "detail": problem.detail_zh if chinese else problem.detail,
        "instance": f"urn:duanhao:request:{request_id}",
        "code": problem.code,
        "errors": [
            {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail_zh if chinese else fault.detail}
            for fault in problem.errors
        ],
        **problem.extensions,
    }
    headers = {
        "Cache-Control": "no-store",
        "Content-Language": "zh" if chinese else "en",
        **({"WWW-Authenticate": "Bearer"} if problem.status == HTTPStatus.UNAUTHORIZED else {}),
        **problem.headers,
    }
    return Response(orjson.dumps(document), status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def is_refusal(problem: Problem) -> bool:
    """Tell whether a problem refuses a known caller, and is therefore put on record."""
    return problem.status in _REFUSALS


def from_validation(error: RequestValidationError) -> Invalid:
    """Turn the framework's list of faults into ours, without the values that it quotes."""
    faults = []
    for fault in error.errors():
        kind = fault["type"]
        if kind in _SIZES and isinstance(fault.get("input"), str):
            kind = f"string_{kind}"
        code, english, chinese = _WORDS.get(kind, _OTHERWISE)
        context = fault.get("ctx") or {}
        if fault["type"] == "value_error" and isinstance(reason := context.get("error"), Rejected):
            code, english, chinese = reason.code, reason.detail, reason.detail_zh
        where, *path = fault["loc"] or ("body",)
        if where == "query":
            pointer = "?" + "/".join(str(part) for part in path)
        elif where == "body":
            pointer = "".join(
                f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path if not _is_internal(part)
            )
        else:
            pointer = f"{where}:" + "/".join(str(part) for part in path)
        faults.append(FieldError(pointer, code, english, chinese))
    return Invalid(errors=faults)


def _is_of_another_type(request: Request, error: RequestValidationError) -> bool:
    """Tell whether the body was not read at all, because its media type is not JSON."""
    subtype = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if subtype.startswith("application/") and subtype.endswith(("/json", "+json")):
        return False
    return any(fault["loc"] == ("body",) and fault["type"] in _UNREAD for fault in error.errors())


def _is_internal(part: object) -> bool:
    return isinstance(part, str) and part.startswith("function-")


class Rejected(ValueError):
    """A validator's refusal that carries its own code and words into the document; for use inside input schemas."""

    def __init__(self, code: str, detail: str, detail_zh: str) -> None:
        """Name the fault."""
        super().__init__(code)
        self.code, self.detail, self.detail_zh = code, detail, detail_zh


def install(app: FastAPI, record_refusal: RecordRefusal) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Make ``app`` answer every failure with a document, and put refusals of known callers on record first; give what does so."""

    async def problem(request: Request, error: Exception) -> Response:
        context = current_request()
        match error:
            case Problem():
                shown = error
            case RequestValidationError():
                shown = UnsupportedMediaType() if _is_of_another_type(request, error) else from_validation(error)
            case HTTPException():
                shown = _FRAMEWORK.get(error.status_code, Internal)(headers=error.headers)
            case _:
                shown = Internal()
        if context is not None and context.actor is not None and is_refusal(shown):
            try:
                await record_refusal(context, shown)
            except Problem as unrecorded:
                shown = unrecorded
        if shown.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("request_failed", code=shown.code, error=type(error).__name__)
        return render(shown, context)

    for kind in (Problem, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, problem)
    return problem
