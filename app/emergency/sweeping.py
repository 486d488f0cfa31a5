"""What is due about sessions whether or not anybody asks: their end, telling the people who were looked at, and a review that was not made.

Each session in a transaction of its own, found by its ``next_at``; two workers never have the same one. Who was looked at is read from the
access log, which is the only place that knows it.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.audit.authors import Author, written
from app.audit.events import EventDraft
from app.audit.intents import add_intent
from app.audit.matching import EventFilter
from app.audit.repository import AccessLogRepository
from app.emergency.days import Calendars
from app.emergency.repository import EmergencyRepository
from app.emergency.rules import REVIEW_DAYS, Cause, Session
from app.emergency.sessions import EmergencySessions
from app.emergency.sheets import SheetMaker
from app.emergency.telling import REVIEWERS, notice_of
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.notices.teller import Teller
from app.permissions.outcomes import Purpose

_AT_ONCE: Final = 20
_EVENTS: Final = 200
_SHEETS_EVERY: Final = timedelta(minutes=5)
_TOLD: Final = frozenset({"shown", "masked"})


class EmergencySweep:
    """Does what is due."""

    def __init__(
        self,
        *,
        database: Database,
        rows: EmergencyRepository,
        sessions: EmergencySessions,
        sheets: SheetMaker,
        events: AccessLogRepository,
        calendars: Calendars,
        teller: Teller,
        clock: Clock,
    ) -> None:
        """Take the store, the rows, what ends sessions, what makes sheets, the log, working days, who tells others, and the clock."""
        self._database, self._rows, self._sessions = database, rows, sessions
        self._sheets, self._events, self._teller, self._clock = sheets, events, teller, clock
        self._calendars, self._revision = calendars, -1
        self._looked: datetime | None = None
        self._unreadable: set[UUID] = set()

    async def once(self) -> int:
        """Do what is due now; give how much that was."""
        now, done = self._clock.now(), await self._rescheduled()
        due = await self._rows.due(self._database.reader, now, limit=_AT_ONCE + len(self._unreadable))
        for identity in due:
            if identity not in self._unreadable:
                done += await self._attended(identity, now)
        if self._looked is None or not self._looked <= now < self._looked + _SHEETS_EVERY:
            self._looked = now
            done += await self._sheets.make_due()
        return done

    async def _rescheduled(self) -> int:
        """Move what is due by a calendar that has been revised since; the event keeps both days. Give how many moved."""
        reader, moved = self._database.reader, 0
        revision = await self._calendars.epoch(reader)
        if revision == self._revision:
            return 0
        calendar = await self._calendars.current(reader)
        for identity in await self._rows.predicted(reader):
            async with self._database.unit_of_work() as unit:
                session = await self._rows.held(unit.session, identity)
                due = None if session is None else calendar.due(session.opened_at, REVIEW_DAYS)
                if session is None or due is None or session.reviewed_at is not None:
                    continue
                after = replace(session, review_due=due.at, predicted=due.predicted)
                if after == session:
                    continue
                after = await self._rows.save(unit.session, after)
                both = {"before": session.review_due.isoformat(), "after": due.at.isoformat()}
                await self._put_on_record(unit, "emergency.reschedule", after, (), self._clock.now(), **both)
                moved += 1
        self._revision = revision
        return moved

    async def _attended(self, identity: UUID, now: datetime) -> int:
        seen = await self._rows.session(self._database.reader, identity)
        if seen is None:
            self._unreadable.add(identity)
            return 0
        people = await self._people(seen, now)
        async with self._database.unit_of_work() as unit:
            session = await self._rows.claimed(unit.session, identity, now)
            if session is None:
                return 0
            if session.ended_at is None:
                session = await self._sessions.close(unit, session, Cause.EXPIRED, now)
            if session.digested_at is None and now >= session.digest_at:
                session = await self._digest(unit, session, people, now)
            if session.overdue(now) and session.overdue_at is None:
                await self._remind(unit, session, now)
        return 1

    async def _digest(self, unit: UnitOfWork, session: Session, people: tuple[UUID, ...], now: datetime) -> Session:
        session = await self._rows.save(unit.session, replace(session, digested_at=now))
        told = notice_of(session, "subject_told", now, people=people, roles=(), subscribers=False)
        await self._teller.tell(unit, told)
        await self._put_on_record(unit, "emergency.digest", session, people, now)
        return session

    async def _remind(self, unit: UnitOfWork, session: Session, now: datetime) -> None:
        session = await self._rows.save(unit.session, replace(session, overdue_at=now))
        people = (session.actor_id,)
        await self._teller.tell(unit, notice_of(session, "review_overdue", now, people=people, roles=REVIEWERS))
        await self._put_on_record(unit, "emergency.overdue", session, people, now)

    async def _people(self, session: Session, now: datetime) -> tuple[UUID, ...]:
        """Name whom the actor was shown something of inside the session, where they are to be told now."""
        if session.digested_at is not None or now < session.digest_at:
            return ()
        wanted = EventFilter(
            actor_id=str(session.actor_id),
            purpose=Purpose.EMERGENCY.value,
            decision="allowed",
            since=session.opened_at,
            until=session.hard_stop + timedelta(seconds=1),
        )
        found: dict[UUID, None] = {}
        page = await self._events.search(wanted, limit=_EVENTS)
        while True:
            found.update(dict.fromkeys(_shown(session, [each.event for each in page.events])))
            if page.next is None:
                return tuple(sorted(found.keys() - {session.actor_id}))
            page = await self._events.search(wanted, limit=_EVENTS, after=page.next)

    async def _put_on_record(
        self, unit: UnitOfWork, action: str, session: Session, people: tuple[UUID, ...], now: datetime, **further: str
    ) -> None:
        author, query = Author(type="system", id="emergency"), {"emergency": str(session.id), **further}
        await add_intent(unit.session, written(author, action, now, contacts=people, query=query))


def _shown(session: Session, events: Iterable[EventDraft]) -> Iterable[UUID]:
    for event in events:
        if (event.query or {}).get("emergency") == str(session.id):
            for cohort in event.cohorts:
                if not _TOLD.isdisjoint(cohort.states.values()):
                    yield from cohort.contacts
