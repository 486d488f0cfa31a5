"""Pages of other origins: who is listed may call and read; who is not meets what he met before; without a list nothing changes."""

from collections.abc import AsyncIterator
from typing import Final

import httpx
import pytest
import pytest_asyncio
from pydantic import ValidationError

from app.config import HttpSettings
from tests.support.application import World, opened_world
from tests.support.stores import TestStore

PORTAL: Final = "https://portal.example.com"
LOCAL: Final = "http://localhost:5173"
GRANTED: Final = "access-control-allow-origin"
EXPOSED: Final = {
    *("Content-Disposition", "Duanhao-Disclosure", "ETag", "Idempotency-Replayed"),
    *("Location", "Retry-After", "WWW-Authenticate", "X-Request-ID"),
}
STRANGERS: Final = (
    "https://evil.example.com",
    "https://portal.example.com.evil.example.com",
    "https://portal.example.com:8443",
    "http://portal.example.com",
    "https://PORTAL.example.com",
    "https://xportal.example.com",
    "null",
    "*",
    "",
)


@pytest_asyncio.fixture
async def portal(sqlite_store: TestStore) -> AsyncIterator[World]:
    """Open the company for two origins."""
    http = HttpSettings(cors_origins=(PORTAL, LOCAL))
    async with opened_world(sqlite_store.settings.model_copy(update={"http": http})) as found:
        yield found


def of_cors(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


async def test_a_preflight_is_answered_without_a_token_and_without_reaching_the_operation(portal: World) -> None:
    nobody = await portal.as_(None)
    asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization,if-match"}
    for path in ("/v1/contacts", "/v1/contacts/anything", "/oauth/token", "/nowhere"):
        answer = await nobody.options(path, headers={"Origin": PORTAL, **asked})
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers[GRANTED] == PORTAL
        assert set(answer.headers["access-control-allow-methods"].split(", ")) == {"GET", "POST", "PATCH", "DELETE"}
        allowed = set(answer.headers["access-control-allow-headers"].lower().split(", "))
        assert {"authorization", "content-type", "if-match", "idempotency-key", "x-request-id"} <= allowed
        assert answer.headers["vary"] == "Origin"
        assert answer.headers["access-control-max-age"] == "600"
        assert "access-control-allow-credentials" not in answer.headers
        assert answer.headers["x-request-id"]


async def test_a_listed_page_reads_answers_refusals_and_failures_alike(portal: World) -> None:
    staff, nobody = await portal.as_("staff"), await portal.as_(None)
    for origin in (PORTAL, LOCAL):
        asked = {"Origin": origin}
        answers = [
            await staff.get(f"/v1/contacts/{portal.people['bare']}", headers=asked),
            await staff.get("/v1/contacts?limit=many", headers=asked),
            await nobody.get("/v1/contacts", headers=asked),
            await nobody.get("/nowhere", headers=asked),
            await nobody.post("/oauth/token", headers=asked),
            await nobody.get("/.well-known/jwks.json", headers=asked),
            await nobody.post("/v1/contacts", headers={**asked, "Content-Length": "9999999"}),
        ]
        assert [answer.status_code for answer in answers] == [200, 422, 401, 404, 400, 200, 413]
        for answer in answers:
            assert answer.headers[GRANTED] == origin
            exposed = set(answer.headers["access-control-expose-headers"].split(", "))
            assert exposed == EXPOSED
            assert "Origin" in answer.headers.get_list("vary", split_commas=True)
            assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", STRANGERS)
async def test_an_unlisted_page_is_told_nothing(portal: World, origin: str) -> None:
    nobody = await portal.as_(None)
    preflight = await nobody.options("/v1/contacts", headers={"Origin": origin, "Access-Control-Request-Method": "GET"})
    assert preflight.status_code == 405
    answer = await nobody.get("/.well-known/jwks.json", headers={"Origin": origin})
    assert answer.status_code == 200
    for each in (preflight, answer):
        assert of_cors(each) == {}
        assert each.headers["vary"] == "Origin", "a cache must not hand this answer to a listed page"


async def test_two_origins_in_one_request_are_none(portal: World) -> None:
    nobody = await portal.as_(None)
    answer = await nobody.get("/.well-known/jwks.json", headers=[("Origin", PORTAL), ("Origin", LOCAL)])
    assert of_cors(answer) == {}


async def test_options_that_is_no_preflight_is_what_it_was(portal: World) -> None:
    answer = await (await portal.as_(None)).options("/v1/contacts", headers={"Origin": PORTAL})
    assert (answer.status_code, answer.headers[GRANTED]) == (405, PORTAL)


async def test_without_a_list_nothing_is_said_of_origins(sqlite_world: World) -> None:
    nobody = await sqlite_world.as_(None)
    preflight = await nobody.options("/v1/contacts", headers={"Origin": PORTAL, "Access-Control-Request-Method": "GET"})
    answer = await nobody.get("/.well-known/jwks.json", headers={"Origin": PORTAL})
    assert (preflight.status_code, answer.status_code) == (405, 200)
    for each in (preflight, answer):
        assert of_cors(each) == {}
        assert "vary" not in each.headers


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "",
        "portal.example.com",
        "https://portal.example.com/",
        "https://portal.example.com/app",
        "https://*.example.com",
        "https://Portal.example.com",
        "https://portal.example.com:443",
        "http://portal.example.com:80",
        "https://user@portal.example.com",
        "https://portal.example.com:0",
        "ftp://portal.example.com",
        " https://portal.example.com",
    ],
)
def test_what_no_browser_sends_is_no_setting(origin: str) -> None:
    with pytest.raises(ValidationError, match="cors_origins"):
        HttpSettings(cors_origins=(PORTAL, origin))


def test_an_exact_origin_is_one() -> None:
    exact = (PORTAL, LOCAL, "https://[2001:db8::1]:8443", "http://127.0.0.1:3000")
    assert HttpSettings(cors_origins=exact).cors_origins == exact
