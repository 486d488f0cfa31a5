"""All queries on numbers and on who holds them, but for taking the next one (``taking``) and a former one (``regaining``). None commits."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import (
    Integer,
    String,
    Table,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.authors import Author
from app.kit.db import Reader, Row
from app.kit.errors import Problem
from app.kit.models import Id, Instant
from app.kit.straight import Straight, Writes
from app.numbers.errors import AllocationConflict, NumberNotAvailable, NumberNotInPool
from app.numbers.models import ROW_NUMBER, Number, NumberAssignment, NumberDomain, NumberPool
from app.numbers.nice import OPEN_FROM
from app.numbers.rules import ENDING, Cause, State, Verb, moved, standing
from app.numbers.terms import next_due

POOL: Final = bindparam("pool", type_=Id())
NOW: Final = bindparam("now", type_=Instant())
COUNT: Final = bindparam("wanted", type_=Integer())
ROW_ID: Final = bindparam("row", type_=ROW_NUMBER)

FREE: Final = and_(Number.pool_id == POOL, Number.state == text("'available'"))
RESTED: Final = and_(Number.pool_id == POOL, Number.available_from <= NOW)
"""Free by now, though nobody wrote it down: only states that end by themselves have a date (``rules.ENDING``)."""

BEGUN: Final = case(
    (
        select(NumberPool.confirms).where(NumberPool.id == POOL).scalar_subquery(),
        literal_column(f"'{State.PROVISIONING.value}'"),
    ),
    else_=literal_column(f"'{State.ASSIGNED.value}'"),
)
"""``rules.begun`` of the pool as it is now, in the statement that takes."""

_TAKE_ONE: Final = (
    update(Number)
    .where(Number.pool_id == POOL, Number.digits == bindparam("wanted_digits", type_=String()), or_(FREE, RESTED))
    .values(state=BEGUN, available_from=None, row_version=Number.row_version + 1)
    .returning(Number.id, Number.state, Number.row_version)
    .execution_options(synchronize_session=False)
)
_TAKE_THESE: Final = (
    update(Number)
    .where(
        Number.pool_id == POOL,
        Number.digits.in_(bindparam("wanted_digits", type_=String(), expanding=True)),
        or_(FREE, RESTED),
    )
    .values(state=BEGUN, available_from=None, row_version=Number.row_version + 1)
    .returning(Number.id, Number.digits, Number.state, Number.row_version)
    .execution_options(synchronize_session=False)
)
_FREE_COUNT: Final = select(func.count()).select_from(Number).where(or_(FREE, RESTED), Number.sort_key >= OPEN_FROM)

QUEUE: Final = Straight(
    select(
        func.pg_advisory_xact_lock(func.hashtextextended(bindparam("material", type_=String()), literal_column("0")))
    )
)
_ASSIGNMENTS: Final = cast("Table", NumberAssignment.__table__)
_ASSIGN: Final = Straight(insert(_ASSIGNMENTS), columns=[column.key for column in _ASSIGNMENTS.columns])

SEEN: Final = (
    Number.id,
    Number.pool_id,
    NumberPool.code,
    NumberDomain.code,
    Number.digits,
    Number.state,
    Number.available_from,
    Number.kept_for,
    Number.row_version,
)
NUMBERS: Final = (
    select(*SEEN)
    .join(NumberPool, NumberPool.id == Number.pool_id)
    .join(NumberDomain, NumberDomain.id == Number.domain_id)
)
ASSIGNMENT: Final = (
    NumberAssignment.id,
    NumberAssignment.number_id,
    NumberAssignment.holder_type,
    NumberAssignment.holder_id,
    NumberAssignment.role,
    NumberAssignment.started_at,
    NumberAssignment.ended_at,
    NumberAssignment.cause,
    NumberAssignment.until,
    NumberAssignment.actor_type,
    NumberAssignment.actor_id,
    NumberAssignment.holder_code,
)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who may hold a number; ``code`` is that of a holder who is known by one, and its id is made of it."""

    type: str
    id: UUID
    code: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One row of who holds or held a number; ``by`` is the type and id of who allocated it."""

    id: UUID
    number_id: int
    holder: Holder
    role: str
    started_at: datetime
    ended_at: datetime | None
    cause: str | None
    until: datetime | None
    by: tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRow:
    """One number with the codes of its pool and domain."""

    id: int
    pool_id: UUID
    pool: str
    domain: str
    digits: str
    state: State
    available_from: datetime | None
    kept_for: str | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """A number that was just taken, whether the exchange has to confirm it, and its row's version since."""

    id: int
    digits: str
    state: State = State.ASSIGNED
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What numbers are taken for: to whom, as what, until when, by whom and under which reference."""

    holder: Holder
    role: str
    caller: str
    author: Author
    consumer_ref: str | None = None
    until: datetime | None = None


class NumberRepository:
    """Rows of ``number`` and ``number_assignment``."""

    async def claim_reference(self, session: AsyncSession, pool_id: UUID, caller: str, reference: str) -> None:
        """Let allocations under one reference queue (SQLite has one writer anyway)."""
        if session.get_bind().dialect.name == "postgresql":
            await QUEUE.rows(session, {"material": f"{pool_id} {caller} {reference}"})

    async def of_reference(
        self, session: AsyncSession, pool_id: UUID, caller: str, reference: str
    ) -> list[tuple[Assignment, str, State]]:
        """List what was allocated under a reference, with digits and state of the number, in the order in which it was told."""
        columns: tuple[Any, ...] = (*ASSIGNMENT, Number.digits, Number.state)
        rows = await session.execute(
            select(*columns)
            .join(Number, Number.id == NumberAssignment.number_id)
            .where(
                NumberAssignment.pool_id == pool_id,
                NumberAssignment.caller == caller,
                NumberAssignment.consumer_ref == reference,
            )
            .order_by(NumberAssignment.ordinal)
        )
        return [(assignment_of(tuple(row)), row[-2], State(row[-1])) for row in rows]

    async def take_one(self, session: AsyncSession, pool_id: UUID, digits: str, now: datetime) -> Taken | None:
        """Take this number if it is free."""
        values = {"pool": pool_id, "wanted_digits": digits, "now": now}
        row = (await session.execute(_TAKE_ONE, values)).first()
        return None if row is None else Taken(row[0], digits, State(row[1]), row[2])

    async def take_these(
        self, session: AsyncSession, pool_id: UUID, digits: Sequence[str], now: datetime
    ) -> list[Taken]:
        """Take those of these numbers that are free."""
        values = {"pool": pool_id, "wanted_digits": digits, "now": now}
        return [Taken(row[0], row[1], State(row[2]), row[3]) for row in await session.execute(_TAKE_THESE, values)]

    async def refusal(self, session: AsyncSession, pool_id: UUID, digits: str, now: datetime) -> Problem:
        """Say why a number of a pool cannot be had."""
        found = await self.named(session, digits, domain=None, pool_id=pool_id)
        return not_available(found[0], now) if found else NumberNotInPool()

    async def free(self, session: AsyncSession, pool_id: UUID, now: datetime) -> int:
        """Count the free numbers of a pool."""
        return int(await session.scalar(_FREE_COUNT, {"pool": pool_id, "now": now}) or 0)

    def assign(
        self, writes: Writes, pool_id: UUID, grant: Grant, taken: Iterable[tuple[UUID, Taken]], at: datetime
    ) -> None:
        """Gather who holds the taken numbers from now on, under the ids given."""
        writes.add(_ASSIGN, *_assignments(pool_id, ((identity, number, grant) for identity, number in taken), at))

    async def assign_each(
        self, session: AsyncSession, pool_id: UUID, granted: Sequence[tuple[UUID, Taken, Grant]], at: datetime
    ) -> None:
        """Write who holds the taken numbers from now on, where each may have another holder."""
        await _ASSIGN.each(session, list(_assignments(pool_id, granted, at)))

    async def locked(self, session: AsyncSession, number_ids: Iterable[int]) -> dict[int, NumberRow]:
        """Load numbers, locked until the transaction ends."""
        statement = NUMBERS.where(Number.id.in_(sorted(number_ids))).order_by(Number.id).with_for_update(of=Number)
        return {row[0]: number_of(tuple(row)) for row in await session.execute(statement)}

    async def open_of(self, source: AsyncSession | Reader, number_id: int) -> list[Assignment]:
        """List who holds a number, longest first."""
        statement = (
            select(*ASSIGNMENT)
            .where(NumberAssignment.number_id == number_id, NumberAssignment.ended_at.is_(None))
            .order_by(NumberAssignment.started_at, NumberAssignment.id)
        )
        if isinstance(source, AsyncSession):
            return [assignment_of(tuple(row)) for row in await source.execute(statement)]
        return [assignment_of(row) for row in await source.fetch(source.prepare(statement))]

    async def open_of_holder(self, session: AsyncSession, holder: Holder) -> list[tuple[Assignment, str]]:
        """List what somebody holds, with the digits, longest first."""
        rows = await session.execute(
            select(*ASSIGNMENT, Number.digits)
            .join(Number, Number.id == NumberAssignment.number_id)
            .where(
                NumberAssignment.holder_id == holder.id,
                NumberAssignment.holder_type == holder.type,
                NumberAssignment.ended_at.is_(None),
            )
            .order_by(NumberAssignment.started_at, NumberAssignment.ordinal, NumberAssignment.id)
        )
        return [(assignment_of(tuple(row)), row[-1]) for row in rows]

    async def end(
        self, session: AsyncSession, identities: Iterable[UUID], cause: Cause, author: Author, at: datetime
    ) -> None:
        """End assignments."""
        await session.execute(
            update(NumberAssignment)
            .where(NumberAssignment.id.in_(sorted(identities)), NumberAssignment.ended_at.is_(None))
            .values(ended_at=at, cause=cause.value, ended_by_type=author.type, ended_by_id=author.id)
            .execution_options(synchronize_session=False)
        )

    async def put(
        self,
        session: AsyncSession,
        number: NumberRow,
        verb: Verb,
        *,
        sort_key: int | None = None,
        available_from: datetime | None = None,
        kept_for: str | None = None,
    ) -> NumberRow:
        """Move a number that was loaded ``locked`` as the rules say; raise ``AllocationConflict`` where they do not.

        Without ``sort_key`` its place in the free list stays.
        """
        state = moved(number.state, verb)
        if state is None:
            raise AllocationConflict
        place = {} if sort_key is None else {"sort_key": sort_key}
        await session.execute(
            update(Number)
            .where(Number.id == number.id)
            .values(
                state=state.value,
                available_from=available_from,
                kept_for=kept_for,
                hold_id=None,
                row_version=Number.row_version + 1,
                **place,
            )
            .execution_options(synchronize_session=False)
        )
        return replace(
            number, state=state, available_from=available_from, kept_for=kept_for, version=number.version + 1
        )

    async def named(
        self, source: AsyncSession | Reader, digits: str, *, domain: str | None, pool_id: UUID | None = None
    ) -> list[NumberRow]:
        """Find the live numbers of these digits, in one domain (by code or id as text) or in all."""
        domains = select(NumberDomain.id)
        if domain is not None:
            domains = domains.where(NumberDomain.code == domain)
        statement = NUMBERS.where(
            Number.domain_id.in_(domains), Number.digits == digits, Number.state != text("'retired'")
        )
        if pool_id is not None:
            statement = statement.where(Number.pool_id == pool_id)
        if isinstance(source, AsyncSession):
            return [number_of(tuple(row)) for row in await source.execute(statement)]
        return [number_of(row) for row in await source.fetch(source.prepare(statement))]


def _assignments(
    pool_id: UUID, granted: Iterable[tuple[UUID, Taken, Grant]], at: datetime
) -> Iterator[Mapping[str, Any]]:
    told: Counter[Holder] = Counter()
    for identity, number, grant in granted:
        yield {
            "id": identity,
            "number_id": number.id,
            "pool_id": pool_id,
            "holder_type": grant.holder.type,
            "holder_id": grant.holder.id,
            "role": grant.role,
            "started_at": at,
            "ended_at": None,
            "cause": None,
            "until": grant.until,
            "caller": grant.caller,
            "consumer_ref": grant.consumer_ref,
            "ordinal": told[grant.holder],
            "actor_type": grant.author.type,
            "actor_id": grant.author.id,
            "request_id": grant.author.request_id,
            "ended_by_type": None,
            "ended_by_id": None,
            "due_at": next_due(grant.until, at),
            "holder_code": grant.holder.code,
        }
        told[grant.holder] += 1


def not_available(number: NumberRow, now: datetime) -> NumberNotAvailable:
    """Say how a number stands that cannot be had, and from when on it can if that is known."""
    ends = number.available_from if number.state in ENDING else None
    return NumberNotAvailable(
        state=standing(number.state, number.available_from, now).value,
        available_from=None if ends is None else ends.isoformat(),
    )


def number_of(row: Row) -> NumberRow:
    """Read a row of ``NUMBERS``."""
    return NumberRow(
        id=row[0],
        pool_id=row[1],
        pool=row[2],
        domain=row[3],
        digits=row[4],
        state=State(row[5]),
        available_from=row[6],
        kept_for=row[7],
        version=row[8],
    )


def assignment_of(row: Row) -> Assignment:
    """Read a row that begins with the columns of ``ASSIGNMENT``."""
    return Assignment(
        id=row[0],
        number_id=row[1],
        holder=Holder(row[2], row[3], row[11]),
        role=row[4],
        started_at=row[5],
        ended_at=row[6],
        cause=row[7],
        until=row[8],
        by=(row[9], row[10]),
    )
