"""The outermost layer of a request: its id, its language, its size limit, its line in the log, and the last answer to an unforeseen failure.

Pure ASGI and one layer, because each layer costs every request. The fallback here answers before the framework's own can print an
exception's message, which may quote a value; what is logged is the kind of failure and where it happened.
"""

import re
import traceback
from time import perf_counter
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.context import RequestContext, enter_request
from app.kit.errors import BodyTooLarge, Internal
from app.kit.models import new_id
from app.kit.problems import render

_WELL_FORMED: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_CHINESE: Final = re.compile(rb"\s*zh\b", re.IGNORECASE)

_log = structlog.get_logger("duanhao.http")


class _BodyTooLong(Exception):  # noqa: N818 — never leaves this module
    """More bytes arrived than the limit."""


def _language(header: bytes) -> str:
    best, language = -1.0, "en"
    for part in header.split(b",")[:16]:
        name, _, weight = part.partition(b";q=")
        try:
            quality = float(weight or b"1")
        except ValueError:
            continue
        if quality > best:
            best, language = quality, "zh" if _CHINESE.match(name) else "en"
    return language


class RequestEdge:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int) -> None:
        """Wrap ``app``; a body over ``max_body_bytes`` is refused with 413, declared or counted."""
        self._app = app
        self._max = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given.decode() if _WELL_FORMED.fullmatch(given) else new_id().hex
        client = scope.get("client")
        context = RequestContext(request_id, client[0] if client else None)
        if language := headers.get(b"accept-language"):
            context.language = _language(language)
        enter_request(context)
        scope["duanhao"] = context
        began, status, received = perf_counter(), 0, 0
        declared = headers.get(b"content-length", b"")

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max:
                raise _BodyTooLong
            return message

        async def stamped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            if declared.isdigit() and int(declared) > self._max:
                await render(BodyTooLarge(), context)(scope, receive, stamped)
            else:
                await self._app(scope, counted, stamped)
        except _BodyTooLong:
            if status:
                raise
            await render(BodyTooLarge(), context)(scope, receive, stamped)
        except Exception as error:
            _report(error, request_id)
            if status:
                raise
            await render(Internal(), context)(scope, receive, stamped)
        finally:
            _log.info(
                "request",
                method=scope["method"],
                route=getattr(scope.get("route"), "path", None),
                status=status,
                milliseconds=round((perf_counter() - began) * 1000, 2),
                request_id=request_id,
                client_id=context.client_id,
                event_id=str(context.event_id) if context.event_id else None,
            )


def _report(error: Exception, request_id: str) -> None:
    where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)][-12:]
    _log.error("request_crashed", error=type(error).__name__, where=where, request_id=request_id)
