"""The load generator: HTTP/1.1 over kept connections, each with one request under way, made to cost much less than what it asks of.

Requests are bytes laid out beforehand and asked in turn. Of each answer the status and the length are read; every so many answers the body
is handed to a check. Anything else than 200 and 201 stops the run: a rate of refusals is no rate.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Final, cast

import uvloop

CONNECTIONS: Final = 32
SAMPLE: Final = 50
_OK: Final = (b"HTTP/1.1 200 ", b"HTTP/1.1 201 ")
_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\ncontent-length:"

Check = Callable[[bytes], None]


class BadAnswerError(AssertionError):
    """An answer was not what is measured."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: answers, the seconds that they took on the wall, and the share of one core that this generator needed for it."""

    answers: int
    seconds: float
    busy: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds


def get(path: str, token: str | None = None) -> bytes:
    """Lay out a request."""
    authorization = "" if token is None else f"Authorization: Bearer {token}\r\n"
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}\r\n".encode()


def post(path: str, body: bytes, token: str | None = None) -> bytes:
    """Lay out a request with a JSON body."""
    authorization = "" if token is None else f"Authorization: Bearer {token}\r\n"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    )
    return f"{head}{authorization}\r\n".encode() + body


class _Run:
    """What the connections of one run share."""

    def __init__(self, requests: Iterator[bytes], check: Check | None, most: float) -> None:
        self.requests, self.check, self.most = requests, check, most
        self.answers = self.asked = 0
        self.ends = float("inf")
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.open = 0

    def answered(self, body: bytes) -> None:
        self.answers += 1
        if self.check is not None and self.answers % SAMPLE == 1:
            self.check(body)

    def closed(self) -> None:
        self.open -= 1
        if self.open == 0 and not self.over.done():
            self.over.set_result(None)

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more is to be asked."""
        return self.asked >= self.most or time.perf_counter() >= self.ends

    def fail(self, error: Exception) -> None:
        if not self.over.done():
            self.over.set_exception(error)


class _Connection(asyncio.Protocol):
    """One connection: asks, reads the answer, asks again until the run is over."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._head = b""
        self._body = bytearray()
        self._missing = -1
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._run.open += 1

    def ask(self) -> None:
        assert self._transport is not None
        self._run.asked += 1
        self._transport.write(next(self._run.requests))

    def data_received(self, data: bytes) -> None:
        try:
            self._take(data)
        except Exception as error:  # noqa: BLE001 — ends the run, which raises it
            self._run.fail(error)
            self.close()

    def _take(self, data: bytes) -> None:
        if self._missing < 0:
            self._head += data
            end = self._head.find(_END)
            if end < 0:
                return
            self._missing = self._length(self._head[: end + 2])
            data, self._head = self._head[end + 4 :], b""
        self._body += data
        self._missing -= len(data)
        if self._missing > 0:
            return
        if self._missing < 0:
            message = "more bytes than the answer has"
            raise BadAnswerError(message)
        body, self._body, self._missing = bytes(self._body), bytearray(), -1
        self._run.answered(body)
        if self._run.is_over:
            self.close()
        else:
            self.ask()

    @staticmethod
    def _length(head: bytes) -> int:
        if not head.startswith(_OK):
            raise BadAnswerError(head.decode("latin-1"))
        lower = head.lower()
        at = lower.index(_LENGTH) + len(_LENGTH)
        return int(lower[at : lower.index(b"\r\n", at)])

    def connection_lost(self, exc: Exception | None) -> None:
        if self._missing >= 0 or exc is not None or not self._run.is_over:
            self._run.fail(exc or BadAnswerError("the server closed a connection"))
        self._run.closed()

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()


async def _run(
    ports: Sequence[int], requests: Sequence[bytes], seconds: float, check: Check | None, offset: int, most: float
) -> Measured:
    turn = cycle((*requests[offset % len(requests) :], *requests[: offset % len(requests)]))
    run = _Run(turn, check, most)
    loop = asyncio.get_running_loop()
    where = [ports[at % len(ports)] for at in range(CONNECTIONS)]
    made = [await loop.create_connection(lambda: _Connection(run), "127.0.0.1", port) for port in where]
    began, used = time.perf_counter(), time.process_time()
    run.ends = began + seconds
    for _, connection in made:
        if run.is_over:
            connection.close()
        else:
            connection.ask()
    async with asyncio.timeout(seconds + 60):
        await run.over
    took = time.perf_counter() - began
    return Measured(run.answers, took, (time.process_time() - used) / took)


def measure(
    ports: int | Sequence[int],
    requests: Sequence[bytes],
    seconds: float,
    *,
    check: Check | None = None,
    offset: int = 0,
    most: float = float("inf"),
) -> Measured:
    """Ask ``requests`` in turn, from ``offset`` on, for so many seconds and ``most`` times, and wait for what is under way at the end.

    Connections are shared out among ``ports``. Raises ``BadAnswerError`` for an answer that is neither 200 nor 201 or is not whole, and
    whatever ``check`` raises.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run([ports] if isinstance(ports, int) else ports, requests, seconds, check, offset, most))
