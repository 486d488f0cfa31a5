"""The last fence: an answer of a disclosing route leaves only under permits that its request holds.

A route is disclosing unless its guard says otherwise, so a forgotten record of a look is a 500 in the first test that calls the route,
and never a leak. The head of the answer needs a permit, and each piece of its body needs one of its own: an answer in one piece has one, a
stream takes one for every page, and a piece without a permit of its own breaks the connection off. The one exception is named for what it
is: an ``unlogged_hotline_answer`` lets a 200 of exactly its own bytes pass. Pure ASGI; looks at two attributes of
the request's context and passes everything on.
"""

from http import HTTPStatus

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.disclosure.hotlines import UnloggedHotlineAnswer
from app.disclosure.stream import LINES, PROBLEM
from app.kit.context import RequestContext, current_request
from app.kit.errors import Internal, Problem
from app.kit.problems import render

_log = structlog.get_logger("duanhao.security")


class DisclosureGuard:
    """ASGI middleware inside the request's edge."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; replace a 2xx or 304 that has no permit by a 500."""
        context = current_request()
        if scope["type"] != "http" or context is None:
            await self._app(scope, receive, send)
            return
        answer = _Answer(context, scope, receive, send)
        await self._app(scope, receive, answer.pass_on)


class _Answer:
    """What has left of one answer."""

    __slots__ = ("_broken", "_context", "_in_lines", "_receive", "_reveals", "_scope", "_send", "_stopped", "_used")

    def __init__(self, context: RequestContext, scope: Scope, receive: Receive, send: Send) -> None:
        self._context, self._scope, self._receive, self._send = context, scope, receive, send
        self._used: object | None = None
        self._reveals = self._in_lines = self._stopped = self._broken = False

    async def pass_on(self, message: Message) -> None:
        """Pass one message on, if it may leave."""
        if self._broken:
            raise Internal
        if self._stopped:
            return
        kind = message["type"]
        if kind == "http.response.start":
            status = message["status"]
            reveals = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES or status == HTTPStatus.NOT_MODIFIED
            self._reveals = reveals and self._context.disclosing
            if self._reveals and self._context.permit is None and not self._is_unlogged_hotline(status):
                self._stopped = True
                self._report("answer_without_permit", status)
                await render(Internal(), self._context)(self._scope, self._receive, self._send)
                return
            self._in_lines = any(
                name == b"content-type" and value.startswith(LINES.encode()) for name, value in message["headers"]
            )
        elif kind == PROBLEM:
            await self._end_with(message["problem"])
            return
        elif kind == "http.response.body" and self._reveals and message.get("body"):
            permit = self._context.permit or self._context.unlogged_hotline_answer
            if permit is self._used or (
                isinstance(permit, UnloggedHotlineAnswer) and not permit.covers(message["body"])
            ):
                self._broken = True
                self._report("piece_without_permit", None)
                raise Internal
            self._used = permit
        await self._send(message)

    def _is_unlogged_hotline(self, status: int) -> bool:
        return status == HTTPStatus.OK and isinstance(self._context.unlogged_hotline_answer, UnloggedHotlineAnswer)

    async def _end_with(self, problem: Problem) -> None:
        """End a stream early, visibly: with a last line, or by breaking the connection off."""
        self._stopped = True
        if not self._in_lines:
            raise problem
        line = bytes(render(problem, self._context).body) + b"\n"
        await self._send({"type": "http.response.body", "body": line, "more_body": False})

    def _report(self, event: str, status: int | None) -> None:
        _log.error(event, route=getattr(self._scope.get("route"), "path", None), status=status)
