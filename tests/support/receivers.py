"""What the service calls, made for tests: an HTTP receiver and a mail server on the loopback address that answer as they are told."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import Any

import orjson

Answer = int | tuple[int, dict[str, str], bytes]
Read = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Got:
    """One request that came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 — any JSON
        """The body, read."""
        return orjson.loads(self.body)


@dataclass(slots=True)
class Receiver:
    """An HTTP receiver. ``answers`` are given one after the other, the last for ever, while ``answering``."""

    scheme: str
    answers: list[Answer] = field(default_factory=lambda: [204])
    got: list[Got] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Answer at once unless told otherwise."""
        self.answering.set()

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        """Give the address."""
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request and answer it."""
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.got.append(Got(head[0].split(" ")[1], headers, body))
            self.came.set()
            await self.answering.wait()
            answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
            status, more, said = (answer, {}, b"") if isinstance(answer, int) else answer
            lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in more.items()), "Connection: close"]
            writer.write("\r\n".join([*lines, f"Content-Length: {len(said)}", "", ""]).encode() + said)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@dataclass(slots=True)
class MailServer:
    """A mail server. ``recipients`` answers to ``RCPT``, one after the other; ``tls`` is offered when it is there."""

    tls: ssl.SSLContext | None = None
    recipients: list[int] = field(default_factory=lambda: [250])
    got: list[tuple[str, Message]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak as much SMTP as a client of ours needs (RFC 5321, RFC 3207)."""
        to = ""
        try:
            _say(writer, "220 sink")
            while line := (await reader.readline()).decode().strip():
                verb = line.partition(" ")[0].upper()
                if verb == "RCPT":
                    to = line.partition("<")[2].partition(">")[0]
                elif verb == "DATA":
                    _say(writer, "354 tell")
                    raw = (await reader.readuntil(b"\r\n.\r\n"))[:-3]
                    self.got.append((to, message_from_bytes(raw)))
                elif verb == "AUTH":
                    self.logins.append(line)
                for each in self._said(verb):
                    _say(writer, each)
                if verb == "STARTTLS" and self.tls is not None:
                    await writer.drain()
                    await writer.start_tls(self.tls)
                if verb == "QUIT":
                    break
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    def _said(self, verb: str) -> list[str]:
        match verb:
            case "EHLO":
                return ["250-sink", *(["250-STARTTLS"] if self.tls is not None else []), "250 AUTH PLAIN"]
            case "RCPT":
                return [f"{self.recipients[0] if len(self.recipients) == 1 else self.recipients.pop(0)} so it is"]
            case "STARTTLS":
                return ["220 go on" if self.tls is not None else "502 not here"]
            case "AUTH":
                return ["235 come in"]
            case "QUIT":
                return ["221 bye"]
            case _:
                return ["250 fine"]


def _say(writer: asyncio.StreamWriter, text: str) -> None:
    writer.write(f"{text}\r\n".encode())


Serves = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _listening(serve: Serves, tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    tasks = set[asyncio.Task[None]]()

    async def handled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)
        finally:
            tasks.discard(task)

    server = await asyncio.start_server(handled, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def receiving(answers: Sequence[Answer] = (204,), tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Listen for requests until the block ends."""
    receiver = Receiver("http" if tls is None else "https", list(answers))
    async with _listening(receiver.serve, tls) as receiver.port:
        yield receiver


@asynccontextmanager
async def taking_mail(tls: ssl.SSLContext | None = None) -> AsyncIterator[MailServer]:
    """Take mail until the block ends."""
    server = MailServer(tls)
    async with _listening(server.serve, None) as server.port:
        yield server
