"""All queries by which the plan is held against itself: which ranges could meet, which numbers run into reserved ones. Nothing commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Select,
    String,
    and_,
    bindparam,
    column,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
    values,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.db import Row
from app.kit.models import Id
from app.kit.query import Query, Source
from app.numbers.models import Number, NumberDomain, NumberPool, NumberRange, NumberReserved
from app.numbers.pool_repository import RANGE_COLUMNS, Domain, Held, domain_row, range_of
from app.numbers.repository import NUMBERS, NumberRow, number_of
from app.numbers.rules import LONGEST, Stretch

_AFTER_NINE: Final = ":"
"""The character after ``9``: what begins with x is from x up to, not including, x with this behind."""

_RESERVED_COLUMNS: Final[tuple[Any, ...]] = (
    NumberReserved.digits,
    NumberReserved.kind,
    NumberReserved.name_zh,
    NumberReserved.name_en,
)
_RESERVED: Final = Query(select(*_RESERVED_COLUMNS).order_by(NumberReserved.digits))
_OF_DOMAIN: Final = Query(
    select(*RANGE_COLUMNS)
    .where(NumberRange.domain_id == bindparam("domain", type_=Id()))
    .order_by(NumberRange.width, NumberRange.first, NumberRange.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservedNumber:
    """Digits that no number may be, begin with, or be the beginning of."""

    digits: str
    kind: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveNumber:
    """A number that is there, with the codes of its pool and domain."""

    digits: str
    pool: str
    domain: str


class PlanRepository:
    """Rows of the plan that stand against each other."""

    async def lock_domains(self, session: AsyncSession) -> None:
        """Let everybody queue who changes which numbers any domain has."""
        await session.execute(select(NumberDomain.id).order_by(NumberDomain.id).with_for_update())

    async def update_domain(self, session: AsyncSession, domain: Domain, *, seen: int, at: datetime) -> bool:
        """Replace the row if it still has the row version ``seen``; tell whether it had."""
        statement = update(NumberDomain).where(NumberDomain.id == domain.id, NumberDomain.row_version == seen)
        changed = await session.execute(
            statement.values(**domain_row(domain), updated_at=at).returning(NumberDomain.id)
        )
        return changed.first() is not None

    async def reserved(self, source: Source) -> list[ReservedNumber]:
        """List the reserved table by digits."""
        rows = await _RESERVED.rows(source)
        return [ReservedNumber(digits=row[0], kind=row[1], name_zh=row[2], name_en=row[3]) for row in rows]

    async def reserve(self, session: AsyncSession, reserved: ReservedNumber) -> None:
        """Add an entry; its digits are unique by constraint."""
        await session.execute(
            insert(NumberReserved).values(
                digits=reserved.digits, kind=reserved.kind, name_zh=reserved.name_zh, name_en=reserved.name_en
            )
        )

    async def open(self, session: AsyncSession, digits: str) -> None:
        """Remove an entry."""
        await session.execute(delete(NumberReserved).where(NumberReserved.digits == digits))

    async def ranges(self, source: Source, domain_id: UUID) -> list[Held]:
        """List the ranges of a domain, shorter numbers first."""
        return [range_of(row) for row in await _OF_DOMAIN.rows(source, domain=domain_id)]

    async def neighbours(self, session: AsyncSession, domain_id: UUID, found: Stretch) -> list[Held]:
        """List the ranges of the domain in which a number could be one of ``found``, begin one, or begin with one."""
        near = []
        for width in range(1, LONGEST + 1):
            low = found.first[:width].ljust(width, "0")
            high = found.last[:width].ljust(width, "9")
            near.append(and_(NumberRange.width == width, NumberRange.first <= high, NumberRange.last >= low))
        statement = select(*RANGE_COLUMNS).where(NumberRange.domain_id == domain_id, or_(*near))
        ordered = statement.order_by(NumberRange.width, NumberRange.first, NumberRange.id)
        return [range_of(tuple(row)) for row in await session.execute(ordered)]

    async def in_making(self, session: AsyncSession) -> list[Held]:
        """List the ranges of which numbers are still to be made."""
        statement = select(*RANGE_COLUMNS).where(NumberRange.materialised < NumberRange.size)
        return [range_of(tuple(row)) for row in await session.execute(statement)]

    async def colliding(self, session: AsyncSession, digits: str, *, limit: int) -> list[LiveNumber]:
        """List live numbers of any domain that are ``digits``, begin with them, or are their beginning."""
        beginnings = [digits[:size] for size in range(1, len(digits))]
        domains = select(NumberDomain.id)
        columns: tuple[Any, ...] = (Number.digits, NumberPool.code, NumberDomain.code)
        statement = (
            select(*columns)
            .join(NumberPool, NumberPool.id == Number.pool_id)
            .join(NumberDomain, NumberDomain.id == Number.domain_id)
            .where(Number.domain_id.in_(domains), Number.state != text("'retired'"))
        )
        found: list[LiveNumber] = []
        for condition in (
            and_(Number.digits >= digits, Number.digits < digits + _AFTER_NINE),
            Number.digits.in_(beginnings),
        ):
            rows = await session.execute(statement.where(condition).order_by(Number.digits).limit(limit))
            found += [LiveNumber(digits=row[0], pool=row[1], domain=row[2]) for row in rows]
        return found[:limit]

    async def live(self, source: Source, domain_id: UUID, digits: Sequence[str]) -> list[NumberRow]:
        """List those of these numbers of a domain that are there."""
        if not digits:
            return []
        statement = NUMBERS.where(
            Number.domain_id == domain_id, Number.digits.in_(digits), Number.state != text("'retired'")
        )
        return [number_of(row) for row in await _fetched(source, statement)]

    async def beginning(self, source: Source, domain_id: UUID, digits: Sequence[str]) -> dict[str, str]:
        """Give, for each of ``digits`` with which a longer live number of the domain begins, the first such number."""
        if not digits:
            return {}
        asked = values(column("digits", String()), name="asked").data([(each,) for each in digits]).cte("asked")
        longer = (
            select(func.min(Number.digits))
            .where(
                Number.domain_id == domain_id,
                Number.state != text("'retired'"),
                Number.digits > asked.c.digits,
                Number.digits < asked.c.digits + _AFTER_NINE,
            )
            .correlate(asked)
            .scalar_subquery()
        )
        rows = await _fetched(source, select(asked.c.digits, longer))
        return {row[0]: row[1] for row in rows if row[1] is not None}


async def _fetched(source: Source, statement: Select[*tuple[Any, ...]]) -> Sequence[Row]:
    if isinstance(source, AsyncSession):
        return [tuple(row) for row in await source.execute(statement)]
    return await source.fetch(source.prepare(statement))
