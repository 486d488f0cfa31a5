"""All queries on domains, pools, ranges and the reserved table, and whether the department that owns a pool is there. Nothing commits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import String, bindparam, column, insert, select, table, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import Query, Source
from app.kit.db import Row
from app.kit.models import Id
from app.kit.straight import Straight
from app.numbers.conflicts import Profile
from app.numbers.models import Number, NumberDomain, NumberPool, NumberRange
from app.numbers.nice import VERSION, looks, pattern
from app.numbers.rules import Order, PoolClass, State, Strategy, Stretch

_NIL: Final = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """One numbering domain."""

    id: UUID
    code: str
    name: str
    dialling: str
    profile: Profile = field(default_factory=Profile)
    row_version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """One pool, with the code of its domain."""

    id: UUID
    domain_id: UUID
    domain: str
    code: str
    name: str
    pool_class: PoolClass
    strategy: Strategy
    quarantine_days: int
    department_id: UUID | None
    joiners: bool
    low_water: int | None
    lead_days: int | None = None
    keeps_nice: bool = False
    confirms: bool = False
    pattern: str | None = None
    row_version: int = 1

    @property
    def order(self) -> Order:
        """In which order its numbers are given."""
        return Order(self.strategy, None if self.pattern is None else pattern(self.pattern).matches)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One range as it is stored."""

    id: UUID
    pool_id: UUID
    domain_id: UUID
    stretch: Stretch
    materialised: int
    created_at: datetime
    opens_at: datetime | None = None


_DOMAIN_COLUMNS: Final[tuple[Any, ...]] = (
    NumberDomain.id,
    NumberDomain.code,
    NumberDomain.name,
    NumberDomain.dialling,
    NumberDomain.first_digits,
    NumberDomain.shortest,
    NumberDomain.longest,
    NumberDomain.access_codes,
    NumberDomain.row_version,
)
_DOMAINS: Final = Query(select(*_DOMAIN_COLUMNS).order_by(NumberDomain.code))

_POOL_COLUMNS: Final[tuple[Any, ...]] = (
    NumberPool.id,
    NumberPool.domain_id,
    NumberDomain.code,
    NumberPool.code,
    NumberPool.name,
    NumberPool.pool_class,
    NumberPool.strategy,
    NumberPool.quarantine_days,
    NumberPool.department_id,
    NumberPool.joiners,
    NumberPool.low_water,
    NumberPool.row_version,
    NumberPool.lead_days,
    NumberPool.keeps_nice,
    NumberPool.confirms,
    NumberPool.pattern,
)
_POOLS: Final = select(*_POOL_COLUMNS).join(NumberDomain, NumberDomain.id == NumberPool.domain_id)
_ALL_POOLS: Final = Query(_POOLS.order_by(NumberPool.code))
_NAMED: Final = Query(
    _POOLS.where(
        (NumberPool.code == bindparam("code", type_=String())) | (NumberPool.id == bindparam("id", type_=Id()))
    ),
    by_key=True,
)
RANGE_COLUMNS: Final[tuple[Any, ...]] = (
    NumberRange.id,
    NumberRange.pool_id,
    NumberRange.domain_id,
    NumberRange.first,
    NumberRange.last,
    NumberRange.step,
    NumberRange.excluded,
    NumberRange.materialised,
    NumberRange.created_at,
    NumberRange.opens_at,
)
_OF_POOL: Final = Query(
    select(*RANGE_COLUMNS)
    .where(NumberRange.pool_id == bindparam("pool", type_=Id()))
    .order_by(NumberRange.width, NumberRange.first, NumberRange.id)
)
_DEPARTMENT: Final = table("department", column("id", Id()))
_STAYS: Final = Straight(
    select(_DEPARTMENT.c.id)
    .where(_DEPARTMENT.c.id == bindparam("department", type_=Id()))
    .with_for_update(read=True, key_share=True)
)


