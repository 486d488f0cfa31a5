"""Numbers by their looks on both engines: patterns in the store, rows without a gap, and pools that keep nice numbers back."""

from itertools import count
from typing import Any, Final

import pytest
from sqlalchemy import select

from app.numbers.choosing import Choice, free_like
from app.numbers.models import Number
from app.numbers.nice import is_kept_back, pattern
from app.numbers.pool_repository import PoolRepository
from tests.effects.walking import file, filed
from tests.numbers.calls import TestPool, add_pool, allocate, it_client, wanted
from tests.support.application import World
from tests.support.problems import faults, problem
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

_NEXT: Final = count(1)


async def nice_pool(world: World) -> TestPool:
    """Make a pool that keeps nice numbers back: 73090 to 73119 in a domain of its own, of which 73100 and 73111 are nice."""
    code = f"nice-{next(_NEXT)}-{world.application.database.dialect}"
    it = await it_client(world)
    assert (await it.post("/v1/number-domains", json={"code": code, "name": "靓号"})).status_code == 201
    made = await add_pool(world, 0, keeps_nice=True, domain=code)
    pool = TestPool(made.code, 73090)
    assert (await it.post(f"{pool.path}/ranges", json={"start": "73090", "end": "73119"})).status_code == 201
    return pool


LOOKS: Final = (
    "31000????",
    "*A?A",
    "*ABC",
    "*AAA",
    "3*",
    "31AAAA???",
    "*9?",
    "*B1B",
    "3AB*",
    "31000012?",
    "?????????",
    "*0A",
)


async def test_the_store_knows_patterns_as_we_do(shared: World) -> None:
    name = f"looks-{shared.application.database.dialect}"
    it = await it_client(shared)
    assert (await it.post("/v1/number-domains", json={"code": name, "name": "样式"})).status_code == 201
    pool = await add_pool(shared, 0, domain=name)
    assert (await it.post(f"{pool.path}/ranges", json={"start": "310000000", "end": "310000999"})).status_code == 201
    every = [f"310000{each:03}" for each in range(1000)]
    async with shared.application.database.unit_of_work() as unit:
        found = await PoolRepository().pool(unit.session, pool.code)
        assert found is not None
        for text in LOOKS:
            wish, now = pattern(text), shared.application.clock.now()
            told = await free_like(unit.session, found.id, Choice(pattern=wish), now=now, limit=5000)
            assert [digits for digits, _ in told] == [each for each in every if wish.matches(each)], text


async def test_a_pool_keeps_nice_numbers_back(shared: World) -> None:
    pool, gains, it = await nice_pool(shared), await add_person(shared), await it_client(shared)
    every = [pool.digits(at) for at in range(30)]
    kept = [each for each in every if is_kept_back(each)]
    assert kept == ["73111"]
    plain = [each for each in every if each not in kept]
    assert (await it.get(f"{pool.path}/available?limit=50")).json()["items"] == plain
    asked = (await it.get(f"{pool.path}/available", params={"nice": "nice"})).json()
    assert asked["items"] == kept
    assert all(each["kept"] and each["nice"] in {"nice", "rare"} for each in asked["numbers"])
    assert await allocate(shared, pool, gains.id, count=len(plain)) == plain
    answer = await it.post(f"{pool.path}/allocations", json=wanted(gains.id))
    assert problem(answer, 409, "pool_exhausted")["available"] == 0
    problem(await it.post(f"{pool.path}/allocations", json=wanted(gains.id, digits=kept[0])), 403, "number_kept")
    held = {"pool": pool.code, "purpose": "热线", "minutes": 5}
    problem(await it.post("/v1/number-holds", json={**held, "digits": kept[0]}), 403, "number_kept")
    problem(await it.post("/v1/number-holds", json={**held, "pattern": "7*"}), 409, "pool_exhausted")
    answer = await it.post(f"{pool.path}/allocations", json=wanted(gains.id, pattern="7*"))
    problem(answer, 409, "pool_exhausted")
    use = (await it.get(f"{pool.path}/utilisation")).json()
    assert use["states"]["available"] == len(kept)


