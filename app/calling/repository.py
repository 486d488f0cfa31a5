"""All queries on calling privileges. Rows that were edited past the service say nothing and are reported; nothing here commits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table, column, exists, or_, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import Source
from app.calling.models import CallingPrivilege
from app.calling.rules import Function, Privilege
from app.crypto.rowmac import RowSigner
from app.crypto.rows import Rows, by_id
from app.kit.db import Reader
from app.kit.models import Id, Instant

TABLE: Final = CallingPrivilege.__tablename__
_P: Final = cast("Table", CallingPrivilege.__table__).c
_LINES: Final = table("number_assignment", column("id", Id()), column("ended_at", Instant()))
_HELD: Final = exists(select(_LINES.c.id).where(_LINES.c.id == _P.assignment_id, _LINES.c.ended_at.is_(None)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """Which privileges are looked for; every member that is given narrows."""

    now: datetime
    active: bool | None = None
    contact_id: UUID | None = None
    digits: str | None = None
    function: Function | None = None
    before: UUID | None = None


class PrivilegeRepository:
    """Rows of ``calling_privilege``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of the table."""
        self._rows = Rows(CallingPrivilege, Privilege, signer)
        self._one = by_id(self._rows)

    async def page(self, reader: Reader, narrowing: Narrowing, *, limit: int) -> tuple[list[Privilege], UUID | None]:
        """List privileges, newest first, and the id where the page ends when more follow; rows not believed are left out of it."""
        statement = self._rows.select(*_conditions(narrowing)).order_by(_P.id.desc()).limit(limit + 1)
        rows = await reader.fetch(reader.prepare(cast("Any", statement)))
        return self._rows.read(rows[:limit]), rows[limit - 1][0] if len(rows) > limit else None

    async def examined(
        self, reader: Reader, *, after: UUID, limit: int
    ) -> tuple[list[tuple[Privilege, bool]], frozenset[UUID]]:
        """List rows by id, each with whether it is as it was signed, and which of their lines have not ended."""
        statement = self._rows.select(_P.id > after).order_by(_P.id).limit(limit)
        found = self._rows.examined(await reader.fetch(reader.prepare(cast("Any", statement))))
        return found, await self.held(reader, {each.assignment_id for each, _ in found})

    async def in_force(self, reader: Reader, lines: Collection[UUID], now: datetime) -> dict[UUID, list[Privilege]]:
        """Give what these assignments, none of which has ended, may do now."""
        if not lines:
            return {}
        statement = self._rows.select(_P.assignment_id.in_(sorted(lines)), _P.ended_at.is_(None), _P.until > now)
        found: dict[UUID, list[Privilege]] = {}
        for each in self._rows.read(await reader.fetch(reader.prepare(cast("Any", statement.order_by(_P.id))))):
            found.setdefault(each.assignment_id, []).append(each)
        return found

    async def one(self, source: Source, identity: UUID) -> Privilege | None:
        """Find one."""
        return next(iter(await self._rows.find(source, self._one, wanted=identity)), None)

    async def held(self, reader: Reader, lines: Collection[UUID]) -> frozenset[UUID]:
        """Give those of these assignments that have not ended."""
        statement = select(_LINES.c.id).where(_LINES.c.id.in_(sorted(lines)), _LINES.c.ended_at.is_(None))
        return frozenset(row[0] for row in await reader.fetch(reader.prepare(statement))) if lines else frozenset()

    async def open_of_line(self, session: AsyncSession, assignment_id: UUID, now: datetime) -> list[Privilege]:
        """Find what a line may do, locked until the transaction ends."""
        return await self._open(session, _P.assignment_id == assignment_id, now)

    async def open_of_contact(self, session: AsyncSession, contact_id: UUID, now: datetime) -> list[Privilege]:
        """Find what somebody's lines may do, locked."""
        return await self._open(session, _P.contact_id == contact_id, now)

    async def open_of_request(self, session: AsyncSession, request_id: UUID, now: datetime) -> list[Privilege]:
        """Find what a request gave and what has not ended, locked."""
        return await self._open(session, _P.request_id == request_id, now)

    async def open_one(self, session: AsyncSession, identity: UUID, now: datetime) -> Privilege | None:
        """Find one that has not ended, locked."""
        return next(iter(await self._open(session, _P.id == identity, now)), None)

    async def add(self, session: AsyncSession, privileges: Sequence[Privilege]) -> None:
        """Add rows."""
        for each in privileges:
            await self._rows.add(session, each)

    async def put(self, session: AsyncSession, privileges: Sequence[Privilege]) -> None:
        """Write how rows ended."""
        for each in privileges:
            await self._rows.put(session, each)

    async def _open(self, session: AsyncSession, which: ColumnElement[bool], now: datetime) -> list[Privilege]:
        found = await self._rows.locked(session, which, _P.ended_at.is_(None), _P.until > now)
        return sorted(found, key=lambda each: each.id)


def _conditions(narrowing: Narrowing) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if narrowing.active is True:
        conditions += [_P.until > narrowing.now, _P.ended_at.is_(None), _HELD]
    elif narrowing.active is False:
        conditions.append(or_(_P.until <= narrowing.now, _P.ended_at.is_not(None), ~_HELD))
    if narrowing.contact_id is not None:
        conditions.append(_P.contact_id == narrowing.contact_id)
    if narrowing.digits is not None:
        conditions.append(_P.digits == narrowing.digits)
    if narrowing.function is not None:
        conditions.append(_P.function == narrowing.function.value)
    if narrowing.before is not None:
        conditions.append(_P.id < narrowing.before)
    return conditions
