"""Work promised by a committed transaction, done at least once.

``enqueue`` is an insert in the transaction that promises; ``Outbox.drain`` does what is due, each piece in a transaction of its own that
also marks it done. A piece that fails is tried again with growing pauses and its last failure's kind is kept; handlers are idempotent.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import select

from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.models import new_id
from app.kit.records import OutboxRecord

Handler = Callable[[UnitOfWork, Mapping[str, Any]], Awaitable[None]]

_PAUSES: Final = (
    timedelta(seconds=1),
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
)

_log = structlog.get_logger("duanhao.outbox")


def enqueue(
    unit: UnitOfWork, clock: Clock, kind: str, payload: Mapping[str, Any], *, after: timedelta = timedelta()
) -> UUID:
    """Promise a piece of work of ``kind``; ``payload`` is JSON with ids only. Give its id."""
    now = clock.now()
    record = OutboxRecord(
        id=new_id(), kind=kind, payload=dict(payload), attempts=0, created_at=now, available_at=now + after
    )
    unit.session.add(record)
    return record.id


class Outbox:
    """Does what was promised."""

    def __init__(self, database: Database, clock: Clock, handlers: Mapping[str, Handler]) -> None:
        """Take the store, the clock, and what each kind of work means."""
        self._database, self._clock, self._handlers = database, clock, dict(handlers)

    async def drain(self, *, most: int = 100) -> int:
        """Do up to ``most`` pieces that are due; give how many succeeded."""
        done = 0
        for _ in range(most):
            outcome = await self._one()
            if outcome is None:
                break
            done += outcome
        return done

    async def _one(self) -> bool | None:
        taken: UUID | None = None
        try:
            async with self._database.unit_of_work() as unit:
                record = await unit.session.scalar(
                    select(OutboxRecord)
                    .where(OutboxRecord.done_at.is_(None), OutboxRecord.available_at <= self._clock.now())
                    .order_by(OutboxRecord.available_at, OutboxRecord.id)
                    .limit(1)
                    .with_for_update(skip_locked=True)
                )
                if record is None:
                    return None
                taken = record.id
                await self._handlers[record.kind](unit, record.payload)
                record.done_at = self._clock.now()
        except Exception as error:
            if taken is None:
                raise
            await self._postpone(taken, type(error).__name__)
            return False
        return True

    async def _postpone(self, taken: UUID, failure: str) -> None:
        async with self._database.unit_of_work() as unit:
            record = await unit.session.get_one(OutboxRecord, taken)
            pause = _PAUSES[min(record.attempts, len(_PAUSES) - 1)]
            record.attempts += 1
            record.last_error = failure
            record.available_at = self._clock.now() + pause
            _log.warning("outbox_postponed", kind=record.kind, attempts=record.attempts, error=failure)
