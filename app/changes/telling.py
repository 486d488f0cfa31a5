"""Telling programs that the directory has moved: one notice for a whole run of versions, and only where an address subscribes.

A notice names the newest version and the one that was told before, no contact: what changed is asked for, and judged for whoever asks.
"""

from datetime import datetime
from time import monotonic
from typing import Final, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.models import new_id
from app.notices.notice import Notice
from app.traces.numbering import Sequencer
from app.traces.repository import TraceRepository

FAMILY: Final = "directory"
CHANGED: Final = "directory.changed"
APART_SECONDS: Final = 1.0
"""Between two notices of one process."""


class SubscriberTeller(Protocol):
    """Who tells programs that subscribed."""

    async def listens(self, session: AsyncSession, family: str) -> bool:
        """Tell whether anybody does, as of some seconds ago."""
        ...

    async def tell(self, unit: UnitOfWork, notice: Notice) -> None:
        """Put a notice into the transaction of ``unit``."""
        ...


class ChangeTelling:
    """Tells of versions."""

    def __init__(
        self,
        teller: SubscriberTeller,
        *,
        sequencer: Sequencer,
        traces: TraceRepository,
        database: Database,
        clock: Clock,
    ) -> None:
        """Take who tells, what numbers, how far was told, the store, and the clock."""
        self._teller, self._sequencer, self._traces = teller, sequencer, traces
        self._database, self._clock = database, clock
        self._told_at = float("-inf")

    async def sweep(self) -> bool:
        """Give what waits its versions, and tell of versions that were not told of; say whether there were such."""
        place = await self._sequencer.place()
        if place.told >= place.version or monotonic() - self._told_at < APART_SECONDS:
            return False
        self._told_at = monotonic()
        async with self._database.unit_of_work() as unit:
            before = await self._traces.told(unit.session, place.version)
            if before is None or not await self._teller.listens(unit.session, FAMILY):
                return False
            await self._teller.tell(unit, changed(place.version, after=before, at=self._clock.now()))
        return True


def changed(version: int, *, after: int, at: datetime) -> Notice:
    """Write that the directory has come to ``version``; the notice before told of ``after``."""
    body = {
        "directory": {"id": "company", "version": version},
        "directory_version": version,
        "after": after,
        "links": {"changes": "/v1/changes"},
    }
    return Notice(id=new_id(), type=CHANGED, occurred_at=at, body=body)
