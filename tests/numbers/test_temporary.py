"""Numbers that are somebody's until a time: they must end, their holders are reminded, and they go back by themselves, once."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest_asyncio
from sqlalchemy import text

from app.composition import open_application
from app.main import create_app
from tests.numbers.calls import add_pool, allocate, it_client, release, wanted
from tests.numbers.test_giving import numbers_of
from tests.numbers.test_holds import held
from tests.numbers.test_telling import pool_id, subscribed
from tests.numbers.test_telling import told as told_programs
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


async def told(world: World) -> list[tuple[str, dict[str, Any], list[str]]]:
    """List what was told about numbers: type, the resource, and to which people."""
    async with world.application.database.unit_of_work() as unit:
        rows = await unit.session.execute(
            text("SELECT type, body, audience FROM notice WHERE type LIKE 'number.%' ORDER BY occurred_at, id")
        )
        return [
            (kind, _json(body)["number"], [str(each) for each in _json(audience)["people"]])
            for kind, body, audience in rows
        ]


def _json(value: Any) -> Any:  # noqa: ANN401 — as the driver gives it
    return json.loads(value) if isinstance(value, str) else value


async def sweep(world: World) -> int:
    """Do what is due, by two workers at once; give how much was done."""
    application = world.application
    return sum(await asyncio.gather(application.number_sweep.sweep(), application.number_sweep.sweep()))


def at(clock: FrozenClock, **span: float) -> str:
    return (clock.now() + timedelta(**span)).isoformat()


async def test_a_temporary_number_reminds_and_goes_back_by_itself(timed: World, clock: FrozenClock) -> None:
    pool = await add_pool(timed, 2, **{"class": "temporary", "quarantine_days": None})
    person, it = await add_person(timed), await it_client(timed)
    (number,) = await allocate(timed, pool, person.id, until=at(clock, days=10))
    assert await sweep(timed) == 0
    clock.advance(days=3, seconds=-1)
    assert await sweep(timed) == 0
    clock.advance(seconds=1)
    assert await sweep(timed) == 1
    assert await sweep(timed) == 0, "once"
    clock.advance(days=6)
    assert await sweep(timed) == 1
    clock.advance(days=1, seconds=-1)
    assert await sweep(timed) == 0
    assert await numbers_of(timed, person) == [number]
    await timed.close()
    timed._made.clear()
    clock.advance(seconds=1)
    assert await sweep(timed) == 1
    assert await sweep(timed) == 0
    assert await numbers_of(timed, person) == []
    it = await it_client(timed)
    seen = (await it.get(f"/v1/numbers/{number}")).json()
    assert (seen["state"], seen["holders"]) == ("quarantined", [])
    assert datetime.fromisoformat(seen["available_from"]) == clock.now() + timedelta(days=7)
    (held,) = (await it.get(f"/v1/numbers/{number}/history")).json()["items"]
    assert (held["reason"], datetime.fromisoformat(held["ended_at"])) == ("expired", clock.now())
    heard = await told(timed)
    assert [(kind, about.get("days")) for kind, about, _ in heard] == [
        ("number.reminder", 7),
        ("number.reminder", 1),
        ("number.expired", None),
    ]
    assert all(people == [str(person.id)] for _, _, people in heard)
    assert number not in json.dumps(heard), "digits are not told"


async def test_an_end_that_is_near_reminds_of_what_is_left(timed: World, clock: FrozenClock) -> None:
    pool, person = await add_pool(timed, 3), await add_person(timed)
    await allocate(timed, pool, person.id, until=at(clock, days=3))
    await allocate(timed, pool, person.id, until=at(clock, hours=3))
    clock.advance(days=5)
    await timed.close()
    timed._made.clear()
    assert await sweep(timed) == 2, "a worker that was away for days ends what is over"
    assert {kind for kind, _, _ in await told(timed)} == {"number.expired"}
    assert await numbers_of(timed, person) == []


async def test_what_was_given_back_or_passed_on_is_not_ended_again(timed: World, clock: FrozenClock) -> None:
    pool, one, two = await add_pool(timed, 3), await add_person(timed), await add_person(timed)
    first, second = await allocate(timed, pool, one.id, 2, until=at(clock, days=2))
    await release(timed, first)
    body = {"to": {"type": "contact", "id": str(two.id)}}
    assert (await (await it_client(timed)).post(f"/v1/numbers/{second}/transfers", json=body)).status_code == 201
    clock.advance(days=1)
    assert await sweep(timed) == 1
    clock.advance(days=1)
    assert await sweep(timed) == 1, "the end goes with the number"
    assert [people for _, _, people in await told(timed)] == [[str(two.id)], [str(two.id)]]
    await timed.close()
    timed._made.clear()
    assert await numbers_of(timed, two) == []


async def test_only_one_of_a_shared_line_goes(timed: World, clock: FrozenClock) -> None:
    pool, one, two = await add_pool(timed, 3), await add_person(timed), await add_person(timed)
    line = pool.digits(1)
    await allocate(timed, pool, one.id, digits=line, role="shared", until=at(clock, hours=2))
    await allocate(timed, pool, two.id, digits=line, role="shared")
    clock.advance(hours=2)
    assert await sweep(timed) == 1
    await timed.close()
    timed._made.clear()
    seen = (await (await it_client(timed)).get(f"/v1/numbers/{line}")).json()
    assert (seen["state"], [each["id"] for each in seen["holders"]]) == ("assigned", [str(two.id)])


async def test_a_temporary_number_must_end_and_soon(timed: World, clock: FrozenClock) -> None:
    pool, person = await add_pool(timed, 3, **{"class": "temporary"}), await add_person(timed)
    it = await it_client(timed)
    ends: tuple[tuple[dict[str, Any], str], ...] = (
        ({}, "required"),
        ({"until": at(clock)}, "in_the_past"),
        ({"until": at(clock, days=180, seconds=1)}, "too_far"),
    )
    for members, code in ends:
        answer = await it.post(f"{pool.path}/allocations", json=wanted(person.id, **members))
        problem(answer, 422, "invalid_request")
        assert faults(answer) == [("/until", code)]
    (number,) = await allocate(timed, pool, person.id, until=at(clock, days=180))
    await release(timed, number)
    answer = await it.post(f"/v1/numbers/{number}/restorations", json={})
    assert faults(answer) == [("/until", "required")]
    given = await it.post(f"/v1/numbers/{number}/restorations", json={"until": at(clock, days=9)})
    assert given.status_code == 201, given.text


async def test_programs_are_told_once_that_a_wait_or_a_hold_is_over(timed: World, clock: FrozenClock) -> None:
    pool, person, it = await add_pool(timed, 3, quarantine_days=2), await add_person(timed), await it_client(timed)
    ident = await pool_id(it, pool)
    async with subscribed(timed):
        await sweep(timed)
        await allocate(timed, pool, person.id)
        await release(timed, pool.digits())
        body = {"reason": "fault", "until": at(clock, days=1)}
        assert (await it.post(f"/v1/numbers/{pool.digits(1)}/blocks", json=body)).status_code == 201
        await held(timed, pool, digits=pool.digits(2), minutes=5)
        clock.advance(days=1, seconds=-1)
        await sweep(timed)
        clock.advance(seconds=1)
        await sweep(timed)
        clock.advance(minutes=2)
        await sweep(timed)
        await sweep(timed)
        clock.advance(days=3)
        await sweep(timed)
        clock.advance(days=3)
        await sweep(timed)
        found = await told_programs(timed, ident)
    by_number: dict[str, list[str]] = {}
    for each in found:
        by_number.setdefault(each["id"], []).append(each["type"])
    assert list(by_number.values()) == [
        ["allocated", "released", "rested"],
        ["blocked", "rested"],
        ["held", "hold_expired"],
    ]
    await timed.close()
    timed._made.clear()
    assert (await (await it_client(timed)).get(f"{pool.path}/utilisation")).json()["free"] == 3
