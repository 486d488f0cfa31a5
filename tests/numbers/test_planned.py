"""Ranges that open at a date, over HTTP on both engines: planned until then, given to nobody, told, and free from that moment on."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.composition import open_application
from app.kit.models import new_id
from app.main import create_app
from app.numbers.jobs import reschedule
from tests.numbers.calls import TestPool, add_pool, allocate, it_client, wanted
from tests.numbers.test_telling import pool_id, subscribed, told
from tests.support.application import World, found_company, with_sensitive
from tests.support.clock import FrozenClock
from tests.support.problems import faults, problem
from tests.support.shared import add_person
from tests.support.stores import TestStore


@pytest_asyncio.fixture
async def clock() -> FrozenClock:
    """Give the clock that everything goes by."""
    return FrozenClock()


@pytest_asyncio.fixture
async def timed(store: TestStore, clock: FrozenClock) -> AsyncIterator[World]:
    """Give the company under that clock."""
    async with open_application(with_sensitive(store.settings), clock=clock) as application:
        world = World(application, create_app(application.settings, application))
        await found_company(world)
        try:
            yield world
        finally:
            await world.close()


def passes(world: World, clock: FrozenClock, **time: int) -> None:
    """Let time pass, after which everybody signs in anew."""
    clock.advance(**time)
    world._made.clear()


async def plan(world: World, pool: TestPool, opens: datetime, size: int = 4) -> dict[str, Any]:
    """Add a range that opens then; fails unless it is taken."""
    body = {"start": pool.digits(), "end": pool.digits(size - 1), "opens_at": opens.isoformat()}
    answer = await (await it_client(world)).post(f"{pool.path}/ranges", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def moved(world: World, pool: TestPool, planned: dict[str, Any], opens: datetime | None) -> httpx.Response:
    """Say when a range opens."""
    body = {"opens_at": None if opens is None else opens.isoformat()}
    return await (await it_client(world)).patch(f"{pool.path}/ranges/{planned['id']}", json=body)


async def number(world: World, digits: str) -> dict[str, Any]:
    """Read a number."""
    body: dict[str, Any] = (await (await it_client(world)).get(f"/v1/numbers/{digits}")).json()
    return body


async def opening(world: World, digits: str) -> datetime:
    """Read when a number may first be given out."""
    return datetime.fromisoformat((await number(world, digits))["available_from"])


async def drained(world: World) -> None:
    """Do all that is promised."""
    while await world.application.outbox.drain():
        pass


async def test_until_it_opens_a_range_is_given_to_nobody_and_then_to_anybody(timed: World, clock: FrozenClock) -> None:
    pool, person = await add_pool(timed, 0), await add_person(timed)
    opens = clock.now() + timedelta(days=30)
    planned = await plan(timed, pool, opens)
    assert datetime.fromisoformat(planned["opens_at"]) == opens
    first = await number(timed, pool.digits())
    assert (first["state"], datetime.fromisoformat(first["available_from"])) == ("planned", opens)
    passes(timed, clock, days=30, seconds=-1)
    it = await it_client(timed)
    problem(await it.post(f"{pool.path}/allocations", json=wanted(person.id)), 409, "pool_exhausted")
    named = await it.post(f"{pool.path}/allocations", json=wanted(person.id, digits=pool.digits(2)))
    problem(named, 409, "number_not_available")
    counts = (await it.get(f"{pool.path}/utilisation")).json()
    assert (counts["states"]["planned"], counts["free"]) == (4, 0)
    clock.advance(seconds=1)
    assert (await number(timed, pool.digits()))["state"] == "available"
    assert sorted(await allocate(timed, pool, person.id, 4)) == [pool.digits(at) for at in range(4)]


async def test_a_range_opens_later_or_earlier_as_was_said_last(timed: World, clock: FrozenClock) -> None:
    pool, person = await add_pool(timed, 0), await add_person(timed)
    planned = await plan(timed, pool, clock.now() + timedelta(days=30))
    later = clock.now() + timedelta(days=60)
    assert (await moved(timed, pool, planned, later)).json()["opens_at"] == later.isoformat()
    passes(timed, clock, days=31)
    assert (await number(timed, pool.digits(3)))["state"] == "planned"
    passes(timed, clock, days=1)
    async with subscribed(timed):
        await timed.application.number_sweep.sweep()
        clock.advance(minutes=2)
        assert (await moved(timed, pool, planned, None)).status_code == 200
        clock.advance(minutes=2)
        await timed.application.number_sweep.sweep()
        seen = await told(timed, await pool_id(await it_client(timed), pool))
    assert [each["type"] for each in seen] == ["opened"] * 4
    assert await allocate(timed, pool, person.id) == [pool.digits()]
    problem(await moved(timed, pool, planned, later), 409, "range_is_open")
    await timed.settle()


async def test_a_large_range_follows_chunk_by_chunk_what_was_said_last(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("ranges", "jobs"):
        monkeypatch.setattr(f"app.numbers.{place}.CHUNK", 3)
    pool, opens = await add_pool(world, 0), datetime.now(UTC) + timedelta(days=9)
    body = {"start": pool.digits(), "end": pool.digits(9), "opens_at": opens.isoformat()}
    made = await (await it_client(world)).post(f"{pool.path}/ranges", json=body)
    assert made.status_code == 202, made.text
    await drained(world)
    ends = [await opening(world, pool.digits(at)) for at in (0, 9)]
    assert ends == [opens, opens]
    later = opens + timedelta(days=20)
    assert (await moved(world, pool, made.json(), later)).status_code == 200
    assert [await opening(world, pool.digits(at)) for at in (2, 3)] == [later, opens]
    await drained(world)
    assert [await opening(world, pool.digits(at)) for at in (3, 9)] == [later, later]


async def test_what_makes_no_sense_is_refused_and_changes_nothing(timed: World, clock: FrozenClock) -> None:
    pool, other = await add_pool(timed, 0), await add_pool(timed, 2)
    it = await it_client(timed)
    body = {"start": pool.digits(), "end": pool.digits(3), "opens_at": clock.now().isoformat()}
    past = await it.post(f"{pool.path}/ranges", json=body)
    assert faults(past) == [("/opens_at", "in_the_past")]
    (open_one,) = (await it.get(f"{other.path}/ranges")).json()["items"]
    assert open_one["opens_at"] is None
    problem(await moved(timed, other, open_one, clock.now() + timedelta(days=1)), 409, "range_is_open")
    problem(await moved(timed, pool, open_one, None), 404, "not_found")
    outsider = await (await timed.as_("staff")).patch(f"{other.path}/ranges/{open_one['id']}", json={"opens_at": None})
    assert outsider.status_code == 403


async def test_a_range_that_is_gone_is_rescheduled_by_nobody(world: World) -> None:
    async with world.application.database.unit_of_work() as unit:
        await reschedule(unit, {"range_id": str(new_id())})
        assert not unit.session.dirty
