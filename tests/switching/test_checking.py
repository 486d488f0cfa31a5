"""The check over stores of both engines: a sound one has nothing said of it, and what is broken in SQL is told, that and nothing else."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from app.calling.rules import Function
from app.calling.service import Line
from app.kit.models import new_id
from app.numbers.fact_repository import FactRepository
from app.numbers.invariants import RULES
from app.switching.checking import Examination, Tally
from tests.numbers.calls import TestPool, add_pool, allocate, it_client, release
from tests.policy.tampering import Intruder
from tests.support.application import OPERATOR, World
from tests.support.problems import problem
from tests.support.shared import Added, add_person
from tests.support.stores import TestStore

LATER: Final = datetime(2031, 1, 1, tzinfo=UTC)
PAST: Final = datetime(2020, 1, 1, tzinfo=UTC)
PATH: Final = "/v1/number-checks"

Told = tuple[str, str | None, str | None]
"""Rule, digits and contact of a finding."""


class Bench:
    """A store to break, with what its engine calls things."""

    def __init__(self, world: World, store: TestStore) -> None:
        """Take the world and the store under it."""
        self.world, self.hand, self.dialect = world, Intruder(store), store.dialect

    def at(self, moment: datetime) -> Any:  # noqa: ANN401 — a driver's value
        """Write a time as the engine stores it."""
        return moment if self.dialect == "postgresql" else int(moment.timestamp() * 1_000_000)

    async def checked(self) -> dict[str, Any]:
        """Check the plan; fails unless that is answered."""
        answer = await (await it_client(self.world)).post(PATH, json={"findings": 200})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def findings(self) -> Counter[Told]:
        """Check the plan, and count what is said of whom."""
        told = await self.checked()
        assert sum(each["count"] for each in told["broken"]) == len(told["findings"])
        assert told["sound"] == (not told["findings"])
        return Counter((each["rule"], each["digits"], each["contact"]) for each in told["findings"])

    async def run(self, statement: str) -> None:
        """Do something past the service."""
        await self.hand.run(statement)

    async def number(self, digits: str) -> int:
        """Find the row of a number."""
        ((row,),) = await self.hand.run("SELECT id FROM number WHERE digits = ? AND state <> 'retired'", digits)
        return int(row)

    async def assign(self, digits: str, holder: UUID, **members: Any) -> None:  # noqa: ANN401 — columns
        """Write an assignment past the service."""
        pool = (await self.hand.run("SELECT pool_id FROM number WHERE digits = ? AND state <> 'retired'", digits))[0][0]
        row = {
            "id": new_id(),
            "number_id": await self.number(digits),
            "pool_id": UUID(bytes=pool) if isinstance(pool, bytes) else pool,
            "holder_type": "contact",
            "holder_id": holder,
            "role": "short",
            "started_at": self.at(datetime.now(UTC) - timedelta(days=1)),
            "caller": "test",
            "ordinal": 0,
            "actor_type": "operator",
            "actor_id": "os:test",
            **members,
        }
        places = ", ".join("?" for _ in row)
        await self.hand.run(f"INSERT INTO number_assignment ({', '.join(row)}) VALUES ({places})", *row.values())

    async def put(self, digits: str, /, **members: Any) -> None:  # noqa: ANN401 — columns
        """Change a number past the service."""
        given = ", ".join(f"{name} = ?" for name in members)
        await self.hand.run(f"UPDATE number SET {given} WHERE digits = ?", *members.values(), digits)

    async def card(self, person: Added, numbers: list[str], status: str = "active") -> None:
        """Change a card past the service."""
        cast = "?::jsonb" if self.dialect == "postgresql" else "?"
        told = json.dumps(numbers)
        await self.hand.run(
            f"UPDATE contact SET short_numbers = {cast}, status = ? WHERE id = ?", told, status, person.id
        )


async def furnished(world: World) -> tuple[TestPool, TestPool, Added]:
    """Use the plan: numbers given out, given back, held, blocked, reserved and retired, for a time and for good."""
    pool, temporary = await add_pool(world, 30), await add_pool(world, 10, **{"class": "temporary"})
    person, it = await add_person(world), await it_client(world)
    await allocate(world, pool, person.id, 3)
    await allocate(world, pool, person.id, role="extension")
    await allocate(world, pool, person.id, digits=pool.digits(9), role="shared")
    await release(world, pool.digits(1))
    until = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    await allocate(world, temporary, person.id, until=until)
    held = await it.post("/v1/number-holds", json={"pool": pool.code, "count": 2, "purpose": "迁机房"})
    assert held.status_code == 201, held.text
    for path, body in (
        (f"{pool.digits(20)}/blocks", {"reason": "leaked"}),
        (f"{pool.digits(21)}/reservations", {"purpose": "会议", "until": until}),
        (f"{pool.digits(22)}/retirements", {}),
    ):
        answer = await it.post(f"/v1/numbers/{path}", json=body)
        assert answer.status_code == 201, answer.text
    return pool, temporary, person


def breaks(
    bench: Bench, pool: TestPool, temporary: TestPool, person: Added
) -> Iterator[tuple[Sequence[Awaitable[None]], Collection[Told]]]:
    """Give what a hand breaks, each with exactly what is to be said of it."""
    mine, nobody, free = str(person.id), uuid4(), [pool.digits(at) for at in range(10, 20)]
    yield [bench.put(free[0], state="assigned")], {("holder_missing", free[0], None)}
    yield [bench.assign(free[1], person.id)], {("holder_unexpected", free[1], None), ("card_lacks", free[1], mine)}
    yield [bench.put(free[2], available_from=bench.at(LATER))], {("date_unexpected", free[2], None)}
    held = {"state": "held", "hold_id": new_id(), "available_from": bench.at(LATER)}
    yield [bench.put(free[3], **held)], {("hold_contradicts", free[3], None)}
    yield [bench.put(free[4], sort_key=-5)], {("place", free[4], None)}
    yield [bench.put(free[5], nice=3)], {("looks", free[5], None)}
    taken = bench.put(free[6], state="assigned")
    yield [taken, bench.assign(free[6], nobody)], {("holder_unknown", free[6], None)}
    taken = bench.put(free[7], state="assigned")
    department = bench.assign(free[7], nobody, holder_type="department", role="shared")
    yield [taken, department], {("holder_unknown", free[7], None)}
    second = bench.assign(pool.digits(0), person.id, role="shared")
    yield [second], {("holder_twice", pool.digits(0), None), ("card_lacks", pool.digits(0), mine)}
    ended = {"ended_at": bench.at(datetime.now(UTC) + timedelta(days=2)), "cause": "released"}
    before = bench.assign(pool.digits(2), person.id, started_at=bench.at(PAST), **ended)
    yield [before], {("assignment_overlap", pool.digits(2), None)}
    backwards = {"started_at": bench.at(LATER), "ended_at": bench.at(PAST), "cause": "released"}
    yield [bench.assign(pool.digits(25), person.id, **backwards)], {("assignment_reversed", pool.digits(25), None)}
    last = temporary.digits(9)
    endless = [bench.put(last, state="assigned"), bench.assign(last, person.id)]
    yield endless, {("end_missing", last, None), ("card_lacks", last, mine)}
    last = temporary.digits(8)
    unwatched = [bench.put(last, state="assigned"), bench.assign(last, person.id, until=bench.at(LATER))]
    yield unwatched, {("end_unwatched", last, None), ("card_lacks", last, mine)}
    yield [bench.put(temporary.digits(7), digits="23579", nice=0)], {("number_range", "23579", None)}
    made = "UPDATE number_range SET materialised = 29 WHERE size = 30"
    yield [bench.run(made)], {("range_rows", pool.digits(), None)}
    yield [bench.run("UPDATE number_range SET size = 31 WHERE size = 30")], {("range_size", pool.digits(), None)}
    both = {("range_outside_domain", each.digits(), None) for each in (pool, temporary)}
    yield [bench.run("UPDATE number_domain SET first_digits = '3' WHERE code = 'main'")], both


async def test_what_the_service_writes_is_sound_and_what_a_hand_breaks_is_told(world: World, store: TestStore) -> None:
    bench = Bench(world, store)
    pool, temporary, person = await furnished(world)
    sound = await bench.checked()
    assert (sound["sound"], sound["broken"], sound["findings"], sound["rules"]) == (True, [], [], len(RULES))
    assert (sound["checked"]["numbers"], sound["checked"]["assignments"]) == (40, 6)
    digits = pool.digits(0)
    await granted(world, digits, person)
    assert (await bench.checked())["checked"]["privileges"] == 1
    told: set[Told] = {("privilege_unsigned", digits, str(person.id))}
    await bench.run("UPDATE calling_privilege SET function = 'conference'")
    for broken, expected in breaks(bench, pool, temporary, person):
        told |= set(expected)
        for each in broken:
            await each
    found = await bench.findings()
    assert set(found) == told
    assert set(found.values()) == {1}
    await _gone(bench, pool)


async def granted(world: World, digits: str, person: Added) -> None:
    """Let a line call abroad."""
    application, now = world.application, datetime.now(UTC)
    async with application.database.unit_of_work() as unit:
        number = (await application.numbers.service._numbers.named(unit.session, digits, domain=None))[0]
        (held,) = await application.numbers.service._numbers.open_of(unit.session, number.id)
        line = Line(assignment_id=held.id, contact_id=person.id, domain=number.domain, digits=digits)
        until = now + timedelta(days=9)
        await application.calling.service.give(
            unit, OPERATOR, line, [Function.INTERNATIONAL], request_id=new_id(), until=until
        )


async def test_a_plan_in_use_is_sound_at_every_moment(world: World) -> None:
    pool, people = await add_pool(world, 30), [await add_person(world) for _ in range(3)]
    it = await it_client(world)

    async def use(person: Added) -> None:
        for _ in range(3):
            (digits,) = await allocate(world, pool, person.id)
            await release(world, digits)

    async def check() -> None:
        for _ in range(3):
            told = (await it.post(PATH, json={})).json()
            assert told["findings"] == []

    await asyncio.gather(*(use(each) for each in people), check())


async def _gone(bench: Bench, pool: TestPool) -> None:
    """Let somebody be gone who holds a number, and look at what is told of them."""
    other = await add_person(bench.world)
    (digits,) = await allocate(bench.world, pool, other.id)
    before = await bench.findings()
    await bench.card(other, [digits, "555"])
    after = await bench.findings()
    told = after - before
    assert {(rule, number) for rule, number, _ in told} == {("card_exceeds", "555")}
    await granted(bench.world, digits, other)
    await bench.card(other, [digits], status="left")
    told = await bench.findings() - before
    assert {(rule, number) for rule, number, _ in told} == {("holder_gone", digits), ("privilege_gone", digits)}


async def test_a_few_findings_of_each_rule_are_told_and_all_are_counted(world: World, store: TestStore) -> None:
    bench, pool = Bench(world, store), await add_pool(world, 10)
    await bench.hand.run("UPDATE number SET state = 'assigned'")
    it = await it_client(world)
    answer = (await it.post(PATH, json={"findings": 2})).json()
    assert [(each["rule"], each["count"]) for each in answer["broken"]] == [("holder_missing", 10)]
    assert [each["digits"] for each in answer["findings"]] == [pool.digits(0), pool.digits(1)]
    assert (await it.post(PATH, json={"findings": 0})).json()["findings"] == []
    problem(await it.post(PATH, json={"findings": 201}), 422, "invalid_request")
    problem(await (await world.as_("staff")).post(PATH, json={}), 403, "insufficient_scope")
    tally = Tally(20)
    examination = Examination(FactRepository(), world.application.calling.rows, page=3)
    await examination.run(world.application.database.reader, tally, datetime.now(UTC))
    assert (tally.broken.total(), tally.rows["numbers"]) == (10, 10)
    assert tally.rows["cards"] == answer["checked"]["cards"] > 3
