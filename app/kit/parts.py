"""Routes by how their paths begin, so that a request is held against the few that it can lead to and not against all.

A path that begins with two literal pieces (``/v1/contacts/…``) can only lead to a route whose pattern begins with the same two, or with a
parameter in their place. Which of those it is stays the framework's business, in the order of the application's routes.
"""

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

_PIECES: Final = 2

Beginning = tuple[str, ...]


def beginning(path: str) -> Beginning:
    """Give the first pieces of a path, without the rest of it."""
    return tuple(path.split("/", _PIECES + 1)[1 : _PIECES + 1])


def parted(routes: Sequence[BaseRoute]) -> dict[Beginning, list[BaseRoute]]:
    """List, for each beginning that a route spells out, all routes that a path with this beginning can lead to, in their order.

    A path whose beginning is not there may still lead to a route: to one that spells out less.
    """
    literal = [_literal(each) for each in routes]
    spelt = {
        each
        for route, each in zip(routes, literal, strict=True)
        if isinstance(route, Route) and each == beginning(route.path)
    }
    return {
        first: [route for route, each in zip(routes, literal, strict=True) if each == first[: len(each)]]
        for first in spelt
    }


def _literal(route: BaseRoute) -> Beginning:
    """Give the pieces with which every path to a route begins; none for what is no plain route."""
    if not isinstance(route, Route):
        return ()
    found: list[str] = []
    for each in beginning(route.path):
        if "{" in each:
            break
        found.append(each)
    return tuple(found)


class Parts:
    """Stands before an application's router and asks, for most requests, a router of the few routes in question."""

    def __init__(self, router: APIRouter) -> None:
        """Take the router, which has all its routes by now."""
        self._router, self._all = router, router.middleware_stack
        self._parts: dict[Beginning, ASGIApp] = {}
        for first, routes in parted(router.routes).items():
            part = APIRouter(redirect_slashes=router.redirect_slashes, default=router.default)
            part.routes.extend(routes)
            self._parts[first] = part.app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        part = None
        if scope["type"] == "http" and not scope.get("root_path"):
            part = self._parts.get(beginning(scope["path"]))
        if part is None:
            await self._all(scope, receive, send)
            return
        scope["router"] = self._router
        await part(scope, receive, send)
