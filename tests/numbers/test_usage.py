"""How full pools are and when they run out, over HTTP on both engines, and the notices that say so once."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, insert, select

from app.audit.repository import EventFilter
from app.auth import epochs
from app.departments.tree import DEPARTMENTS
from app.kit.models import new_id
from app.notices.notice import Notice
from app.numbers.alarms import PoolAlarms
from app.numbers.counting import counted, taken_up
from app.numbers.models import Number, NumberAssignment
from app.numbers.pool_repository import Pool, PoolRepository
from app.numbers.rules import State
from tests.hr.calls import kept, post
from tests.hr.events import cancelled, joined
from tests.numbers.calls import TestPool, add_pool, allocate, it_client, release
from tests.support.application import World
from tests.support.problems import problem
from tests.support.shared import add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

DAY: Final = timedelta(days=1)


async def row_of(world: World, pool: TestPool) -> Pool:
    found = await PoolRepository().pool(world.application.database.reader, pool.code)
    assert found is not None
    return found


async def write_past(world: World, pool: TestPool, spans: Sequence[tuple[float, float | None, str | None]]) -> None:
    """Write assignments of the pool's numbers, one each: begun and ended so many days ago, and why."""
    now, row = world.application.clock.now(), await row_of(world, pool)
    async with world.application.database.unit_of_work() as unit:
        ids = (
            await unit.session.execute(
                select(Number.id).where(Number.pool_id == row.id).order_by(Number.digits).limit(len(spans))
            )
        ).scalars()
        rows = [
            {
                "id": new_id(),
                "number_id": number,
                "pool_id": row.id,
                "holder_type": "contact",
                "holder_id": UUID(int=7),
                "role": "short",
                "started_at": now - begun * DAY,
                "ended_at": None if ended is None else now - ended * DAY,
                "cause": cause,
                "caller": "tests",
                "ordinal": 0,
                "actor_type": "system",
                "actor_id": "tests",
            }
            for number, (begun, ended, cause) in zip(ids, spans, strict=True)
        ]
        await unit.session.execute(insert(NumberAssignment), rows)


async def test_utilisation_is_what_counting_every_row_finds(shared: World) -> None:
    pool, gains, it = await add_pool(shared, 30), await add_person(shared), await it_client(shared)
    given = await allocate(shared, pool, gains.id, 9)
    await release(shared, given[0])
    await release(shared, given[1], "abused")
    row, now = await row_of(shared, pool), shared.application.clock.now()
    async with shared.application.database.unit_of_work() as unit:
        for offset, state in enumerate(("held", "provisioning", "reserved", "retired", "quarantined")):
            digits = pool.digits(20 + offset)
            changed = Number.__table__.update().where(Number.digits == digits)  # type: ignore[attr-defined]  # a Table, typed as FromClause
            await unit.session.execute(changed.values(state=state, available_from=now - DAY if offset == 4 else None))
    async with shared.application.database.unit_of_work() as unit:
        statement = select(Number.state, func.count()).where(Number.pool_id == row.id).group_by(Number.state)
        every: dict[str, int] = {each[0]: each[1] for each in await unit.session.execute(statement)}
        within = await counted(unit.session, row.id, now)
    every["quarantined"] -= 1
    every["available"] += 1
    assert {state.value: count for state, count in within.states.items() if count} == every
    told = (await it.get(f"{pool.path}/utilisation")).json()
    assert told["states"] == {state.value: every.get(state.value, 0) for state in State}
    assert (told["size"], told["free"], told["kept"]) == (29, every["available"], 0)
    assert told["states"]["assigned"] == 7


async def test_take_up_counts_what_left_and_what_came_back(shared: World) -> None:
    pool = await add_pool(shared, 20, quarantine_days=14)
    await write_past(
        shared,
        pool,
        [
            (20, None, None),
            (13, None, None),
            (6, None, None),
            (6, None, None),
            (40, 20, "released"),
            (40, 3, "released"),
            (60, 1, "abused"),
            (27, 15, "moved"),
        ],
    )
    row, now = await row_of(shared, pool), shared.application.clock.now()
    bounds = [now - weeks * 7 * DAY for weeks in (4, 3, 2, 1, 0)]
    net = await taken_up(shared.application.database.reader, row.id, quarantine_days=14, bounds=bounds)
    assert net == [1, 1, 1, 2 - 2]


