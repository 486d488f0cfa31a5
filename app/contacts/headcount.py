"""Rows by employee number or id, many at a time and straight from the driver, and what of a row is said differently: nothing is opened.

For work that goes over everybody. A key is taken up for one comparison and let go again, so that the keys of those who are looked at stay.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, String, bindparam, func, select

from app.contacts.models import Contact
from app.contacts.record import RowShape, RowUnreadable, unpack_digests
from app.contacts.remembered import distrust
from app.contacts.repository import closed_rows
from app.contacts.rows import empty, member_names
from app.crypto.errors import SealBroken
from app.crypto.sealer import Sealer, SubjectSealer
from app.kit.models import Id
from app.kit.query import Query, Source

EMPLOYEE: Final = "employee"
IN_SERVICE: Final = ("active", "frozen", "leaving")
AT_ONCE: Final = 1000
_LISTED: Final = frozenset({"memberships", "tags"})
"""Columns that a closed row holds as text."""
_FEW: Final = 32
_SOME: Final = 128


def _numbered(size: int) -> list[Any]:
    return [bindparam(f"no{at}", "", type_=String()) for at in range(size)]


_ROWS: Final = {
    size: Query(
        closed_rows()
        .add_columns(Contact.created_at, Contact.updated_at)
        .where(Contact.employee_no.in_(_numbered(size)))
    )
    for size in (_FEW, AT_ONCE)
}
_BY_ID: Final = Query(
    closed_rows()
    .add_columns(Contact.created_at, Contact.updated_at)
    .where(Contact.id.in_([bindparam(f"id{at}", UUID(int=0), type_=Id()) for at in range(_SOME)]))
)
_IDS: Final = {
    size: Query(
        select(Contact.employee_no, Contact.id).where(
            Contact.employee_no.in_(_numbered(size)), Contact.status.in_(IN_SERVICE)
        )
    )
    for size in (_FEW, AT_ONCE)
}
_WALK: Final = Query(
    select(Contact.employee_no, Contact.department_id)
    .where(
        Contact.employee_no > bindparam("after", "", type_=String()),
        Contact.kind == EMPLOYEE,
        Contact.status.in_(IN_SERVICE),
    )
    .order_by(Contact.employee_no)
    .limit(bindparam("page", 1, type_=Integer()))
)
_PLACES: Final = Query(
    select(Contact.department_id, func.count())
    .where(Contact.kind == EMPLOYEE, Contact.status.in_(IN_SERVICE), Contact.employee_no.is_not(None))
    .group_by(Contact.department_id)
)


@dataclass(frozen=True, slots=True)
class Head:
    """One row, and when it came and last changed."""

    shape: RowShape
    created_at: datetime
    updated_at: datetime

    @property
    def version(self) -> int:
        """The row's counter."""
        return int(self.shape.plain["row_version"])

    @property
    def contract_until(self) -> date | None:
        """When the contract ends."""
        return _day(self.shape.plain["contract_until"])

    @property
    def review_due(self) -> date | None:
        """When somebody is to look whether the contact is needed still."""
        return _day(self.shape.plain["review_due"])


class HeadCount:
    """Reads everybody."""

    def __init__(self, sealer: Sealer) -> None:
        """Take the sealer, which compares and cannot open."""
        self._sealer = sealer

    async def rows(self, source: Source, numbers: Sequence[str]) -> dict[str, Head]:
        """Load the rows of those of these employee numbers whom there are; at most ``AT_ONCE``."""
        if not numbers:
            return {}
        size = _FEW if len(numbers) <= _FEW else AT_ONCE
        found = await _ROWS[size].rows(source, **_padded(numbers, size))
        return {head.shape.plain["employee_no"]: head for head in (Head(RowShape(row), *row[-2:]) for row in found)}

    async def known(self, source: Source, identities: Sequence[UUID]) -> dict[UUID, Head]:
        """Load the rows of those of these ids whom there are."""
        found: dict[UUID, Head] = {}
        for at in range(0, len(identities), _SOME):
            some = {f"id{place}": each for place, each in enumerate(identities[at : at + _SOME])}
            rows = await _BY_ID.rows(source, **some)
            found.update({head.shape.identity: head for head in (Head(RowShape(row), *row[-2:]) for row in rows)})
        return found

    async def ids(self, source: Source, numbers: Sequence[str]) -> dict[str, UUID]:
        """Give the ids of those who are in service."""
        found: dict[str, UUID] = {}
        for at in range(0, len(numbers), AT_ONCE):
            some = numbers[at : at + AT_ONCE]
            size = _FEW if len(some) <= _FEW else AT_ONCE
            found.update(await _IDS[size].rows(source, **_padded(some, size)))
        return found

    async def walk(self, source: Source, after: str, limit: int) -> list[tuple[str, UUID | None]]:
        """List employees in service by employee number, with their main department, from ``after`` on."""
        return [(number, place) for number, place in await _WALK.rows(source, after=after, page=limit)]

    async def places(self, source: Source) -> dict[UUID | None, int]:
        """Count employees in service by main department."""
        return dict(await _PLACES.rows(source))

    def sealer(self, shape: RowShape) -> SubjectSealer | None:
        """Take up the key of a row; ``None``, reported, for a row that is not as it was written."""
        try:
            sealer = self._sealer.passing(shape.identity, shape.key)
            intact = sealer.verify(shape.covered, shape.mac)
        except (SealBroken, RowUnreadable, TypeError, ValueError):
            distrust(shape.identity)
            return None
        if not intact:
            distrust(shape.identity)
        return sealer if intact else None


def differing(
    shape: RowShape, sealer: SubjectSealer, plain: Mapping[str, Any], values: Mapping[str, str | None]
) -> tuple[str, ...]:
    """Name the members that are said differently, as ``ContactWriter`` would change them: protected ones by their digests."""
    digests = unpack_digests(shape.digests)
    changed = [
        *(name for name, value in plain.items() if not _stands(shape, name, value)),
        *(
            name
            for name, value in values.items()
            if (name in digests if value is None else not sealer.matches(name, value, digests.get(name)))
        ),
    ]
    return tuple(sorted(member_names(dict.fromkeys(changed))))


def _stands(shape: RowShape, name: str, value: Any) -> bool:  # noqa: ANN401 — a column's value
    fresh = empty(name) if value is None else value
    before = list(getattr(shape, name)) if name in _LISTED else shape.plain[name]
    return bool(_as_stored(fresh) == _as_stored(before))


def _day(stored: str | None) -> date | None:
    try:
        return None if stored is None else date.fromisoformat(stored)
    except ValueError:
        return None


def _as_stored(value: Any) -> Any:  # noqa: ANN401 — a column's value
    return value.isoformat() if isinstance(value, date) else value


def _padded(numbers: Sequence[str], size: int) -> dict[str, object]:
    padded = [*numbers, *(numbers[-1] for _ in range(size - len(numbers)))]
    return {f"no{at}": number for at, number in enumerate(padded)}