async def test_a_kept_number_is_given_by_request(shared: World) -> None:
    pool, gains = await nice_pool(shared), await add_person(shared)
    kept = "73111"
    form = {"reason": "总机号码", "digits": kept}
    walk = await filed(shared, "staff", "number.allocate", ("number_pool", pool.code), form, gains.id)
    assert await walk.through("steward") == "pending"
    assert await walk.through("hr") == "completed"
    assert (await walk.read())["effects"][0]["result"]["digits"] == [kept]
    domain = (await (await it_client(shared)).get(pool.path)).json()["domain"]
    done = await (await it_client(shared)).post(f"/v1/numbers/{kept}/releases?domain={domain}", json={})
    assert done.status_code == 201, done.text
    async with shared.application.database.unit_of_work() as unit:
        keys = (await unit.session.execute(select(Number.sort_key).where(Number.digits == kept))).scalars().all()
    assert all(key < 0 for key in keys)


async def test_a_plain_number_is_asked_for_in_one_step(shared: World) -> None:
    pool, gains = await nice_pool(shared), await add_person(shared)
    plain = "73096"
    form = {"reason": "易记号码", "digits": plain}
    walk = await filed(shared, "staff", "number.allocate", ("number_pool", pool.code), form, gains.id)
    assert await walk.through("hr") == "completed"
    assert (await walk.read())["effects"][0]["result"]["digits"] == [plain]


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"digits": "99999"}, ("/form/digits", "not_in_pool")),
        ({"count": 2}, ("/form", "form_not")),
        ({"pattern": "*88"}, ("/form/digits", "chosen_twice")),
    ],
)
async def test_what_cannot_be_chosen(shared: World, form: dict[str, Any], fault: tuple[str, str]) -> None:
    pool = await add_pool(shared, 3)
    body = {"reason": "易记号码", "digits": pool.digits(), **form}
    refused = await file(shared, "staff", "number.allocate", ("number_pool", pool.code), body)
    assert (refused.status_code, faults(refused)) == (422, [fault])


async def test_a_pool_learns_to_keep_them_and_lets_go(shared: World) -> None:
    pool, it = await add_pool(shared, 20), await it_client(shared)
    every = [pool.digits(at) for at in range(20)]
    for keeps in (True, False):
        done = await it.patch(pool.path, json={"keeps_nice": keeps}, headers={"If-Match": "*"})
        assert done.json()["keeps_nice"] is keeps
        while await shared.application.outbox.drain():
            pass
        free = (await it.get(f"{pool.path}/available")).json()["items"]
        assert free == [each for each in every if not (keeps and is_kept_back(each))]


async def test_numbers_are_given_by_their_looks(shared: World) -> None:
    pool, gains, it = await add_pool(shared, 200), await add_person(shared), await it_client(shared)
    assert await allocate(shared, pool, gains.id, 2, pattern="*88") == [pool.digits(88), pool.digits(188)]
    answer = await it.post(f"{pool.path}/allocations", json=wanted(gains.id, pattern="*88"))
    told = problem(answer, 409, "pool_exhausted")
    assert (told["requested"], told["available"]) == (1, 0)
    for body, fault in (
        ({"pattern": "*88", "digits": pool.digits()}, ("/pattern", "not_with_digits")),
        ({"contiguous": True, "digits": pool.digits()}, ("/contiguous", "not_with_digits")),
        ({"pattern": "*8*"}, ("/pattern", "invalid_value")),
    ):
        refused = await it.post(f"{pool.path}/allocations", json=wanted(gains.id, **body))
        problem(refused, 422, "invalid_request")
        assert faults(refused) == [fault]


async def test_numbers_that_follow_one_another(shared: World) -> None:
    pool, gains, it = await add_pool(shared, 30), await add_person(shared), await it_client(shared)
    for at in (3, 9, 17):
        await allocate(shared, pool, gains.id, digits=pool.digits(at))
    assert await allocate(shared, pool, gains.id, 6, contiguous=True) == [pool.digits(at) for at in range(10, 16)]
    assert await allocate(shared, pool, gains.id, 5, contiguous=True) == [pool.digits(at) for at in range(4, 9)]
    answer = await it.post(f"{pool.path}/allocations", json=wanted(gains.id, 13, contiguous=True))
    told = problem(answer, 409, "no_contiguous_numbers")
    assert (told["requested"], told["longest"]) == (13, 12)
    assert len(await allocate(shared, pool, gains.id, 12, contiguous=True)) == 12
