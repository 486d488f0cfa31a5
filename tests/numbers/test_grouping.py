"""Allocations that are asked for at one moment share a transaction on PostgreSQL, and nobody can tell but by the clock."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from structlog.testing import capture_logs

from app.kit.db import UnitOfWork
from app.kit.straight import _Driven
from app.numbers.grouping import LARGEST, AllocationGroups
from tests.numbers.calls import TestPool, add_pool, it_client, wanted
from tests.support.application import World
from tests.support.shared import Company, add_person
from tests.support.stores import PostgresTestStore

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture(autouse=True)
def _many_write_at_a_time(company: Company) -> None:
    if company.store.dialect != "postgresql":
        pytest.skip("one writer: there is nobody to wait with")


def _groups(world: World) -> AllocationGroups:
    return world.application.numbers.keeper.groups


async def _people(world: World, count: int) -> list[UUID]:
    return [(await add_person(world)).id for _ in range(count)]


async def _at_once(world: World, pool: TestPool, people: Sequence[UUID]) -> list[httpx.Response]:
    it = await it_client(world)
    return list(await asyncio.gather(*(it.post(f"{pool.path}/allocations", json=wanted(each)) for each in people)))


def _given(answers: Sequence[httpx.Response]) -> list[str]:
    return [each["digits"] for answer in answers if answer.status_code == 201 for each in answer.json()["numbers"]]


async def test_each_has_its_number_its_card_and_a_record_under_its_own_request(shared: World) -> None:
    pool, people, before = await add_pool(shared, 20), await _people(shared, 12), _groups(shared).groups
    answers = await _at_once(shared, pool, people)
    assert [each.status_code for each in answers] == [201] * 12
    assert sorted(_given(answers)) == [pool.digits(at) for at in range(12)]
    assert _groups(shared).groups > before, "some went together"
    await shared.settle()
    hr, siem = await shared.as_("hr"), await shared.as_("siem")
    for person, answer in zip(people, answers, strict=True):
        assert (await hr.get(f"/v1/contacts/{person}")).json()["short_numbers"] == _given([answer])
        found = await siem.get("/v1/access-events", params={"contact": str(person), "action": "number.allocate"})
        (event,) = found.json()["items"]
        told = await siem.get("/v1/access-events", params={"request": answer.headers["X-Request-ID"]})
        assert [each["id"] for each in told.json()["items"]] == [event["id"]]


async def test_a_group_of_any_size_goes_to_the_store_a_few_times(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, people, groups = await add_pool(shared, 20), await _people(shared, 12), _groups(shared)
    rows, each, serve = _Driven.rows, _Driven.each, groups._given
    sent: list[asyncio.Task[Any] | None] = []
    counted: list[tuple[int, int]] = []

    async def one(driven: _Driven, sql: str, arguments: Sequence[Any]) -> Sequence[Sequence[Any]]:
        sent.append(asyncio.current_task())
        return await rows(driven, sql, arguments)

    async def several(driven: _Driven, sql: str, given: Sequence[Sequence[Any]]) -> None:
        sent.extend([asyncio.current_task()] * len(given))
        await each(driven, sql, given)

    async def given(group: list[Any]) -> Any:  # noqa: ANN401 — as it gives
        sent.clear()
        found = await serve(group)
        counted.append((len(group), sent.count(asyncio.current_task())))
        return found

    monkeypatch.setattr(_Driven, "rows", one)
    monkeypatch.setattr(_Driven, "each", several)
    monkeypatch.setattr(groups, "_given", given)
    answers = await _at_once(shared, pool, people)
    assert sorted(_given(answers)) == [pool.digits(at) for at in range(12)]
    assert counted, "some went together"
    assert {count for _, count in counted} <= {3, 4}, f"cards, numbers, at times who listens, writes: {counted}"


async def test_somebody_who_asks_twice_has_both_and_the_card_tells_both(shared: World) -> None:
    pool, people = await add_pool(shared, 20), await _people(shared, 3)
    answers = await _at_once(shared, pool, people * 3)
    assert len(set(_given(answers))) == 9
    hr = await shared.as_("hr")
    for at, person in enumerate(people):
        told = (await hr.get(f"/v1/contacts/{person}")).json()["short_numbers"]
        assert sorted(told) == sorted(_given(answers[at::3]))


async def test_who_may_not_have_one_is_refused_alone(shared: World) -> None:
    pool, people, hr = await add_pool(shared, 20), await _people(shared, 6), await shared.as_("hr")
    gone = await hr.delete(f"/v1/contacts/{people[2]}", headers={"If-Match": "*"})
    assert gone.status_code in {200, 204}, gone.text
    answers = await _at_once(shared, pool, [*people, uuid4()])
    assert [each.status_code for each in answers] == [201, 201, 422, 201, 201, 201, 422]
    assert len(set(_given(answers))) == 5


async def test_a_pool_that_runs_short_refuses_the_rest(shared: World) -> None:
    pool, people = await add_pool(shared, 5), await _people(shared, 9)
    answers = await _at_once(shared, pool, people)
    assert Counter(each.status_code for each in answers) == {201: 5, 409: 4}
    assert sorted(_given(answers)) == [pool.digits(at) for at in range(5)]


async def test_a_card_in_somebodys_hands_holds_up_nobody_else(shared: World, company: Company) -> None:
    assert isinstance(company.store, PostgresTestStore)
    pool, people = await add_pool(shared, 20), await _people(shared, 8)
    it, held = await it_client(shared), await asyncpg.connect(company.store.owner_dsn)
    try:
        await held.execute("BEGIN")
        await held.fetch("SELECT id FROM contact WHERE id = $1 FOR UPDATE", people[0])
        calls = [asyncio.ensure_future(it.post(f"{pool.path}/allocations", json=wanted(each))) for each in people]
        others = await asyncio.gather(*calls[1:])
        assert [each.status_code for each in others] == [201] * 7
        assert not calls[0].done()
        await held.execute("ROLLBACK")
        assert (await calls[0]).status_code == 201
    finally:
        await held.close()


async def test_a_group_that_fails_is_served_one_by_one(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: Any) -> Any:  # noqa: ANN401 — whatever it is given
        raise RuntimeError("broken")

    pool, people = await add_pool(shared, 20), await _people(shared, 6)
    monkeypatch.setattr("app.numbers.grouping.take_some", broken)
    with capture_logs() as logged:
        answers = await _at_once(shared, pool, people)
    assert sorted(_given(answers)) == [pool.digits(at) for at in range(6)]
    assert {line["error"] for line in logged if line["event"] == "allocation_group_failed"} == {"RuntimeError"}


async def test_a_commit_that_is_cut_off_is_not_done_again(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def cut_off(unit: UnitOfWork) -> None:
        await unit.session.commit()
        raise OSError

    pool, people, groups = await add_pool(shared, 20), await _people(shared, 6), _groups(shared)
    serve = groups._given

    async def given(group: list[Any]) -> Any:  # noqa: ANN401 — as it gives
        with monkeypatch.context() as patched:
            patched.setattr(UnitOfWork, "commit", cut_off)
            return await serve(group)

    monkeypatch.setattr(groups, "_given", given)
    answers = await _at_once(shared, pool, people)
    assert 503 in {each.status_code for each in answers}
    use = (await (await it_client(shared)).get(f"{pool.path}/utilisation")).json()
    assert use["states"]["assigned"] == len(people), "each has one, told or not"


async def test_who_has_gone_while_waiting_takes_nothing(shared: World) -> None:
    pool, people, groups = await add_pool(shared, 20), await _people(shared, 6), _groups(shared)
    it = await it_client(shared)
    calls = [asyncio.ensure_future(it.post(f"{pool.path}/allocations", json=wanted(each))) for each in people]
    while not groups._asked:  # noqa: ASYNC110 — who waits there has no event to wait on
        await asyncio.sleep(0)
    waiting = [each.grant.holder.id for each in groups._asked]
    for person, call in zip(people, calls, strict=True):
        if person == waiting[-1]:
            call.cancel()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    served = [each for each in answers if isinstance(each, httpx.Response)]
    assert len(set(_given(served))) == len(served) == 5
    use = (await it.get(f"{pool.path}/utilisation")).json()
    assert use["states"]["assigned"] == 5


async def test_a_group_has_bounds_and_one_pool(shared: World) -> None:
    one, two = await add_pool(shared, 60), await add_pool(shared, 10)
    people = await _people(shared, LARGEST + 4)
    answers = await asyncio.gather(_at_once(shared, one, people), _at_once(shared, two, people[:4]))
    assert len(set(_given(answers[0]))) == LARGEST + 4
    assert sorted(_given(answers[1])) == [two.digits(at) for at in range(4)]
