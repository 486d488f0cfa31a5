"""What every card tells of numbers, in the order of ids: for whoever holds the number plan against the cards. No card is opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, bindparam, select

from app.contacts.models import Contact
from app.kit.db import Reader
from app.kit.models import Id
from app.kit.query import Query

_COLUMNS: Final[tuple[Any, ...]] = (Contact.id, Contact.status, Contact.short_numbers, Contact.extension)
_PAGE: Final = Query(
    select(*_COLUMNS)
    .where(Contact.id > bindparam("after", type_=Id()))
    .order_by(Contact.id)
    .limit(bindparam("wanted", type_=Integer()))
)
_STATUS_COLUMNS: Final[tuple[Any, ...]] = (Contact.id, Contact.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldNumbers:
    """The short numbers and the extension on one card, and how its contact stands."""

    id: UUID
    status: str
    short_numbers: tuple[str, ...]
    extension: str | None


async def told_numbers(reader: Reader, *, after: UUID, limit: int) -> list[ToldNumbers]:
    """List what cards tell, those of ids after ``after``, in that order."""
    return [
        ToldNumbers(id=row[0], status=row[1], short_numbers=tuple(row[2] or ()), extension=row[3])
        for row in await _PAGE.rows(reader, after=after, wanted=limit)
    ]


async def statuses(reader: Reader, contacts: Sequence[UUID]) -> dict[UUID, str]:
    """Give how those of these contacts stand who are there."""
    if not contacts:
        return {}
    statement = select(*_STATUS_COLUMNS).where(Contact.id.in_(sorted(contacts)))
    return {row[0]: row[1] for row in await reader.fetch(reader.prepare(statement))}
