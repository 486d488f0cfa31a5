"""Choosing among a pool's free numbers by their looks, or several in a row: what a plain next one cannot do.

Both read the free list as far as they must, up to all of it: documented as O(free). They run inside the transaction that takes, and what
somebody else took in the meantime is simply not among what is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, and_, case, cast, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.query import Source
from app.numbers.errors import AllocationConflict, PoolExhausted
from app.numbers.models import Number
from app.numbers.nice import OPEN_FROM, Level, Pattern, is_kept_back
from app.numbers.plan_errors import NoRowOfNumbers, NumberKept
from app.numbers.repository import BEGUN, FREE, QUEUE, RESTED, Taken
from app.numbers.rules import State
from app.numbers.values import Wanted

OPEN: Final = or_(FREE, RESTED)
_NICE: Final = or_(and_(FREE, Number.nice > text("0")), RESTED)
"""Open, where only nice ones are asked for: in the words of the index over them, which SQLite takes literally."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What numbers are to look like. ``kept``: also those that are kept back; ``least``: at least so nice."""

    pattern: Pattern | None = None
    least: Level = Level.PLAIN
    exactly: Level | None = None
    kept: bool = False

    @property
    def open(self) -> ColumnElement[bool]:
        """Which numbers of a pool can be had, as the store finds those that look so soonest."""
        return _NICE if (self.least if self.exactly is None else self.exactly) > Level.PLAIN else OPEN

    def conditions(self) -> list[ColumnElement[bool]]:
        """Write it as conditions on ``Number``."""
        found: list[ColumnElement[bool]] = []
        if not self.kept:
            found.append(Number.sort_key >= OPEN_FROM)
        if self.exactly is not None:
            found.append(Number.nice == int(self.exactly))
        elif self.least > Level.PLAIN:
            found.append(Number.nice >= int(self.least))
        if self.pattern is not None:
            found += looking_like(self.pattern)
        return found


def looking_like(pattern: Pattern) -> list[ColumnElement[bool]]:
    """Write a pattern as conditions on a number's digits."""
    length = func.length(Number.digits)
    size = len(pattern.signs)
    found: list[ColumnElement[bool]] = [length >= size if pattern.before or pattern.after else length == size]
    letters: dict[str, ColumnElement[str]] = {}
    for at, sign in pattern.places:
        start = at + 1 if at >= 0 else length + at + 1
        digit: ColumnElement[str] = func.substr(Number.digits, start, 1)
        if sign.isdigit():
            found.append(digit == sign)
        elif sign in letters:
            found.append(digit == letters[sign])
        else:
            found += [digit != other for other in letters.values()]
            letters[sign] = digit
    return found


_PLACE: Final = case((Number.sort_key < OPEN_FROM, -1 - Number.sort_key), else_=Number.sort_key)
"""Where a number would stand if it were not kept back (``nice.mirrored``)."""


async def free_like(
    source: Source, pool_id: UUID, choice: Choice, *, now: datetime, limit: int
) -> list[tuple[str, bool]]:
    """List free numbers of a pool that look so, in the order in which they would be given out, and which are kept back."""
    order = _PLACE if choice.kept else Number.sort_key
    columns: tuple[Any, ...] = (Number.digits, Number.sort_key)
    statement = select(*columns).where(choice.open, *choice.conditions()).order_by(order, Number.id).limit(limit)
    return [(row[0], row[1] < OPEN_FROM) for row in await _run(source, statement, pool=pool_id, now=now)]


