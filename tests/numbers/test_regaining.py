"""The number of before, for who comes back: by whom it was had last, while it waits, under races, on both engines."""

import asyncio
from collections.abc import Sequence
from typing import Final

import pytest

from app.numbers.repository import Holder
from app.numbers.taking import held_by
from tests.numbers.calls import TestPool, add_pool, allocate, it_client, release
from tests.support.application import OPERATOR, World
from tests.support.shared import Added, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

MANY: Final = 8


async def come(world: World, person: Added) -> Sequence[str]:
    """Give a number to somebody who joins or comes back, to no department."""
    async with world.application.database.unit_of_work() as unit:
        return await world.application.numbers.service.number_for_joiner(
            unit, OPERATOR, contact_id=person.id, department_id=None
        )


async def go(world: World, person: Added, cause: str = "left") -> None:
    async with world.application.database.unit_of_work() as unit:
        await world.application.numbers.service.end_assignments(unit, OPERATOR, contact_id=person.id, cause=cause)


async def card(world: World, person: Added) -> tuple[list[str], str | None]:
    seen = (await (await world.as_("hr")).get(person.path)).json()
    return seen["short_numbers"], seen["extension"]


async def state(world: World, digits: str) -> str:
    told: str = (await (await it_client(world)).get(f"/v1/numbers/{digits}")).json()["state"]
    return told


async def test_it_comes_back_from_whatever_pool_and_stands_on_the_card(shared: World) -> None:
    pool, person = await add_pool(shared), await add_person(shared)
    await allocate(shared, pool, person.id, digits=pool.digits(5))
    await go(shared, person)
    assert await card(shared, person) == ([], None)
    assert await come(shared, person) == (pool.digits(5),)
    assert await card(shared, person) == ([pool.digits(5)], None)
    assert await state(shared, pool.digits(5)) == "assigned"
    found = await (await shared.as_("hr")).get("/v1/contacts", params={"q": pool.digits(5)})
    assert [each["id"] for each in found.json()["items"]] == [str(person.id)]
    assert await come(shared, person) == (), "there is one, and no pool takes joiners"


async def test_of_several_the_one_given_up_last_and_of_those_the_one_had_longest(shared: World) -> None:
    pool, person = await add_pool(shared), await add_person(shared)
    early, *rest = await allocate(shared, pool, person.id, 4)
    await release(shared, early)
    await go(shared, person)
    assert [(await come(shared, person))[0] for _ in range(4)] == [*rest, early]


@pytest.mark.parametrize("role", ["extension", "shared"])
async def test_only_a_short_number_comes_back(shared: World, role: str) -> None:
    pool, person = await add_pool(shared), await add_person(shared)
    await allocate(shared, pool, person.id, digits=pool.digits(3), role=role)
    await go(shared, person)
    assert await come(shared, person) == ()
    assert await state(shared, pool.digits(3)) == "quarantined"


async def test_a_blocked_number_does_not_come_back(shared: World) -> None:
    pool, person = await add_pool(shared), await add_person(shared)
    await allocate(shared, pool, person.id)
    await go(shared, person, "abused")
    assert await come(shared, person) == ()
    assert await state(shared, pool.digits(0)) == "blocked"


async def test_a_number_that_another_has_had_since_does_not_come_back(shared: World) -> None:
    pool = await add_pool(shared, quarantine_days=0)
    one, other = await add_person(shared), await add_person(shared)
    for person in (one, other):
        assert await allocate(shared, pool, person.id, digits=pool.digits(0)) == [pool.digits(0)]
        await go(shared, person)
    assert await come(shared, one) == ()
    assert await come(shared, other) == (pool.digits(0),)


async def test_who_comes_back_twice_at_once_gets_it_once(shared: World) -> None:
    pool, person = await add_pool(shared), await add_person(shared)
    await allocate(shared, pool, person.id)
    await go(shared, person)
    told = await asyncio.gather(*(come(shared, person) for _ in range(MANY)))
    assert sorted(map(tuple, told)) == [*[()] * (MANY - 1), (pool.digits(0),)]
    assert await card(shared, person) == ([pool.digits(0)], None)


async def test_against_those_who_take_it_as_the_next_one(shared: World) -> None:
    """The rest is over: it is the pool's again and the former holder's still. One gets it, and the cards say who."""
    it = await it_client(shared)
    for _ in range(4):
        pool = await add_pool(shared, 1, quarantine_days=0)
        person, others = await add_person(shared), [await add_person(shared) for _ in range(4)]
        await allocate(shared, pool, person.id)
        await go(shared, person)

        async def take(other: Added, pool: TestPool = pool) -> bool:
            body = {"holder": {"type": "contact", "id": str(other.id)}}
            answer = await it.post(f"{pool.path}/allocations", json=body)
            assert answer.status_code in {201, 409}, answer.text
            return answer.status_code == 201

        back, *taken = await asyncio.gather(come(shared, person), *(take(each) for each in others))
        assert [bool(back), *taken].count(True) == 1
        holders = []
        for each in (person, *others):
            async with shared.application.database.session() as session:
                held = [digits for _, digits in await held_by(session, Holder("contact", each.id))]
            assert (await card(shared, each))[0] == held
            holders += held
        assert holders == [pool.digits(0)]
