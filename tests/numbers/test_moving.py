"""Passing numbers on over HTTP on both engines: at once, with both cards right, and nothing rests on the way."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.kit.models import new_id
from tests.numbers.calls import TestPool, add_pool, allocate, it_client, release, wanted
from tests.numbers.test_giving import leave, numbers_of, set_rest
from tests.support.application import World
from tests.support.problems import faults, problem
from tests.support.shared import Added, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


def to(person: Added, **members: Any) -> dict[str, Any]:  # noqa: ANN401 — members of a transfer
    """Write the body of a transfer."""
    return {"to": {"type": "contact", "id": str(person.id)}, **members}


async def post(world: World, digits: str, what: str, body: object = None) -> httpx.Response:
    """Post to a sub-resource of a number as the IT scripts."""
    return await (await it_client(world)).post(f"/v1/numbers/{digits}/{what}", json=body or {})


async def seen(world: World, digits: str) -> dict[str, Any]:
    """Read a number."""
    found: dict[str, Any] = (await (await it_client(world)).get(f"/v1/numbers/{digits}")).json()
    return found


async def two_with_numbers(world: World) -> tuple[TestPool, Added, Added]:
    """Add two people, each with a number of a new pool."""
    pool, one, two = await add_pool(world), await add_person(world), await add_person(world)
    for person in (one, two):
        await allocate(world, pool, person.id)
    return pool, one, two


async def test_a_transfer_ends_one_and_begins_the_next(shared: World) -> None:
    pool, one, two = await two_with_numbers(shared)
    done = await post(shared, pool.digits(0), "transfers", to(two))
    assert done.status_code == 201, done.text
    told = done.json()
    assert (told["digits"], told["state"], told["until"]) == (pool.digits(0), "assigned", None)
    assert await numbers_of(shared, one) == []
    assert await numbers_of(shared, two) == [pool.digits(1), pool.digits(0)]
    number = await seen(shared, pool.digits(0))
    assert [(each["id"], each["role"]) for each in number["holders"]] == [(str(two.id), "short")]
    history = (await (await it_client(shared)).get(f"/v1/numbers/{pool.digits(0)}/history")).json()["items"]
    assert [(each["holder"]["id"], each["reason"]) for each in history] == [(str(two.id), None), (str(one.id), "moved")]
    assert history[0]["holder"]["since"] == history[1]["ended_at"], "nobody was without it"
    await shared.settle()
    events = await (await shared.as_("siem")).get("/v1/access-events", params={"contact": str(one.id), "limit": "3"})
    assert events.json()["items"][0]["action"] == "number.transfer"


async def test_a_transfer_keeps_role_and_end(shared: World) -> None:
    pool, one, two = await add_pool(shared), await add_person(shared), await add_person(shared)
    ends = datetime.now(UTC) + timedelta(days=30)
    await allocate(shared, pool, one.id, role="extension", until=ends.isoformat())
    later = (ends + timedelta(days=1)).isoformat()
    done = await post(shared, pool.digits(0), "transfers", to(two, until=later))
    assert datetime.fromisoformat(done.json()["until"]) == ends, "nobody gets more than there was"
    card = (await (await shared.as_("hr")).get(two.path)).json()
    assert (card["extension"], card["short_numbers"]) == (pool.digits(0), [])
    sooner = (ends - timedelta(days=1)).isoformat()
    done = await post(shared, pool.digits(0), "transfers", to(one, until=sooner))
    assert datetime.fromisoformat(done.json()["until"]) == ends - timedelta(days=1)


async def test_transfers_that_cannot_be(shared: World) -> None:
    pool, one, two = await two_with_numbers(shared)
    number = pool.digits(0)
    gone = await add_person(shared)
    await leave(shared, gone)
    for person_id in (str(gone.id), str(new_id()), "nobody"):
        answer = await post(shared, number, "transfers", {"to": {"type": "contact", "id": person_id}})
        problem(answer, 422, "unknown_number_holder")
        assert faults(answer) == [("/to/id", "unknown_number_holder")]
    problem(await post(shared, number, "transfers", to(one)), 422, "same_holder")
    problem(await post(shared, pool.digits(5), "transfers", to(one)), 409, "number_not_assigned")
    problem(await post(shared, "99", "transfers", to(one)), 404, "not_found")
    past = await post(shared, number, "transfers", to(two, until="2020-01-01T00:00:00Z"))
    assert faults(past) == [("/until", "in_the_past")]
    problem(await post(shared, number, "transfers", {}), 422, "invalid_request")
    assert await numbers_of(shared, one) == [number], "nothing moved"


async def test_the_same_key_transfers_once(shared: World) -> None:
    pool, one, two = await two_with_numbers(shared)
    it, key = await it_client(shared), {"Idempotency-Key": f"move-{pool.code}"}
    path = f"/v1/numbers/{pool.digits(0)}/transfers"
    first = await it.post(path, json=to(two), headers=key)
    again = await it.post(path, json=to(two), headers=key)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    problem(await it.post(path, json=to(one), headers=key), 422, "idempotency_key_reused")


async def test_a_share_of_a_line_goes_on_alone(shared: World) -> None:
    pool = await add_pool(shared)
    one, two, three = [await add_person(shared) for _ in range(3)]
    line = pool.digits(2)
    for person in (one, two):
        await allocate(shared, pool, person.id, digits=line, role="shared")
    problem(await post(shared, line, "transfers", to(three)), 409, "number_not_assigned")
    whose = {"holder": {"type": "contact", "id": str(one.id)}}
    problem(await post(shared, line, "transfers", {**to(two), **whose}), 422, "same_holder")
    assert (await post(shared, line, "transfers", {**to(three), **whose})).status_code == 201
    held = {each["id"] for each in (await seen(shared, line))["holders"]}
    assert held == {str(two.id), str(three.id)}
    problem(await post(shared, line, "swaps", {"with": pool.digits(0)}), 409, "number_not_assigned")


async def test_a_number_goes_to_a_department_and_to_a_room(shared: World) -> None:
    pool, one, _ = await two_with_numbers(shared)
    done = await post(shared, pool.digits(0), "transfers", {"to": {"type": "department", "id": "RD"}})
    assert done.status_code == 201
    assert await numbers_of(shared, one) == []
    done = await post(shared, pool.digits(0), "transfers", {"to": {"type": "room", "id": "B2-301"}})
    assert done.status_code == 201
    (holder,) = (await seen(shared, pool.digits(0)))["holders"]
    assert (holder["type"], holder["code"]) == ("room", "B2-301")
    back = await post(shared, pool.digits(0), "transfers", to(one))
    assert back.status_code == 201
    assert await numbers_of(shared, one) == [pool.digits(0)]


async def test_two_numbers_change_holders(shared: World) -> None:
    pool, one, two = await add_pool(shared), await add_person(shared), await add_person(shared)
    ends = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    await allocate(shared, pool, one.id, until=ends)
    await allocate(shared, pool, two.id, role="extension")
    done = await post(shared, pool.digits(0), "swaps", {"with": pool.digits(1)})
    assert done.status_code == 201, done.text
    first, second = done.json()["numbers"]
    assert (first["digits"], second["digits"]) == (pool.digits(0), pool.digits(1))
    assert (first["until"] is None, second["until"]) == (False, None), "a number keeps its end"
    assert await numbers_of(shared, one) == [pool.digits(1)]
    card = (await (await shared.as_("hr")).get(two.path)).json()
    assert (card["extension"], card["short_numbers"]) == (pool.digits(0), []), "a holder keeps the role"
    problem(await post(shared, pool.digits(0), "swaps", {"with": pool.digits(7)}), 409, "number_not_assigned")
    problem(await post(shared, pool.digits(0), "swaps", {"with": "99"}), 404, "not_found")
    mine = await allocate(shared, pool, one.id)
    problem(await post(shared, pool.digits(1), "swaps", {"with": mine[0]}), 422, "same_holder")


async def test_a_release_is_undone_while_the_number_rests(shared: World) -> None:
    pool, one, two = await two_with_numbers(shared)
    number = pool.digits(0)
    problem(await post(shared, number, "restorations"), 409, "number_not_available")
    await release(shared, number)
    done = await post(shared, number, "restorations")
    assert done.status_code == 201, done.text
    assert done.json()["numbers"][0]["digits"] == number
    assert await numbers_of(shared, one) == [number]
    await release(shared, number)
    await leave(shared, one)
    problem(await post(shared, number, "restorations"), 422, "unknown_number_holder")
    await set_rest(shared, pool, number, datetime.now(UTC) - timedelta(seconds=1))
    await allocate(shared, pool, two.id, digits=number)
    problem(await post(shared, number, "restorations"), 409, "number_not_available")
    problem(await post(shared, pool.digits(9), "restorations"), 409, "number_not_available")


async def test_the_exchange_confirms(shared: World) -> None:
    pool, person, it = await add_pool(shared, confirms=True), await add_person(shared), await it_client(shared)
    given = await it.post(f"{pool.path}/allocations", json=wanted(person.id, 2, consumer_ref="set-up"))
    first, second = given.json()["numbers"]
    assert (first["state"], second["state"]) == ("provisioning", "provisioning")
    use = (await it.get(f"{pool.path}/utilisation")).json()
    assert (use["states"]["provisioning"], use["free"]) == (2, 18)
    wrong = {"assignment_id": second["assignment_id"]}
    told = problem(await post(shared, first["digits"], "confirmations", wrong), 409, "number_not_provisioning")
    assert told["state"] == "provisioning"
    done = await post(shared, first["digits"], "confirmations", {"assignment_id": first["assignment_id"]})
    assert (done.status_code, done.json()["state"]) == (201, "assigned")
    problem(await post(shared, first["digits"], "confirmations"), 409, "number_not_provisioning")
    again = (await it.post(f"{pool.path}/allocations", json=wanted(person.id, 2, consumer_ref="set-up"))).json()
    assert [each["state"] for each in again["numbers"]] == ["assigned", "provisioning"]
    await release(shared, second["digits"])
    problem(await post(shared, second["digits"], "confirmations"), 409, "number_not_provisioning")
    back = await post(shared, second["digits"], "restorations")
    assert back.json()["numbers"][0]["state"] == "provisioning", "the exchange has to set it up again"
    amended = await it.patch(pool.path, json={"confirms": False}, headers={"If-Match": "*"})
    assert amended.json()["confirms"] is False
    assert (await it.post(f"{pool.path}/allocations", json=wanted(person.id))).json()["numbers"][0][
        "state"
    ] == "assigned"


async def test_nobody_but_those_who_keep_numbers(shared: World) -> None:
    pool, one, _ = await two_with_numbers(shared)
    for name in ("staff", "hr", "head"):
        client = await shared.as_(name)
        for what, body in (
            ("transfers", to(one)),
            ("swaps", {"with": pool.digits(1)}),
            ("restorations", {}),
            ("confirmations", {}),
            ("blocks", {"reason": "other"}),
            ("reservations", {"purpose": "xx"}),
            ("retirements", None),
        ):
            assert (await client.post(f"/v1/numbers/{pool.digits(0)}/{what}", json=body)).status_code == 403, what
