"""Numbers that belong to no person: those of departments, rooms and devices, and who holds the number that is ringing.

Read outside of any transaction. What a contact holds is told by its id alone: whether the reader may know of it, policy says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Integer, String, bindparam, case, select

from app.kit.query import Query, Source
from app.numbers.models import Number, NumberAssignment, NumberDomain

HolderType = Literal["contact", "department", "room", "device", "hotline", "external"]

_COLUMNS: Final[tuple[Any, ...]] = (
    Number.digits,
    NumberAssignment.holder_type,
    NumberAssignment.holder_id,
    NumberAssignment.holder_code,
)
_OPEN: Final[Any] = (
    select(*_COLUMNS)
    .join(Number, Number.id == NumberAssignment.number_id)
    .where(NumberAssignment.ended_at.is_(None), Number.state == "assigned")
)
_DEVICES_LAST: Final = case((NumberAssignment.holder_type == "device", 1), else_=0)
_OF_PLACES: Final = Query(
    _OPEN.where(NumberAssignment.holder_type.in_(("room", "department", "device")))
    .order_by(_DEVICES_LAST, NumberAssignment.holder_type, NumberAssignment.holder_code, Number.digits)
    .limit(bindparam("most", 1, type_=Integer()))
)
_RINGING: Final[Any] = (
    _OPEN.join(NumberDomain, NumberDomain.id == Number.domain_id)
    .where(Number.digits == bindparam("digits", type_=String()))
    .order_by(NumberAssignment.started_at, NumberAssignment.id)
    .limit(bindparam("most", 1, type_=Integer()))
)
_ANYWHERE: Final = Query(_RINGING)
_IN_DOMAIN: Final = Query(_RINGING.where(NumberDomain.code == bindparam("domain", type_=String())))


@dataclass(frozen=True, slots=True)
class HeldLine:
    """A number that somebody holds now. A room is known by its ``code``."""

    digits: str
    holder_type: HolderType
    holder_id: UUID
    code: str | None


class NumberLines:
    """Looks up lines."""

    async def of_places(self, source: Source, *, most: int) -> Sequence[HeldLine]:
        """List the numbers of departments, of rooms and of devices, in this order: whose telephones are many loses no room for it."""
        return [HeldLine(*row) for row in await _OF_PLACES.rows(source, most=most)]

    async def holders(self, source: Source, digits: str, *, domain: str | None, most: int) -> Sequence[HeldLine]:
        """List who holds a number, longest first; in one domain, by its code, or in all."""
        if domain is None:
            return [HeldLine(*row) for row in await _ANYWHERE.rows(source, digits=digits, most=most)]
        return [HeldLine(*row) for row in await _IN_DOMAIN.rows(source, digits=digits, domain=domain, most=most)]
