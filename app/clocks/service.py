"""Following personnel events: each that gives the directory time begins a deadline in the transaction in which it is taken.

What an event did is followed by whoever applied it, and what it could not do by whoever keeps it as failed or waiting: such an event owes
all the same, and its deadline runs until a repeat, another event or somebody at the card does what it said. A joiner without a card is
known by the keyed hash of their number alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.calendar.rules import WorkCalendar
from app.clocks.repository import DeadlineRepository
from app.clocks.rules import Beginning, Cause, Deadline, Kind, begun, ended, met
from app.contacts.timeliness import CardUpkeep, Upkeep
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.models import new_id
from app.kit.query import Source

_CLOCK_DIFFERENCE: Final = timedelta(minutes=5)


class Calendar(Protocol):
    """Where the calendar of now is read."""

    async def current(self, source: Source) -> WorkCalendar:
        """Give the calendar."""
        ...

    async def epoch(self, source: Source) -> int:
        """Give the number that every revision moves."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What became of an event: ``subject`` is the keyed hash of the person's number, ``contact_id`` their card where there is one.

    ``outcome``: ``applied``; ``owed``, when it failed or waits; ``superseded``, when later events said otherwise and nothing is owed.
    """

    kind: Kind
    source: str
    event_id: str
    subject: bytes
    contact_id: UUID | None
    effective_at: datetime
    outcome: str


class Clocks:
    """Begins deadlines and ends them."""

    def __init__(
        self,
        *,
        rows: DeadlineRepository,
        upkeep: CardUpkeep,
        calendar: Calendar,
        clock: Clock,
        days: Mapping[Kind, int],
    ) -> None:
        """Take the rows, how cards stand, working days, the clock, and how many days each kind is given."""
        self._rows, self._upkeep, self._calendar, self._clock, self._days = rows, upkeep, calendar, clock, days
        self._remembered: WorkCalendar | None = None

    async def follow(self, unit: UnitOfWork, what: Happened) -> None:
        """Begin or end what ``what`` says, in the transaction of ``unit``; told twice it is told once."""
        session, now = unit.session, self._clock.now()
        if what.outcome == "owed" and what.effective_at > now + _CLOCK_DIFFERENCE:
            return
        await session.flush()
        known = await self._rows.of_subject(session, what.subject, what.source, what.event_id)
        own = next((each for each in known if (each.source, each.event_id) == (what.source, what.event_id)), None)
        if what.outcome == "superseded":
            if own is not None:
                await self._rows.put(session, ended(own, Cause.SUPERSEDED, now))
            return
        deadline = own or _adopted(what, known) or await self._begun(session, what, now)
        if not deadline.is_running:
            return
        card = None if what.contact_id is None else await self._upkeep.of(session, what.contact_id)
        after = _placed(deadline, what, card)
        if what.outcome == "applied":
            if fulfilled(after, card):
                after = met(after, now)
            await self._end_others(session, what, [each for each in known if each.id != deadline.id], now)
        if after != deadline:
            await self._rows.put(session, after)

    async def _begun(self, session: AsyncSession, what: Happened, now: datetime) -> Deadline:
        beginning = Beginning(
            id=new_id(),
            kind=what.kind,
            source=what.source,
            event_id=what.event_id,
            subject=what.subject,
            began_at=min(what.effective_at, now),
        )
        deadline = begun(beginning, self._days[what.kind], await self._calendar_of_now(session), now)
        await self._rows.add(session, deadline)
        return deadline

    async def _calendar_of_now(self, session: AsyncSession) -> WorkCalendar:
        """Give the calendar, read once for each revision: no transaction that takes an event revises it."""
        epoch = await self._calendar.epoch(session)
        if self._remembered is None or self._remembered.epoch != epoch:
            self._remembered = await self._calendar.current(session)
        return self._remembered

    async def _end_others(self, session: AsyncSession, what: Happened, others: list[Deadline], now: datetime) -> None:
        """End what this event makes void, and meet the moves that it carries out with its own; what began later stands."""
        for each in others:
            if each.began_at > what.effective_at:
                continue
            match what.kind, each.kind:
                case Kind.LEAVER, Kind.JOINER | Kind.MOVER:
                    after = ended(each, Cause.LEFT, now)
                case Kind.JOINER, Kind.LEAVER | Kind.MOVER:
                    after = ended(each, Cause.REHIRED, now)
                case Kind.MOVER, Kind.MOVER:
                    after = met(each, now)
                case _:
                    continue
            await self._rows.put(session, after)


def fulfilled(deadline: Deadline, card: Upkeep | None) -> bool:
    """Tell whether a card shows what a deadline owes; of a move, that its event was applied."""
    if card is None:
        return False
    match deadline.kind:
        case Kind.JOINER:
            return card.reachable
        case Kind.LEAVER:
            return card.archived
        case Kind.MOVER:
            return True


def _adopted(what: Happened, known: list[Deadline]) -> Deadline | None:
    """Give the deadline of an earlier event that could not make the joiner whom this one has made: the time runs from there."""
    if what.kind is not Kind.JOINER or what.outcome != "applied":
        return None
    return next((each for each in known if each.kind is Kind.JOINER and each.contact_id is None), None)


def _placed(deadline: Deadline, what: Happened, card: Upkeep | None) -> Deadline:
    """Write whose card it is, and whose department."""
    department = deadline.department_id if card is None else card.department_id or deadline.department_id
    return replace(deadline, contact_id=what.contact_id or deadline.contact_id, department_id=department)
