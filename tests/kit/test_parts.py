"""The few routes that a path is held against are those of the whole list that it could lead to, in their order."""

from collections.abc import Sequence

import httpx
import pytest
from fastapi import FastAPI, Response
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import BaseRoute, Match, Mount, Route

from app.kit.parts import Parts, beginning, parted
from app.main import create_app
from tests.support.application import World

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


async def _nothing() -> Response:
    return Response()


PATHS = (
    "/",
    "/ready",
    "/v1/things",
    "/v1/{kind}",
    "/v1/things/newest",
    "/v1/things/{item}",
    "/v1/{kind}/{item}",
    "/v1/parts/{rest:path}",
    "/{whole:path}",
)
ROUTES: tuple[BaseRoute, ...] = (
    *(Route(path, _nothing, methods=[METHODS[at % 3 * 2]]) for at, path in enumerate(PATHS)),
    Mount("/v1/mounted", app=FastAPI()),
)


def _leads(routes: Sequence[BaseRoute], method: str, path: str) -> list[tuple[BaseRoute, Match]]:
    scope = {"type": "http", "method": method, "path": path, "root_path": ""}
    return [(each, each.matches(dict(scope))[0]) for each in routes if each.matches(dict(scope))[0] is not Match.NONE]


@given(
    order=st.permutations(ROUTES),
    method=st.sampled_from(METHODS),
    pieces=st.lists(
        st.sampled_from(("v1", "things", "parts", "mounted", "ready", "newest", "", "x\n", "{kind}")), max_size=5
    ),
)
def test_nothing_that_a_path_leads_to_is_missing_and_the_order_stays(
    order: list[BaseRoute], method: str, pieces: list[str]
) -> None:
    path = "/" + "/".join(pieces)
    part = parted(order).get(beginning(path), order)
    assert _leads(part, method, path) == _leads(order, method, path)


async def test_every_operation_of_the_application_is_found_among_few(shared: World) -> None:
    app = create_app(shared.application.settings, shared.application)
    assert isinstance(app.router.middleware_stack, Parts)
    parts = parted(app.router.routes)
    longest = 0
    for route in app.router.routes:
        assert isinstance(route, Route)
        path = route.path.replace("{", "").replace("}", "")
        part = parts[beginning(path)]
        longest = max(longest, len(part))
        for method in route.methods or ():
            assert _leads(part, method, path) == _leads(app.router.routes, method, path)
    assert longest * 4 < len(app.router.routes)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/number-pools", 401),
        ("PUT", "/v1/number-pools", 405),
        ("GET", "/v1/number-pools/a/nothing", 404),
        ("GET", "/v1/nothing", 404),
        ("GET", "/livez", 200),
    ],
)
async def test_what_is_not_there_is_told_as_before(shared: World, method: str, path: str, status: int) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(shared.app), base_url="http://test") as client:
        answer = await client.request(method, path)
    assert answer.status_code == status, answer.text
