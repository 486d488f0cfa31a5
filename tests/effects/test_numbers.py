"""Short numbers by request, walked over HTTP on both engines: given when the chain is through, taken back at the end."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.effects.walking import file, filed
from tests.numbers.calls import add_pool, allocate, release
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


async def test_a_resting_number_is_given_early_by_two_offices_alone(shared: World) -> None:
    pool, gains, before = await add_pool(shared), await add_person(shared), await add_person(shared)
    (digits,) = await allocate(shared, pool, before.id)
    await release(shared, digits)
    about = ("number_pool", pool.code)
    walk = await filed(shared, "staff", "number.allocate", about, {**REASON, "digits": digits}, gains.id)
    assert await walk.through("hr") == "failed"
    assert (await walk.read())["problem"] == "number_not_available"
    walk = await filed(shared, "staff", "number.allocate", about, {**REASON, "digits": digits, "early": True}, gains.id)
    assert await walk.through("steward") == "pending"
    assert await walk.through("hr") == "completed"
    assert await numbers_of(shared, gains.path) == [digits]


async def test_a_blocked_number_is_not_given_early(shared: World) -> None:
    pool, gains = await add_pool(shared), await add_person(shared)
    blocked = await (await shared.as_("it-scripts")).post(
        f"/v1/numbers/{pool.digits(0)}/blocks", json={"reason": "leaked"}
    )
    assert blocked.status_code == 201
    form = {**REASON, "digits": pool.digits(0), "early": True}
    walk = await filed(shared, "staff", "number.allocate", ("number_pool", pool.code), form, gains.id)
    assert await walk.through("steward", "hr") == "failed"
    assert (await walk.read())["problem"] == "number_not_available"


async def test_a_pool_of_temporary_numbers_gives_none_for_good(shared: World) -> None:
    pool = await add_pool(shared, 20, **{"class": "temporary"})
    refused = await file(shared, "staff", "number.allocate", ("number_pool", pool.code), REASON)
    assert faults(refused) == [("/subject/id", "must_end")]
    far = {**REASON, "until": until(days=200)}
    refused = await file(shared, "staff", "number.temporary", ("number_pool", pool.code), far)
    assert faults(refused) == [("/form/until", "unfit_term")]
    strange = {**REASON, "digits": "12"}
    refused = await file(shared, "staff", "number.allocate", ("number_pool", (await add_pool(shared)).code), strange)
    assert faults(refused) == [("/form/digits", "not_in_pool")]


async def test_number_transfer(shared: World) -> None:
    pool, gives, gains = await add_pool(shared), await add_person(shared), await add_person(shared)
    (digits,) = await allocate(shared, pool, gives.id)
    walk = await filed(shared, gives.name, "number.transfer", ("number", digits), REASON, gains.id)
    assert await numbers_of(shared, gives.path) == [digits]
    assert await walk.through("hr") == "completed"
    assert (await numbers_of(shared, gives.path), await numbers_of(shared, gains.path)) == ([], [digits])
    assert (await walk.read())["effects"][0]["result"]["digits"] == [digits]
    problem(await walk.act(gives.name, "returns"), 409, "not_returnable")


async def test_a_transfer_whose_number_has_gone_elsewhere_is_approved_anew(shared: World) -> None:
    pool, gives, gains = (
        await add_pool(shared, 20, **{"class": "executive"}),
        await add_person(shared),
        await add_person(shared),
    )
    (digits,) = await allocate(shared, pool, gives.id)
    walk = await filed(shared, "staff", "number.transfer", ("number", digits), REASON, gains.id)
    assert await walk.through("steward") == "pending", "an executive range asks two offices"
    body = {"to": {"type": "contact", "id": str(shared.people["bare"])}}
    moved = await (await shared.as_("it-scripts")).post(f"/v1/numbers/{digits}/transfers", json=body)
    assert moved.status_code == 201
    assert await walk.through("hr") != "completed"
    assert await numbers_of(shared, gains.path) == []


async def test_transfers_that_cannot_be_asked_for(shared: World) -> None:
    pool, gives = await add_pool(shared), await add_person(shared)
    (digits,) = await allocate(shared, pool, gives.id)
    kind, about = "number.transfer", ("number", digits)
    assert faults(await file(shared, "staff", kind, about, REASON, gives.id)) == [("/beneficiary", "no_change")]
    free = await file(shared, "staff", kind, ("number", pool.digits(5)), REASON, gives.id)
    assert faults(free) == [("/subject/id", "not_held")]
    problem(await file(shared, "staff", kind, ("number", "99"), REASON, gives.id), 404, "not_found")


async def test_number_reserve_keeps_and_lets_go(shared: World) -> None:
    pool, it, person = await add_pool(shared, 5), await shared.as_("it-scripts"), await add_person(shared)
    form = {**REASON, "purpose": "新园区总机", "until": until(days=30), "count": 2}
    walk = await filed(shared, "staff", "number.reserve", ("number_pool", pool.code), form)
    assert await walk.through("hr") == "active"
    result = (await walk.read())["effects"][0]["result"]
    assert result["digits"] == [pool.digits(0), pool.digits(1)]
    assert (await it.get(f"/v1/numbers/{pool.digits(0)}")).json()["state"] == "reserved"
    assert await allocate(shared, pool, person.id) == [pool.digits(2)]
    assert await walk.ended("staff", "returns") == "returned"
    assert await allocate(shared, pool, person.id) == [pool.digits(0)]
    walk = await filed(shared, "staff", "number.reserve", ("number_pool", pool.code), {**form, "count": 1})
    assert await walk.through("hr") == "active"
    kept = (await walk.read())["effects"][0]["result"]
    body = {"holder": {"type": "contact", "id": str(person.id)}, "hold": kept["hold"]}
    given = await it.post(f"{pool.path}/allocations", json=body)
    assert [each["digits"] for each in given.json()["numbers"]] == kept["digits"] == [pool.digits(1)]
    assert await walk.ended("staff", "returns") == "returned", "and takes nothing from whoever was given it"
    assert (await it.get(f"/v1/numbers/{pool.digits(1)}")).json()["state"] == "assigned"


async def test_reservations_that_cannot_be_asked_for(shared: World) -> None:
    pool = await add_pool(shared)
    kind, about = "number.reserve", ("number_pool", pool.code)
    form = {**REASON, "purpose": "总机", "until": until(days=30)}
    for members, fault in (
        ({"until": until(days=-1)}, ("/form/until", "unfit_term")),
        ({"until": until(days=400)}, ("/form/until", "unfit_term")),
        ({"digits": "12"}, ("/form/digits", "not_in_pool")),
    ):
        assert faults(await file(shared, "staff", kind, about, {**form, **members})) == [fault]
    both = await file(shared, "staff", kind, about, {**form, "digits": pool.digits(0), "count": 2})
    assert both.status_code == 422
    walk = await filed(shared, "staff", kind, about, {**form, "count": 100})
    assert await walk.through("hr") == "failed"
    assert (await walk.read())["problem"] == "pool_exhausted"