async def test_a_number_that_is_passed_on_was_never_free(shared: World) -> None:
    pool = await add_pool(shared, 1, quarantine_days=0)
    await write_past(shared, pool, [(20, 10, "moved")])
    row, now = await row_of(shared, pool), shared.application.clock.now()
    async with shared.application.database.unit_of_work() as unit:
        ended = (
            await unit.session.execute(select(NumberAssignment).where(NumberAssignment.pool_id == row.id))
        ).scalar_one()
        values = {
            column.key: getattr(ended, column.key)
            for column in NumberAssignment.__table__.columns
            if column.key not in {"id", "started_at", "ended_at", "cause"}
        }
        await unit.session.execute(insert(NumberAssignment).values(id=new_id(), started_at=ended.ended_at, **values))
    bounds = [now - weeks * 7 * DAY for weeks in (3, 2, 1, 0)]
    net = await taken_up(shared.application.database.reader, row.id, quarantine_days=0, bounds=bounds)
    assert net == [1, 0, 0]


async def test_the_forecast(shared: World) -> None:
    pool, it = await add_pool(shared, 60, lead_days=30), await it_client(shared)
    nothing = (await it.get(f"{pool.path}/forecast")).json()
    assert (nothing["weeks"], nothing["weekly"], nothing["exhausted_on"], nothing["short"]) == ([], None, None, False)
    await write_past(shared, pool, [(days + 0.5, None, None) for days in range(35)])
    told = (await it.get(f"{pool.path}/forecast")).json()
    assert [each["net"] for each in told["weeks"]] == [7] * 4
    assert told["weekly"] == {"net": 7.0, "low": 7.0, "high": 7.0}
    today = datetime.now(UTC) + timedelta(hours=8)
    assert told["exhausted_on"] == told["earliest"] == (today + told["free"] * DAY).date().isoformat()
    assert not told["short"]
    asked: dict[str, str | int] = {"joiners": 50, "joiners_by": (today + 3 * DAY).date().isoformat()}
    sooner = (await it.get(f"{pool.path}/forecast", params=asked)).json()
    assert sooner["exhausted_on"] == (today + 10 * DAY).date().isoformat()
    assert sooner["short"]
    problem(await it.get("/v1/number-pools/nowhere/forecast"), 404, "not_found")
    problem(await it.get(f"{pool.path}/forecast", params={"joiners": -1}), 422, "invalid_request")


class Told:
    """Keeps what it is told of one pool."""

    def __init__(self, pool: UUID) -> None:
        self._pool, self.notices = pool, list[Notice]()

    async def tell(self, unit: Any, notice: Notice) -> None:  # noqa: ANN401 — a unit of work, not looked at
        assert unit is not None
        if notice.subject["id"] == self._pool:
            self.notices.append(notice)


async def test_low_water_is_told_once_at_each_crossing(shared: World) -> None:
    application = shared.application
    pool, gains = await add_pool(shared, 5, low_water=3, quarantine_days=0), await add_person(shared)
    row = await row_of(shared, pool)
    told = Told(row.id)
    alarms = PoolAlarms(
        database=application.database,
        pools=PoolRepository(),
        expecting=application.numbers._expecting,
        teller=told,
        clock=application.clock,
        utc_offset=timedelta(hours=8),
    )
    await alarms.sweep()
    assert told.notices == []
    given = await allocate(shared, pool, gains.id, 3)
    for _ in range(2):
        await alarms.sweep()
    assert [(each.type, each.body["number"]["free"]) for each in told.notices] == [("number.low_water", 2)]
    assert told.notices[0].audience.roles == ("it", "system_admin")
    await release(shared, given[0])
    await alarms.sweep()
    await allocate(shared, pool, gains.id, 1)
    await alarms.sweep()
    assert [each.body["number"]["version"] for each in told.notices] == [1, 2]


