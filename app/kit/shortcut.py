"""Where the short way through a look begins: before the framework's own middleware and router.

A request that a direct route answers (``app.kit.direct``) needs neither exit stacks nor a second table of exception handlers around
it. The table is read off the application's routes in their order, so that a path leads to the same route here as there; whatever is not a
GET of a direct route goes on to the framework. Failures become the same documents by the same handler.
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.kit.direct import Handler
from app.kit.errors import Problem
from app.kit.parts import beginning, parted
from app.kit.routing import GuardedRoute

Answer = Callable[[Request, Exception], Awaitable[Response]]


class Shortcut:
    """ASGI middleware inside the last fence and outside of the framework's."""

    def __init__(self, app: ASGIApp, *, routes: Sequence[BaseRoute], answer: Answer) -> None:
        """Wrap ``app``; ``routes`` are its routes, all of them there by now, and ``answer`` makes a failure a document."""
        self._app, self._answer = app, answer
        self._table = list(_table(routes))
        self._parts = {first: list(_table(part)) for first, part in parted(routes).items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        found = self.find(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        route, handler, values = found
        scope["path_params"], scope["route"] = values, route
        request = Request(scope, receive, send)
        try:
            response = await handler(request)
        except (Problem, RequestValidationError, HTTPException) as error:
            response = await self._answer(request, error)
        await response(scope, receive, send)

    def find(self, scope: Scope) -> tuple[BaseRoute, Handler, Mapping[str, str]] | None:
        """Give the direct route that a GET of this path leads to, its handler and its path parameters; ``None``: the framework answers."""
        if scope.get("root_path"):
            return None
        path = scope["path"]
        for pattern, route, handler in self._parts.get(beginning(path), self._table):
            matched = pattern.match(path)
            if matched is not None:
                return None if handler is None else (route, handler, matched.groupdict())
        return None


def _table(routes: Sequence[BaseRoute]) -> Iterator[tuple[re.Pattern[str], BaseRoute, Handler | None]]:
    """List what a GET can meet, in order: the pattern of the path, the route, and its direct handler if it has one."""
    for route in routes:
        if isinstance(route, Route) and "GET" not in (route.methods or ()):
            continue
        pattern = getattr(route, "path_regex", None)
        if not isinstance(pattern, re.Pattern):
            return
        yield pattern, route, route.short if isinstance(route, GuardedRoute) else None
