"""What is due about deadlines whether or not anybody asks: met by what people did, reminded of, broken, counted anew by a revised calendar.

Each deadline in a transaction of its own; two workers never have the same one, and one that cannot be attended holds up no other. Before a
deadline is reminded of or broken its card is looked at once more, so what was done in time is met, however late the worker comes.
"""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.resolving import Organisation
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.clocks.repository import DeadlineRepository
from app.clocks.rules import Deadline, Kind, Step, attended, counted, met
from app.clocks.service import Calendar, fulfilled
from app.contacts.timeliness import CardUpkeep
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.errors import Problem
from app.kit.models import new_id
from app.notices.notice import Audience, Notice
from app.notices.teller import Teller

CLOCK: Final = Author(type="system", id="deadlines")
HR: Final = "hr"
_TYPES: Final[dict[Step, str]] = {"remind": "deadline.reminder", "breach": "deadline.breached"}
_AT_ONCE: Final = 50
_FIRST: Final = UUID(int=0)
_LOOK: Final = timedelta(minutes=5)
"""How often cards are looked at whose deadlines are not due yet."""

_log = structlog.get_logger("duanhao.worker")


class DeadlineSweep:
    """Does what is due."""

    def __init__(
        self,
        *,
        database: Database,
        rows: DeadlineRepository,
        upkeep: CardUpkeep,
        calendar: Calendar,
        organisation: Organisation,
        teller: Teller,
        clock: Clock,
    ) -> None:
        """Take the store, the rows, how cards stand, working days, positions, who tells others, and the clock."""
        self._database, self._rows, self._upkeep, self._calendar = database, rows, upkeep, calendar
        self._organisation, self._teller, self._clock = organisation, teller, clock
        self._counted: int | None = None
        self._looked: datetime | None = None
        self._failing: set[UUID] = set()

    async def once(self) -> int:
        """Do what is due with some deadlines; give with how many something was done."""
        done = await self._count()
        now = self._clock.now()
        if self._looked is None or now - self._looked >= _LOOK:
            self._looked = now
            done += await self._look()
        due = await self._rows.due(self._database.reader, now, but=self._failing, most=_AT_ONCE)
        if not due:
            self._failing.clear()
        for identity in due:
            try:
                moved = await self._attend(identity)
            except Problem as problem:
                _log.error("deadline_sweep_failed", deadline=str(identity), code=problem.code)
                moved = False
            if not moved:
                self._failing.add(identity)
            done += moved
        return done

    async def _count(self) -> int:
        """Work open deadlines out again where the calendar has been revised since."""
        epoch = await self._calendar.epoch(self._database.reader)
        if epoch == self._counted:
            return 0
        done, after = 0, _FIRST
        while ids := await self._rows.stale(self._database.reader, epoch, after=after, most=_AT_ONCE):
            after = ids[-1]
            async with self._database.unit_of_work() as unit:
                calendar, moved = await self._calendar.current(unit.session), 0
                for identity in ids:
                    deadline = await self._rows.claimed(unit.session, identity)
                    if deadline is not None:
                        again = counted(deadline, calendar, self._clock.now())
                        await self._rows.put(unit.session, again)
                        moved += again.due_at != deadline.due_at
                if moved:
                    told = {"calendar": calendar.epoch, "deadlines": moved}
                    event = written(CLOCK, "deadline.recount", self._clock.now(), query=told)
                    await add_intent(unit.session, event)
                done += moved
        self._counted = epoch
        return done

    async def _look(self) -> int:
        """Meet what was done at cards since."""
        done, after = 0, _FIRST
        while ids := await self._rows.running(self._database.reader, after=after, most=_AT_ONCE):
            after = ids[-1]
            for identity in ids:
                deadline = await self._rows.one(self._database.reader, identity)
                if deadline is None or not await self._is_done(deadline):
                    continue
                async with self._database.unit_of_work() as unit:
                    held = await self._rows.claimed(unit.session, identity)
                    done += held is not None and await self._met(unit.session, held)
        return done

    async def _is_done(self, deadline: Deadline) -> bool:
        if deadline.contact_id is None:
            return False
        return fulfilled(deadline, await self._upkeep.of(self._database.reader, deadline.contact_id))

    async def _met(self, session: AsyncSession, deadline: Deadline) -> bool:
        """Say that a deadline is met where its card shows it, since the card changed last."""
        if deadline.contact_id is None or deadline.kind is Kind.MOVER:
            return False
        card = await self._upkeep.of(session, deadline.contact_id)
        if card is None or not fulfilled(deadline, card):
            return False
        since = min(max(card.changed_at, deadline.recorded_at), self._clock.now())
        await self._rows.put(session, met(deadline, since))
        return True

    async def _attend(self, identity: UUID) -> bool:
        async with self._database.unit_of_work() as unit:
            deadline = await self._rows.claimed(unit.session, identity)
            if deadline is None:
                return False
            if await self._met(unit.session, deadline):
                return True
            now = self._clock.now()
            after, step = attended(deadline, now)
            await self._rows.put(unit.session, after)
            if step is not None:
                await self._tell(unit, after, step, now)
            return True

    async def _tell(self, unit: UnitOfWork, deadline: Deadline, step: Step, now: datetime) -> None:
        contacts = [] if deadline.contact_id is None else [deadline.contact_id]
        told = {"deadline": str(deadline.id), "kind": deadline.kind.value, "due_at": deadline.due_at.isoformat()}
        await add_intent(unit.session, written(CLOCK, f"deadline.{step}", now, contacts=contacts, query=told))
        head = await self._head(unit.session, deadline) if step == "breach" else None
        body: dict[str, Any] = {"deadline": {"id": deadline.id}, "kind": deadline.kind.value, "due_at": deadline.due_at}
        audience = Audience(people=() if head is None else (head,), roles=(HR,))
        notice = Notice(id=new_id(), type=_TYPES[step], occurred_at=now, body=body, audience=audience)
        await self._teller.tell(unit, notice)

    async def _head(self, session: AsyncSession, deadline: Deadline) -> UUID | None:
        """Give the nearest head who is there and somebody else than whom it is about; of a protected department none above it."""
        if deadline.department_id is None:
            return None
        wanted = list[UUID]()
        for node in reversed((await self._organisation.tree(session)).ancestry(deadline.department_id)):
            wanted += [] if node.head_id is None else [node.head_id]
            if node.protected:
                break
        able = await self._organisation.facts(session, wanted)
        fit = (each for each in wanted if each != deadline.contact_id and each in able and able[each].in_office)
        return next(fit, None)
