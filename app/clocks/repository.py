"""All queries on deadlines, and the MAC of their rows; nothing here commits.

A row that was edited past us is reported, and neither told nor kept up; where deadlines are counted it still counts.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.clocks.models import DeadlineRow
from app.clocks.rules import Deadline, Kind, State
from app.crypto.rowmac import RowSigner
from app.crypto.rows import Rows, by_id
from app.kit.db import Reader
from app.kit.query import Query, Source

DEADLINE: Final = DeadlineRow.__tablename__
_D: Final = DeadlineRow
_RUNNING: Final = and_(_D.met_at.is_(None), _D.ended_at.is_(None))
_STATES: Final[dict[State, ColumnElement[bool]]] = {
    State.OPEN: and_(_RUNNING, _D.breached_at.is_(None)),
    State.MET: and_(_D.met_at.is_not(None), _D.breached_at.is_(None)),
    State.BREACHED: _D.breached_at.is_not(None),
    State.WITHDRAWN: and_(_D.ended_at.is_not(None), _D.breached_at.is_(None)),
}


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """Which deadlines are listed or counted; ``departments`` ``None`` is everybody's, and those of nobody's department."""

    departments: frozenset[UUID] | None = None
    kind: Kind | None = None
    state: State | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: UUID | None = None


@dataclass(frozen=True, slots=True)
class Count:
    """How many deadlines of a kind and department came to what: ``late`` were kept too late, ``overdue`` are broken and still owed."""

    kind: Kind
    department_id: UUID | None
    met: int
    late: int
    open: int
    overdue: int
    withdrawn: int


class DeadlineRepository:
    """Rows of ``deadline``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of the table."""
        self.rows = Rows(DeadlineRow, Deadline, signer)
        self._one = by_id(self.rows)

    async def add(self, session: AsyncSession, deadline: Deadline) -> None:
        """Keep a new one."""
        await self.rows.add(session, deadline)

    async def put(self, session: AsyncSession, deadline: Deadline) -> None:
        """Write one as it is from now on."""
        await self.rows.put(session, deadline)

    async def one(self, source: Source, identity: UUID) -> Deadline | None:
        """Find one."""
        return next(iter(await self.rows.find(source, self._one, wanted=identity)), None)

    async def of_subject(self, session: AsyncSession, subject: bytes, source: str, event_id: str) -> list[Deadline]:
        """Find, and hold, that of an event and those that still run for the person that it is about."""
        event = and_(_D.source == source, _D.event_id == event_id)
        found = await self.rows.locked(session, _D.subject == subject, _RUNNING | event)
        return sorted(found, key=lambda each: each.id)

    async def due(self, source: Source, now: datetime, *, but: Collection[UUID], most: int) -> list[UUID]:
        """Name those with which the clock has something to do."""
        statement = select(_D.id).where(_D.next_at <= now, _D.id.not_in(sorted(but))).order_by(_D.next_at).limit(most)
        return [row[0] for row in await Query(statement).rows(source)]

    async def running(self, source: Source, *, after: UUID, most: int) -> list[UUID]:
        """Name those that still run and may have been met by something else than an event, by id."""
        owed = _D.kind.in_([Kind.JOINER.value, Kind.LEAVER.value])
        statement = select(_D.id).where(_RUNNING, owed, _D.contact_id.is_not(None), _D.id > after)
        return [row[0] for row in await Query(statement.order_by(_D.id).limit(most)).rows(source)]

    async def stale(self, source: Source, calendar: int, *, after: UUID, most: int) -> list[UUID]:
        """Name those that still run and were worked out by another revision of the calendar."""
        statement = select(_D.id).where(_RUNNING, _D.breached_at.is_(None), _D.calendar != calendar, _D.id > after)
        return [row[0] for row in await Query(statement.order_by(_D.id).limit(most)).rows(source)]

    async def claimed(self, session: AsyncSession, identity: UUID) -> Deadline | None:
        """Hold one that still runs, unless somebody else has it."""
        statement = self.rows.select(_D.id == identity, _RUNNING).with_for_update(skip_locked=True)
        return next(iter(self.rows.read([tuple(row) for row in await session.execute(statement)])), None)

    async def page(self, reader: Reader, narrowing: Narrowing, *, limit: int) -> tuple[list[Deadline], UUID | None]:
        """List deadlines, those that we heard of last first, and the id at which the page ends when more follow."""
        statement = self.rows.select(*_conditions(narrowing)).order_by(_D.id.desc()).limit(limit + 1)
        rows = await reader.fetch(reader.prepare(cast("Any", statement)))
        return self.rows.read(rows[:limit]), rows[limit - 1][0] if len(rows) > limit else None

    async def counts(self, reader: Reader, narrowing: Narrowing) -> Sequence[Count]:
        """Count deadlines by kind and department."""
        statement = (
            select(
                _D.kind,
                _D.department_id,
                _count(_STATES[State.MET]),
                _count(and_(_D.breached_at.is_not(None), ~_RUNNING)),
                _count(_STATES[State.OPEN]),
                _count(and_(_D.breached_at.is_not(None), _RUNNING)),
                _count(_STATES[State.WITHDRAWN]),
            )
            .where(*_conditions(narrowing))
            .group_by(_D.kind, _D.department_id)
        )
        rows = await reader.fetch(reader.prepare(statement))
        return [Count(Kind(kind), department, *map(int, numbers)) for kind, department, *numbers in rows]


def _conditions(narrowing: Narrowing) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if narrowing.departments is not None:
        found.append(_D.department_id.in_(sorted(narrowing.departments)))
    if narrowing.kind is not None:
        found.append(_D.kind == narrowing.kind.value)
    if narrowing.state is not None:
        found.append(_STATES[narrowing.state])
    if narrowing.since is not None:
        found.append(_D.due_at >= narrowing.since)
    if narrowing.until is not None:
        found.append(_D.due_at < narrowing.until)
    if narrowing.before is not None:
        found.append(_D.id < narrowing.before)
    return found
