"""One file of a form: taken as it streams, to the byte, or refused; nothing is left of one that breaks off."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.types import Message, Scope

from app.kit import problems
from app.kit.context import RequestContext
from app.kit.edge import RequestEdge, Uploads
from app.kit.errors import Problem
from app.kit.routing import GuardedRouter, public
from app.kit.uploads import FRAME_BYTES, read_upload
from tests.support.problems import problem

LIMIT = 1024
MOST = 100_000
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


async def _nowhere(context: RequestContext, refusal: Problem) -> None:
    del context, refusal


@pytest.fixture
def app() -> FastAPI:
    """Give an application that takes a file at one path."""
    router = GuardedRouter()

    @router.post("/files")
    @public("a test")
    async def files(request: Request) -> dict[str, object]:
        upload = await read_upload(request, "file", MOST)
        return {
            "name": upload.name,
            "type": upload.media_type,
            "charset": upload.charset,
            "size": upload.content.tell(),
        }

    @router.post("/others")
    @public("a test")
    async def others(request: Request) -> dict[str, int]:
        return {"size": len(await request.body())}

    app = FastAPI()
    problems.install(app, _nowhere)
    app.add_middleware(RequestEdge, max_body_bytes=LIMIT, uploads=[Uploads(re.compile("/files"), MOST + FRAME_BYTES)])
    app.include_router(router)
    return app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of it."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as found:
        yield found


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for each in parts:
        yield each


async def test_a_file_is_taken_with_its_name_and_type(client: httpx.AsyncClient) -> None:
    answer = await client.post("/files", files={"file": ("证明.txt", b"x" * MOST, "text/plain; charset=UTF-8")})
    assert answer.json() == {"name": "证明.txt", "type": "text/plain", "charset": "utf-8", "size": MOST}


async def test_one_byte_too_many_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/files", files={"file": ("a.txt", b"x" * (MOST + 1), "text/plain")})
    problem(answer, 413, "body_too_large")


async def test_without_a_length_it_is_counted_and_reading_stops(client: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield HEAD
        while True:
            sent += 10_000
            yield b"x" * 10_000

    problem(await client.post("/files", content=endless(), headers=FORM), 413, "body_too_large")
    assert sent <= MOST + 20_000


async def test_what_is_declared_too_long_is_not_read(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/files", content=pieces(HEAD), headers={**FORM, "Content-Length": str(MOST + FRAME_BYTES + 1)}
    )
    problem(answer, 413, "body_too_large")


async def test_other_paths_keep_their_limit(client: httpx.AsyncClient) -> None:
    problem(await client.post("/others", content=b"x" * (LIMIT + 1)), 413, "body_too_large")
    problem(await client.post("/others", content=pieces(b"x" * (LIMIT + 1))), 413, "body_too_large")
    assert (await client.post("/others", content=b"x" * LIMIT)).json() == {"size": LIMIT}


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
async def test_however_it_is_cut_it_is_one_file(client: httpx.AsyncClient, size: int) -> None:
    body = HEAD + b"line\r\n-- b\r\n--c\r\n-\r\n" * 20 + b"\r\n--b--\r\n"
    cut = [body[at : at + size] for at in range(0, len(body), size)]
    answer = await client.post("/files", content=pieces(*cut), headers=FORM)
    assert answer.json()["size"] == 20 * len(b"line\r\n-- b\r\n--c\r\n-\r\n")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"", "missing", id="nothing"),
        pytest.param(HEAD + b"half", "broken_form", id="no end"),
        pytest.param(b"nonsense", "broken_form", id="no form"),
        pytest.param(
            b"--b\r\nContent-Disposition: form-data; name=other; filename=a\r\n\r\nx\r\n--b--",
            "missing",
            id="other part",
        ),
        pytest.param(b"--b\r\nContent-Disposition: form-data; name=file\r\n\r\nx\r\n--b--", "missing", id="no file"),
        pytest.param(HEAD + b"x\r\n" + HEAD + b"y\r\n--b--", "too_many_parts", id="two files"),
        pytest.param(HEAD.replace(b"a.txt", b"\xff\xfe.txt") + b"x\r\n--b--", "not_utf8", id="name"),
        pytest.param(b"--b\r\n" + b"X-A: b\r\n" * 50 + b"\r\nx\r\n--b--", "broken_form", id="headers without end"),
    ],
)
async def test_a_form_that_is_not_one_file_is_refused(client: httpx.AsyncClient, body: bytes, code: str) -> None:
    told = problem(await client.post("/files", content=body, headers=FORM), 422, "invalid_request")
    assert [(each["pointer"], each["code"]) for each in told["errors"]] == [("/file", code)]


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
async def test_what_is_no_form_is_refused(client: httpx.AsyncClient, kind: str) -> None:
    problem(await client.post("/files", content=b"{}", headers={"Content-Type": kind}), 415, "unsupported_media_type")


@pytest.mark.parametrize("boundary", ["", ";boundary=", ";boundary=" + "x" * 300])
async def test_a_form_without_a_boundary_is_refused(client: httpx.AsyncClient, boundary: str) -> None:
    headers = {"Content-Type": f"multipart/form-data{boundary}"}
    problem(await client.post("/files", content=b"x", headers=headers), 422, "invalid_request")


async def test_a_connection_that_breaks_off_is_no_file(app: FastAPI) -> None:
    told: list[Message] = []
    given: list[Message] = [
        {"type": "http.request", "body": HEAD + b"half", "more_body": True},
        {"type": "http.disconnect"},
    ]
    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": "/files",
        "query_string": b"",
        "scheme": "http",
        "headers": [(b"content-type", FORM["Content-Type"].encode())],
    }

    async def receive() -> Message:
        return given.pop(0)

    async def send(message: Message) -> None:
        told.append(message)

    await app(scope, receive, send)
    assert told[0]["status"] == 422