class PoolRepository:
    """Rows of the plan."""

    async def domains(self, source: Source) -> list[Domain]:
        """List all domains by code."""
        return [_domain(row) for row in await _DOMAINS.rows(source)]

    async def domain(self, source: Source, named: str) -> Domain | None:
        """Find a domain by its code or id."""
        found = {key: each for each in await self.domains(source) for key in (str(each.id), each.code)}
        return found.get(named)

    async def add_domain(self, session: AsyncSession, domain: Domain, *, at: datetime) -> None:
        """Add a domain; its code is unique by constraint."""
        await session.execute(
            insert(NumberDomain).values(id=domain.id, **domain_row(domain), created_at=at, updated_at=at)
        )

    async def lock_domain(self, session: AsyncSession, identity: UUID) -> None:
        """Let those who change which numbers a domain has queue."""
        await session.execute(select(NumberDomain.id).where(NumberDomain.id == identity).with_for_update())

    async def pools(self, source: Source) -> list[Pool]:
        """List all pools by code."""
        return [_pool(row) for row in await _ALL_POOLS.rows(source)]

    async def pool(self, source: Source, named: str) -> Pool | None:
        """Find a pool by its code or id; the code wins."""
        rows = await _NAMED.rows(source, code=named, id=_as_id(named))
        found = sorted((_pool(row) for row in rows), key=lambda pool: pool.code != named)
        return found[0] if found else None

    async def add_pool(self, session: AsyncSession, pool: Pool, *, at: datetime) -> None:
        """Add a pool; its code is unique by constraint."""
        await session.execute(insert(NumberPool).values(id=pool.id, **_row(pool), created_at=at, updated_at=at))

    async def update_pool(self, session: AsyncSession, pool: Pool, *, seen: int, at: datetime) -> bool:
        """Replace the row if it still has the row version ``seen``; tell whether it had."""
        statement = update(NumberPool).where(NumberPool.id == pool.id, NumberPool.row_version == seen)
        changed = await session.execute(statement.values(**_row(pool), updated_at=at).returning(NumberPool.id))
        return changed.first() is not None

    async def ranges(self, source: Source, pool_id: UUID) -> list[Held]:
        """List the ranges of a pool, shorter numbers first."""
        return [range_of(row) for row in await _OF_POOL.rows(source, pool=pool_id)]

    async def range(self, session: AsyncSession, identity: UUID) -> Held | None:
        """Load one range, locked until the transaction ends."""
        statement = select(*RANGE_COLUMNS).where(NumberRange.id == identity).with_for_update()
        row = (await session.execute(statement)).first()
        return None if row is None else range_of(tuple(row))

    async def add_range(self, session: AsyncSession, held: Held) -> None:
        """Add a range without its numbers."""
        await session.execute(
            insert(NumberRange).values(
                id=held.id,
                pool_id=held.pool_id,
                domain_id=held.domain_id,
                first=held.stretch.first,
                last=held.stretch.last,
                width=held.stretch.width,
                step=held.stretch.step,
                excluded=[list(each) for each in held.stretch.excluded],
                size=held.stretch.size,
                materialised=0,
                created_at=held.created_at,
                opens_at=held.opens_at,
            )
        )

    async def materialise(self, session: AsyncSession, held: Held, numbers: Iterable[tuple[str, int]]) -> None:
        """Add numbers of a range, free or planned until it opens, each with its place in the free list, and count them."""
        state = State.AVAILABLE if held.opens_at is None else State.PLANNED
        rows: Sequence[Mapping[str, Any]] = [
            {
                "domain_id": held.domain_id,
                "pool_id": held.pool_id,
                "range_id": held.id,
                "digits": digits,
                "state": state.value,
                "sort_key": key,
                "available_from": held.opens_at,
                "nice": int(looks(digits).level),
                "nice_version": VERSION,
                "row_version": 1,
            }
            for digits, key in numbers
        ]
        await session.execute(insert(Number.__table__), rows)  # type: ignore[arg-type]  # a Table, which SQLAlchemy types as FromClause
        await session.execute(
            update(NumberRange)
            .where(NumberRange.id == held.id)
            .values(materialised=NumberRange.materialised + len(rows))
        )

    async def open_range(self, session: AsyncSession, held: Held, at: datetime) -> None:
        """Write when a range opens; its numbers follow (``reschedule``)."""
        await session.execute(update(NumberRange).where(NumberRange.id == held.id).values(opens_at=at))

    async def reschedule(self, session: AsyncSession, held: Held, *, after: str, limit: int) -> str | None:
        """Let the next planned numbers of a range, those after the digits ``after``, be free when it opens.

        Gives the last digits of ``limit`` numbers, ``None`` when there were fewer.
        """
        planned = (
            Number.pool_id == held.pool_id,
            Number.range_id == held.id,
            Number.state == State.PLANNED.value,
            Number.digits > after,
        )
        last = await session.scalar(
            select(Number.digits).where(*planned).order_by(Number.digits).offset(limit - 1).limit(1)
        )
        upto = () if last is None else (Number.digits <= last,)
        await session.execute(
            update(Number)
            .where(*planned, *upto)
            .values(available_from=held.opens_at, row_version=Number.row_version + 1)
            .execution_options(synchronize_session=False)
        )
        return last


