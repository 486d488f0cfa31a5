"""The short way leads where the framework's router would, and nowhere else; its failures are the same documents."""

from typing import Final

import httpx
import pytest
from fastapi import Depends, FastAPI, Request, Response
from starlette.routing import Route

from app.kit import problems
from app.kit.context import RequestContext
from app.kit.edge import RequestEdge
from app.kit.errors import NotFound, Problem
from app.kit.routing import Guard, GuardedRoute, GuardedRouter
from app.kit.schemas import Input
from app.kit.shortcut import Shortcut
from app.main import create_app
from tests.support.application import World

ORIGIN: Final = "http://duanhao.test"


class Pass(Guard):
    """A guard that lets everybody pass, and is no look."""

    discloses = False

    async def __call__(self, request: Request) -> str:
        return str(request.scope["method"])


ANYBODY: Final = Depends(Pass())
router = GuardedRouter()


@router.get("/things/newest")
async def newest(request: Request, caller: str = ANYBODY) -> dict[str, str]:
    """Answer what is not a response, and so by the framework's way."""
    return {"way": "framework", "route": request.scope["route"].path, "caller": caller}


@router.get("/things/{item}")
async def thing(request: Request, item: str, caller: str = ANYBODY) -> Response:
    """Answer by the short way, or fail as told."""
    if item == "missing":
        raise NotFound
    if item == "broken":
        raise RuntimeError(item)
    return Response(f"{caller} {item} {request.scope['route'].path}")


@router.post("/things/{item}")
async def change(item: str, caller: str = ANYBODY) -> Response:
    """Answer another method of the same path."""
    return Response(f"{caller} {item}")


class Wish(Input):
    """What is wished for."""

    much: int


@router.post("/wishes/{item}")
async def wish(request: Request, item: str, body: Wish, caller: str = ANYBODY) -> Response:
    """Take a body by the short way; say by which way it came."""
    way = "framework" if "fastapi_inner_astack" in request.scope else "short"
    return Response(f"{caller} {item} {body.much} {way}")


@router.get("/parts/{item:path}")
async def part(item: str, caller: str = ANYBODY) -> Response:
    """Take a path with slashes, which only the framework converts."""
    return Response(f"{caller} {item}")


@pytest.fixture
def recorded() -> list[str]:
    return []


@pytest.fixture
def app(recorded: list[str]) -> FastAPI:
    async def record(context: RequestContext, problem: Problem) -> None:
        del context
        recorded.append(problem.code)

    made = FastAPI(redirect_slashes=False)
    answer = problems.install(made, record)
    made.add_middleware(Shortcut, routes=made.router.routes, answer=answer)
    made.add_middleware(RequestEdge, max_body_bytes=100)
    made.router.routes.extend(router.routes)
    return made


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("GET", "/things/one", 200, "GET one /things/{item}"),
        ("GET", "/things/%E4%B8%80", 200, "GET 一 /things/{item}"),
        ("GET", "/things/newest", 200, '{"way":"framework","route":"/things/newest","caller":"GET"}'),
        ("POST", "/things/one", 200, "POST one"),
        ("GET", "/parts/a/b", 200, "GET a/b"),
        ("GET", "/things/missing", 404, '"code":"not_found"'),
        ("GET", "/things/one?more=1", 422, '"pointer":"?more"'),
        ("GET", "/things/broken", 500, '"code":"internal_error"'),
        ("GET", "/things/one/", 404, '"code":"not_found"'),
        ("GET", "/things/", 404, '"code":"not_found"'),
        ("GET", "/nothing", 404, '"code":"not_found"'),
        ("DELETE", "/things/one", 405, '"code":"method_not_allowed"'),
        ("HEAD", "/things/one", 405, ""),
    ],
)
async def test_it_leads_where_the_router_would(app: FastAPI, method: str, path: str, status: int, told: str) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        answer = await client.request(method, path)
    assert (answer.status_code, told in answer.text) == (status, True), answer.text
    assert answer.headers["X-Request-ID"]


JSON: Final = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("headers", "body", "status", "told"),
    [
        (JSON, b'{"much": 3}', 200, "POST one 3 short"),
        ({"Content-Type": "application/json; charset=utf-8"}, b'{"much": 3}', 200, "POST one 3 framework"),
        (JSON, b'{"much": 3', 422, '"code":"malformed_json"'),
        (JSON, b"", 422, '"code":"'),
        (JSON, b'{"much": "x", "more": 1}', 422, '"pointer":"/more"'),
        (JSON, b'{"much": "x", "more": 1}', 422, '"pointer":"/much"'),
        (JSON, b"[" * 100000, 413, '"code":"body_too_large"'),
        ({"Content-Type": "text/plain"}, b'{"much": 3}', 415, '"code":"unsupported_media_type"'),
    ],
)
async def test_a_body_goes_the_short_way_and_what_is_odd_about_it_the_frameworks(
    app: FastAPI, headers: dict[str, str], body: bytes, status: int, told: str
) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
        answer = await client.post("/wishes/one", content=body, headers=headers)
        odd = await client.post("/wishes/one?more=1", content=body, headers=headers)
    assert (answer.status_code, told in answer.text) == (status, True), answer.text
    assert odd.status_code == (status if status == 413 else 422)


async def test_odd_bodies_are_told_as_the_framework_alone_would_tell_them(app: FastAPI) -> None:
    alone = FastAPI(redirect_slashes=False)
    problems.install(alone, _unrecorded)
    alone.add_middleware(RequestEdge, max_body_bytes=100)
    alone.router.routes.extend(router.routes)
    bodies = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"much": 1.5}',
        b'{"much": NaN}',
        b"\xff",
        b'{"much": 1e999}',
    ]
    for body in bodies:
        told = []
        for served in (app, alone):
            async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url=ORIGIN) as client:
                answer = await client.post("/wishes/one", content=body, headers={**JSON, "X-Request-ID": "0" * 32})
            told.append((answer.status_code, answer.content))
        assert told[0] == told[1], body
        assert told[0][0] == 422


async def _unrecorded(context: RequestContext, problem: Problem) -> None:
    del context, problem


async def test_every_look_of_the_application_is_found_as_its_router_finds_it(shared: World) -> None:
    app = create_app(shared.application.settings, shared.application)
    shortcut = Shortcut(app, routes=app.router.routes, answer=problems.install(FastAPI(), _record))
    gets = [each for each in app.router.routes if isinstance(each, Route) and "GET" in (each.methods or ())]
    short = [each for each in gets if isinstance(each, GuardedRoute) and each.short is not None]
    assert "/v1/contacts/{id}" in {each.path for each in short}
    for route in gets:
        path = route.path.replace("{", "").replace("}", "")
        first = next(each for each in gets if each.path_regex.match(path))
        found = shortcut.find({"path": path, "method": "GET"})
        assert (None if found is None else found[0]) is (first if first in short else None)


async def _record(context: RequestContext, problem: Problem) -> None:
    raise AssertionError((context, problem))


async def test_a_mounted_application_takes_the_long_way(app: FastAPI) -> None:
    shortcut = Shortcut(app, routes=app.router.routes, answer=problems.install(FastAPI(), _record))
    assert shortcut.find({"path": "/things/one", "method": "GET", "root_path": "/directory"}) is None
    assert shortcut.find({"path": "/things/one", "method": "GET", "root_path": ""}) is not None
