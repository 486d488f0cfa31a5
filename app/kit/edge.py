"""The outermost layer of a request: its id, language, size limit, line in the log, and the last answer to an unforeseen failure.

Here too, where they are configured: how often an address may call, and which other origins' pages may read the answers. Pure ASGI and one
layer, because each layer costs every request. The fallback here answers before the framework's own can print an exception's message, which
may quote a value; what is logged is the kind of failure and where it happened.
"""

import re
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit.context import RequestContext, enter_request
from app.kit.cors import Cors, Headers
from app.kit.errors import BodyTooLarge, HttpsRequired, Internal, Problem
from app.kit.limits import Limiter, RateLimited, network_of
from app.kit.logging import REQUEST_LINES, swept
from app.kit.models import new_id
from app.kit.problems import render

_WELL_FORMED: Final = re.compile(rb"[A-Za-z0-9._-]{8,64}")
_PROBES: Final = frozenset({"/livez", "/readyz"})
_CHINESE: Final = re.compile(rb"\s*zh\b", re.IGNORECASE)

_log = structlog.get_logger("duanhao.http")
_security = structlog.get_logger("duanhao.security")


class _BodyTooLong(HTTPException):
    """More bytes arrived than the limit; of this kind, because the framework takes any other failure to read for a fault of the body."""

    def __init__(self) -> None:
        super().__init__(BodyTooLarge.status)


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


@dataclass(frozen=True, slots=True)
class Uploads:
    """The paths to which files are posted, and how long such a body may be."""

    paths: re.Pattern[str]
    most_bytes: int

    def most(self, scope: Scope) -> int:
        """Give how long a body may be at least; 0 for any other operation."""
        path: str = scope["path"]
        return self.most_bytes if scope["method"] == "POST" and self.paths.fullmatch(path) else 0


class RequestEdge:
    """ASGI middleware around everything."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_body_bytes: int,
        uploads: Sequence[Uploads] = (),
        https_only: bool = False,
        addresses: Limiter | None = None,
        cors: Cors | None = None,
    ) -> None:
        """Wrap ``app``; a body over ``max_body_bytes``, or over what one of ``uploads`` may have, is refused with 413, declared or counted.

        With ``https_only`` a request in clear is refused with 403, and with ``addresses`` one too many with 429, probes excepted. Scheme
        and address are the server's word: it takes forwarded ones from configured proxies alone. Without ``cors`` no other origin is told
        anything.
        """
        self._app, self._https_only = app, https_only
        self._max, self._addresses, self._cors = max_body_bytes, addresses, cors
        self._uploads = tuple(uploads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        context = _context(scope)
        enter_request(context)
        granted = () if self._cors is None else self._cors.headers(scope)
        most = max(self._max, *(each.most(scope) for each in self._uploads), 0)
        exchange = _Exchange(receive, send, ((b"x-request-id", context.request_id.encode()), *granted), most)
        began = perf_counter()
        try:
            if self._https_only and scope["scheme"] != "https" and scope["path"] not in _PROBES:
                await exchange.answer(scope, HttpsRequired(), context)
            elif self._addresses is not None and (wait := self._held_back(self._addresses, scope, context)):
                await exchange.answer(scope, RateLimited(wait), context)
            elif self._cors is not None and (allowed := self._cors.preflight(scope)) is not None:
                await exchange.send({"type": "http.response.start", "status": 204, "headers": [*allowed]})
                await exchange.send({"type": "http.response.body", "body": b""})
            elif exchange.declares_too_much(scope):
                await exchange.answer(scope, BodyTooLarge(), context)
            else:
                await self._app(scope, exchange.receive, exchange.send)
        except _BodyTooLong:
            await exchange.answer(scope, BodyTooLarge(), context)
        except Exception as error:  # noqa: BLE001 — the last answer to whatever nobody foresaw
            _report(error, context.request_id)
            await exchange.answer(scope, Internal(), context)
        finally:
            REQUEST_LINES.write(
                method=scope["method"],
                route=getattr(scope.get("route"), "path", None),
                status=exchange.status,
                milliseconds=round((perf_counter() - began) * 1000, 2),
                request_id=context.request_id,
                client_id=context.client_id,
                event_id=context.event_id,
            )

    @staticmethod
    def _held_back(addresses: Limiter, scope: Scope, context: RequestContext) -> int:
        """Count this call of its address and give 0, or the seconds for which it is held back; without an address nothing is counted."""
        address = context.address
        if not address or scope["path"] in _PROBES:
            return 0
        key = network_of(address) if ":" in address else address
        wait = addresses.wait(key)
        if wait and addresses.is_news(key):
            _security.warning("address_throttled", address=address, request_id=context.request_id)
        return wait


class _Exchange:
    """The two directions of one request: counts what comes in, stamps what goes out."""

    __slots__ = ("_max", "_receive", "_received", "_send", "_stamps", "status")

    def __init__(self, receive: Receive, send: Send, stamps: Headers, most: int) -> None:
        self._receive, self._send, self._max = receive, send, most
        self._stamps = stamps
        self._received = 0
        self.status = 0

    def declares_too_much(self, scope: Scope) -> bool:
        for name, value in scope["headers"]:
            if name == b"content-length":
                return not value.isdigit() or int(value) > self._max
        return False

    async def receive(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self._max:
            raise _BodyTooLong
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], *self._stamps]
        await self._send(message)

    async def answer(self, scope: Scope, problem: Problem, context: RequestContext) -> None:
        """Answer with ``problem``, or break the connection off when an answer has begun."""
        if self.status:
            raise problem
        await render(problem, context)(scope, self._receive, self.send)


def _context(scope: Scope) -> RequestContext:
    given, language = b"", b""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value
        elif name == b"accept-language":
            language = value
    client = scope.get("client")
    return RequestContext(
        request_id=_kept(given) or new_id().hex,
        address=client[0] if client else None,
        language=_language(language) if language else "en",
    )


def _kept(given: bytes) -> str | None:
    """Keep a caller's request id when it is well formed and could not be somebody's number, since it goes into logs as it is."""
    text = given.decode() if _WELL_FORMED.fullmatch(given) else ""
    return text if text and swept(text) == text else None


def _report(error: Exception, request_id: str) -> None:
    where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)][
        -12:
    ]
    _log.error("request_crashed", error=type(error).__name__, where=where, request_id=request_id)