async def department_stays(session: AsyncSession, identity: UUID) -> bool:
    """Tell whether a department is there; if it is, it is not removed before the transaction ends."""
    return bool(await _STAYS.rows(session, {"department": identity}))


def _as_id(named: str) -> UUID:
    try:
        return UUID(named)
    except ValueError:
        return _NIL


def _domain(row: Row) -> Domain:
    profile = Profile(first_digits=row[4], shortest=row[5], longest=row[6], access_codes=tuple(row[7]))
    return Domain(id=row[0], code=row[1], name=row[2], dialling=row[3], profile=profile, row_version=row[8])


def domain_row(domain: Domain) -> dict[str, Any]:
    """Write a domain's columns but for its id and times."""
    return {
        "code": domain.code,
        "name": domain.name,
        "dialling": domain.dialling,
        "first_digits": domain.profile.first_digits,
        "shortest": domain.profile.shortest,
        "longest": domain.profile.longest,
        "access_codes": list(domain.profile.access_codes),
        "row_version": domain.row_version,
    }


def _pool(row: Row) -> Pool:
    return Pool(
        id=row[0],
        domain_id=row[1],
        domain=row[2],
        code=row[3],
        name=row[4],
        pool_class=PoolClass(row[5]),
        strategy=Strategy(row[6]),
        quarantine_days=row[7],
        department_id=row[8],
        joiners=bool(row[9]),
        low_water=row[10],
        row_version=row[11],
        lead_days=row[12],
        keeps_nice=bool(row[13]),
        confirms=bool(row[14]),
        pattern=row[15],
    )


def range_of(row: Row) -> Held:
    """Read a row of ``RANGE_COLUMNS``."""
    excluded = tuple((low, high) for low, high in row[6])
    return Held(
        id=row[0],
        pool_id=row[1],
        domain_id=row[2],
        stretch=Stretch(row[3], row[4], row[5], excluded),
        materialised=row[7],
        created_at=row[8],
        opens_at=row[9],
    )


def _row(pool: Pool) -> dict[str, Any]:
    return {
        "domain_id": pool.domain_id,
        "code": pool.code,
        "name": pool.name,
        "pool_class": pool.pool_class.value,
        "strategy": pool.strategy.value,
        "quarantine_days": pool.quarantine_days,
        "department_id": pool.department_id,
        "joiners": pool.joiners,
        "low_water": pool.low_water,
        "lead_days": pool.lead_days,
        "keeps_nice": pool.keeps_nice,
        "confirms": pool.confirms,
        "pattern": pool.pattern,
        "row_version": pool.row_version,
    }
