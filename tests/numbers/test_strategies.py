"""Pools whose liked numbers come first, and pools that give the tail of the holder's mobile to whoever consented to that."""

import asyncio
from typing import Final

import pytest

from app.contacts import endings
from app.contacts.tagging import proves
from app.crypto.sealer import SubjectSealer
from app.permissions.outcomes import Tag
from tests.collection.people import consent, withdraw
from tests.numbers.calls import TestPool, add_pool, allocate, it_client, release, wanted
from tests.support.application import OPERATOR, World
from tests.support.problems import faults, problem
from tests.support.shared import Added, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

TAIL: Final = "number_tail"


async def agreeing(world: World, mobile: str | None) -> Added:
    """Add somebody with this mobile who consents to a number that ends as it does."""
    someone = await add_person(world, mobile=mobile)
    given = await consent(world, someone.name, someone.id, "mobile", basis=TAIL)
    assert (given.status_code, given.json()["live"]) == (201, ["mobile"]), given.text
    return someone


async def shown(world: World, pool: TestPool, someone: Added) -> tuple[str, str]:
    """Allocate; give the number, and all that the answer and the record of it say but for it and for ids."""
    answer = await (await it_client(world)).post(f"{pool.path}/allocations", json=wanted(someone.id))
    assert answer.status_code == 201, answer.text
    (number,) = answer.json()["numbers"]
    await world.settle()
    events = await (await world.as_("siem")).get("/v1/access-events", params={"contact": str(someone.id), "limit": "1"})
    (event,) = events.json()["items"]
    told = {name: value for name, value in event.items() if name not in {"id", "at", "index", "request_id"}}
    seen = str([sorted(answer.json()), sorted(number), sorted(answer.headers), told])
    for own in (str(someone.id), f"新人{someone.number}", number["digits"]):
        seen = seen.replace(own, "OWN")
    return number["digits"], seen


async def test_what_looks_like_the_pattern_comes_first(shared: World) -> None:
    pool = await add_pool(shared, 20, strategy="pattern", pattern="*x8", quarantine_days=0)
    person, it = await add_person(shared), await it_client(shared)
    told = (await it.get(pool.path)).json()
    assert (told["strategy"], told["pattern"]) == ("pattern", "*X8")
    expected = [pool.digits(at) for at in (8, 18, 0, 1)]
    listed = (await it.get(f"{pool.path}/available", params={"limit": "4"})).json()["items"]
    assert (await allocate(shared, pool, person.id, 3), listed) == (expected[:3], expected)
    await release(shared, pool.digits(18))
    await release(shared, pool.digits(0))
    assert await allocate(shared, pool, person.id) == [pool.digits(18)]
    amended = await it.patch(pool.path, json={"pattern": "*9"}, headers={"If-Match": "*"})
    assert faults(amended) == [("/pattern", "unknown_member")]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"strategy": "pattern"}, "not_of_strategy"),
        ({"strategy": "lowest", "pattern": "*8"}, "not_of_strategy"),
        ({"strategy": "mobile_tail", "pattern": "*8"}, "not_of_strategy"),
        ({"strategy": "pattern", "pattern": "*8*"}, "invalid_value"),
    ],
)
async def test_a_pattern_belongs_to_its_strategy(shared: World, members: dict[str, str], code: str) -> None:
    body = {"code": "refused", "name": "样式", "class": "internal", **members}
    answer = await (await it_client(shared)).post("/v1/number-pools", json=body)
    problem(answer, 422, "invalid_request")
    assert faults(answer) == [("/pattern", code)]


async def test_the_tail_goes_to_whoever_consented_while_it_is_free(shared: World) -> None:
    pool = await add_pool(shared, 30, strategy="mobile_tail", quarantine_days=0)
    first = await agreeing(shared, "13800000005")
    assert await allocate(shared, pool, first.id) == [pool.digits(5)]
    assert await allocate(shared, pool, first.id) == [pool.digits(0)], "it is taken"
    await release(shared, pool.digits(5))
    assert await allocate(shared, pool, first.id, 2) == [pool.digits(1), pool.digits(2)], "of several none is meant"
    second = await agreeing(shared, "13800010005")
    assert await allocate(shared, pool, second.id) == [pool.digits(5)], "though it was used"
    taken_back = await withdraw(shared, second.name, second.id, "mobile", basis=TAIL)
    assert (taken_back.status_code, taken_back.json()["fields"]) == (200, ["mobile"])
    card = (await (await shared.as_(second.name)).get(second.path)).json()
    assert (card["short_numbers"], card["mobile"]["state"]) == ([pool.digits(5)], "shown"), "nothing goes with it"
    await release(shared, pool.digits(5))
    assert await allocate(shared, pool, second.id) == [pool.digits(3)], "the consent was withdrawn"


async def test_calls_of_one_moment_each_get_their_own(shared: World) -> None:
    pool = await add_pool(shared, 30, strategy="mobile_tail")
    people = [await agreeing(shared, f"138000000{tail}") for tail in (11, 12, 13, 13)]
    found = await asyncio.gather(*(allocate(shared, pool, each.id) for each in people))
    given = [digits for (digits,) in found]
    assert given[:2] == [pool.digits(11), pool.digits(12)]
    assert sorted(given[2:]) == [pool.digits(0), pool.digits(13)]


async def test_without_consent_nothing_but_the_number_is_different(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []

    def counted(sealer: SubjectSealer, kind: Tag, form: str, given: bytes) -> bool:
        compared.append(form)
        return proves(sealer, kind, form, given)

    monkeypatch.setattr(endings, "proves", counted)
    pool = await add_pool(shared, 30, strategy="mobile_tail")
    silent, agreed = await add_person(shared, mobile="13800000021"), await agreeing(shared, "13800000022")
    without, elsewhere = await agreeing(shared, None), await agreeing(shared, "13800009999")
    told = [await shown(shared, pool, each) for each in (silent, agreed, without, elsewhere)]
    assert [digits for digits, _ in told] == [pool.digits(at) for at in (0, 22, 1, 2)]
    assert [seen for _, seen in told] == [told[0][1]] * len(told)
    assert len(compared) == 30 + 29 + 28 + 27, "with each tail that is free, whatever comes of it"
    other = await consent(shared, agreed.name, agreed.id, "office_phone", "mobile", basis=TAIL)
    problem(other, 422, "consent_not_asked")
    assert faults(other) == [("/fields/0", "consent_not_asked")]


async def test_who_joins_gets_it_alike_and_shorter_numbers_have_shorter_tails(shared: World) -> None:
    it, code = await it_client(shared), await add_department(shared)
    made = await it.post("/v1/number-domains", json={"code": "tails", "name": "域", "dialling": "en_bloc"})
    assert made.status_code == 201, made.text
    pool = await add_pool(shared, 0, strategy="mobile_tail", joiners=True, department=code, domain="tails")
    for start, end in (("3000", "3009"), ("500", "509")):
        ranged = await it.post(f"{pool.path}/ranges", json={"start": start, "end": end})
        assert ranged.status_code == 201, ranged.text
    people = [await agreeing(shared, "13800001005"), await agreeing(shared, "13800002005"), await add_person(shared)]
    found: list[str] = []
    for each in people:
        async with shared.application.database.unit_of_work() as unit:
            found += await shared.application.numbers.service.number_for_joiner(
                unit, OPERATOR, contact_id=each.id, department_id=shared.departments[code]
            )
    assert found == ["505", "3005", "500"]
