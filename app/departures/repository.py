"""All queries on departures. Rows that were edited past the service say nothing and are reported; nothing here commits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, LargeBinary, and_, bindparam, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto.rowmac import RowSigner
from app.crypto.rows import Rows, by_id
from app.departures.models import DepartureRow
from app.kit.db import Reader
from app.kit.models import Id, Instant
from app.kit.query import Query, Source

DEPARTURE: Final = DepartureRow.__tablename__


class Removal(StrEnum):
    """How the taking away of a leaver's card stands."""

    WAITING = "waiting"
    OVERDUE = "overdue"
    ARCHIVED = "archived"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """One leaving."""

    id: UUID
    contact_id: UUID
    department_id: UUID | None
    to_id: UUID | None
    tag: bytes | None
    ended: tuple[str, ...]
    left_at: datetime
    remove_by: datetime
    checked_at: datetime | None = None
    archived_at: datetime | None = None
    returned_at: datetime | None = None
    row_version: int = 1

    def removal(self, now: datetime) -> Removal:
        """Tell how it stands: what a clock of working days asks. Pure."""
        if self.archived_at is not None:
            return Removal.ARCHIVED
        if self.returned_at is not None:
            return Removal.RETURNED
        return Removal.WAITING if now < self.remove_by else Removal.OVERDUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """Which departures a list asks for; ``to`` leaves those whose place somebody takes over, ``nobody`` leaves none."""

    open: bool | None = None
    contact_id: UUID | None = None
    to: UUID | None = None
    nobody: bool = False
    before: UUID | None = None


class DepartureRepository:
    """Rows of ``departure``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of the table."""
        self._rows = Rows(DepartureRow, Departure, signer)
        columns = self._rows.table.c
        waits = (columns.archived_at.is_(None), columns.returned_at.is_(None))
        newest = self._rows.select(columns.contact_id == bindparam("contact", type_=Id())).order_by(columns.id.desc())
        self._newest = Query(newest.limit(1))
        over = or_(columns.remove_by <= bindparam("now", type_=Instant()), columns.checked_at.is_not(None))
        due = self._rows.select(over, *waits)
        self._due = Query(due.order_by(columns.remove_by).limit(bindparam("most", type_=Integer())))
        tagged = self._rows.select(
            columns.tag == bindparam("tag", type_=LargeBinary()), columns.archived_at.is_not(None)
        )
        self._tagged = Query(tagged.order_by(columns.id.desc()).limit(1))
        self._one = by_id(self._rows)
        self._waits = waits

    async def newest(self, source: Source, contact_id: UUID) -> Departure | None:
        """Give the last leaving of somebody."""
        return next(iter(await self._rows.find(source, self._newest, contact=contact_id)), None)

    async def one(self, source: Source, identity: UUID) -> Departure | None:
        """Find one."""
        return next(iter(await self._rows.find(source, self._one, wanted=identity)), None)

    async def page(self, reader: Reader, narrowing: Narrowing, *, limit: int) -> tuple[list[Departure], UUID | None]:
        """List departures, newest first, and the id where the page ends when more follow."""
        if narrowing.nobody:
            return [], None
        columns = self._rows.table.c
        conditions: list[ColumnElement[bool]] = []
        if narrowing.open is not None:
            waits = and_(*self._waits)
            conditions.append(waits if narrowing.open else not_(waits))
        if narrowing.contact_id is not None:
            conditions.append(columns.contact_id == narrowing.contact_id)
        if narrowing.to is not None:
            conditions.append(columns.to_id == narrowing.to)
        if narrowing.before is not None:
            conditions.append(columns.id < narrowing.before)
        statement = self._rows.select(*conditions).order_by(columns.id.desc()).limit(limit + 1)
        rows = await Query(statement).rows(reader)
        return self._rows.read(rows[:limit]), rows[limit - 1][0] if len(rows) > limit else None

    async def archived(self, source: Source, tag: bytes) -> UUID | None:
        """Find whose card was archived, the last of those under one tag."""
        return next((each.contact_id for each in await self._rows.find(source, self._tagged, tag=tag)), None)

    async def due(self, source: Source, now: datetime, *, most: int) -> Sequence[Departure]:
        """Give those whose card should be taken away by now, the longest due first."""
        return await self._rows.find(source, self._due, now=now, most=most)

    async def waiting(self, session: AsyncSession, contact_id: UUID) -> Departure | None:
        """Give the leaving whose card waits, locked until the transaction ends."""
        found = await self._rows.locked(session, self._rows.table.c.contact_id == contact_id, *self._waits)
        return next(iter(found), None)

    async def last_left(self, source: Source, contacts: Sequence[UUID]) -> dict[UUID, datetime]:
        """Say when each of these left last, as the rows say that nobody has compared yet: enough to know whom to look at."""
        columns = self._rows.table.c
        statement = (
            select(columns.contact_id, func.max(columns.left_at))
            .where(columns.contact_id.in_(list(contacts)))
            .group_by(columns.contact_id)
        )
        return {row[0]: row[1] for row in await Query(statement).rows(source)}

    async def forget(self, session: AsyncSession, contact_id: UUID) -> None:
        """Forget under which employee number somebody left, each time: nobody who comes with it later is taken for them."""
        for each in await self._rows.locked(session, self._rows.table.c.contact_id == contact_id):
            if each.tag is not None:
                await self.save(session, replace(each, tag=None))

    async def add(self, session: AsyncSession, departure: Departure) -> None:
        """Add one."""
        await self._rows.add(session, departure)

    async def save(self, session: AsyncSession, departure: Departure) -> Departure:
        """Write one as it is to be; give it with its row version."""
        after = replace(departure, row_version=departure.row_version + 1)
        await self._rows.put(session, after)
        return after
