"""Telling programs that the wait of a number is over: its rest, its block, its reservation until a date, or that of its range to open.

The number has been free since that date whether or not this runs, and its row is not touched: what is remembered is how far along all
dates it was told. A number that somebody took at once is not told of; that somebody took it is.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import Table, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.straight import Writes
from app.numbers.models import Number, NumberPool
from app.numbers.plan_models import NumberTide
from app.numbers.rules import State, Verb
from app.numbers.telling import TOLD, Change, NumberTelling

EVERY: Final = timedelta(minutes=1)
_AT_ONCE: Final = 500
_LAST_ROW: Final = 2**62
_TIDE: Final = cast("Table", NumberTide.__table__)
_WAITING: Final = (State.PLANNED.value, State.QUARANTINED.value, State.BLOCKED.value, State.RESERVED.value)


class WaitEnds:
    """Tells what waited and waits no more; what a hold kept is told when the hold is noticed to be over."""

    def __init__(self, database: Database, telling: NumberTelling, clock: Clock) -> None:
        """Take the store, who tells of numbers, and the clock."""
        self._database, self._telling, self._clock = database, telling, clock

    async def sweep(self) -> int:
        """Tell what has been free since the last time, once a minute; give how many numbers that were."""
        reader = self._database.reader
        rows = await reader.fetch(reader.prepare(select(NumberTide.told_until)))
        if rows and rows[0][0] > self._clock.now() - EVERY:
            return 0
        async with self._database.unit_of_work() as unit:
            return await self._tell(unit)

    async def _tell(self, unit: UnitOfWork) -> int:
        now = self._clock.now()
        columns: tuple[Any, ...] = (NumberTide.told_until, NumberTide.told_row)
        row = (await unit.session.execute(select(*columns).with_for_update())).first()
        if row is None:
            dialect = postgresql if unit.session.get_bind().dialect.name == "postgresql" else sqlite
            first = {"id": 1, "told_until": now, "told_row": _LAST_ROW}
            await unit.session.execute(dialect.insert(_TIDE).on_conflict_do_nothing(), [first])
            return 0
        found = await self._over(unit, row[0], row[1], now)
        reached = (found[-1][3], found[-1][0]) if len(found) == _AT_ONCE else (now, _LAST_ROW)
        await unit.session.execute(update(NumberTide).values(told_until=reached[0], told_row=reached[1]))
        writes = Writes()
        await self._telling.gather(
            unit.session,
            writes,
            [
                Change(row=identity, version=version, pool_id=pool, kind=_told(state), state=State.AVAILABLE)
                for identity, version, pool, _, state in found
            ],
        )
        await writes.run(unit.session)
        return len(found)

    async def _over(
        self, unit: UnitOfWork, after: datetime, after_row: int, now: datetime
    ) -> Sequence[tuple[Any, ...]]:
        columns: tuple[Any, ...] = (
            Number.id,
            Number.row_version,
            Number.pool_id,
            Number.available_from,
            Number.state,
        )
        later = or_(Number.available_from > after, and_(Number.available_from == after, Number.id > after_row))
        statement = (
            select(*columns)
            .where(
                Number.pool_id.in_(select(NumberPool.id)),
                Number.state.in_(_WAITING),
                Number.hold_id.is_(None),
                Number.available_from >= after,
                Number.available_from <= now,
                later,
            )
            .order_by(Number.available_from, Number.id)
            .limit(_AT_ONCE)
        )
        return [tuple(row) for row in await unit.session.execute(statement)]


def _told(state: str) -> str:
    return TOLD[Verb.OPEN if state == State.PLANNED.value else Verb.REST]
