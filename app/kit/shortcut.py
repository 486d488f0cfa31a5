"""Where the short way through a look begins: before the framework's own middleware and router.

A request that a direct route answers (``app.kit.direct``) needs neither exit stacks nor a second table of exception handlers around
it. The table is read off the application's routes in their order, so that a path leads to the same route here as there; whatever is not a
GET or a POST of a direct route goes on to the framework, and so does a POST that turns out to be odd, with the body that was read. Failures
become the same documents by the same handler.
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.direct import Handler, LongWay
from app.kit.errors import Problem
from app.kit.parts import beginning, parted
from app.kit.routing import GuardedRoute

Answer = Callable[[Request, Exception], Awaitable[Response]]

_METHODS: Final = ("GET", "POST")


class Shortcut:
    """ASGI middleware inside the last fence and outside of the framework's."""

    def __init__(self, app: ASGIApp, *, routes: Sequence[BaseRoute], answer: Answer) -> None:
        """Wrap ``app``; ``routes`` are its routes, all of them there by now, and ``answer`` makes a failure a document."""
        self._app, self._answer = app, answer
        self._tables = {method: list(_table(routes, method)) for method in _METHODS}
        self._parts = {
            (method, first): list(_table(part, method)) for first, part in parted(routes).items() for method in _METHODS
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        found = self.find(scope) if scope["type"] == "http" and scope["method"] in _METHODS else None
        if found is None:
            await self._app(scope, receive, send)
            return
        route, handler, values = found
        scope["path_params"], scope["route"] = values, route
        request = Request(scope, receive, send)
        try:
            response = await handler(request)
        except LongWay:
            await self._app(scope, _again(await request.body(), receive), send)
            return
        except (Problem, RequestValidationError, HTTPException) as error:
            response = await self._answer(request, error)
        await response(scope, receive, send)

    def find(self, scope: Scope) -> tuple[BaseRoute, Handler, Mapping[str, str]] | None:
        """Give the direct route that this method and path lead to, its handler and its path parameters; ``None``: the framework answers."""
        if scope.get("root_path"):
            return None
        path, method = scope["path"], scope["method"]
        for pattern, route, handler in self._parts.get((method, beginning(path)), self._tables[method]):
            matched = pattern.match(path)
            if matched is not None:
                return None if handler is None else (route, handler, matched.groupdict())
        return None


def _again(body: bytes, receive: Receive) -> Receive:
    """Give the body that was read once more, then what the client still says."""
    read: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def heard() -> Message:
        return read.pop() if read else await receive()

    return heard


def _table(routes: Sequence[BaseRoute], method: str) -> Iterator[tuple[re.Pattern[str], BaseRoute, Handler | None]]:
    """List what a request of this method can meet, in order: the pattern of the path, the route, and its direct handler if it has one."""
    for route in routes:
        if isinstance(route, Route) and method not in (route.methods or ()):
            continue
        pattern = getattr(route, "path_regex", None)
        if not isinstance(pattern, re.Pattern):
            return
        yield pattern, route, route.short if isinstance(route, GuardedRoute) else None
