"""The book of departures: what a leaving found, who has the place now, by when the card is taken away, and taking it away.

A leaver's card is in no view but the steward's from the moment they leave. Within the working days that the company gives itself it goes
into the sealed archive, at once when the check-list is done. Whoever comes back before keeps it.
"""

import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.calendar.joints import Calendar
from app.contacts.repository import ContactRepository
from app.contacts.rows import closed
from app.contacts.writer import ContactWriter
from app.departments.tree import Tree
from app.departures.parts import Part
from app.departures.repository import Departure, DepartureRepository
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.errors import Problem
from app.kit.models import new_id
from app.notices.notice import Audience, Notice
from app.notices.teller import Teller

SWEEPER: Final = Author(type="system", id="departures")
_AHEAD: Final = timedelta(hours=1)
"""How long before the end of the last day cards are taken away, so that they are by then."""
_AT_ONCE: Final = 50
_GONE: Final = "left"
_ARCHIVED: Final = "archived"
_TOLD: Final = ("it",)

_log = structlog.get_logger("duanhao.departures")


class DepartureBook:
    """Keeps departures."""

    def __init__(
        self,
        rows: DepartureRepository,
        *,
        contacts: ContactRepository,
        writer: ContactWriter,
        calendar: Calendar,
        teller: Teller,
        database: Database,
        clock: Clock,
        key: bytes,
        days: int,
    ) -> None:
        """Take the rows, the cards and what writes them, working days, who tells, store, clock, the key of tags, and the time given."""
        self.rows, self._contacts, self._writer = rows, contacts, writer
        self._calendar, self._teller, self._database, self._clock = calendar, teller, database, clock
        self._key, self._days = key, days

    async def tag_of(self, unit: UnitOfWork, contact_id: UUID) -> bytes | None:
        """Hash the employee number of somebody, by which they are found again when their card is archived."""
        loaded = await self._contacts.for_change(unit.session, contact_id)
        number = None if loaded is None else loaded[0].employee_no
        return None if number is None else self._tag(number)

    async def archived(self, unit: UnitOfWork, employee_no: str) -> UUID | None:
        """Find whose card was archived under an employee number; the last of them."""
        return await self.rows.archived(unit.session, self._tag(employee_no))

    def _tag(self, employee_no: str) -> bytes:
        return hmac.digest(self._key, employee_no.encode(), "sha256")

    async def enter(
        self,
        unit: UnitOfWork,
        author: Author,
        contact_id: UUID,
        ended: Mapping[Part, int],
        *,
        tag: bytes | None,
        department: UUID | None,
        to: UUID | None,
    ) -> Departure:
        """Enter a leaving, whose card is closed by now, and tell whoever takes the place over and those who collect what is left."""
        now, days = self._clock.now(), await self._calendar.current(unit.session)
        loaded = await self._contacts.for_change(unit.session, contact_id)
        archived = loaded is not None and loaded[0].status == _ARCHIVED
        before = await self.rows.waiting(unit.session, contact_id)
        if before is not None and archived:
            return await self.rows.save(unit.session, replace(before, archived_at=now))
        if before is not None:
            await self.rows.save(unit.session, replace(before, returned_at=now))
        departure = Departure(
            id=new_id(),
            contact_id=contact_id,
            department_id=department,
            to_id=to,
            tag=tag,
            ended=tuple(f"{part.value}:{count}" for part, count in sorted(ended.items()) if count),
            left_at=now,
            remove_by=days.due(now, self._days).at,
            archived_at=now if archived else None,
        )
        await self.rows.add(unit.session, departure)
        query = {"departure": str(departure.id), "ended": list(departure.ended), **({"to": str(to)} if to else {})}
        contacts = [contact_id] if to is None else [contact_id, to]
        await add_intent(unit.session, written(author, "departure.enter", now, contacts=contacts, query=query))
        await self._tell(unit, "departure.begun", departure)
        return departure

    async def checked(self, unit: UnitOfWork, author: Author, contact_id: UUID) -> bool:
        """Say that nothing of somebody is left; their card is taken away with the next round. ``False`` where none waits."""
        waiting, now = await self.rows.waiting(unit.session, contact_id), self._clock.now()
        if waiting is None:
            return False
        after = await self.rows.save(unit.session, replace(waiting, checked_at=now))
        query = {"departure": str(after.id)}
        await add_intent(unit.session, written(author, "departure.check", now, contacts=[contact_id], query=query))
        return True

    async def returned(self, unit: UnitOfWork, contact_id: UUID) -> None:
        """Say that somebody is back before their card was taken away."""
        waiting = await self.rows.waiting(unit.session, contact_id)
        if waiting is not None:
            await self.rows.save(unit.session, replace(waiting, returned_at=self._clock.now()))

    async def sweep(self) -> int:
        """Take away the cards that are due, each in a transaction of its own; give how many that were."""
        done = 0
        for each in await self.rows.due(self._database.reader, self._clock.now() + _AHEAD, most=_AT_ONCE):
            try:
                async with self._database.unit_of_work() as unit:
                    done += await self._taken_away(unit, each.contact_id)
            except Problem as problem:
                _log.error("departure_not_archived", departure=str(each.id), code=problem.code)
        return done

    async def _taken_away(self, unit: UnitOfWork, contact_id: UUID) -> bool:
        loaded = await self._contacts.for_change(unit.session, contact_id)
        waiting = await self.rows.waiting(unit.session, contact_id)
        if loaded is None or waiting is None:
            return False
        now, status = self._clock.now(), loaded[0].status
        if status == _GONE:
            await self._writer.archive(unit, SWEEPER, closed(*loaded, Tree(())))
        elif status != _ARCHIVED:
            await self.rows.save(unit.session, replace(waiting, returned_at=now))
            return False
        after = await self.rows.save(unit.session, replace(waiting, archived_at=now))
        await self._tell(unit, "departure.archived", after)
        return True

    async def _tell(self, unit: UnitOfWork, what: str, departure: Departure) -> None:
        about = {"id": departure.id, "version": departure.row_version}
        body = {"departure": about, "due_at": departure.remove_by}
        people = (departure.to_id,) if departure.to_id is not None and what == "departure.begun" else ()
        audience = Audience(people=people, roles=_TOLD if what == "departure.begun" else ())
        notice = Notice(id=new_id(), type=what, occurred_at=self._clock.now(), body=body, audience=audience)
        await self._teller.tell(unit, notice)
