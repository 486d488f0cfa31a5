"""The numbers of a domain that somebody holds, in the order of their digits, and how others stand: what an exchange is to switch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, String, bindparam, or_, select, text

from app.kit.db import Reader
from app.kit.models import Id
from app.kit.query import Query
from app.numbers.lookup import NumberLookup
from app.numbers.models import Number, NumberPool
from app.numbers.repository import Assignment
from app.numbers.rules import State

_COLUMNS: Final[tuple[Any, ...]] = (Number.id, Number.digits, Number.state, NumberPool.code)
_DOMAIN: Final = Number.domain_id == bindparam("domain", type_=Id())
_HELD: Final = or_(Number.state == text("'assigned'"), Number.state == text("'provisioning'"))
_PAGE: Final = Query(
    select(*_COLUMNS)
    .join(NumberPool, NumberPool.id == Number.pool_id)
    .where(_DOMAIN, Number.digits > bindparam("after", type_=String()), Number.state != text("'retired'"), _HELD)
    .order_by(Number.digits)
    .limit(bindparam("wanted", type_=Integer()))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveNumber:
    """A number with its state, and who holds it, longest first."""

    digits: str
    state: State
    pool: str
    holding: tuple[Assignment, ...] = ()


class LiveNumbers:
    """Reads the plan as an exchange would."""

    def __init__(self) -> None:
        """Hold no state."""
        self._lookup = NumberLookup()

    async def page(self, reader: Reader, domain_id: UUID, *, after: str, limit: int) -> list[LiveNumber]:
        """List numbers that somebody holds, those of digits after ``after``."""
        rows = await _PAGE.rows(reader, domain=domain_id, after=after, wanted=limit)
        holding: dict[int, list[Assignment]] = {}
        for each in await self._lookup.holding(reader, [row[0] for row in rows]):
            holding.setdefault(each.number_id, []).append(each)
        return [
            LiveNumber(digits=row[1], state=State(row[2]), pool=row[3], holding=tuple(holding.get(row[0], ())))
            for row in rows
        ]

    async def standing(self, reader: Reader, domain_id: UUID, digits: Sequence[str]) -> dict[str, LiveNumber]:
        """Tell how those of these numbers stand that the domain has or had; of one that came back, how it stands now."""
        if not digits:
            return {}
        statement = (
            select(*_COLUMNS)
            .join(NumberPool, NumberPool.id == Number.pool_id)
            .where(Number.domain_id == domain_id, Number.digits.in_(digits))
            .order_by(Number.id)
        )
        rows = await reader.fetch(reader.prepare(statement))
        found: dict[str, LiveNumber] = {}
        for row in sorted(rows, key=lambda row: (row[2] != State.RETIRED.value, row[0])):
            found[row[1]] = LiveNumber(digits=row[1], state=State(row[2]), pool=row[3])
        return found
