"""Short numbers by request, walked over HTTP on both engines: given when the chain is through, taken back at the end."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.effects.walking import file, filed
from tests.numbers.calls import add_pool, allocate
from tests.support.application import World
from tests.support.problems import faults, problem
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")
REASON = {"reason": "新同事需要短号"}


def until(**span: float) -> str:
    return (datetime.now(UTC) + timedelta(**span)).isoformat()


async def numbers_of(world: World, path: str) -> list[str]:
    found: list[str] = (await (await world.as_("hr")).get(path)).json()["short_numbers"]
    return found


async def test_number_allocate(shared: World) -> None:
    pool, gains = await add_pool(shared), await add_person(shared)
    walk = await filed(shared, "staff", "number.allocate", ("number_pool", pool.code), {**REASON, "count": 2}, gains.id)
    assert await numbers_of(shared, gains.path) == []
    assert await walk.through("hr") == "completed"
    given = [pool.digits(0), pool.digits(1)]
    assert await numbers_of(shared, gains.path) == given
    assert (await walk.read())["effects"][0]["result"]["digits"] == given
    problem(await walk.act("staff", "returns"), 409, "not_returnable")


async def test_an_executive_range_asks_two_offices(shared: World) -> None:
    pool, gains = await add_pool(shared, 20, **{"class": "executive"}), await add_person(shared)
    walk = await filed(shared, "staff", "number.allocate", ("number_pool", pool.code), REASON, gains.id)
    assert await walk.through("steward") == "pending"
    assert await walk.through("hr") == "completed"


async def test_number_temporary_goes_back(shared: World) -> None:
    pool, gains = await add_pool(shared), await add_person(shared)
    form = {**REASON, "until": until(days=30)}
    walk = await filed(shared, "staff", "number.temporary", ("number_pool", pool.code), form, gains.id)
    assert await walk.through("head", "steward") == "active"
    assert await numbers_of(shared, gains.path) == [pool.digits(0)]
    assert await walk.ended("staff", "returns") == "returned"
    assert await numbers_of(shared, gains.path) == []
    rests = (await (await shared.as_("it-scripts")).get(f"/v1/numbers/{pool.digits(0)}")).json()
    assert rests["state"] == "quarantined"


async def test_a_pool_that_is_empty_by_then_makes_it_fail(shared: World) -> None:
    pool, gains = await add_pool(shared, 1), await add_person(shared)
    walk = await filed(shared, "staff", "number.allocate", ("number_pool", pool.code), REASON, gains.id)
    await allocate(shared, pool, shared.people["bare"])
    assert await walk.through("hr") == "failed"
    assert (await walk.read())["problem"] == "pool_exhausted"
    assert await numbers_of(shared, gains.path) == []


@pytest.mark.parametrize(
    "end",
    [until(days=-1), until(days=400), "tomorrow", "2026-12-01T10:00:00"],
    ids=["yesterday", "too far", "no time", "no zone"],
)
async def test_an_end_that_cannot_be(shared: World, end: str) -> None:
    pool = await add_pool(shared)
    refused = await file(shared, "staff", "number.temporary", ("number_pool", pool.code), {**REASON, "until": end})
    assert refused.status_code == 422
    assert [pointer for pointer, _ in faults(refused)] == ["/form/until"]


async def test_a_pool_that_is_not_there(shared: World) -> None:
    problem(await file(shared, "staff", "number.allocate", ("number_pool", "nowhere"), REASON), 404, "not_found")