async def announce(world: World, number: str, department: str, days: int) -> dict[str, Any]:
    """Announce somebody for a department; fails unless the ledger keeps it until its day."""
    day = world.application.clock.now() + days * DAY
    body = joined(number, department=department, effective_at=day.isoformat())
    answer = await post(world, body)
    assert answer.json()["state"] == "scheduled", answer.text
    return body


async def test_joiners_whom_hr_has_announced_are_counted_in(shared: World) -> None:
    application, it = shared.application, await it_client(shared)
    department = await add_department(shared)
    below = await add_department(shared, parent=department)
    pool = await add_pool(shared, 5, low_water=3, lead_days=20, department=department, joiners=True)
    told = Told((await row_of(shared, pool)).id)
    alarms = PoolAlarms(
        database=application.database,
        pools=PoolRepository(),
        expecting=application.numbers._expecting,
        teller=told,
        clock=application.clock,
        utc_offset=timedelta(hours=8),
    )

    async def ahead(caller: httpx.AsyncClient = it, **asked: int) -> tuple[object, ...]:
        found = (await caller.get(f"{pool.path}/forecast", params=asked)).json()
        return tuple(found[each] for each in ("free", "announced", "joiners", "low", "short", "exhausted_on"))

    await announce(shared, "E7101", department, 10)
    await announce(shared, "E7102", below, 19)
    await announce(shared, "E7103", department, 60)
    await announce(shared, "E7104", "SALES", 10)
    await announce(shared, "E7105", "NOWHERE", 10)
    await alarms.sweep()
    assert (await ahead(), told.notices) == ((5, 3, 0, False, False, None), [])
    last = await announce(shared, "E7106", below, 15)
    assert (await kept(shared, last["id"])).department_id == shared.departments[below]
    await alarms.sweep()
    assert [(each.type, each.body["number"]["free"]) for each in told.notices] == [("number.low_water", 5)]
    day = (application.clock.now() + 60 * DAY + timedelta(hours=8)).date().isoformat()
    assert await ahead(joiners=1) == (5, 4, 1, True, False, day)
    assert (await it.get(f"{pool.path}/utilisation")).json()["low"] is False
    more = [await announce(shared, number, below, 12) for number in ("E7107", "E7108")]
    day = (application.clock.now() + 19 * DAY + timedelta(hours=8)).date().isoformat()
    assert await ahead() == await ahead(await shared.as_("it")) == (5, 6, 0, True, True, day)
    for name in ("staff", "hr"):
        assert await ahead(await shared.as_(name), joiners=4) == (5, None, 4, True, False, None), (
            "it is HR's ledger that tells"
        )
    await alarms.sweep()
    assert [each.type for each in told.notices] == ["number.low_water", "number.exhaustion"]
    for number, event in (("E7106", last), ("E7107", more[0]), ("E7108", more[1])):
        assert (await post(shared, cancelled(number, event=event["id"]))).json()["state"] == "applied"
    assert (await kept(shared, last["id"])).department_id is None
    assert await ahead() == (5, 3, 0, False, False, None)


@pytest.mark.parametrize("what", ["utilisation", "forecast"])
async def test_rights_that_moved_meanwhile_are_read_again(shared: World, what: str) -> None:
    pool, person = await add_pool(shared, 5), await shared.as_("staff")
    assert (await person.get(f"{pool.path}/{what}")).status_code == 200
    async with shared.application.database.unit_of_work() as unit:
        await epochs.bump(unit.session, DEPARTMENTS)
    assert (await person.get(f"{pool.path}/{what}")).status_code == 200


async def test_the_worker_tells_of_a_pool_that_will_not_last(shared: World) -> None:
    pool = await add_pool(shared, 40, lead_days=365)
    await write_past(shared, pool, [(days + 0.5, None, None) for days in range(35)])
    assert await shared.application.pool_alarms.sweep() >= 1
    assert await shared.application.pool_alarms.sweep() == 0
    await shared.settle()
    found = await shared.application.events.search(EventFilter(action="number_pool.exhaustion"), limit=200)
    assert [each.event.query for each in found.events].count({"pool": pool.code}) == 1
