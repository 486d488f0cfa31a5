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
    """An HTTP receiver. ``answers`` are given one after the other, the last for ever; ``hangs`` keeps everybody waiting."""

    scheme: str
    answers: list[Answer] = field(default_factory=lambda: [204])
    got: list[Got] = field(default_factory=list)
    hangs: bool = False
    connections: int = 0
    port: int = 0

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
            while self.hangs:
                await asyncio.sleep(0.02)
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
        secured = False

        def say(text: str) -> None:
            writer.write(f"{text}\r\n".encode())

        say("220 sink")
        to = ""
        try:
            while line := (await reader.readline()).decode().strip():
                verb = line.partition(" ")[0].upper()
                match verb:
                    case "EHLO":
                        offered = ["250-sink", "250-AUTH PLAIN", "250 8BITMIME"]
                        if self.tls is not None and not secured:
                            offered.insert(1, "250-STARTTLS")
                        for each in offered:
                            say(each)
                    case "STARTTLS" if self.tls is not None:
                        say("220 go on")
                        await writer.drain()
                        await writer.start_tls(self.tls)
                        secured = True
                    case "AUTH":
                        self.logins.append(line)
                        say("235 come in")
                    case "RCPT":
                        code = self.recipients[0] if len(self.recipients) == 1 else self.recipients.pop(0)
                        to = line.partition("<")[2].partition(">")[0]
                        say(f"{code} so it is")
                    case "DATA":
                        say("354 tell")
                        raw = (await reader.readuntil(b"\r\n.\r\n"))[:-3]
                        self.got.append((to, message_from_bytes(raw)))
                        say("250 taken")
                    case "QUIT":
                        say("221 bye")
                        break
                    case _:
                        say("250 fine")
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()


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
