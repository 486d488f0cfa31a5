"""All queries on appointments, sessions and reviews, behind row MACs. Nothing here commits.

A row that was edited past us does not count: an appointment gives nothing, a session shows nothing. It is reported wherever it is met.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, String, bindparam, column, or_, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import Holder, Query, Source
from app.crypto.rowmac import RowSigner
from app.crypto.rows import Rows, by_id
from app.emergency.models import EmergencyAppointment, EmergencyReview, EmergencySession
from app.emergency.rules import KEY_TAG, Appointment, Office, Review, Session
from app.kit.db import Reader, Row, Statement
from app.kit.models import Id, Instant
from app.permissions.emergency import Emergency

_TAGS: Final = table("contact_tag", column("contact_id", Id()), column("tag", String()))
_PLACES: Final = table("contact_department", column("contact_id", Id()), column("department_id", Id()))
EMERGENCY: Final = "emergency"
"""What the key of all MACs of this package is named."""

_LATEST: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which sessions a list asks for; ``actor_id`` and ``unconfirmed`` together mean either."""

    state: str
    now: datetime
    actor_id: UUID | None = None
    unconfirmed: bool = False
    before: UUID | None = None


class EmergencyRepository:
    """Rows of appointments, sessions and reviews."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of the tables."""
        self.appointments = Rows(EmergencyAppointment, Appointment, signer)
        self.sessions = Rows(EmergencySession, Session, signer)
        self.reviews = Rows(EmergencyReview, Review, signer, key=("session_id", "side"))
        sessions, appointments = self.sessions.table.c, self.appointments.table.c
        person = bindparam("wanted", type_=Id())
        self._session, self._appointment = by_id(self.sessions), by_id(self.appointments)
        self._of_person = Query(
            self.appointments.select(appointments.person_id == person, appointments.ended_at.is_(None)), by_key=True
        )
        self._of_actor = Query(
            self.sessions.select(sessions.actor_id == person).order_by(sessions.id.desc()).limit(_LATEST), by_key=True
        )

    def of_holder(self, holder: Holder) -> Statement:
        """Select the rows that ``told`` reads: the sessions of a person that are open at the time bound as ``now``."""
        columns, now = self.sessions.table.c, bindparam("now", type_=Instant())
        return self.sessions.select(columns.actor_id == holder.contact, columns.ended_at.is_(None), columns.until > now)

    def told(self, rows: Sequence[Row], now: datetime) -> Emergency | None:
        """Give the open session as policy reads it (``permissions.parts``)."""
        return next((each.standing() for each in self.sessions.read(rows) if each.live(now)), None)

    async def session(self, source: Source, identity: UUID) -> Session | None:
        """Find a session."""
        return next(iter(await self.sessions.find(source, self._session, wanted=identity)), None)

    async def held(self, session: AsyncSession, identity: UUID) -> Session | None:
        """Find a session and let nobody change it until the transaction ends."""
        return next(iter(await self.sessions.locked(session, self.sessions.table.c.id == identity)), None)

    async def accounted_for(self, source: Source, actor_id: UUID, now: datetime) -> bool:
        """Tell whether no review of a person's sessions is overdue; a row edited past us counts as one that is."""
        rows = await self._of_actor.rows(source, wanted=actor_id)
        found = self.sessions.read(rows)
        return len(found) == len(rows) and not any(each.overdue(now) for each in found)

    async def contacts(self, source: Source) -> frozenset[UUID]:
        """Give whose sessions are not reviewed by both sides yet: their reasons are still to be read."""
        columns = self.sessions.table.c
        rows = await Query(select(columns.actor_id).where(columns.reviewed_at.is_(None)).distinct()).rows(source)
        return frozenset(row[0] for row in rows)

    async def open_sessions(self, session: AsyncSession, actor_id: UUID) -> list[Session]:
        """Hold what a person has not ended, whether or not its time is over."""
        columns = self.sessions.table.c
        return await self.sessions.locked(session, columns.actor_id == actor_id, columns.ended_at.is_(None))

    async def save(self, session: AsyncSession, value: Session, *, new: bool = False) -> Session:
        """Write a session as it is to be; give it with its row version."""
        if new:
            await self.sessions.add(session, value, next_at=value.next_at())
            return value
        after = replace(value, row_version=value.row_version + 1)
        await self.sessions.put(session, after, next_at=after.next_at())
        return after

    async def page(self, reader: Reader, wanted: Wanted, *, limit: int) -> tuple[list[Session], UUID | None]:
        """List sessions, newest first, and where the page ends when more follows."""
        columns = self.sessions.table.c
        statement = self.sessions.select(*_conditions(columns, wanted)).order_by(columns.id.desc()).limit(limit + 1)
        rows = await reader.fetch(reader.prepare(statement))
        return self.sessions.read(rows[:limit]), rows[limit - 1][0] if len(rows) > limit else None

    async def due(self, source: Source, now: datetime, *, limit: int) -> list[UUID]:
        """Name sessions about which something is to be done."""
        columns = self.sessions.table.c
        statement = (
            select(columns.id)
            .where(columns.next_at.is_not(None), columns.next_at <= bindparam("now", type_=Instant()))
            .order_by(columns.next_at)
            .limit(bindparam("most", type_=Integer()))
        )
        return [row[0] for row in await Query(statement).rows(source, now=now, most=limit)]

    async def predicted(self, source: Source) -> list[UUID]:
        """Name the sessions whose review is to be made by a day that a calendar may still move."""
        columns = self.sessions.table.c
        statement = select(columns.id).where(columns.reviewed_at.is_(None), columns.predicted.is_(True))
        return [row[0] for row in await Query(statement.order_by(columns.id)).rows(source)]

    async def claimed(self, session: AsyncSession, identity: UUID, now: datetime) -> Session | None:
        """Hold a session about which something is still to be done, unless somebody else has it."""
        columns = self.sessions.table.c
        statement = self.sessions.select(columns.id == identity, columns.next_at <= now)
        rows = await session.execute(statement.with_for_update(skip_locked=True))
        return next(iter(self.sessions.read([tuple(row) for row in rows])), None)

    async def reviews_of(self, source: Source, sessions: Iterable[UUID]) -> dict[UUID, list[Review]]:
        """Give what was said of sessions."""
        wanted = sorted(set(sessions))
        found: dict[UUID, list[Review]] = {each: [] for each in wanted}
        if wanted:
            statement = self.reviews.select(self.reviews.table.c.session_id.in_(wanted))
            for each in self.reviews.read(await Query(statement.order_by(self.reviews.table.c.side)).rows(source)):
                found[each.session_id].append(each)
        return found

    async def appointed(self, source: Source, person_id: UUID, office: Office, now: datetime) -> Appointment | None:
        """Give the appointment of a person that is in force."""
        found = await self.appointments.find(source, self._of_person, wanted=person_id)
        return next((each for each in found if each.office is office and each.live(now)), None)

    async def appointment(self, source: Source, identity: UUID) -> Appointment | None:
        """Find an appointment."""
        return next(iter(await self.appointments.find(source, self._appointment, wanted=identity)), None)

    async def held_appointments(self, session: AsyncSession, person_id: UUID) -> list[Appointment]:
        """Hold the appointments of a person until the transaction ends; before any session of theirs, so that nobody waits in a circle."""
        columns = self.appointments.table.c
        return await self.appointments.locked(session, columns.person_id == person_id, columns.ended_at.is_(None))

    async def standing_appointments(self, source: Source, office: Office | None, now: datetime) -> list[Appointment]:
        """List the appointments that are in force, in the order in which they were made."""
        columns = self.appointments.table.c
        statement = self.appointments.select(columns.ended_at.is_(None)).order_by(columns.id)
        found = self.appointments.read(await Query(statement).rows(source))
        return [each for each in found if each.live(now) and office in {None, each.office}]

    async def save_appointment(self, session: AsyncSession, value: Appointment, *, new: bool = False) -> Appointment:
        """Write an appointment as it is to be; give it with its row version."""
        if new:
            await self.appointments.add(session, value)
            return value
        after = replace(value, row_version=value.row_version + 1)
        await self.appointments.put(session, after)
        return after

    async def places_of_key_people(self, session: AsyncSession) -> Sequence[UUID]:
        """Name the departments in which somebody has the tag of key people."""
        statement = (
            select(_PLACES.c.department_id)
            .join(_TAGS, _TAGS.c.contact_id == _PLACES.c.contact_id)
            .where(_TAGS.c.tag == KEY_TAG)
            .distinct()
        )
        return sorted([row[0] for row in await session.execute(statement)])


def _conditions(columns: Any, wanted: Wanted) -> list[ColumnElement[bool]]:  # noqa: ANN401 — columns of a table
    found: list[ColumnElement[bool]] = []
    live = columns.ended_at.is_(None) & (columns.until > wanted.now)
    match wanted.state:
        case "open":
            found.append(live)
        case "unreviewed":
            found.append(columns.reviewed_at.is_(None))
        case "reviewed":
            found.append(columns.reviewed_at.is_not(None))
        case _:
            pass
    if wanted.actor_id is not None:
        own = columns.actor_id == wanted.actor_id
        found.append(or_(own, live & columns.confirmed_by.is_(None)) if wanted.unconfirmed else own)
    if wanted.before is not None:
        found.append(columns.id < wanted.before)
    return found
