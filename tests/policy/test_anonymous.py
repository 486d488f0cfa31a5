"""Who is not let in learns nothing of what an operation takes: the guard is asked before the body, the path and the query are read."""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from starlette.types import Message

from app.config import Settings
from app.kit.models import new_id
from app.kit.routing import GuardedRoute
from app.main import create_app
from tests.support.application import World
from tests.support.problems import problem

pytestmark = pytest.mark.asyncio(loop_scope="session")


def body_routes() -> list[tuple[str, str]]:
    """List every guarded operation that FastAPI reads a body for, or that may read one itself; SCIM refuses in a shape of its own."""
    found = []
    for route in create_app(Settings()).router.routes:
        if isinstance(route, GuardedRoute) and route.guards and not route.path.startswith("/scim/"):
            found += [(method, route.path) for method in sorted((route.methods or set()) - {"GET", "HEAD"})]
    return found


ROUTES: Final = body_routes()
SCIM_ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"
BODIES: Final[Mapping[str, tuple[bytes, str]]] = {
    "malformed": (b'{"name": ', "application/json"),
    "not UTF-8": (b'{"name":"\xff"}', "application/json"),
    "nested": (b"[" * 5000, "application/json"),
    "of another type": (b"a=b", "application/x-www-form-urlencoded"),
    "empty": (b"", "application/json"),
}


def at(path: str) -> str:
    """Fill a path's parameters with something that leads nowhere."""
    for name in ("id", "tag", "digits", "number", "name", "version"):
        path = path.replace("{" + name + "}", str(new_id()))
    return path


async def test_there_are_operations_with_bodies() -> None:
    assert len(ROUTES) >= 15
    assert {method for method, _ in ROUTES} >= {"POST", "PATCH", "DELETE"}


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[" ".join(each) for each in ROUTES])
async def test_without_a_token_every_body_is_401(shared: World, method: str, path: str) -> None:
    nobody = await shared.as_(None)
    for what, (content, kind) in BODIES.items():
        answer = await nobody.request(method, at(path), content=content, headers={"Content-Type": kind})
        problem(answer, 401, "token_required")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="duanhao"', what
    for query in ("?x=1", "?limit=many"):
        problem(await nobody.request(method, at(path) + query), 401, "token_required")
    malformed = path.replace("{id}", "not-an-id")
    problem(await nobody.request(method, at(malformed), json={}), 401, "token_required")


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[" ".join(each) for each in ROUTES])
async def test_without_the_scope_every_body_is_403(shared: World, method: str, path: str) -> None:
    front_end = await shared.as_("intranet")
    for content, kind in BODIES.values():
        answer = await front_end.request(method, at(path), content=content, headers={"Content-Type": kind})
        problem(answer, 403, "insufficient_scope")


async def test_an_anonymous_body_is_not_even_read(shared: World) -> None:
    asked, sent = 0, list[Message]()

    async def receive() -> Message:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b"{" * 1000, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/v1/contacts",
        "raw_path": b"/v1/contacts",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")],
        "client": ("192.0.2.1", 1),
        "server": ("duanhao.test", 80),
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
    }
    await shared.app(scope, receive, send)
    assert (sent[0]["status"], asked) == (401, 0)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/scim/v2/Users", "/scim/v2/Users/not-an-id", "/scim/v2/Groups", "/scim/v2/Bulk"])
async def test_scim_lets_nobody_in_either(shared: World, method: str, path: str) -> None:
    for caller, status in ((None, "401"), ("intranet", "403")):
        client = await shared.as_(caller)
        for what, (content, kind) in BODIES.items():
            answer = await client.request(method, path, content=content, headers={"Content-Type": kind})
            assert (answer.json()["schemas"], answer.json()["status"]) == ([SCIM_ERROR], status), what
            assert answer.status_code == int(status), what
