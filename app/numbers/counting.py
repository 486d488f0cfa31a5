"""How many numbers of a pool stand where, and how many went out and came back in the weeks before: exact, from indexes alone.

What is assigned is by far the most and changes with every call, so it is not counted: it is what the ranges have, less all that stands
otherwise, in one statement and so as of one moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    null,
    select,
    text,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.kit.db import Row
from app.kit.query import Source
from app.numbers.models import Number, NumberAssignment, NumberRange
from app.numbers.nice import OPEN_FROM
from app.numbers.repository import FREE, NOW, POOL
from app.numbers.rules import ENDING, Cause, State, rest

_ALL: Final = "all"
_KEPT: Final = "kept"
_ASIDE: Final = text("number.state NOT IN ('available','assigned')")
_EARLIER: Final = aliased(NumberAssignment)
_LATER: Final = aliased(NumberAssignment)


def _count(name: str, over: ColumnElement[Any] | None, *conditions: Any) -> Select[*tuple[Any, ...]]:  # noqa: ANN401 — conditions of a where
    label = literal_column(f"'{name}'", String).label("name")
    column = cast(null(), Boolean) if over is None else over
    return select(label, column.label("over"), func.count().label("numbers")).where(*conditions)


_OVER: Final = Number.available_from <= NOW
_STANDING: Final = union_all(
    _count(State.AVAILABLE.value, None, FREE),
    _count(_KEPT, None, FREE, Number.sort_key < OPEN_FROM),
    select(Number.state, _OVER, func.count()).where(Number.pool_id == POOL, _ASIDE).group_by(Number.state, _OVER),
    select(
        literal_column(f"'{_ALL}'", String),
        cast(null(), Boolean),
        cast(func.coalesce(func.sum(NumberRange.materialised), 0), BigInteger),
    ).where(NumberRange.pool_id == POOL),
).subquery("standing")
_COUNTED: Final[Select[*tuple[Any, ...]]] = select(_STANDING.c.name, _STANDING.c.over, _STANDING.c.numbers)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many numbers stand where; ``kept`` of those that are free are kept back."""

    states: dict[State, int]
    kept: int

    @property
    def size(self) -> int:
        """How many numbers there are, retired ones left out."""
        return sum(self.states.values()) - self.states[State.RETIRED]

    @property
    def free(self) -> int:
        """How many are free, kept ones too."""
        return self.states[State.AVAILABLE]


async def counted(source: Source, pool_id: UUID, now: datetime) -> Counted:
    """Count the numbers of a pool by where they stand now; what has ended by now is free, whether or not anybody wrote it down."""
    states, kept, size = dict.fromkeys(State, 0), 0, 0
    for name, over, count in await _run(source, _COUNTED, pool=pool_id, now=now):
        if name == _ALL:
            size = count
        elif name == _KEPT:
            kept = count
        else:
            state = State(name)
            states[State.AVAILABLE if over and state in ENDING else state] += count
    states[State.ASSIGNED] = size - sum(states.values())
    return Counted(states, kept)


async def taken_up(source: Source, pool_id: UUID, *, quarantine_days: int, bounds: Sequence[datetime]) -> list[int]:
    """Give the net take-up of a pool between each two of ``bounds``, which ascend: numbers that left its free list less returned ones.

    A number returns when its rest is over, by the pool's days of now. One that goes from one holder to another without a rest does neither.
    Shared lines are left out: how many hold one says nothing about numbers.
    """
    net = [0] * (len(bounds) - 1)
    passed_on = exists(
        select(_EARLIER.id).where(
            _EARLIER.number_id == NumberAssignment.number_id, _EARLIER.ended_at == NumberAssignment.started_at
        )
    )
    for week, count in await _run(source, _weekly(NumberAssignment.started_at, pool_id, bounds, ~passed_on)):
        net[week] += count
    passed_on = exists(
        select(_LATER.id).where(
            _LATER.number_id == NumberAssignment.number_id, _LATER.started_at == NumberAssignment.ended_at
        )
    )
    by_rest: dict[timedelta, list[str]] = {}
    for cause in Cause:
        days = rest(quarantine_days, cause)
        if days is not None:
            by_rest.setdefault(days, []).append(cause.value)
    for days, causes in by_rest.items():
        earlier = [each - days for each in bounds]
        of_causes = NumberAssignment.cause.in_(causes)
        for week, count in await _run(
            source, _weekly(NumberAssignment.ended_at, pool_id, earlier, ~passed_on, of_causes)
        ):
            net[week] -= count
    return net


async def first_start(source: Source, pool_id: UUID) -> datetime | None:
    """Give when a number of the pool was first given out."""
    started = NumberAssignment.started_at
    statement = select(started).where(NumberAssignment.pool_id == pool_id).order_by(started).limit(1)
    rows = await _run(source, statement)
    return rows[0][0] if rows else None


def _weekly(
    moment: Any,  # noqa: ANN401 — a column of moments
    pool_id: UUID,
    bounds: Sequence[datetime],
    *conditions: ColumnElement[bool],
) -> Select[*tuple[Any, ...]]:
    week = case(*((moment < bound, literal(place)) for place, bound in enumerate(bounds[1:])))
    within = and_(moment >= bounds[0], moment < bounds[-1])
    not_shared = NumberAssignment.role != literal("shared")
    columns: tuple[Any, ...] = (week.label("week"), func.count())
    return (
        select(*columns)
        .where(NumberAssignment.pool_id == pool_id, within, not_shared, *conditions)
        .group_by(literal_column("1"))
    )


async def _run(source: Source, statement: Select[*tuple[Any, ...]], **values: object) -> Sequence[Row]:
    if isinstance(source, AsyncSession):
        return [tuple(row) for row in await source.execute(statement, values)]
    return await source.fetch(source.prepare(statement), values)
