"""Holding numbers over HTTP on both engines: nobody else gets them, the hold gives exactly them, and at its end they are free at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.composition import open_application
from app.kit.models import new_id
from app.main import create_app
from tests.numbers.calls import TestPool, add_pool, allocate, it_client, wanted
from tests.numbers.test_giving import numbers_of
from tests.support.application import World, found_company, with_sensitive
from tests.support.clock import FrozenClock
from tests.support.problems import faults, problem
from tests.support.shared import add_person
from tests.support.stores import TestStore

SHARED = pytest.mark.asyncio(loop_scope="session")


async def hold(world: World, pool: TestPool, who: str = "it-scripts", **members: Any) -> httpx.Response:  # noqa: ANN401 — members of a hold
    """Ask for a hold."""
    body = {"pool": pool.code, "purpose": "新项目热线", **members}
    return await (await world.as_(who)).post("/v1/number-holds", json=body)


async def held(world: World, pool: TestPool, who: str = "it-scripts", **members: Any) -> dict[str, Any]:  # noqa: ANN401 — members of a hold
    """Hold; fails unless it is taken."""
    answer = await hold(world, pool, who, **members)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/v1/number-holds/{answer.json()['id']}"
    told: dict[str, Any] = answer.json()
    return told


@SHARED
async def test_what_is_held_is_passed_over_and_given_by_the_hold_alone(shared: World) -> None:
    pool, person, it = await add_pool(shared, 5), await add_person(shared), await it_client(shared)
    mine = await held(shared, pool, count=2)
    assert mine["numbers"] == [pool.digits(0), pool.digits(1)]
    left = datetime.fromisoformat(mine["expires_at"]) - datetime.now(
        tz=datetime.fromisoformat(mine["expires_at"]).tzinfo
    )
    assert timedelta(minutes=29) < left <= timedelta(minutes=30)
    assert await allocate(shared, pool, person.id) == [pool.digits(2)]
    asked = await it.post(f"{pool.path}/allocations", json=wanted(person.id, digits=pool.digits(0)))
    told = problem(asked, 409, "number_not_available")
    assert (told["state"], told["available_from"]) == ("held", mine["expires_at"])
    use = (await it.get(f"{pool.path}/utilisation")).json()
    assert (use["states"]["held"], use["free"]) == (2, 2)
    problem(await it.post(f"{pool.path}/allocations", json=wanted(person.id, 3)), 409, "pool_exhausted")
    given = await it.post(f"{pool.path}/allocations", json=wanted(person.id, hold=mine["id"], consumer_ref="held"))
    assert [each["digits"] for each in given.json()["numbers"]] == mine["numbers"]
    again = await it.post(f"{pool.path}/allocations", json=wanted(person.id, hold=mine["id"], consumer_ref="held"))
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    problem(await it.post(f"{pool.path}/allocations", json=wanted(person.id, hold=mine["id"])), 409, "hold_over")
    assert await numbers_of(shared, person) == [pool.digits(2), pool.digits(0), pool.digits(1)]


@SHARED
async def test_a_hold_belongs_to_its_caller_and_its_pool(shared: World) -> None:
    pool, other, person = await add_pool(shared), await add_pool(shared), await add_person(shared)
    mine = await held(shared, pool)
    body = wanted(person.id, hold=mine["id"])
    problem(await (await shared.as_("it")).post(f"{pool.path}/allocations", json=body), 422, "unknown_number_hold")
    it = await it_client(shared)
    problem(await it.post(f"{other.path}/allocations", json=body), 422, "unknown_number_hold")
    nothing = wanted(person.id, hold=str(new_id()))
    problem(await it.post(f"{pool.path}/allocations", json=nothing), 422, "unknown_number_hold")
    path, seen = f"/v1/number-holds/{mine['id']}", {"If-Match": "*"}
    stranger = await shared.as_("it")
    problem(await stranger.patch(path, json={"minutes": 60}, headers=seen), 404, "not_found")
    problem(await stranger.delete(path, headers=seen), 404, "not_found")
    problem(await (await shared.as_("staff")).delete(path, headers=seen), 403, "insufficient_scope")
    assert (await it.delete(path, headers=seen)).status_code == 204


@SHARED
async def test_a_hold_is_extended_a_few_times(shared: World) -> None:
    pool, it = await add_pool(shared), await it_client(shared)
    told = await held(shared, pool, minutes=10)
    path = f"/v1/number-holds/{told['id']}"
    problem(await it.patch(path, json={"minutes": 20}), 428, "precondition_required")
    problem(await it.patch(path, json={"minutes": 20}, headers={"If-Match": '"x"'}), 412, "precondition_failed")
    problem(await it.patch(path, json={"minutes": 5}, headers={"If-Match": "*"}), 409, "hold_not_extendable")
    for left, minutes in ((2, 20), (1, 30), (0, 40)):
        before = told
        answer = await it.patch(path, json={"minutes": minutes}, headers={"If-Match": f'"{told["version"]}"'})
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert told["extensions_left"] == left
        assert told["expires_at"] > before["expires_at"]
        assert answer.headers["ETag"] == f'"{told["version"]}"'
    problem(await it.patch(path, json={"minutes": 90}, headers={"If-Match": "*"}), 409, "hold_not_extendable")
    number = (await it.get(f"/v1/numbers/{pool.digits(0)}")).json()
    assert (number["state"], number["available_from"]) == ("held", told["expires_at"])
    assert faults(await it.patch(path, json={"minutes": 1441}, headers={"If-Match": "*"})) == [("/minutes", "too_long")]


@SHARED
async def test_a_dropped_hold_frees_its_numbers(shared: World) -> None:
    pool, person, it = await add_pool(shared), await add_person(shared), await it_client(shared)
    mine = await held(shared, pool, count=3)
    path = f"/v1/number-holds/{mine['id']}"
    assert (await it.delete(path, headers={"If-Match": mine["version"]})).status_code == 204
    problem(await it.delete(path, headers={"If-Match": "*"}), 409, "hold_over")
    assert await allocate(shared, pool, person.id) == [pool.digits(0)], "in their place of the order"
    problem(await it.post(f"{pool.path}/allocations", json=wanted(person.id, hold=mine["id"])), 409, "hold_over")


@SHARED
async def test_given_numbers_and_patterns(shared: World) -> None:
    pool = await add_pool(shared, 100)
    given = await held(shared, pool, digits=pool.digits(42))
    assert given["numbers"] == [pool.digits(42)]
    told = problem(await hold(shared, pool, digits=pool.digits(42)), 409, "number_not_available")
    assert told["state"] == "held"
    problem(await hold(shared, pool, digits="12"), 422, "number_not_in_pool")
    ends = await held(shared, pool, pattern="*7", count=3)
    assert ends["numbers"] == [pool.digits(at) for at in (7, 17, 27)]
    middle = await held(shared, pool, pattern=f"{pool.digits(0)[:-2]}4?", count=9)
    assert middle["numbers"] == [pool.digits(at) for at in (40, 41, 43, 44, 45, 46, 47, 48, 49)]
    told = problem(await hold(shared, pool, pattern="*7", count=9), 409, "pool_exhausted")
    assert (told["requested"], told["available"]) == (9, 6)
    assert (await held(shared, pool, pattern="*7", count=6))["numbers"][0] == pool.digits(37), (
        "nothing was kept by the one that failed"
    )


@SHARED
@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"count": 0}, "/count"),
        ({"digits": "70000", "count": 2}, "/digits"),
        ({"digits": "70000", "pattern": "7*"}, "/pattern"),
        ({"pattern": "7%"}, "/pattern"),
        ({"minutes": 0}, "/minutes"),
        ({"purpose": " x "}, "/purpose"),
        ({"owner": "me"}, "/owner"),
    ],
)
async def test_a_body_that_cannot_be_is_refused(shared: World, members: dict[str, Any], pointer: str) -> None:
    answer = await hold(shared, TestPool("nowhere", 1), **members)
    problem(answer, 422, "invalid_request")
    assert [where for where, _ in faults(answer)] == [pointer]


@SHARED
async def test_the_same_key_holds_once_and_no_pool_is_404(shared: World) -> None:
    pool, it = await add_pool(shared), await it_client(shared)
    body, key = {"pool": pool.code, "purpose": "热线"}, {"Idempotency-Key": f"hold-{pool.code}"}
    first = await it.post("/v1/number-holds", json=body, headers=key)
    again = await it.post("/v1/number-holds", json=body, headers=key)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    problem(await hold(shared, TestPool("nowhere", 1)), 404, "not_found")


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


async def test_at_its_end_a_hold_is_over_and_nobody_has_to_say_so(timed: World, clock: FrozenClock) -> None:
    pool, person, it = await add_pool(timed, 4), await add_person(timed), await it_client(timed)
    used, lost = await held(timed, pool, count=2), await held(timed, pool, count=2)
    clock.advance(minutes=30, seconds=-1)
    use = wanted(person.id, hold=used["id"])
    assert (await it.post(f"{pool.path}/allocations", json=use)).status_code == 201, "to the last moment"
    problem(await it.post(f"{pool.path}/allocations", json=wanted(person.id)), 409, "pool_exhausted")
    clock.advance(seconds=1)
    path = f"/v1/number-holds/{lost['id']}"
    problem(await it.patch(path, json={"minutes": 60}, headers={"If-Match": "*"}), 409, "hold_over")
    problem(await it.post(f"{pool.path}/allocations", json=wanted(person.id, hold=lost["id"])), 409, "hold_over")
    assert await allocate(timed, pool, person.id) == [pool.digits(2)], "free from that moment on"
    assert await timed.application.number_sweep.sweep() == 1
    assert await timed.application.number_sweep.sweep() == 0, "told once"
    again = await held(timed, pool)
    assert again["numbers"] == [pool.digits(3)], "and can be held anew"
    problem(await it.post(f"{pool.path}/allocations", json=wanted(person.id, hold=lost["id"])), 409, "hold_over")
    await timed.settle()
    events = (await (await timed.as_("siem")).get("/v1/access-events", params={"action": "number_hold.*"})).json()
    told = [each["action"] for each in events["items"]]
    assert sorted(told) == ["number_hold.create"] * 3 + ["number_hold.expire"]


async def test_many_at_a_hold_and_around_it(world: World) -> None:
    pool, it = await add_pool(world, 20), await it_client(world)
    people = [await add_person(world) for _ in range(8)]
    mine = await held(world, pool, count=6)

    async def by_hold(at: int) -> httpx.Response:
        return await it.post(f"{pool.path}/allocations", json=wanted(people[at % 8].id, hold=mine["id"]))

    async def by_turn(at: int) -> httpx.Response:
        if at % 3 == 0:
            return await hold(world, pool, count=2)
        return await it.post(f"{pool.path}/allocations", json=wanted(people[at % 8].id))

    async def drop() -> httpx.Response:
        return await it.delete(f"/v1/number-holds/{mine['id']}", headers={"If-Match": "*"})

    answers = await asyncio.gather(
        *(by_hold(at) for at in range(8)), drop(), *(by_turn(at) for at in range(24)), drop()
    )
    assert {each.status_code for each in answers} <= {201, 204, 409}, [each.text for each in answers]
    ends = [each for each in answers[:9] + answers[-1:] if each.status_code in {201, 204}]
    assert len(ends) == 1, "a hold is used or dropped, by one"
    taken = [
        one["digits"]
        for each in answers
        if each.status_code == 201 and "id" not in each.json()
        for one in each.json()["numbers"]
    ]
    kept = [
        one for each in answers if each.status_code == 201 and "id" in each.json() for one in each.json()["numbers"]
    ]
    assert len(set(taken) | set(kept)) == len(taken) + len(kept)
    cards = []
    for person in people:
        cards += await numbers_of(world, person)
    assert sorted(cards) == sorted(taken)


@SHARED
async def test_holds_are_listed_to_their_owner_and_to_who_keeps_the_plan(shared: World) -> None:
    pool, it, person = await add_pool(shared, 9), await it_client(shared), await shared.as_("it")
    mine = [await held(shared, pool, minutes=minutes) for minutes in (5, 60, 20)]
    theirs = await held(shared, pool, "it")

    async def listed(client: httpx.AsyncClient, **query: str | int) -> list[str]:
        answer = await client.get("/v1/number-holds", params={"pool": pool.code, **query})
        assert answer.status_code == 200, answer.text
        return [each["id"] for each in answer.json()["items"]]

    everything = [each["id"] for each in (theirs, *reversed(mine))]
    assert await listed(it) == await listed(person) == everything
    first = (await it.get("/v1/number-holds", params={"pool": pool.code, "limit": 3})).json()
    rest = await listed(it, limit=3, cursor=first["next"])
    assert [each["id"] for each in first["items"]] + rest == everything
    problem(await person.get("/v1/number-holds", params={"cursor": first["next"]}), 422, "bad_cursor")
    assert await listed(it, expires_before=mine[2]["expires_at"]) == [mine[0]["id"]]
    assert await listed(it, pool="nowhere") == []
    assert first["items"][0]["by"] == {"type": "person", "id": str(shared.people["it"])}
    staff = await shared.as_("staff")
    assert await listed(staff) == []
    path = f"/v1/number-holds/{theirs['id']}"
    problem(await staff.get(path), 404, "not_found")
    seen = (await it.get(path)).json()
    assert {name: seen[name] for name in theirs} == theirs
    assert (seen["state"], seen["kind"]) == ("open", "hold")
    problem(await it.delete(path, headers={"If-Match": f'"{seen["version"]}"'}), 404, "not_found")
    assert (await person.delete(path, headers={"If-Match": f'"{seen["version"]}"'})).status_code == 204
    assert (await it.get(path)).json()["state"] == "dropped"
    assert theirs["id"] not in await listed(it)
