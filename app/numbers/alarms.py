"""Telling number administrators that a pool runs low, or will run out before more numbers can be had: once at each crossing.

Joiners whom HR has announced are counted in, as if each had their number on their day.

Found by a sweep, for pools that say what is low or how long it takes. Each is looked at in a transaction of its own, under the lock of its
row, so that two workers tell it once; who recovers is armed again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.models import new_id
from app.notices.notice import Audience, Notice
from app.notices.teller import Teller
from app.numbers.expecting import Expecting
from app.numbers.forecasting import Known
from app.numbers.models import NumberPool
from app.numbers.outlook import Outlook, outlook
from app.numbers.plan_models import NumberPoolAlarm
from app.numbers.pool_repository import Pool, PoolRepository
from app.numbers.pools import POOLS
from app.numbers.rules import NUMBER_KEEPERS

LOW_WATER: Final = "low_water"
EXHAUSTION: Final = "exhaustion"
_BY: Final = Author(type="system", id="worker")
_LARGEST: Final = 9999
"""What a notice tells as a number is no greater."""


class PoolAlarms:
    """Looks at pools and tells."""

    def __init__(
        self,
        *,
        database: Database,
        pools: PoolRepository,
        expecting: Expecting,
        teller: Teller,
        clock: Clock,
        utc_offset: timedelta,
    ) -> None:
        """Take the store, the pools, who is expected in them, whoever tells people, the clock, and when the company's day begins."""
        self._database, self._pools, self._expecting, self._teller = database, pools, expecting, teller
        self._clock, self._zone = clock, timezone(utc_offset)

    async def sweep(self) -> int:
        """Look at every pool that says what is low or how long more numbers take; give how many crossings were told."""
        told, expected = 0, await self._expecting.by_pool(self._database.reader)
        for pool in await self._pools.pools(self._database.reader):
            if pool.low_water is not None or pool.lead_days is not None:
                async with self._database.unit_of_work() as unit:
                    told += await self._look(unit, pool.id, expected.get(pool.id, ()))
        return told

    async def _look(self, unit: UnitOfWork, pool_id: UUID, expected: Sequence[Known]) -> int:
        await unit.session.execute(select(NumberPool.id).where(NumberPool.id == pool_id).with_for_update())
        pool = await self._pools.pool(unit.session, str(pool_id))
        if pool is None:
            return 0
        now = self._clock.now()
        today = now.astimezone(self._zone).date()
        found = await outlook(unit.session, pool, now=now, today=today, known=expected)
        low = found.is_low(pool, today)
        crossed = await self._crossed(unit.session, pool.id, LOW_WATER, now, stands=low)
        told = 0
        if crossed is not None:
            await self._tell(unit, pool, LOW_WATER, crossed, found, now)
            told += 1
        crossed = await self._crossed(unit.session, pool.id, EXHAUSTION, now, stands=found.runs_short(pool, today))
        if crossed is not None:
            await self._tell(unit, pool, EXHAUSTION, crossed, found, now)
            told += 1
        return told

    async def _crossed(
        self, session: AsyncSession, pool_id: UUID, kind: str, now: datetime, *, stands: bool
    ) -> int | None:
        """Write whether an alarm stands; give how often it has been told with this time, ``None`` when it is not to be told."""
        this = (NumberPoolAlarm.pool_id == pool_id, NumberPoolAlarm.kind == kind)
        columns: tuple[Any, ...] = (NumberPoolAlarm.since, NumberPoolAlarm.crossings)
        row = (await session.execute(select(*columns).where(*this))).first()
        since, crossings = (None, 0) if row is None else (row[0], row[1])
        if stands == (since is not None):
            return None
        crossings += stands
        await session.execute(delete(NumberPoolAlarm).where(*this))
        await session.execute(
            insert(NumberPoolAlarm).values(
                pool_id=pool_id, kind=kind, since=now if stands else None, crossings=crossings
            )
        )
        return crossings if stands else None

    async def _tell(
        self, unit: UnitOfWork, pool: Pool, kind: str, crossing: int, found: Outlook, now: datetime
    ) -> None:
        path = f"{POOLS}/{pool.id}"
        about = {
            "id": pool.id,
            "version": min(crossing, _LARGEST),
            "free": min(found.to_give, _LARGEST),
            "exhausted_on": found.forecast.exhausted_on,
        }
        body = {"number": about, "links": {"pool": path, "forecast": f"{path}/forecast"}}
        audience = Audience(roles=tuple(sorted(NUMBER_KEEPERS)))
        notice = Notice(id=new_id(), type=f"number.{kind}", occurred_at=now, body=body, audience=audience)
        await self._teller.tell(unit, notice)
        draft = written(_BY, f"number_pool.{kind}", now, query={"pool": pool.code})
        await add_intent(unit.session, draft)
