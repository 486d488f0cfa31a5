"""Keeping the keys that a contact is found by: written anew in the transaction that changes what they are derived from.

Keys decide what a search looks at, never what is disclosed: the gate takes the row's own word, under its MAC.
"""

from collections.abc import Container, Iterable
from typing import Any, Final, cast

from sqlalchemy import Table, delete, insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.contacts.models import Contact, ContactKey
from app.contacts.record import membership_departments
from app.contacts.search import keys_of, sort_name

_TABLE: Final = cast("Table", ContactKey.__table__)
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


async def index_all(session: AsyncSession, contacts: Iterable[Contact]) -> None:
    """Write the keys of contacts that have none; their rows are flushed."""
    rows = [row for contact in contacts for row in _rows(contact)]
    if rows:
        await session.execute(insert(_TABLE), rows)


async def index_again(session: AsyncSession, contact: Contact, changed: Container[str]) -> None:
    """Write the keys of a contact anew if one of the columns ``changed`` takes part in them."""
    if any(name in changed for name in SOURCES):
        await session.execute(delete(_TABLE).where(_TABLE.c.contact_id == contact.id))
        await index_all(session, [contact])


def _rows(contact: Contact) -> list[dict[str, Any]]:
    """Derive the keys of a contact, as rows. Who is archived has none."""
    if contact.status == "archived":
        return []
    card = {name: getattr(contact, name) for name in _TEXTS}
    name = sort_name(card)
    keys = keys_of(card, membership_departments(contact.department_id, contact.memberships))
    return [{"contact_id": contact.id, "rank": key.rank, "term": key.term, "name": name} for key in sorted(keys)]
