"""Each piece of a stream leaves under a permit of its own, and a stream that fails ends where it can be seen."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx
import orjson
import pytest
from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Message
from structlog.testing import capture_logs

from app.disclosure.guard import DisclosureGuard
from app.disclosure.stream import LINES, DisclosedStream
from app.kit import problems
from app.kit.context import RequestContext, current_request
from app.kit.edge import RequestEdge
from app.kit.errors import LogUnavailable, NotFound, Problem
from app.kit.routing import Guard, GuardedRouter

Pages = Callable[[], AsyncGenerator[bytes]]


class Open(Guard):
    """A guard that lets everybody in; its route discloses."""

    async def __call__(self, request: Request) -> None:
        del request
        context = current_request()
        assert context is not None
        context.disclosing = True


def recorded() -> None:
    """Take a permit, as the gate does."""
    context = current_request()
    assert context is not None
    context.permit = object()


async def three() -> AsyncGenerator[bytes]:
    for number in range(3):
        recorded()
        yield b'{"page":%d}\n' % number


async def forgetful() -> AsyncGenerator[bytes]:
    recorded()
    yield b'{"page":0}\n'
    yield b'{"secret":1}\n'
    recorded()
    yield b'{"page":2}\n'


async def cut() -> AsyncGenerator[bytes]:
    recorded()
    yield b'{"page":0}\n'
    raise LogUnavailable


async def crashing() -> AsyncGenerator[bytes]:
    recorded()
    yield b'{"page":0}\n'
    message = "13800002101"
    raise RuntimeError(message)


async def unrecorded() -> AsyncGenerator[bytes]:
    yield b'{"secret":1}\n'


def serving(pages: Pages, media_type: str) -> FastAPI:
    """Build an application with one route that streams."""
    router = GuardedRouter()

    @router.get("/stream", dependencies=[Depends(Open())], response_model=None)
    async def stream() -> Response:
        found = pages()
        return DisclosedStream(await anext(found), found, media_type=media_type, filename="x")

    @router.get("/plain", dependencies=[Depends(Open())], response_model=None)
    async def plain() -> Response:
        recorded()
        return StreamingResponse(iter([b"one", b"", b"two"]))

    async def nowhere(context: RequestContext, refusal: Problem) -> None:
        del context, refusal

    app = FastAPI()
    problems.install(app, nowhere)
    app.add_middleware(DisclosureGuard)
    app.add_middleware(RequestEdge, max_body_bytes=1024)
    app.include_router(router)
    return app


async def sent(app: FastAPI, path: str = "/stream") -> tuple[list[Message], str | None]:
    """Ask as a server does; give what was sent, and the kind of failure that broke the connection off."""
    messages: list[Message] = []
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "scheme": "http",
        "server": ("x", 80),
        "client": ("127.0.0.1", 1),
        "root_path": "",
        "http_version": "1.1",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    try:
        await app(scope, receive, send)
    except Exception as error:  # noqa: BLE001 — whatever a server would see
        return messages, type(error).__name__
    return messages, None


def body(messages: list[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in messages)


def is_whole(messages: list[Message]) -> bool:
    """Tell whether the body was ended, so that the server writes its last chunk."""
    return not messages[-1].get("more_body", False)


@pytest.mark.parametrize("media_type", [LINES, "text/csv"])
async def test_a_stream_leaves_page_by_page(media_type: str) -> None:
    messages, failure = await sent(serving(three, media_type))
    assert failure is None
    assert [message.get("body") for message in messages[1:]] == [b'{"page":%d}\n' % at for at in range(3)] + [b""]
    assert is_whole(messages)
    headers = dict(messages[0]["headers"])
    assert headers[b"cache-control"] == b"no-store"
    assert headers[b"content-type"].startswith(media_type.encode())


@pytest.mark.parametrize("media_type", [LINES, "text/csv"])
async def test_a_page_without_a_permit_of_its_own_breaks_the_connection_off(media_type: str) -> None:
    with capture_logs() as logged:
        messages, failure = await sent(serving(forgetful, media_type))
    assert body(messages) == b'{"page":0}\n'
    assert not is_whole(messages)
    assert failure is not None
    assert "piece_without_permit" in {line["event"] for line in logged}


async def test_a_foreign_stream_is_held_to_the_same() -> None:
    messages, failure = await sent(serving(three, LINES), "/plain")
    assert (body(messages), is_whole(messages)) == (b"one", False)
    assert failure is not None


async def test_a_stream_that_records_nothing_does_not_begin() -> None:
    messages, failure = await sent(serving(unrecorded, LINES))
    assert (messages[0]["status"], failure) == (500, None)
    assert b"secret" not in body(messages)


async def test_lines_end_with_the_problem() -> None:
    messages, failure = await sent(serving(cut, LINES))
    assert failure is None
    assert is_whole(messages)
    page, last = body(messages).splitlines()
    assert page == b'{"page":0}'
    assert orjson.loads(last)["code"] == "access_log_unavailable"
    assert orjson.loads(last)["status"] == 503


@pytest.mark.parametrize(("pages", "media_type"), [(cut, "text/csv"), (crashing, "text/csv"), (crashing, LINES)])
async def test_what_has_no_lines_or_no_name_breaks_the_connection_off(pages: Pages, media_type: str) -> None:
    with capture_logs() as logged:
        messages, failure = await sent(serving(pages, media_type))
    assert (body(messages), is_whole(messages)) == (b'{"page":0}\n', False)
    assert failure is not None
    assert "13800002101" not in str(logged)


async def test_a_problem_before_the_first_page_is_an_answer() -> None:
    async def refused() -> AsyncGenerator[bytes]:
        if current_request() is not None:
            raise NotFound
        yield b""

    async with httpx.AsyncClient(transport=httpx.ASGITransport(serving(refused, LINES)), base_url="http://x") as client:
        answer = await client.get("/stream")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_caller_who_hangs_up_ends_the_pages() -> None:
    given, ended = list[int](), list[bool]()

    async def endless() -> AsyncGenerator[bytes]:
        try:
            while True:
                given.append(1)
                yield b"x\n"
        finally:
            ended.append(True)

    async def send(message: Message) -> None:
        if message.get("body") == b"x\n" and len(given) == 2:
            raise ConnectionResetError

    pages = endless()
    stream = DisclosedStream[bytes](await anext(pages), pages, media_type=LINES, filename="x")
    with pytest.raises(ConnectionResetError):
        await stream.stream_response(send)
    assert (len(given), ended) == (2, [True])
