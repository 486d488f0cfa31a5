"""What is due about numbers whether or not anybody asks: reminders, the end of what was given until a time, word of holds that are over.

Each assignment in a transaction of its own, found by its ``due_at``. Whoever moves that on is the one who reminds, and whoever locks the
number first ends it, so that with two workers everything happens once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import bindparam, select, update

from app.audit.authors import Author
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.errors import NotFound
from app.kit.models import Id, Instant, new_id
from app.kit.straight import Straight
from app.notices.notice import Audience, Notice
from app.notices.teller import Teller
from app.numbers.handing import Ending, Handing
from app.numbers.holding import HoldService
from app.numbers.models import NumberAssignment
from app.numbers.repository import ASSIGNMENT, Assignment, Holder, NumberRepository, assignment_of
from app.numbers.resting import WaitEnds
from app.numbers.rules import Cause
from app.numbers.terms import REMINDERS, next_due, reminder

_AT_ONCE: Final = 50
_AGAIN: Final = timedelta(days=1)
_KEEPERS: Final = ("it",)
"""Who is told about numbers that no person holds."""

_BY: Final = Author(type="system", id="numbers")
_log = structlog.get_logger("duanhao.worker")

_COLUMNS: Final[tuple[Any, ...]] = (*ASSIGNMENT, NumberAssignment.due_at)
_ONE: Final = Straight(
    select(*_COLUMNS).where(
        NumberAssignment.id == bindparam("assignment", type_=Id()), NumberAssignment.ended_at.is_(None)
    )
)
_POSTPONE: Final = Straight(
    update(NumberAssignment)
    .where(
        NumberAssignment.id == bindparam("assignment", type_=Id()),
        NumberAssignment.due_at == bindparam("seen", type_=Instant()),
        NumberAssignment.ended_at.is_(None),
    )
    .values(due_at=bindparam("then", type_=Instant()))
    .returning(NumberAssignment.id)
)


class NumberSweep:
    """Does what is due."""

    def __init__(
        self,
        *,
        database: Database,
        handing: Handing,
        numbers: NumberRepository,
        holding: HoldService,
        teller: Teller,
        clock: Clock,
    ) -> None:
        """Take the store, what takes back, the rows, the holds, who tells people, and the clock."""
        self._database, self._handing, self._numbers = database, handing, numbers
        self._holding, self._teller, self._clock = holding, teller, clock
        self._waits = WaitEnds(database, handing.telling, clock)

    async def sweep(self) -> int:
        """Do what is due now; give how much that was."""
        done = await self._holding.sweep(self._database) + await self._waits.sweep()
        for identity in await self._due():
            async with self._database.unit_of_work() as unit:
                done += await self._attend(unit, identity)
        return done

    async def _due(self) -> Sequence[UUID]:
        reader = self._database.reader
        statement = (
            select(NumberAssignment.id)
            .where(NumberAssignment.ended_at.is_(None), NumberAssignment.due_at <= self._clock.now())
            .order_by(NumberAssignment.due_at)
            .limit(_AT_ONCE)
        )
        return [row[0] for row in await reader.fetch(reader.prepare(statement))]

    async def _attend(self, unit: UnitOfWork, identity: UUID) -> bool:
        """Remind of an assignment, or end it; tell whether there was something to do."""
        now = self._clock.now()
        rows = await _ONE.rows(unit.session, {"assignment": identity})
        if not rows:
            return False
        found, due = assignment_of(rows[0]), rows[0][-1]
        if found.until is None or due is None or due > now:
            return False
        if found.until <= now:
            return await self._end(unit, found, due)
        if not await self._postponed(unit, identity, due, next_due(found.until, now)):
            return False
        days = reminder(found.until, now)
        if days is not None:
            await self._tell(unit, found, "number.reminder", now, at=_place(days), days=days)
        return True

    async def _end(self, unit: UnitOfWork, found: Assignment, due: datetime) -> bool:
        """Take a number back whose time is over. A holder whose row cannot be believed keeps it for now, and that is reported."""
        now = self._clock.now()
        try:
            cards = await self._handing.cards.holders(unit.session, [found.holder])
        except NotFound:
            _log.error("number_not_released", assignment=str(found.id))
            await self._postponed(unit, found.id, due, now + _AGAIN)
            return False
        number = (await self._numbers.locked(unit.session, [found.number_id]))[found.number_id]
        still = await self._numbers.open_of(unit.session, number.id)
        if found.id not in {each.id for each in still}:
            return False
        what = Ending(number=number, ending=[found], still=still, cards=cards, cause=Cause.EXPIRED)
        await self._handing.back(unit, _BY, what)
        await self._tell(unit, found, "number.expired", now, at=len(REMINDERS))
        return True

    async def _postponed(self, unit: UnitOfWork, identity: UUID, seen: datetime, then: datetime | None) -> bool:
        values = {"assignment": identity, "seen": seen, "then": then}
        return bool(await _POSTPONE.rows(unit.session, values))

    async def _tell(
        self, unit: UnitOfWork, found: Assignment, kind: str, now: datetime, *, at: int, **further: int
    ) -> None:
        about = {"id": found.id, "version": at + 1, "ends_at": found.until, **further}
        notice = Notice(
            id=new_id(), type=kind, occurred_at=now, body={"number": about}, audience=_audience(found.holder)
        )
        await self._teller.tell(unit, notice)


def _place(days: int) -> int:
    return [each.days for each in REMINDERS].index(days)


def _audience(holder: Holder) -> Audience:
    return Audience(people=(holder.id,)) if holder.type == "contact" else Audience(roles=_KEEPERS)