async def take_chosen(session: AsyncSession, pool_id: UUID, wanted: Wanted, now: datetime) -> list[Taken]:
    """Take numbers that look as ``wanted`` says, or that follow one another; all or none.

    Raises ``PoolExhausted``, ``NoRowOfNumbers`` and, when others were taking the same, ``AllocationConflict``; then nothing was taken.
    """
    choice = Choice(pattern=wanted.pattern, kept=wanted.kept)
    if session.get_bind().dialect.name == "postgresql":
        await QUEUE.rows(session, {"material": f"{pool_id}"})
    columns: tuple[Any, ...] = (Number.id, Number.digits)
    statement = select(*columns).where(choice.open, *choice.conditions()).with_for_update(skip_locked=True)
    values: dict[str, Any] = {"pool": pool_id, "now": now}
    if wanted.contiguous:
        row, longest = await row_of(session, pool_id, choice, count=wanted.count, now=now)
        if not row:
            raise NoRowOfNumbers(requested=wanted.count, longest=longest)
        statement = statement.where(Number.digits.in_(row)).order_by(Number.digits)
    else:
        statement = statement.order_by(_PLACE if choice.kept else Number.sort_key, Number.id).limit(wanted.count)
    found = [tuple(row) for row in await session.execute(statement, values)]
    if len(found) < wanted.count:
        free = await count_like(session, pool_id, choice, now=now)
        if free < wanted.count:
            raise PoolExhausted(requested=wanted.count, available=free)
        raise AllocationConflict
    give = (
        update(Number)
        .where(Number.id.in_([identity for identity, _ in found]))
        .values(state=BEGUN, available_from=None, row_version=Number.row_version + 1)
        .returning(Number.id, Number.state, Number.row_version)
        .execution_options(synchronize_session=False)
    )
    given = {row[0]: (State(row[1]), row[2]) for row in await session.execute(give, {"pool": pool_id})}
    return [Taken(identity, digits, *given[identity]) for identity, digits in found]


async def refuse_kept(session: AsyncSession, pool_id: UUID, digits: str) -> None:
    """Raise ``NumberKept`` for a number that its pool keeps back; one that somebody holds is not, and is refused as such."""
    if not is_kept_back(digits):
        return
    statement = select(Number.id).where(
        Number.pool_id == pool_id,
        Number.digits == digits,
        Number.state.in_((State.AVAILABLE.value, State.QUARANTINED.value)),
        Number.sort_key < OPEN_FROM,
    )
    if (await session.execute(statement)).first() is not None:
        raise NumberKept


async def count_like(source: Source, pool_id: UUID, choice: Choice, *, now: datetime) -> int:
    """Count them."""
    statement = select(func.count()).select_from(Number).where(choice.open, *choice.conditions())
    return int((await _run(source, statement, pool=pool_id, now=now))[0][0])


async def row_of(source: Source, pool_id: UUID, choice: Choice, *, count: int, now: datetime) -> tuple[list[str], int]:
    """Give the first ``count`` free numbers that follow one another without a gap, and the length of the longest such row.

    Nothing, when no row is long enough. Rows do not pass from one length of numbers to another.
    """
    value = cast(Number.digits, BigInteger)
    length = func.length(Number.digits)
    at = func.row_number().over(partition_by=length, order_by=Number.digits)
    free = select(length.label("width"), value.label("value"), (value - at).label("island"))
    islands = free.where(choice.open, *choice.conditions()).cte("islands")
    size = func.count()
    columns: tuple[Any, ...] = (islands.c.width, func.min(islands.c.value), size)
    grouped = select(*columns).group_by(islands.c.width, islands.c.island)
    longest = select(func.coalesce(func.max(grouped.subquery("rows").c[2]), 0))
    enough = grouped.having(size >= count).order_by(islands.c.width, func.min(islands.c.value)).limit(1)
    found = await _run(source, enough, pool=pool_id, now=now)
    if not found:
        return [], int((await _run(source, longest, pool=pool_id, now=now))[0][0])
    width, first, size_found = found[0]
    return [str(first + each).zfill(width) for each in range(count)], int(size_found)


async def _run(source: Source, statement: Select[*tuple[Any, ...]], **values: object) -> Sequence[Sequence[Any]]:
    if isinstance(source, AsyncSession):
        return [tuple(row) for row in await source.execute(statement, values)]
    return await source.fetch(source.prepare(statement), values)
