"""Routes that demand a guard.

Promises: a route which declares neither a ``Guard`` nor, with a reason, that it is public cannot be added to the application: the import
fails. A guard says whether its route discloses; it does unless it says otherwise, and then the answer needs a permit.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.convertors import StringConvertor
from starlette.types import ASGIApp, Receive, Scope, Send

from app.kit.direct import Handler, direct_handler, direct_taker
from app.kit.errors import FieldError, Invalid, Problem
from app.kit.limits import RateLimited
from app.kit.problems import also

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])
_MARK = "__duanhao_public__"


class UnguardedRouteError(TypeError):
    """A route was declared that anybody could call by oversight."""


class Guard(ABC):
    """A route dependency that decides who may call; subclasses implement ``__call__``."""

    discloses: ClassVar[bool] = True
    """Whether a 2xx of the route may carry data of people, and so needs a permit."""

    scopes: frozenset[str] = frozenset()
    """Scopes of which the caller's token must carry at least one; for the route inventory."""

    problems: ClassVar[tuple[type[Problem], ...]] = ()
    """What the guard refuses with, beside what every guard does; for the description."""

    schemes: ClassVar[tuple[str, ...]] = ()
    """What the guard takes instead of a token, as OpenAPI's security schemes are named; for the description."""

    @abstractmethod
    async def __call__(self, request: Request) -> Any:  # noqa: ANN401 — each guard gives its own verified value
        """Give the verified caller or raise."""


def public(reason: str) -> Callable[[_Endpoint], _Endpoint]:
    """Mark an endpoint as open to anybody, and say why that is right."""

    def mark(endpoint: _Endpoint) -> _Endpoint:
        setattr(endpoint, _MARK, reason)
        return endpoint

    return mark


def guards_of(dependant: Dependant) -> list[Guard]:
    """Find every guard that a route's dependencies contain, however deep."""
    found = [dependency.call for dependency in dependant.dependencies if isinstance(dependency.call, Guard)]
    return found + [guard for dependency in dependant.dependencies for guard in guards_of(dependency)]


class GuardedRoute(APIRoute):
    """A route that is guarded or publicly marked, never both, never neither."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401 — passed through
        """Refuse an unguarded endpoint; say of a guarded one that its caller may be held back."""
        super().__init__(path, endpoint, **options)
        self.guards = guards_of(self.dependant)
        self.public_reason: str | None = getattr(endpoint, _MARK, None)
        if bool(self.guards) == (self.public_reason is not None):
            message = f"{path}: declare exactly one of a Guard dependency and @public(reason)"
            raise UnguardedRouteError(message)
        if self.guards:
            self.responses = also(self.responses, RateLimited)
            self._describe()
        self.short: Handler | None = direct_handler(self.dependant) if self._is_plain() else None
        if self.short is not None:
            self.app = _served_by(self.short)
        elif self._is_plain() and "POST" in (self.methods or ()):
            self.short = direct_taker(self.dependant)

    def _describe(self) -> None:
        """Say of an operation what its guards refuse with, and what they take instead of a token."""
        for guard in self.guards:
            self.responses = also(self.responses, *guard.problems)
            if guard.schemes:
                taken = [{name: list[str]()} for name in ("bearer", *guard.schemes)]
                self.openapi_extra = {**(self.openapi_extra or {}), "security": taken}

    def _is_plain(self) -> bool:
        """Tell whether the path's parameters are taken as they stand in it."""
        return all(type(each) is StringConvertor for each in self.param_convertors.values())

    def get_route_handler(self) -> Handler:
        """Take the short way where the route allows it, else FastAPI's; on either way the guards are asked first.

        FastAPI reads the body before it asks a dependency, so that an anonymous caller would be told of a fault in the body, and would make
        us read it. Query parameters on a guarded operation that takes none are refused; one that takes some says so in its schema, which is
        strict.
        """
        short = direct_handler(self.dependant)
        if short is not None:
            return short
        handler = super().get_route_handler()
        guards = guards_of(self.dependant)
        if not guards:
            return handler
        takes_query = _asks_the_query(self.dependant)

        async def guarded(request: Request) -> Response:
            for guard in guards:
                await guard(request)
            if not takes_query and request.scope["query_string"]:
                names = dict.fromkeys(request.query_params)
                raise Invalid(errors=[_unknown(name) for name in names])
            return await handler(request)

        return guarded


def _served_by(handler: Handler) -> ASGIApp:
    """Serve a handler that needs none of FastAPI's exit stacks: nothing on the short way yields."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await handler(Request(scope, receive, send))
        await response(scope, receive, send)

    return app


def _asks_the_query(dependant: Dependant) -> bool:
    return bool(dependant.query_params) or any(_asks_the_query(each) for each in dependant.dependencies)


def _unknown(name: str) -> FieldError:
    return FieldError(f"?{name[:64]}", "unknown_member", "This member is not known here.", "未知的字段。")


class GuardedRouter(APIRouter):
    """A router all of whose routes are ``GuardedRoute``."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 — passed through
        """Make the router; a slash too many is a 404, not a redirect that drops the method."""
        super().__init__(route_class=GuardedRoute, redirect_slashes=False, **options)
