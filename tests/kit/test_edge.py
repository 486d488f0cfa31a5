"""The edge of a request: its id, its size, and the answer when everything else has failed."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI, Request
from structlog.testing import capture_logs

from app.kit import problems
from app.kit.context import RequestContext, current_request
from app.kit.edge import RequestEdge
from app.kit.errors import Problem
from app.kit.logging import REQUEST_LINES
from app.kit.routing import GuardedRouter, public
from tests.support.problems import problem

LIMIT = 2048
SECRET = "the mobile is 13800002101"


async def _nowhere(context: RequestContext, refusal: Problem) -> None:
    del context, refusal


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Give a small application behind the edge."""
    router = GuardedRouter()

    @router.get("/id")
    @public("a test")
    async def identity() -> dict[str, Any]:
        context = current_request()
        assert context is not None
        return {"id": context.request_id, "language": context.language, "address": context.address}

    @router.post("/size")
    @public("a test")
    async def size(request: Request) -> dict[str, int]:
        return {"size": len(await request.body())}

    @router.post("/parsed")
    @public("a test")
    async def parsed(body: dict[str, str]) -> dict[str, int]:
        return {"size": len(body)}

    @router.get("/crash")
    @public("a test")
    async def crash() -> None:
        raise ValueError(SECRET)

    app = FastAPI()
    problems.install(app, _nowhere)
    app.add_middleware(RequestEdge, max_body_bytes=LIMIT)
    app.include_router(router)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as found:
        yield found


@pytest.mark.parametrize("given", ["abcdefgh", "trace-1.2_3", "A" * 64])
async def test_a_well_formed_request_id_is_kept(client: httpx.AsyncClient, given: str) -> None:
    answer = await client.get("/id", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] == answer.json()["id"] == given
    assert answer.json()["address"] == "192.0.2.7"


@pytest.mark.parametrize(
    "given",
    [
        "",
        "short",
        "13800002101",
        "11010519491231002X",
        "A" * 65,
        "with space1",
        "new\tline1",
        "quote'quote",
        "日本語日本語日本語",
    ],
)
async def test_any_other_request_id_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    answer = await client.get("/id", headers={b"X-Request-ID": given.encode()})
    assert answer.headers["X-Request-ID"] == answer.json()["id"] != given
    assert len(answer.json()["id"]) == 32


async def test_requests_have_ids_of_their_own(client: httpx.AsyncClient) -> None:
    ids = {(await client.get("/id")).json()["id"] for _ in range(5)}
    assert len(ids) == 5


async def test_a_body_of_the_longest_length_is_taken(client: httpx.AsyncClient) -> None:
    assert (await client.post("/size", content=b"x" * LIMIT)).json() == {"size": LIMIT}


@pytest.mark.parametrize("path", ["/size", "/parsed", "/nowhere"])
async def test_a_body_that_declares_too_much_is_not_read(client: httpx.AsyncClient, path: str) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"x"

    answer = await client.post(path, content=body(), headers={"Content-Length": str(LIMIT + 1)})
    problem(answer, 413, "body_too_large")


@pytest.mark.parametrize("path", ["/size", "/parsed"])
async def test_a_body_that_declares_nothing_is_counted(client: httpx.AsyncClient, path: str) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 512

    answer = await client.post(path, content=body(), headers={"Content-Type": "application/json"})
    problem(answer, 413, "body_too_large")


@pytest.mark.parametrize("length", ["-1", "1e3", "x", "٣", "+5"])
async def test_a_length_that_is_none_is_refused(client: httpx.AsyncClient, length: str) -> None:
    answer = await client.post("/size", content=b"x", headers={b"Content-Length": length.encode()})
    problem(answer, 413, "body_too_large")


SECURE = [
    ("http", "/id", 403),
    ("https", "/id", 200),
    ("http", "/livez", 200),
    ("http", "/readyz", 200),
    ("http", "/livez/", 403),
    ("http", "/metrics", 403),
    ("http", "/nowhere", 403),
    ("https", "/nowhere", 404),
]


@pytest.mark.parametrize(("scheme", "path", "status"), SECURE)
async def test_in_clear_only_probes_are_answered_where_https_is_required(scheme: str, path: str, status: int) -> None:
    router = GuardedRouter()
    for served in ("/id", "/livez", "/readyz"):

        @router.get(served)
        @public("a test")
        async def answer() -> dict[str, str]:
            return {}

    app = FastAPI()
    problems.install(app, _nowhere)
    app.add_middleware(RequestEdge, max_body_bytes=LIMIT, https_only=True)
    app.include_router(router)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=f"{scheme}://x") as client:
        found = await client.get(path, headers={"X-Forwarded-Proto": "https", "Authorization": "Bearer x"})
        assert found.status_code == status
        if status == 403:
            problem(found, 403, "https_required")
            assert "Location" not in found.headers


async def test_a_crash_is_a_problem_that_quotes_nothing(client: httpx.AsyncClient) -> None:
    with capture_logs() as logged:
        answer = await client.get("/crash")
    document = problem(answer, 500, "internal_error")
    assert SECRET not in answer.text
    (line,) = [line for line in logged if line["event"] == "request_crashed"]
    assert line["error"] == "ValueError"
    assert document["instance"].endswith(line["request_id"])
    assert any("crash" in frame for frame in line["where"])
    assert SECRET not in str(logged)


async def test_each_request_leaves_one_line_with_its_route_and_not_its_path(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(REQUEST_LINES, "enabled", True)
    await client.get("/id?q=13800002101")
    await client.get("/nowhere/13800002101")
    printed = capsys.readouterr().err
    lines = [line for line in map(orjson.loads, printed.splitlines()) if line["event"] == "request"]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("GET", "/id", 200),
        ("GET", None, 404),
    ]
    assert "13800002101" not in printed
