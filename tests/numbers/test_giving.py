"""Giving out and taking back over HTTP on both engines: all or none, once, to people who are there, and what rests rests."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.kit.models import new_id
from tests.numbers.calls import TestPool, add_pool, allocate, it_client, release, wanted
from tests.support.application import OPERATOR, World
from tests.support.problems import faults, problem
from tests.support.shared import Added, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def numbers_of(world: World, person: Added) -> list[str]:
    """Read the short numbers on a card."""
    card = (await (await world.as_("hr")).get(person.path)).json()
    told: list[str] = card["short_numbers"]
    return told


async def test_the_lowest_numbers_come_first_and_stand_on_the_card(shared: World) -> None:
    pool, person = await add_pool(shared), await add_person(shared)
    before = (await (await shared.as_("hr")).get(person.path)).headers["ETag"]
    assert await allocate(shared, pool, person.id) == [pool.digits(0)]
    assert await allocate(shared, pool, person.id, 3) == [pool.digits(at) for at in (1, 2, 3)]
    seen = await (await shared.as_("hr")).get(person.path)
    assert seen.json()["short_numbers"] == [pool.digits(at) for at in range(4)]
    assert seen.headers["ETag"] != before
    changed = await (await shared.as_("hr")).patch(
        person.path, json={"title": "工程师"}, headers={"If-Match": seen.headers["ETag"]}
    )
    assert changed.status_code == 200, "the row is still believed"
    assert changed.json()["short_numbers"] == seen.json()["short_numbers"]
    history = (await (await shared.as_("hr")).get(f"{person.path}/history")).json()["items"]
    assert [each["value"] for each in history if each["field"] == "short_numbers"][-1] == f'["{pool.digits(0)}"]'


async def test_five_hundred_at_once(shared: World) -> None:
    pool, person = await add_pool(shared, 600), await add_person(shared)
    given = await allocate(shared, pool, person.id, 500)
    assert given == [pool.digits(at) for at in range(500)]
    answer = await (await it_client(shared)).post(f"{pool.path}/allocations", json=wanted(person.id, 101))
    told = problem(answer, 409, "pool_exhausted")
    assert (told["requested"], told["available"]) == (101, 100)
    assert len(await numbers_of(shared, person)) == 500, "nothing was taken"
    ended = await end(shared, person.id)
    assert sorted(ended) == given
    assert await numbers_of(shared, person) == []


async def end(world: World, contact: UUID, cause: str = "left") -> list[str]:
    """End all that a contact holds, as the personnel events do."""
    async with world.application.database.unit_of_work() as unit:
        return list(
            await world.application.numbers.service.end_assignments(unit, OPERATOR, contact_id=contact, cause=cause)
        )


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"count": 0}, "/count"),
        ({"count": 501}, "/count"),
        ({"count": 2, "digits": "78001"}, "/digits"),
        ({"digits": "7800x"}, "/digits"),
        ({"until": "2026-11-21"}, "/until"),
        ({"until": "2020-01-01T00:00:00Z"}, "/until"),
        ({"consumer_ref": "two words"}, "/consumer_ref"),
        ({"role": "boss"}, "/role"),
        ({"pattern": "7*7"}, "/pattern"),
    ],
)
async def test_a_body_that_cannot_be_is_refused(shared: World, members: dict[str, Any], pointer: str) -> None:
    pool = await add_pool(shared)
    body = (
        wanted(shared.people["staff"], **members)
        if "count" not in members
        else {
            **wanted(shared.people["staff"]),
            **members,
        }
    )
    answer = await (await it_client(shared)).post(f"{pool.path}/allocations", json=body)
    problem(answer, 422, "invalid_request")
    assert [where for where, _ in faults(answer)] == [pointer]


async def test_those_who_are_not_there_are_refused_alike(shared: World) -> None:
    pool, it = await add_pool(shared), await it_client(shared)
    prehire = await add_person(shared, status="prehire")
    gone = await add_person(shared)
    assert (await (await shared.as_("hr")).delete(gone.path, headers={"If-Match": "*"})).status_code == 204
    left = await add_person(shared)
    await leave(shared, left)
    bodies = []
    for holder in (str(new_id()), str(prehire.id), str(gone.id), str(left.id), "nobody"):
        answer = await it.post(f"{pool.path}/allocations", json={"holder": {"type": "contact", "id": holder}})
        document = problem(answer, 422, "unknown_number_holder")
        bodies.append({name: value for name, value in document.items() if name != "instance"})
    assert all(each == bodies[0] for each in bodies)
    none = await it.post(f"{pool.path}/allocations", json={"holder": {"type": "department", "id": "NOPE"}})
    problem(none, 422, "unknown_number_holder")
    assert (await it.get(f"{pool.path}/utilisation")).json()["free"] == 20


async def leave(world: World, person: Added) -> None:
    """Let somebody leave, as the personnel system does."""
    event = {
        "id": f"left-{person.number}",
        "source": "test-numbers",
        "type": "employee.left",
        "subject": f"N{person.number}",
        "time": "2026-11-21T08:00:00Z",
        "data": {},
    }
    answer = await (await world.as_("hr-system")).post("/v1/hr/events", json=event)
    assert answer.json()["state"] == "applied", answer.text


async def test_a_steward_who_sees_leavers_cannot_give_them_numbers(shared: World) -> None:
    pool, person = await add_pool(shared), await add_person(shared)
    await leave(shared, person)
    keeper = await add_person(shared, tier="T4", roles=("directory_steward", "it"))
    client = await shared.as_(keeper.name)
    assert (await client.get(person.path)).status_code == 200
    problem(await client.post(f"{pool.path}/allocations", json=wanted(person.id)), 422, "unknown_number_holder")
    assert (await client.get(f"{pool.path}/utilisation")).json()["free"] == 20


async def test_a_given_number(shared: World) -> None:
    pool, other = await add_pool(shared), await add_pool(shared)
    person, it = await add_person(shared), await it_client(shared)
    assert await allocate(shared, pool, person.id, digits=pool.digits(7)) == [pool.digits(7)]
    taken = await it.post(f"{pool.path}/allocations", json=wanted(person.id, digits=pool.digits(7)))
    told = problem(taken, 409, "number_not_available")
    assert (told["state"], told["available_from"]) == ("assigned", None)
    for digits in (other.digits(0), pool.digits(21), "12"):
        answer = await it.post(f"{pool.path}/allocations", json=wanted(person.id, digits=digits))
        problem(answer, 422, "number_not_in_pool")
    rests = await release(shared, pool.digits(7))
    told = problem(
        await it.post(f"{pool.path}/allocations", json=wanted(person.id, digits=pool.digits(7))),
        409,
        "number_not_available",
    )
    assert (told["state"], told["available_from"]) == ("quarantined", rests["available_from"])


async def test_a_number_of_another_domain_is_not_in_the_pool(shared: World) -> None:
    it, person = await it_client(shared), await add_person(shared)
    here = await add_pool(shared)
    assert (await it.post("/v1/number-domains", json={"code": f"x{here.code}", "name": "x"})).status_code == 201
    there = await add_pool(shared, 0, domain=f"x{here.code}")
    body = {"start": here.digits(10), "end": here.digits(29)}
    assert (await it.post(f"{there.path}/ranges", json=body)).status_code == 201
    answer = await it.post(f"{there.path}/allocations", json=wanted(person.id, digits=here.digits(1)))
    problem(answer, 422, "number_not_in_pool")
    assert await allocate(shared, there, person.id, digits=here.digits(12)) == [here.digits(12)]
    path = f"/v1/numbers/{here.digits(12)}"
    problem(await it.get(path), 422, "ambiguous_number")
    assert (await it.get(path, params={"domain": "main"})).json()["state"] == "available"
    assert (await it.get(path, params={"domain": f"x{here.code}"})).json()["state"] == "assigned"
    problem(await it.post(f"{path}/releases", json={}), 422, "ambiguous_number")
    done = await it.post(f"{path}/releases?domain=x{here.code}", json={})
    assert done.status_code == 201


async def test_a_reference_stands_for_the_same_numbers(shared: World) -> None:
    pool, it = await add_pool(shared), await it_client(shared)
    one, two = await add_person(shared), await add_person(shared)
    body = wanted(one.id, 3, consumer_ref="ticket-1")
    first = await it.post(f"{pool.path}/allocations", json=body)
    again = await it.post(f"{pool.path}/allocations", json=body)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    for other in (
        wanted(one.id, 2, consumer_ref="ticket-1"),
        wanted(two.id, 3, consumer_ref="ticket-1"),
        wanted(one.id, 3, consumer_ref="ticket-1", role="extension"),
        wanted(one.id, digits=pool.digits(0), consumer_ref="ticket-1"),
    ):
        problem(await it.post(f"{pool.path}/allocations", json=other), 409, "consumer_ref_reused")
    elsewhere = await add_pool(shared)
    assert (await it.post(f"{elsewhere.path}/allocations", json=body)).json() != first.json()
    somebody = await (await shared.as_("it")).post(f"{pool.path}/allocations", json=body)
    assert somebody.json()["numbers"][0]["digits"] == pool.digits(3), "a reference belongs to its caller"
    await release(shared, pool.digits(1))
    problem(await it.post(f"{pool.path}/allocations", json=body), 409, "consumer_ref_spent")


async def test_the_same_key_gives_once(shared: World) -> None:
    pool, it, person = await add_pool(shared), await it_client(shared), await add_person(shared)
    key = {"Idempotency-Key": f"give-{pool.code}"}
    first = await it.post(f"{pool.path}/allocations", json=wanted(person.id, 2), headers=key)
    again = await it.post(f"{pool.path}/allocations", json=wanted(person.id, 2), headers=key)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await it.post(f"{pool.path}/allocations", json=wanted(person.id, 3), headers=key)
    problem(other, 422, "idempotency_key_reused")
    assert await numbers_of(shared, person) == [pool.digits(0), pool.digits(1)]


async def test_an_extension_stands_in_its_own_place(shared: World) -> None:
    pool, person = await add_pool(shared), await add_person(shared)
    await allocate(shared, pool, person.id, role="extension")
    await allocate(shared, pool, person.id)
    card = (await (await shared.as_("hr")).get(person.path)).json()
    assert (card["extension"], card["short_numbers"]) == (pool.digits(0), [pool.digits(1)])
    await release(shared, pool.digits(0))
    card = (await (await shared.as_("hr")).get(person.path)).json()
    assert (card["extension"], card["short_numbers"]) == (None, [pool.digits(1)])


async def test_a_shared_line_has_several_holders(shared: World) -> None:
    pool, it = await add_pool(shared), await it_client(shared)
    one, two = await add_person(shared), await add_person(shared)
    line = pool.digits(4)
    for person in (one, two):
        assert await allocate(shared, pool, person.id, digits=line, role="shared") == [line]
    for role in ("shared", "short"):
        answer = await it.post(f"{pool.path}/allocations", json=wanted(one.id, digits=line, role=role))
        problem(answer, 409, "number_not_available")
    assert len((await it.get(f"/v1/numbers/{line}")).json()["holders"]) == 2
    body = {"holder": {"type": "contact", "id": str(one.id)}}
    part = (await it.post(f"/v1/numbers/{line}/releases", json=body)).json()
    assert (part["state"], part["released"]) == ("assigned", 1)
    problem(await it.post(f"/v1/numbers/{line}/releases", json=body), 409, "number_not_assigned")
    assert await numbers_of(shared, one) == []
    assert await numbers_of(shared, two) == [line]
    assert (await release(shared, line))["state"] == "quarantined"


async def test_a_department_holds_a_number(shared: World) -> None:
    pool, it = await add_pool(shared), await it_client(shared)
    body = {"holder": {"type": "department", "id": "RD"}}
    assert (await it.post(f"{pool.path}/allocations", json=body)).status_code == 201
    (holder,) = (await it.get(f"/v1/numbers/{pool.digits(0)}")).json()["holders"]
    assert (holder["type"], holder["id"]) == ("department", str(shared.departments["RD"]))
    listed = await it.get("/v1/numbers", params={"holder": holder["id"], "pool": pool.code})
    assert [each["digits"] for each in listed.json()["items"]] == [pool.digits(0)]
    assert (await release(shared, pool.digits(0)))["released"] == 1


@pytest.mark.parametrize(
    ("reason", "days", "state"),
    [
        ("released", 90, "quarantined"),
        ("moved", 30, "quarantined"),
        ("left", 90, "quarantined"),
        ("abused", None, "blocked"),
    ],
)
async def test_a_released_number_rests(shared: World, reason: str, days: int | None, state: str) -> None:
    pool, person = await add_pool(shared), await add_person(shared)
    await allocate(shared, pool, person.id)
    began = datetime.now(UTC)
    told = await release(shared, pool.digits(0), reason)
    assert (told["state"], told["reason"]) == (state, reason)
    if days is None:
        assert told["available_from"] is None
    else:
        until = datetime.fromisoformat(told["available_from"]) - timedelta(days=days)
        assert began <= until <= datetime.now(UTC)
    assert await allocate(shared, pool, person.id) == [pool.digits(1)], "it is passed over"
    problem(
        await (await it_client(shared)).post(f"/v1/numbers/{pool.digits(0)}/releases", json={}),
        409,
        "number_not_assigned",
    )


async def set_rest(world: World, pool: TestPool, digits: str, until: datetime) -> None:
    """Move the end of a quarantine, as time would."""
    value: Any = until
    if world.application.database.dialect == "sqlite":
        value = int(until.timestamp() * 1_000_000)
    async with world.application.database.unit_of_work() as unit:
        await unit.session.execute(
            text("UPDATE number SET available_from = :until WHERE digits = :digits"),
            {"until": value, "digits": digits},
        )
    del pool


async def test_rest_ends_without_anybody_doing_anything(shared: World) -> None:
    pool, person, it = await add_pool(shared, 3), await add_person(shared), await it_client(shared)
    await allocate(shared, pool, person.id, 3)
    for at in range(3):
        await release(shared, pool.digits(at))
    answer = await it.post(f"{pool.path}/allocations", json=wanted(person.id))
    assert problem(answer, 409, "pool_exhausted")["available"] == 0
    now = datetime.now(UTC)
    await set_rest(shared, pool, pool.digits(0), now + timedelta(hours=1))
    await set_rest(shared, pool, pool.digits(1), now - timedelta(seconds=1))
    await set_rest(shared, pool, pool.digits(2), now - timedelta(seconds=2))
    use = (await it.get(f"{pool.path}/utilisation")).json()
    assert (use["free"], use["states"]["quarantined"], use["states"]["available"]) == (2, 1, 2)
    assert (await it.get(f"{pool.path}/available")).json()["items"] == [pool.digits(1), pool.digits(2)]
    told = (await it.get("/v1/numbers", params={"pool": pool.code, "state": "available"})).json()["items"]
    assert [(each["digits"], each["available_from"]) for each in told] == [
        (pool.digits(1), None),
        (pool.digits(2), None),
    ]
    resting = (await it.get("/v1/numbers", params={"pool": pool.code, "state": "quarantined"})).json()["items"]
    assert [each["digits"] for each in resting] == [pool.digits(0)]
    assert await allocate(shared, pool, person.id, digits=pool.digits(2)) == [pool.digits(2)]
    answer = await it.post(f"{pool.path}/allocations", json=wanted(person.id, 2))
    told = problem(answer, 409, "pool_exhausted")
    assert (told["requested"], told["available"]) == (2, 1)
    assert await allocate(shared, pool, person.id) == [pool.digits(1)]


async def test_longest_idle_takes_what_was_used_last_at_last(shared: World) -> None:
    pool, person = await add_pool(shared, 3, strategy="longest_idle", quarantine_days=0), await add_person(shared)
    assert await allocate(shared, pool, person.id, 2) == [pool.digits(0), pool.digits(1)]
    await release(shared, pool.digits(1))
    await release(shared, pool.digits(0))
    order = [(await allocate(shared, pool, person.id))[0] for _ in range(3)]
    assert order == [pool.digits(2), pool.digits(1), pool.digits(0)]


async def test_a_random_pool_gives_every_number_once(shared: World) -> None:
    pool, person = await add_pool(shared, 50, strategy="random"), await add_person(shared)
    given = [digits for _ in range(5) for digits in await allocate(shared, pool, person.id, 10)]
    assert sorted(given) == [pool.digits(at) for at in range(50)]
    assert given != sorted(given)


async def test_a_write_is_in_the_log_and_nothing_else_is_told_of_it(shared: World) -> None:
    pool, person = await add_pool(shared), await add_person(shared)
    await allocate(shared, pool, person.id)
    await release(shared, pool.digits(0))
    await shared.settle()
    events = await (await shared.as_("siem")).get(
        "/v1/access-events", params={"contact": str(person.id), "limit": "50"}
    )
    actions = [each["action"] for each in events.json()["items"]]
    assert actions[:2] == ["number.release", "number.allocate"]


async def test_a_failed_allocation_leaves_nothing(shared: World) -> None:
    pool, it = await add_pool(shared, 2), await it_client(shared)
    person = await add_person(shared)
    for _ in range(3):
        answer = await it.post(f"{pool.path}/allocations", json=wanted(person.id, 3, consumer_ref="again"))
        assert problem(answer, 409, "pool_exhausted")["available"] == 2
    assert await numbers_of(shared, person) == []
    assert await allocate(shared, pool, person.id, 2, consumer_ref="again") == [pool.digits(0), pool.digits(1)]
