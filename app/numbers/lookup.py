"""Looking at numbers outside of any transaction: pages, who holds them, who held one, what would be next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select

from app.auth.repository import Query
from app.kit.db import Reader
from app.numbers.models import Number, NumberAssignment
from app.numbers.nice import OPEN_FROM
from app.numbers.repository import (
    ASSIGNMENT,
    COUNT,
    FREE,
    NUMBERS,
    RESTED,
    Assignment,
    NumberRow,
    assignment_of,
    number_of,
)
from app.numbers.rules import ENDING, State

_NEXT_COLUMNS: Final[tuple[Any, ...]] = (Number.digits, Number.sort_key)
_NOT_KEPT: Final = Number.sort_key >= OPEN_FROM
_NEXT: Final = {
    "available": Query(select(*_NEXT_COLUMNS).where(FREE, _NOT_KEPT).order_by(Number.sort_key).limit(COUNT)),
    "rested": Query(select(*_NEXT_COLUMNS).where(RESTED, _NOT_KEPT).order_by(Number.available_from).limit(COUNT)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What a list of numbers asks for; every member narrows."""

    pool_id: UUID | None = None
    state: State | None = None
    holder_id: UUID | None = None
    digits: str | None = None
    number_id: int | None = None
    now: datetime
    after: tuple[UUID, str, int] | None = None


class NumberLookup:
    """Looks."""

    async def page(self, reader: Reader, narrowing: Narrowing, *, limit: int) -> list[NumberRow]:
        """List numbers by pool and digits."""
        statement = NUMBERS.where(*_conditions(narrowing)).order_by(Number.pool_id, Number.digits, Number.id)
        return [number_of(row) for row in await reader.fetch(reader.prepare(statement.limit(limit)))]

    async def holding(self, reader: Reader, number_ids: Sequence[int]) -> list[Assignment]:
        """List the open assignments of these numbers, longest first."""
        if not number_ids:
            return []
        statement = (
            select(*ASSIGNMENT)
            .where(NumberAssignment.number_id.in_(number_ids), NumberAssignment.ended_at.is_(None))
            .order_by(NumberAssignment.started_at, NumberAssignment.id)
        )
        return [assignment_of(row) for row in await reader.fetch(reader.prepare(statement))]

    async def history(
        self,
        reader: Reader,
        number_id: int,
        *,
        during: tuple[datetime, datetime] | None,
        before: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[Assignment]:
        """List who held a number, latest first; ``during`` keeps those who held it at some moment of it (its end is outside)."""
        statement = select(*ASSIGNMENT).where(NumberAssignment.number_id == number_id)
        if during is not None:
            begin, end = during
            statement = statement.where(
                NumberAssignment.started_at < end,
                or_(NumberAssignment.ended_at.is_(None), NumberAssignment.ended_at > begin),
            )
        if before is not None:
            at, identity = before
            statement = statement.where(
                or_(
                    NumberAssignment.started_at < at,
                    and_(NumberAssignment.started_at == at, NumberAssignment.id < identity),
                )
            )
        ordered = statement.order_by(NumberAssignment.started_at.desc(), NumberAssignment.id.desc()).limit(limit)
        return [assignment_of(row) for row in await reader.fetch(reader.prepare(ordered))]

    async def preview(self, reader: Reader, pool_id: UUID, *, wanted: int, now: datetime) -> list[str]:
        """List the numbers that would be next, in that order."""
        free = await _NEXT["available"].rows(reader, pool=pool_id, wanted=wanted)
        rested = await _NEXT["rested"].rows(reader, pool=pool_id, wanted=wanted, now=now)
        return [digits for digits, _ in sorted((*free, *rested), key=lambda row: (row[1], row[0]))[:wanted]]


def _conditions(narrowing: Narrowing) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if narrowing.pool_id is not None:
        found.append(Number.pool_id == narrowing.pool_id)
    if narrowing.digits is not None:
        found.append(Number.digits == narrowing.digits)
    if narrowing.number_id is not None:
        found.append(Number.id == narrowing.number_id)
    if narrowing.holder_id is not None:
        held = select(NumberAssignment.number_id).where(
            NumberAssignment.holder_id == narrowing.holder_id, NumberAssignment.ended_at.is_(None)
        )
        found.append(Number.id.in_(held))
    match narrowing.state:
        case None:
            pass
        case State.AVAILABLE:
            found.append(or_(Number.state == State.AVAILABLE.value, Number.available_from <= narrowing.now))
        case state if state in ENDING:
            lasts = or_(Number.available_from.is_(None), Number.available_from > narrowing.now)
            found.append(and_(Number.state == state.value, lasts))
        case state:
            found.append(Number.state == state.value)
    if narrowing.after is not None:
        pool_id, digits, identity = narrowing.after
        found.append(
            or_(
                Number.pool_id > pool_id,
                and_(Number.pool_id == pool_id, Number.digits > digits),
                and_(Number.pool_id == pool_id, Number.digits == digits, Number.id > identity),
            )
        )
    return found
