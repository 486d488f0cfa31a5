"""Keeping the keys that a contact is found by: written anew in the transaction that changes what they are derived from.

They stand twice: beside the contact, and in each of its departments in the order of hits, where a search within departments reads them.
Keys decide what a search looks at, never what is disclosed: the gate takes the row's own word, under its MAC.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Table, bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.contacts.models import Contact, ContactKey, DepartmentKey
from app.contacts.record import membership_departments
from app.contacts.search import Key, department_of, keys_of, sort_name, stands_within
from app.kit.straight import Straight

_TABLE: Final = cast("Table", ContactKey.__table__)
_WITHIN: Final = cast("Table", DepartmentKey.__table__)
_TEXTS: Final = (
    "kind",
    "name",
    "name_en",
    "alias",
    "title",
    "organisation",
    "user_name_key",
    "employee_no",
    "short_numbers",
    "extension",
)
SOURCES: Final = frozenset({*_TEXTS, "department_id", "memberships"})
"""Columns that keys are derived from."""

_ADD_WITHIN: Final = Straight(insert(_WITHIN), columns=[column.key for column in _WITHIN.columns])
_FORGET_WITHIN: Final = Straight(
    delete(_WITHIN).where(*(column == bindparam(f"old_{column.key}", type_=column.type) for column in _WITHIN.columns))
)


async def index_all(session: AsyncSession, contacts: Iterable[Contact]) -> None:
    """Write the keys of contacts that have none; their rows are flushed."""
    rows = [row for contact in contacts for row in _rows(contact)]
    if rows:
        await session.execute(insert(_TABLE), rows)
        await _ADD_WITHIN.each(session, list(_within(rows)))


async def index_again(session: AsyncSession, contact: Contact, changed: Container[str]) -> None:
    """Write the keys of a contact anew if one of the columns ``changed`` takes part in them."""
    if not any(name in changed for name in SOURCES):
        return
    before = select(*_TABLE.columns).where(_TABLE.c.contact_id == contact.id)
    stood = [dict(row) for row in (await session.execute(before)).mappings()]
    rows = _rows(contact)
    gone = [{f"old_{name}": value for name, value in row.items()} for row in (*_within(stood), *_within(rows))]
    await _FORGET_WITHIN.each(session, gone)
    await session.execute(delete(_TABLE).where(_TABLE.c.contact_id == contact.id))
    if rows:
        await session.execute(insert(_TABLE), rows)
        await _ADD_WITHIN.each(session, list(_within(rows)))


def _rows(contact: Contact) -> list[dict[str, Any]]:
    """Derive the keys of a contact, as rows. Who is archived has none."""
    if contact.status == "archived":
        return []
    card = {name: getattr(contact, name) for name in _TEXTS}
    name = sort_name(card)
    keys = keys_of(card, membership_departments(contact.department_id, contact.memberships))
    return [{"contact_id": contact.id, "rank": key.rank, "term": key.term, "name": name} for key in sorted(keys)]


def _within(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Give the rows that stand in departments for these rows of keys."""
    departments: dict[UUID, list[UUID]] = {}
    found = [(Key(row["rank"], row["term"]), row) for row in rows]
    for key, row in found:
        department = department_of(key)
        if department is not None:
            departments.setdefault(row["contact_id"], []).append(department)
    for key, row in found:
        if stands_within(key):
            for department in departments.get(row["contact_id"], ()):
                yield {"department_id": department, **row}
