"""How often somebody may call: by account, whatever token; by address, whoever; told honestly, and to the security log alone."""

from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import pytest_asyncio
from structlog.testing import capture_logs
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.config import HttpSettings, LimitsSettings, Settings
from app.opening import limiter
from tests.support.application import World, opened_world
from tests.support.problems import problem
from tests.support.stores import TestStore

SLOW: Final = 0.01
"""Requests a second: what a test has spent does not come back while it runs."""


async def opened(store: TestStore, **limits: float) -> AsyncIterator[World]:
    settings = store.settings.model_copy(update={"limits": LimitsSettings.model_validate(limits)})
    async with opened_world(settings) as found:
        yield found


@pytest_asyncio.fixture
async def of_people(sqlite_store: TestStore) -> AsyncIterator[World]:
    """Open the company for five requests of a person and three of a service account."""
    async for found in opened(sqlite_store, person=SLOW, client=SLOW * 0.6, burst_seconds=500):
        yield found


@pytest_asyncio.fixture
async def of_addresses(sqlite_store: TestStore) -> AsyncIterator[World]:
    """Open the company for four requests of an address."""
    async for found in opened(sqlite_store, address=SLOW, burst_seconds=400):
        yield found


def from_address(world: World, address: str | None, token: str | None = None, proxy: str = "") -> httpx.AsyncClient:
    """Call from an address; with ``proxy``, through a server that believes that one."""
    inner: Any = world.app
    app: Any = ProxyHeadersMiddleware(inner, trusted_hosts=proxy) if proxy else inner
    client: Any = (address, 1) if address else None
    transport = httpx.ASGITransport(app=app, client=client)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(transport=transport, base_url="http://duanhao.test", headers=headers)


async def refusals(world: World) -> list[dict[str, Any]]:
    siem = from_address(world, "203.0.113.99", await world.token("siem"))
    answer = await siem.get("/v1/access-events", params={"decision": "refused", "limit": "100"})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_tokens_of_one_person_share_one_bucket_and_others_have_their_own(of_people: World) -> None:
    tokens = [await of_people.token("staff") for _ in range(3)]
    clients = [from_address(of_people, f"192.0.2.{at}", token) for at, token in enumerate(tokens)]
    with capture_logs() as lines:
        answers = [await clients[at % 3].get("/v1/departments") for at in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    document = problem(answers[-1], 429, "rate_limited")
    assert document["title"]
    assert 90 <= int(answers[-1].headers["Retry-After"]) <= 100
    assert answers[-1].headers["Cache-Control"] == "no-store"
    told = [line for line in lines if line["event"] == "account_throttled"]
    assert [(line["account"], line["client_id"], line["log_level"]) for line in told] == [
        ("staff", "intranet", "warning")
    ]
    assert (await (await of_people.as_("head")).get("/v1/departments")).status_code == 200
    services = [await (await of_people.as_("directory-sync")).get("/v1/departments") for _ in range(4)]
    assert [answer.status_code for answer in services] == [200, 200, 200, 429]


async def test_throttling_stands_in_the_security_log_and_not_in_the_access_log(of_people: World) -> None:
    staff = await of_people.as_("staff")
    codes = [(await staff.get("/v1/contacts")).status_code for _ in range(7)]
    assert codes == [200] * 5 + [429] * 2
    assert [each["code"] for each in await refusals(of_people)] == []


async def test_a_bad_token_is_nobodys_call(of_people: World) -> None:
    token = await of_people.token("staff")
    forged = from_address(of_people, "192.0.2.1", token[:-6] + "AAAAAA")
    for _ in range(10):
        assert (await forged.get("/v1/departments")).status_code == 401
    assert (await (await of_people.as_("staff")).get("/v1/departments")).status_code == 200


async def test_an_address_is_held_back_before_anything_else_and_another_is_not(of_addresses: World) -> None:
    one, other = from_address(of_addresses, "192.0.2.1"), from_address(of_addresses, "192.0.2.2")
    with capture_logs() as lines:
        found = [(await one.get("/v1/contacts")).status_code for _ in range(6)]
    assert found == [401] * 4 + [429] * 2
    assert sum(line["event"] == "token_missing" for line in lines) == 4
    told = [line["address"] for line in lines if line["event"] == "address_throttled"]
    assert told == ["192.0.2.1"]
    problem(await one.post("/oauth/token"), 429, "rate_limited")
    problem(await one.get("/nowhere", headers={"Accept-Language": "zh"}), 429, "rate_limited")
    assert (await other.get("/v1/contacts")).status_code == 401
    for probe in ("/livez", "/readyz"):
        assert (await one.get(probe)).status_code == 200, "who watches the service is not held back"


async def test_a_network_of_ipv6_is_one_address(of_addresses: World) -> None:
    addresses = [f"2001:db8:1:2::{at:x}" for at in range(1, 7)]
    found = [(await from_address(of_addresses, each).get("/nowhere")).status_code for each in addresses]
    assert found == [404] * 4 + [429] * 2
    assert (await from_address(of_addresses, "2001:db8:1:3::1").get("/nowhere")).status_code == 404


async def test_a_forwarded_address_counts_from_a_configured_proxy_alone(of_addresses: World) -> None:
    stranger = from_address(of_addresses, "192.0.2.9", proxy="192.0.2.1")
    lies = [{"X-Forwarded-For": f"198.51.100.{at}"} for at in range(6)]
    assert [(await stranger.get("/nowhere", headers=each)).status_code for each in lies] == [404] * 4 + [429] * 2
    proxy = from_address(of_addresses, "192.0.2.1", proxy="192.0.2.1")
    assert {(await proxy.get("/nowhere", headers=each)).status_code for each in lies * 4} == {404}, (
        "each of them has a bucket"
    )
    chained = [{"X-Forwarded-For": f"10.0.0.{at}, 198.51.100.77"} for at in range(6)]
    assert [(await proxy.get("/nowhere", headers=each)).status_code for each in chained] == [404] * 4 + [429] * 2, (
        "what the caller wrote in front of what the proxy saw is not believed"
    )
    assert (await proxy.get("/nowhere")).status_code == 404, "the proxy's own address has its own bucket"


async def test_a_caller_without_an_address_is_not_counted(of_addresses: World) -> None:
    local = from_address(of_addresses, None)
    assert {(await local.get("/nowhere")).status_code for _ in range(8)} == {404}


def test_development_has_no_limits_and_production_generous_ones() -> None:
    development = Settings()
    production = development.model_copy(update={"env": "production"})
    for kind in ("person", "client", "address"):
        assert limiter(development, kind) is None
        assert limiter(production, kind) is not None
        off = production.model_copy(update={"limits": LimitsSettings.model_validate({kind: 0})})
        assert limiter(off, kind) is None
    people = limiter(production, "person")
    assert people is not None
    assert sum(people.wait("a") == 0 for _ in range(1000)) >= 400


async def test_nothing_stands_in_the_way_where_there_are_no_limits(sqlite_world: World) -> None:
    assert sqlite_world.application.authenticator._people is None
    assert HttpSettings().cors_origins == ()
    staff = await sqlite_world.as_("staff")
    assert {(await staff.get("/nowhere")).status_code for _ in range(300)} == {404}
