"""Numbers given by the batch are held as any other: taken once, told on record, and given back in the usual way."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.audit.repository import EventFilter
from app.numbers.errors import NumberNotInPool
from app.numbers.founding import FirstNumber, NumberFounder, carried
from app.numbers.pool_repository import PoolRepository
from app.numbers.repository import NumberRepository
from app.numbers.rules import Cause
from tests.numbers.calls import TestPool, add_pool, allocate, it_client, release
from tests.support.application import OPERATOR, World
from tests.support.shared import add_person

UNTIL = datetime(2027, 7, 1, tzinfo=UTC)


async def give(world: World, pool: TestPool, *first: FirstNumber) -> None:
    application = world.application
    into = await PoolRepository().pool(application.database.reader, pool.code)
    assert into is not None
    async with application.database.unit_of_work() as unit:
        await NumberFounder(numbers=NumberRepository(), clock=application.clock).give(unit, OPERATOR, into, first)
    await world.settle()


async def test_each_holder_has_their_number_and_an_event_of_it(world: World) -> None:
    pool, one, other = await add_pool(world), await add_person(world), await add_person(world)
    await give(
        world,
        pool,
        FirstNumber(digits=pool.digits(3), holder=one.id, role="extension"),
        FirstNumber(digits=pool.digits(1), holder=other.id, role="short", until=UNTIL),
    )
    it = await it_client(world)
    (held,) = (await it.get("/v1/numbers", params={"holder": str(one.id)})).json()["items"]
    assert (held["digits"], held["state"]) == (pool.digits(3), "assigned")
    history = (await it.get(f"/v1/numbers/{pool.digits(1)}/history")).json()["items"]
    assert [(each["holder"]["id"], each["holder"]["role"], each["holder"]["until"]) for each in history] == [
        (str(other.id), "short", UNTIL.isoformat())
    ]
    for person, digits in ((one, pool.digits(3)), (other, pool.digits(1))):
        found = await world.application.events.search(
            EventFilter(contact_id=person.id, action="number.allocate"), limit=5
        )
        assert [each.event.query for each in found.events] == [
            {"pool": pool.code, "numbers": [digits], "holder": f"contact:{person.id}"}
        ]


async def test_what_was_given_is_nobody_elses_and_comes_back_as_usual(world: World) -> None:
    pool, one, other = await add_pool(world, 3), await add_person(world), await add_person(world)
    await give(world, pool, FirstNumber(digits=pool.digits(0), holder=one.id, role="short"))
    assert await allocate(world, pool, other.id, 2) == [pool.digits(1), pool.digits(2)]
    async with world.application.database.unit_of_work() as unit:
        ended = await world.application.numbers.service.end_assignments(
            unit, OPERATOR, contact_id=one.id, cause=Cause.LEFT.value
        )
    assert ended == [pool.digits(0)]
    await release(world, pool.digits(1))


async def test_one_number_that_is_not_free_takes_the_batch_with_it(world: World) -> None:
    pool, one = await add_pool(world, 3), await add_person(world)
    await allocate(world, pool, one.id)
    for bad in (pool.digits(0), pool.digits(3), pool.digits(1)):
        first = [FirstNumber(digits=each, holder=one.id, role="short") for each in (pool.digits(1), bad)]
        with pytest.raises(NumberNotInPool):
            await give(world, pool, *first)
    use = (await (await it_client(world)).get(f"{pool.path}/utilisation")).json()
    assert (use["free"], use["states"]["assigned"]) == (2, 1)


async def test_more_than_one_statement_takes_are_taken(world: World) -> None:
    pool, one = await add_pool(world, 900), await add_person(world)
    await give(world, pool, *(FirstNumber(digits=pool.digits(at), holder=one.id, role="short") for at in range(850)))
    use = (await (await it_client(world)).get(f"{pool.path}/utilisation")).json()
    assert (use["free"], use["states"]["assigned"]) == (50, 850)


async def test_nothing_is_given_of_nothing(world: World) -> None:
    pool = await add_pool(world, 3)
    await give(world, pool)
    assert (await (await it_client(world)).get(f"{pool.path}/utilisation")).json()["free"] == 3


def test_a_card_tells_what_is_held() -> None:
    holder = UUID(int=1)
    first = [
        FirstNumber(digits="81001", holder=holder, role="extension"),
        FirstNumber(digits="610001", holder=holder, role="short"),
        FirstNumber(digits="610002", holder=holder, role="shared"),
    ]
    assert carried(first) == {"extension": "81001", "short_numbers": ["610001", "610002"]}
    assert carried([]) == {}
