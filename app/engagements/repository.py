"""All queries on business facts and who works on them, and the MACs that make the rows believable. Nothing here commits.

A row that was written or edited past the service is left out wherever it would say something, and reported.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

import structlog
from sqlalchemy import (
    ColumnElement,
    String,
    Table,
    bindparam,
    column,
    exists,
    func,
    insert,
    literal_column,
    select,
    table,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import Holder, Query, Source
from app.crypto.rowmac import RowSigner, RowValue
from app.engagements.models import Engagement, EngagementStaff
from app.engagements.rules import MOST_LIVE, Assigned, Business, standing_of
from app.kit.db import Reader, Row, Statement
from app.kit.models import Id, Instant
from app.permissions.plan import Engagement as Engaged
from app.permissions.plan import Fact

_FACT: Final = Engagement.__tablename__
_STAFF: Final = EngagementStaff.__tablename__
_FACT_TABLE: Final = cast("Table", Engagement.__table__)
_STAFF_TABLE: Final = cast("Table", EngagementStaff.__table__)
_PLACES: Final = table("contact_department", column("contact_id", Id()), column("department_id", Id()))

_FACT_COLUMNS: Final[tuple[Any, ...]] = (
    Engagement.id,
    Engagement.contact_id,
    Engagement.kind,
    Engagement.reference,
    Engagement.source,
    Engagement.since,
    Engagement.until,
    Engagement.body_hash,
    Engagement.row_version,
    Engagement.mac,
)
_STAFF_COLUMNS: Final[tuple[Any, ...]] = (
    EngagementStaff.engagement_id,
    EngagementStaff.staff_id,
    EngagementStaff.contact_id,
    EngagementStaff.kind,
    EngagementStaff.since,
    EngagementStaff.until,
    EngagementStaff.cause,
    EngagementStaff.row_version,
    EngagementStaff.mac,
)

_QUEUE: Final = select(
    func.pg_advisory_xact_lock(func.hashtextextended(bindparam("material", type_=String()), literal_column("0")))
)

Name = tuple[str, Fact, str]
"""What a source calls a fact: the source, the kind, the reference."""

_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """Which facts are looked for; every member that is given narrows. ``departments`` are those that own the contact."""

    now: datetime
    ended: bool = False
    contact_id: UUID | None = None
    departments: frozenset[UUID] | None = None
    staff_id: UUID | None = None
    unassigned: bool = False
    before: UUID | None = None


class EngagementRepository:
    """Rows of ``engagement`` and ``engagement_staff``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of both tables."""
        self._signer = signer

    def of_holder(self, holder: Holder) -> Statement:
        """Select the rows that ``told`` reads: who works on what at the time bound as ``now``, the first that end before all others."""
        first = (
            select(*_STAFF_COLUMNS)
            .where(
                EngagementStaff.staff_id == holder.contact, EngagementStaff.until > bindparam("now", type_=Instant())
            )
            .order_by(EngagementStaff.until, EngagementStaff.engagement_id)
            .limit(MOST_LIVE)
        )
        return select(*first.subquery().c)

    def told(self, rows: Sequence[Row], now: datetime) -> tuple[Engaged, ...]:  # noqa: ARG002 — the rows are of that time
        """Give what a viewer is assigned to and what has not ended; rows edited past us give nothing and are reported."""
        believed = [row for *row, mac in rows if self._believed(row, mac)]
        return standing_of((row[_CONTACT], row[_KIND], row[_UNTIL]) for row in believed)

    async def page(self, reader: Reader, narrowing: Narrowing, *, limit: int) -> tuple[list[Business], UUID | None]:
        """List facts, newest first, and the id where the page ends when more follows; rows that do not verify are left out of it."""
        statement = select(*_FACT_COLUMNS).where(*_conditions(narrowing)).order_by(Engagement.id.desc())
        rows = await reader.fetch(reader.prepare(statement.limit(limit + 1)))
        return self._facts(rows[:limit]), rows[limit - 1][0] if len(rows) > limit else None

    async def staff(self, source: Source, facts: Iterable[UUID]) -> dict[UUID, list[Assigned]]:
        """Give everybody who works or worked on these facts, by fact, in the order of their ids."""
        wanted = sorted(set(facts))
        found: dict[UUID, list[Assigned]] = {each: [] for each in wanted}
        if not wanted:
            return found
        statement = select(*_STAFF_COLUMNS).where(EngagementStaff.engagement_id.in_(wanted))
        for each in self._assigned(await Query(statement.order_by(EngagementStaff.staff_id)).rows(source)):
            found[each.engagement_id].append(each)
        return found

    async def fact(self, source: Source, identity: UUID) -> Business | None:
        """Find a fact by its id; ``None`` also for a row that does not verify."""
        rows = await _BY_ID.rows(source, id=identity)
        return next(iter(self._facts(rows)), None)

    async def queue(self, session: AsyncSession, sources: Collection[str]) -> None:
        """Let what one source says be entered one push after the other (SQLite has one writer anyway)."""
        if session.get_bind().dialect.name == "postgresql":
            for each in sorted(sources):
                await session.execute(_QUEUE, {"material": f"engagement {each}"})

    async def named(self, session: AsyncSession, names: Collection[Name]) -> dict[Name, Business | None]:
        """Find facts by what their sources call them; ``None`` stands for a row that does not verify."""
        wanted = tuple_(Engagement.source, Engagement.kind, Engagement.reference).in_(sorted(set(names)))
        found = dict[Name, Business | None]()
        for row in await session.execute(select(*_FACT_COLUMNS).where(wanted)):
            found[row.source, row.kind, row.reference] = next(iter(self._facts([tuple(row)])), None)
        return found

    async def locked(self, session: AsyncSession, identity: UUID) -> Business | None:
        """Find a fact and let nobody change it until the transaction ends; ``None`` as ``fact`` does."""
        statement = select(*_FACT_COLUMNS).where(Engagement.id == identity).with_for_update()
        return next(iter(self._facts([tuple(row) for row in await session.execute(statement)])), None)

    async def about(self, session: AsyncSession, contact_id: UUID, now: datetime) -> list[Business]:
        """Find the live facts about a contact."""
        rows = await session.execute(
            select(*_FACT_COLUMNS)
            .where(Engagement.contact_id == contact_id, Engagement.until > now)
            .order_by(Engagement.id)
            .with_for_update()
        )
        return self._facts([tuple(row) for row in rows])

    async def assigned_to(self, session: AsyncSession, staff_id: UUID, now: datetime) -> list[Assigned]:
        """Find on which facts somebody is at work."""
        rows = await session.execute(
            select(*_STAFF_COLUMNS)
            .where(EngagementStaff.staff_id == staff_id, EngagementStaff.until > now)
            .order_by(EngagementStaff.engagement_id)
            .with_for_update()
        )
        return self._assigned([tuple(row) for row in rows])

    async def live(self, session: AsyncSession, staff: Collection[UUID], now: datetime) -> dict[UUID, int]:
        """Count on how many facts each of these people is at work."""
        counted = (
            select(EngagementStaff.staff_id, func.count())
            .where(EngagementStaff.staff_id.in_(sorted(staff)), EngagementStaff.until > now)
            .group_by(EngagementStaff.staff_id)
        )
        return {row[0]: int(row[1]) for row in await session.execute(counted)} if staff else {}

    async def add(self, session: AsyncSession, facts: Sequence[Business], *, at: datetime) -> None:
        """Add facts; their names at their sources are unique by constraint."""
        if facts:
            rows = [{**self._fact_row(each), "created_at": at, "updated_at": at} for each in facts]
            await session.execute(insert(_FACT_TABLE), rows)

    async def change(self, session: AsyncSession, fact: Business, *, at: datetime) -> Business:
        """Write a fact as it is to be from now on; give it with its new row version."""
        after = replace(fact, row_version=fact.row_version + 1)
        await session.execute(
            update(Engagement).where(Engagement.id == fact.id).values(**self._fact_row(after), updated_at=at)
        )
        return after

    async def assign(self, session: AsyncSession, rows: Sequence[Assigned]) -> None:
        """Add people to facts."""
        if rows:
            await session.execute(insert(_STAFF_TABLE), [self._staff_row(each) for each in rows])

    async def reassign(self, session: AsyncSession, rows: Sequence[Assigned]) -> None:
        """Write rows of people who are on their facts already, with their next row versions."""
        for each in rows:
            after = replace(each, row_version=each.row_version + 1)
            await session.execute(
                update(EngagementStaff)
                .where(EngagementStaff.engagement_id == each.engagement_id, EngagementStaff.staff_id == each.staff_id)
                .values(**self._staff_row(after))
            )

    def _facts(self, rows: Iterable[Row]) -> list[Business]:
        found = []
        for *values, mac in rows:
            fact = Business(**dict(zip(_FACT_NAMES, values, strict=True)))
            if self._signer.verify(_FACT, _fact_covered(fact), mac):
                found.append(fact)
            else:
                _log.error("row_mac_mismatch", table=_FACT, row=str(fact.id))
        return found

    def _assigned(self, rows: Iterable[Row]) -> list[Assigned]:
        found = []
        for *values, mac in rows:
            if self._believed(values, mac):
                found.append(Assigned(**dict(zip(_STAFF_NAMES, values, strict=True))))
        return found

    def _believed(self, values: Sequence[Any], mac: bytes) -> bool:
        """Tell whether a row of staff is as the service wrote it; report one that is not."""
        if self._signer.verify(_STAFF, values, mac):
            return True
        _log.error("row_mac_mismatch", table=_STAFF, row=f"{values[0]} {values[1]}")
        return False

    def _fact_row(self, fact: Business) -> dict[str, Any]:
        values = dict(zip(_FACT_NAMES, _fact_covered(fact), strict=True))
        return {**values, "mac": self._signer.sign(_FACT, _fact_covered(fact))}

    def _staff_row(self, each: Assigned) -> dict[str, Any]:
        values = dict(zip(_STAFF_NAMES, _staff_covered(each), strict=True))
        return {**values, "mac": self._signer.sign(_STAFF, _staff_covered(each))}


_FACT_NAMES: Final = tuple(column.key for column in _FACT_COLUMNS[:-1])
_STAFF_NAMES: Final = tuple(column.key for column in _STAFF_COLUMNS[:-1])
_CONTACT, _KIND, _UNTIL = (_STAFF_NAMES.index(name) for name in ("contact_id", "kind", "until"))
_BY_ID: Final = Query(select(*_FACT_COLUMNS).where(Engagement.id == bindparam("id", type_=Id())), by_key=True)


def _conditions(narrowing: Narrowing) -> list[ColumnElement[bool]]:
    now = narrowing.now
    conditions: list[ColumnElement[bool]] = [Engagement.until <= now if narrowing.ended else Engagement.until > now]
    at_work = exists().where(EngagementStaff.engagement_id == Engagement.id, EngagementStaff.until > now)
    if narrowing.contact_id is not None:
        conditions.append(Engagement.contact_id == narrowing.contact_id)
    if narrowing.departments is not None:
        conditions.append(
            exists(
                select(_PLACES.c.contact_id).where(
                    _PLACES.c.contact_id == Engagement.contact_id,
                    _PLACES.c.department_id.in_(sorted(narrowing.departments)),
                )
            )
        )
    if narrowing.staff_id is not None:
        conditions.append(at_work.where(EngagementStaff.staff_id == narrowing.staff_id))
    if narrowing.unassigned:
        conditions.append(~at_work)
    if narrowing.before is not None:
        conditions.append(Engagement.id < narrowing.before)
    return conditions


def _fact_covered(fact: Business) -> tuple[RowValue, ...]:
    return (
        fact.id,
        fact.contact_id,
        fact.kind,
        fact.reference,
        fact.source,
        fact.since,
        fact.until,
        fact.body_hash,
        fact.row_version,
    )


def _staff_covered(each: Assigned) -> tuple[RowValue, ...]:
    return (
        each.engagement_id,
        each.staff_id,
        each.contact_id,
        each.kind,
        each.since,
        each.until,
        each.cause,
        each.row_version,
    )
