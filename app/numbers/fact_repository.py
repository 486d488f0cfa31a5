"""All queries of the check of the number plan: each a page in the order of a key that has an index, so none grows with the plan."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, bindparam, column, func, select, table

from app.kit.db import Reader
from app.kit.models import Id
from app.kit.query import Query
from app.numbers.conflicts import Profile
from app.numbers.facts import DomainFact, HoldFact, Line, NumberFact, PlanFacts, PoolFact, RangeFact, Tenure
from app.numbers.models import (
    ROW_NUMBER,
    Number,
    NumberAssignment,
    NumberDomain,
    NumberHold,
    NumberPool,
    NumberRange,
    NumberReserved,
)
from app.numbers.rules import PoolClass, State, Stretch

_AFTER: Final = bindparam("after", type_=Id())
_LAST: Final = bindparam("last", type_=Id())
_AFTER_ROW: Final = bindparam("after", type_=ROW_NUMBER)
_LAST_ROW: Final = bindparam("last", type_=ROW_NUMBER)
_WANTED: Final = bindparam("wanted", type_=Integer())

_DOMAIN: Final[tuple[Any, ...]] = (
    NumberDomain.id,
    NumberDomain.code,
    NumberDomain.dialling,
    NumberDomain.first_digits,
    NumberDomain.shortest,
    NumberDomain.longest,
    NumberDomain.access_codes,
)
_POOL: Final[tuple[Any, ...]] = (
    NumberPool.id,
    NumberPool.code,
    NumberPool.domain_id,
    NumberPool.pool_class,
    NumberPool.keeps_nice,
)
_RANGE: Final[tuple[Any, ...]] = (
    NumberRange.id,
    NumberRange.pool_id,
    NumberRange.domain_id,
    NumberRange.first,
    NumberRange.last,
    NumberRange.step,
    NumberRange.excluded,
    NumberRange.size,
    NumberRange.materialised,
)
_RESERVED: Final[tuple[Any, ...]] = (NumberReserved.digits,)
_NUMBER: Final[tuple[Any, ...]] = (
    Number.id,
    Number.domain_id,
    Number.pool_id,
    Number.range_id,
    Number.digits,
    Number.state,
    Number.sort_key,
    Number.available_from,
    Number.nice,
    Number.nice_version,
    Number.hold_id,
)
_TENURE: Final[tuple[Any, ...]] = (
    NumberAssignment.id,
    NumberAssignment.number_id,
    NumberAssignment.pool_id,
    NumberAssignment.role,
    NumberAssignment.started_at,
    NumberAssignment.ended_at,
    NumberAssignment.until,
    NumberAssignment.due_at,
)
_HOLD: Final[tuple[Any, ...]] = (
    NumberHold.id,
    NumberHold.pool_id,
    NumberHold.numbers,
    NumberHold.kind,
    NumberHold.expires_at,
    NumberHold.ended_at,
)
_LINE: Final[tuple[Any, ...]] = (NumberAssignment.holder_id, NumberAssignment.role, Number.digits)
_OPEN: Final = NumberAssignment.ended_at.is_(None)

_NUMBERS: Final = Query(select(*_NUMBER).where(Number.id > _AFTER_ROW).order_by(Number.id).limit(_WANTED))
_TENURES: Final = Query(
    select(*_TENURE)
    .where(NumberAssignment.number_id > _AFTER_ROW, NumberAssignment.number_id <= _LAST_ROW)
    .order_by(NumberAssignment.number_id, NumberAssignment.started_at, NumberAssignment.id)
)
_LINES: Final = Query(
    select(*_LINE)
    .join(Number, Number.id == NumberAssignment.number_id)
    .where(
        NumberAssignment.holder_id > _AFTER,
        NumberAssignment.holder_id <= _LAST,
        NumberAssignment.holder_type == "contact",
        _OPEN,
    )
    .order_by(NumberAssignment.holder_id, Number.digits)
)
_DEPARTMENT: Final = table("department", column("id", Id()))
_ABANDONED: Final = Query(
    select(NumberAssignment.holder_id, func.min(NumberAssignment.role), func.min(Number.digits))
    .join(Number, Number.id == NumberAssignment.number_id)
    .where(
        NumberAssignment.holder_type == "department",
        NumberAssignment.holder_id.not_in(select(_DEPARTMENT.c.id)),
        _OPEN,
    )
    .group_by(NumberAssignment.holder_id)
    .order_by(NumberAssignment.holder_id)
)


class FactRepository:
    """Reads rows of the plan as they are."""

    async def plan(self, reader: Reader) -> PlanFacts:
        """Read domains, pools, ranges and the reserved table."""
        rows = {
            name: await reader.fetch(reader.prepare(select(*columns)))
            for name, columns in (("domain", _DOMAIN), ("pool", _POOL), ("range", _RANGE), ("reserved", _RESERVED))
        }
        return PlanFacts(
            domains={row[0]: DomainFact(code=row[1], dialling=row[2], profile=_profile(row)) for row in rows["domain"]},
            pools={
                row[0]: PoolFact(code=row[1], domain_id=row[2], pool_class=PoolClass(row[3]), keeps_nice=bool(row[4]))
                for row in rows["pool"]
            },
            ranges={row[0]: _range(row) for row in rows["range"]},
            reserved=tuple(sorted(row[0] for row in rows["reserved"])),
        )

    async def numbers(self, reader: Reader, *, after: int, limit: int) -> list[NumberFact]:
        """Read numbers by row number."""
        return [
            NumberFact(
                id=row[0],
                domain_id=row[1],
                pool_id=row[2],
                range_id=row[3],
                digits=row[4],
                state=State(row[5]),
                sort_key=row[6],
                available_from=row[7],
                nice=row[8],
                nice_version=row[9],
                hold_id=row[10],
            )
            for row in await _NUMBERS.rows(reader, after=after, wanted=limit)
        ]

    async def tenures(self, reader: Reader, *, after: int, last: int) -> dict[int, list[Tenure]]:
        """Read who holds and held the numbers between two rows, oldest first, by row number."""
        found: dict[int, list[Tenure]] = {}
        for row in await _TENURES.rows(reader, after=after, last=last):
            found.setdefault(row[1], []).append(
                Tenure(
                    id=row[0],
                    number_id=row[1],
                    pool_id=row[2],
                    role=row[3],
                    started_at=row[4],
                    ended_at=row[5],
                    until=row[6],
                    due_at=row[7],
                )
            )
        return found

    async def holds(self, reader: Reader, identities: Collection[UUID]) -> Mapping[UUID, HoldFact]:
        """Read these holds."""
        if not identities:
            return {}
        statement = select(*_HOLD).where(NumberHold.id.in_(sorted(identities)))
        return {
            row[0]: HoldFact(
                id=row[0],
                pool_id=row[1],
                numbers=frozenset(row[2]),
                state=State.RESERVED if row[3] == "reservation" else State.HELD,
                expires_at=row[4],
                ended=row[5] is not None,
            )
            for row in await reader.fetch(reader.prepare(statement))
        }

    async def lines(self, reader: Reader, *, after: UUID, last: UUID) -> list[Line]:
        """Read what contacts of ids between the two hold, by id."""
        return [Line(*row) for row in await _LINES.rows(reader, after=after, last=last)]

    async def of_assignments(
        self, reader: Reader, identities: Collection[UUID]
    ) -> Mapping[UUID, tuple[UUID, str, str]]:
        """Give holder, code of the domain and digits of these assignments."""
        columns: tuple[Any, ...] = (NumberAssignment.id, NumberAssignment.holder_id, NumberDomain.code, Number.digits)
        statement = (
            select(*columns)
            .join(Number, Number.id == NumberAssignment.number_id)
            .join(NumberDomain, NumberDomain.id == Number.domain_id)
            .where(NumberAssignment.id.in_(sorted(identities)))
        )
        return {row[0]: (row[1], row[2], row[3]) for row in await reader.fetch(reader.prepare(statement))}

    async def abandoned(self, reader: Reader) -> Sequence[Line]:
        """Read one line of each department that holds numbers and is not there."""
        return [Line(*row) for row in await _ABANDONED.rows(reader)]


def _profile(row: tuple[Any, ...]) -> Profile:
    return Profile(first_digits=row[3], shortest=row[4], longest=row[5], access_codes=tuple(row[6]))


def _range(row: tuple[Any, ...]) -> RangeFact:
    excluded = tuple((low, high) for low, high in row[6])
    return RangeFact(
        id=row[0],
        pool_id=row[1],
        domain_id=row[2],
        stretch=Stretch(row[3], row[4], row[5], excluded),
        size=row[7],
        made=row[8],
    )
