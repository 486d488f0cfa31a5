"""All queries on holds and on the numbers that are under one. None commits.

Whoever works on a hold locks its row first and its numbers after it. What a number may still be taken for is asked of the number's own row,
in the statement that takes it: its state, the hold that it is under, and whether that is over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import String, bindparam, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.db import Reader
from app.kit.models import Id, Instant
from app.kit.query import Query, Source
from app.kit.straight import Straight
from app.numbers.models import Number, NumberHold
from app.numbers.nice import OPEN_FROM
from app.numbers.repository import BEGUN, FREE, QUEUE, RESTED, Taken
from app.numbers.rules import State
from app.numbers.taking import taking

_UNDER: Final = {
    "state": bindparam("then", type_=String()),
    "available_from": bindparam("until", type_=Instant()),
    "hold_id": bindparam("hold", type_=Id()),
    "kept_for": None,
}
_NEXT: Final = {waiting: Straight(taking(waiting=waiting, values=_UNDER)) for waiting in (False, True)}
_PICKED: Final = (Number.id, Number.digits)
_KEPT: Final = Number.state.in_((State.HELD.value, State.RESERVED.value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """One hold; ``numbers`` are row numbers, in the order in which they are given out."""

    id: UUID
    pool_id: UUID
    numbers: tuple[int, ...]
    kind: str
    owner: str
    purpose: str
    expires_at: datetime
    extended: int
    created_at: datetime
    ended_at: datetime | None = None
    cause: str | None = None

    @property
    def state(self) -> State:
        """How its numbers stand."""
        return State.RESERVED if self.kind == "reservation" else State.HELD

    def over(self, now: datetime) -> bool:
        """Tell whether nothing can be done with it any more; at its very end it is over."""
        return self.ended_at is not None or self.expires_at <= now

    def standing(self, now: datetime) -> str:
        """Name how it stands: ``open``, or how it ended."""
        return self.cause or ("expired" if self.expires_at <= now else "open")


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldNarrowing:
    """What a list of holds asks for, of those that are not over ``now``; every member narrows."""

    now: datetime
    owner: str | None = None
    pool_id: UUID | None = None
    expires_before: datetime | None = None
    before: UUID | None = None


_COLUMNS: Final[tuple[Any, ...]] = (
    NumberHold.id,
    NumberHold.pool_id,
    NumberHold.numbers,
    NumberHold.kind,
    NumberHold.owner,
    NumberHold.purpose,
    NumberHold.expires_at,
    NumberHold.extended,
    NumberHold.created_at,
    NumberHold.ended_at,
    NumberHold.cause,
)
_BY_ID: Final = Query(select(*_COLUMNS).where(NumberHold.id == bindparam("id", type_=Id())), by_key=True)


class HoldRepository:
    """Rows of ``number_hold``, and of ``number`` under one."""

    async def add(self, session: AsyncSession, hold: Hold) -> None:
        """Add a hold."""
        await session.execute(
            insert(NumberHold).values(
                id=hold.id,
                pool_id=hold.pool_id,
                numbers=list(hold.numbers),
                kind=hold.kind,
                owner=hold.owner,
                purpose=hold.purpose,
                expires_at=hold.expires_at,
                extended=hold.extended,
                row_version=1,
                created_at=hold.created_at,
            )
        )

    async def held(self, session: AsyncSession, identity: UUID) -> Hold | None:
        """Load a hold, locked until the transaction ends."""
        statement = select(*_COLUMNS).where(NumberHold.id == identity).with_for_update()
        row = (await session.execute(statement)).first()
        return None if row is None else _hold(row)

    async def by_id(self, source: Source, identity: UUID) -> Hold | None:
        """Find a hold."""
        rows = await _BY_ID.rows(source, id=identity)
        return _hold(rows[0]) if rows else None

    async def page(self, source: Source, narrowing: HoldNarrowing, *, limit: int) -> list[Hold]:
        """List holds that are not over, latest first."""
        conditions = [NumberHold.ended_at.is_(None), NumberHold.expires_at > narrowing.now]
        if narrowing.owner is not None:
            conditions.append(NumberHold.owner == narrowing.owner)
        if narrowing.pool_id is not None:
            conditions.append(NumberHold.pool_id == narrowing.pool_id)
        if narrowing.expires_before is not None:
            conditions.append(NumberHold.expires_at < narrowing.expires_before)
        if narrowing.before is not None:
            conditions.append(NumberHold.id < narrowing.before)
        statement = select(*_COLUMNS).where(*conditions).order_by(NumberHold.id.desc()).limit(limit)
        return [_hold(row) for row in await Query(statement).rows(source)]

    async def digits_of(self, source: Source, holds: Iterable[Hold]) -> dict[int, str]:
        """Give the digits of all numbers of holds, by row number."""
        numbers = sorted({each for hold in holds for each in hold.numbers})
        if not numbers:
            return {}
        columns: tuple[Any, ...] = _PICKED
        return {row[0]: row[1] for row in await Query(select(*columns).where(Number.id.in_(numbers))).rows(source)}

    async def extend(self, session: AsyncSession, hold: Hold, until: datetime) -> None:
        """Write a later end."""
        await session.execute(
            update(NumberHold)
            .where(NumberHold.id == hold.id)
            .values(expires_at=until, extended=hold.extended + 1, row_version=NumberHold.row_version + 1)
            .execution_options(synchronize_session=False)
        )

    async def end(self, session: AsyncSession, identity: UUID, cause: str, at: datetime) -> bool:
        """Write that a hold is over; tell whether it was not before."""
        done = await session.execute(
            update(NumberHold)
            .where(NumberHold.id == identity, NumberHold.ended_at.is_(None))
            .values(ended_at=at, cause=cause, row_version=NumberHold.row_version + 1)
            .returning(NumberHold.id)
            .execution_options(synchronize_session=False)
        )
        return done.first() is not None

    async def expired(self, reader: Reader, now: datetime, *, limit: int) -> list[UUID]:
        """List holds that are over without anybody having said so, longest first."""
        statement = (
            select(NumberHold.id)
            .where(NumberHold.ended_at.is_(None), NumberHold.expires_at <= now)
            .order_by(NumberHold.expires_at)
            .limit(limit)
        )
        return [row[0] for row in await reader.fetch(reader.prepare(statement))]

    async def keep_next(self, session: AsyncSession, hold: Hold, count: int, now: datetime) -> list[Taken]:
        """Put the next ``count`` numbers of its pool under a hold, or none; as whoever takes them to give them out."""
        values = {"pool": hold.pool_id, "wanted": count, "now": now} | _under(hold)
        if session.get_bind().dialect.name != "postgresql":
            return _taken(await _NEXT[False].rows(session, values))
        if count > 1:
            await QUEUE.rows(session, {"material": f"{hold.pool_id}"})
        rows = await _NEXT[False].rows(session, values)
        if not rows:
            await QUEUE.rows(session, {"material": f"{hold.pool_id}"})
            rows = await _NEXT[True].rows(session, values)
        return _taken(rows)

    async def keep_matching(
        self, session: AsyncSession, hold: Hold, pattern: str, count: int, now: datetime
    ) -> list[Taken]:
        """Put up to ``count`` free numbers whose digits are like ``pattern`` (of LIKE) under a hold, in the pool's order.

        Reads what is free of the pool. Nobody waits for numbers that others are taking.
        """
        picked = (
            select(Number.id)
            .where(
                or_(FREE, RESTED), Number.sort_key >= OPEN_FROM, Number.digits.like(bindparam("like", type_=String()))
            )
            .order_by(Number.sort_key, Number.id)
            .limit(count)
            .with_for_update(skip_locked=True)
        )
        statement = (
            update(Number)
            .where(Number.id.in_(picked))
            .values(**_UNDER, row_version=Number.row_version + 1)
            .returning(*_PICKED, Number.sort_key, Number.state, Number.row_version)
            .execution_options(synchronize_session=False)
        )
        values = {"pool": hold.pool_id, "like": pattern, "now": now} | _under(hold)
        return _taken([tuple(row) for row in await session.execute(statement, values)])

    async def postpone(self, session: AsyncSession, hold: Hold, until: datetime, now: datetime) -> int:
        """Keep the numbers of a hold for longer; give how many there still are."""
        statement = update(Number).where(*_still(hold, now)).values(available_from=until).returning(Number.id)
        rows = await session.execute(statement.execution_options(synchronize_session=False))
        return len(rows.all())

    async def take(self, session: AsyncSession, hold: Hold, now: datetime) -> list[Taken]:
        """Take the numbers of a hold that are still under it, in its order."""
        statement = (
            update(Number)
            .where(*_still(hold, now))
            .values(state=BEGUN, available_from=None, hold_id=None, row_version=Number.row_version + 1)
            .returning(*_PICKED, Number.state, Number.row_version)
            .execution_options(synchronize_session=False)
        )
        rows = {row[0]: row for row in await session.execute(statement, {"pool": hold.pool_id})}
        return [Taken(row[0], row[1], State(row[2]), row[3]) for each in hold.numbers if (row := rows.get(each))]

    async def let_go(self, session: AsyncSession, hold: Hold) -> list[Taken]:
        """Free the numbers that are still under a hold; give them as they stand then."""
        rows = await session.execute(
            update(Number)
            .where(Number.id.in_(hold.numbers), Number.hold_id == hold.id, _KEPT)
            .values(state=State.AVAILABLE.value, available_from=None, hold_id=None, row_version=Number.row_version + 1)
            .returning(*_PICKED, Number.row_version)
            .execution_options(synchronize_session=False)
        )
        return sorted((Taken(row[0], row[1], State.AVAILABLE, row[2]) for row in rows), key=lambda each: each.id)

    async def digits(self, session: AsyncSession, hold: Hold) -> list[str]:
        """List the numbers of a hold as digits, in its order."""
        rows = await session.execute(select(*_PICKED).where(Number.id.in_(hold.numbers)))
        found = {row[0]: row[1] for row in rows}
        return [found[each] for each in hold.numbers]


def _under(hold: Hold) -> dict[str, Any]:
    return {"then": hold.state.value, "until": hold.expires_at, "hold": hold.id}


def _still(hold: Hold, now: datetime) -> tuple[Any, ...]:
    return (Number.id.in_(hold.numbers), Number.hold_id == hold.id, _KEPT, Number.available_from > now)


def _taken(rows: Sequence[Sequence[Any]]) -> list[Taken]:
    return [Taken(row[0], row[1], State(row[3]), row[4]) for row in sorted(rows, key=lambda row: (row[2], row[0]))]


def _hold(row: Any) -> Hold:  # noqa: ANN401 — a row of ``_COLUMNS``
    return Hold(
        id=row[0],
        pool_id=row[1],
        numbers=tuple(row[2]),
        kind=row[3],
        owner=row[4],
        purpose=row[5],
        expires_at=row[6],
        extended=row[7],
        created_at=row[8],
        ended_at=row[9],
        cause=row[10],
    )
