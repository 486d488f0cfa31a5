"""Taking numbers aside over HTTP on both engines: blocked, reserved and retired ones are given to nobody, and dates end by themselves."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.numbers.calls import add_pool, allocate, it_client, release, wanted
from tests.numbers.test_giving import numbers_of, set_rest
from tests.numbers.test_moving import post, seen
from tests.support.application import World
from tests.support.problems import faults, problem
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def undo(world: World, digits: str, what: str) -> httpx.Response:
    """End a block or a reservation as the IT scripts."""
    return await (await it_client(world)).delete(f"/v1/numbers/{digits}/{what}")


def later(**span: float) -> str:
    return (datetime.now(UTC) + timedelta(**span)).isoformat()


async def test_a_number_that_is_harassed_is_nobodys_until_reviewed(shared: World) -> None:
    pool, person = await add_pool(shared), await add_person(shared)
    await allocate(shared, pool, person.id)
    number = pool.digits(0)
    done = await post(shared, number, "blocks", {"reason": "harassed"})
    assert done.status_code == 201, done.text
    told = done.json()
    assert (told["state"], told["available_from"], told["kept_for"], told["released"]) == (
        "blocked",
        None,
        "harassed",
        1,
    )
    assert await numbers_of(shared, person) == []
    asked = await (await it_client(shared)).post(f"{pool.path}/allocations", json=wanted(person.id, digits=number))
    assert problem(asked, 409, "number_not_available")["state"] == "blocked"
    problem(await post(shared, number, "restorations"), 409, "number_not_available")
    assert (await seen(shared, number))["kept_for"] == "harassed"
    assert (await (await shared.as_("staff")).get(f"/v1/numbers/{number}")).json()["kept_for"] is None
    history = (await (await it_client(shared)).get(f"/v1/numbers/{number}/history")).json()["items"]
    assert [each["reason"] for each in history] == ["abused"]
    assert (await undo(shared, number, "blocks")).status_code == 204
    after = await seen(shared, number)
    rests = datetime.fromisoformat(after["available_from"]) - datetime.now(UTC)
    assert after["state"] == "quarantined"
    assert timedelta(days=89) < rests < timedelta(days=90)
    problem(await undo(shared, number, "blocks"), 409, "number_not_available")


async def test_a_block_until_a_date_ends_by_itself_and_no_sooner_than_the_rest(shared: World) -> None:
    pool, person = await add_pool(shared, 3, quarantine_days=10), await add_person(shared)
    free, held, resting = (pool.digits(at) for at in range(3))
    for number in (held, resting):
        await allocate(shared, pool, person.id, digits=number)
    await release(shared, resting)
    for number in (free, held, resting):
        ends = {"reason": "fault", "until": later(days=1)}
        told = (await post(shared, number, "blocks", ends)).json()
        left = datetime.fromisoformat(told["available_from"]) - datetime.now(UTC)
        assert timedelta(hours=23) < left < (timedelta(days=1) if number == free else timedelta(days=10))
        assert (left > timedelta(days=9)) is (number != free)
    refused = await (await it_client(shared)).post(f"{pool.path}/allocations", json=wanted(person.id))
    problem(refused, 409, "pool_exhausted")
    await set_rest(shared, pool, free, datetime.now(UTC) - timedelta(seconds=1))
    assert (await seen(shared, free))["state"] == "available"
    problem(await undo(shared, free, "blocks"), 409, "number_not_available")
    assert await allocate(shared, pool, person.id) == [free]
    past = await post(shared, free, "blocks", {"reason": "fault", "until": "2020-01-01T00:00:00Z"})
    assert faults(past) == [("/until", "in_the_past")]


async def test_a_block_of_what_nobody_had_leaves_nothing_to_wait_for(shared: World) -> None:
    pool, person = await add_pool(shared), await add_person(shared)
    await post(shared, pool.digits(0), "blocks", {"reason": "dispute"})
    assert await allocate(shared, pool, person.id) == [pool.digits(1)]
    assert (await undo(shared, pool.digits(0), "blocks")).status_code == 204
    assert (await seen(shared, pool.digits(0)))["state"] == "available"
    assert await allocate(shared, pool, person.id, digits=pool.digits(0)) == [pool.digits(0)]


async def test_a_number_is_kept_for_a_purpose(shared: World) -> None:
    pool, person, it = await add_pool(shared), await add_person(shared), await it_client(shared)
    number = pool.digits(0)
    done = await post(shared, number, "reservations", {"purpose": " 新园区总机 "})
    assert (done.json()["state"], done.json()["kept_for"]) == ("reserved", "新园区总机")
    assert await allocate(shared, pool, person.id) == [pool.digits(1)]
    problem(await post(shared, number, "reservations", {"purpose": "other"}), 409, "number_not_available")
    problem(await post(shared, pool.digits(1), "reservations", {"purpose": "held"}), 409, "number_not_available")
    assert [each["digits"] for each in (await listed(it, pool.code, "reserved"))] == [number]
    assert (await undo(shared, number, "reservations")).status_code == 204
    assert await allocate(shared, pool, person.id) == [number]
    await post(shared, pool.digits(2), "reservations", {"purpose": "until", "until": later(days=2)})
    await set_rest(shared, pool, pool.digits(2), datetime.now(UTC) - timedelta(seconds=1))
    assert await listed(it, pool.code, "reserved") == []
    assert await allocate(shared, pool, person.id, digits=pool.digits(2)) == [pool.digits(2)]


async def listed(client: httpx.AsyncClient, pool: str, state: str) -> list[dict[str, Any]]:
    answer = await client.get("/v1/numbers", params={"pool": pool, "state": state})
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_number_is_given_up_for_ever(shared: World) -> None:
    pool, person, it = await add_pool(shared, 2), await add_person(shared), await it_client(shared)
    await allocate(shared, pool, person.id)
    problem(await post(shared, pool.digits(0), "retirements"), 409, "number_not_available")
    done = await post(shared, pool.digits(1), "retirements")
    assert (done.status_code, done.json()["state"]) == (201, "retired")
    problem(await post(shared, pool.digits(1), "retirements"), 404, "not_found")
    use = (await it.get(f"{pool.path}/utilisation")).json()
    assert (use["size"], use["free"]) == (1, 0)
    problem(await it.post(f"{pool.path}/allocations", json=wanted(person.id)), 409, "pool_exhausted")


async def test_what_is_done_is_on_record(shared: World) -> None:
    pool = await add_pool(shared)
    await post(shared, pool.digits(0), "blocks", {"reason": "leaked"})
    await undo(shared, pool.digits(0), "blocks")
    await post(shared, pool.digits(1), "reservations", {"purpose": "总机"})
    await undo(shared, pool.digits(1), "reservations")
    await post(shared, pool.digits(2), "retirements")
    await shared.settle()
    answer = await (await shared.as_("siem")).get("/v1/access-events", params={"action": "number.*", "limit": "5"})
    told = [each["action"] for each in answer.json()["items"]]
    assert told == ["number.retire", "number.open", "number.reserve", "number.unblock", "number.block"]
