"""A mapped row and its closed record: what the MAC covers, what the card will say, and the members' names in history."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from app.contacts.fields import CATALOGUE
from app.contacts.models import Contact
from app.contacts.record import RowShape, covered_values, ends, membership_departments
from app.contacts.remembered import record_of
from app.crypto.datakey import WrappedDataKey
from app.crypto.rowmac import RowValue
from app.departments.tree import Tree
from app.disclosure.records import Record

REFERENCES: Final[Mapping[str, str]] = {
    "department": "department_id",
    "manager": "manager_id",
    "dotted_manager": "dotted_manager_id",
    "backup_contact": "backup_contact_id",
}
"""Members whose column has another name."""

ARCHIVED: Final = (
    "name",
    "name_en",
    "alias",
    "user_name",
    "user_name_key",
    "employee_no",
    "title",
    "organisation",
    "relation",
    "contract_ref",
    "location",
    "duties",
    "work_area",
    "extension",
    "department_id",
    "manager_id",
    "dotted_manager_id",
    "backup_contact_id",
)
"""What archiving moves out of the plain columns into the one sealed envelope."""
SNAPSHOT: Final = (*ARCHIVED, "memberships", "tags", "short_numbers")
"""What that envelope holds."""

_MEMBERS: Final = {column: member for member, column in REFERENCES.items()}


def empty(name: str) -> Any:  # noqa: ANN401 — the column's own type
    """Give the value of a plain column that has none."""
    return [] if name in {"memberships", "tags", "short_numbers"} else None


def covered(contact: Contact) -> tuple[RowValue, ...]:
    """Lay out what the MAC of a mapped row covers."""
    return covered_values(
        identity=contact.id,
        kind=contact.kind,
        worker_kind=contact.worker_kind,
        status=contact.status,
        secrecy=contact.secrecy,
        user_name_key=contact.user_name_key,
        departments=membership_departments(contact.department_id, contact.memberships),
        row_version=contact.row_version,
        digests=contact.digests,
        sealed=_envelopes(contact),
        tags=contact.tags,
        until=ends(contact.kind, contact.contract_until),
        consented=contact.consented,
    )


def closed(contact: Contact, key: WrappedDataKey, tree: Tree) -> Record:
    """Make the closed record of a mapped row, as a read would load it."""
    plain = [getattr(contact, name) for name in RowShape.PLAIN]
    return record_of(
        (
            *plain,
            *_envelopes(contact),
            contact.digests,
            contact.mac,
            key.handle,
            key.version,
            key.kek_version,
            key.wrapped,
        ),
        tree,
    )


def _envelopes(contact: Contact) -> tuple[bytes | None, ...]:
    return tuple(
        None if (box := getattr(contact, field.column)) is None else box.envelope for field in CATALOGUE.protected
    )


def member_names(changed: Mapping[str, Any]) -> dict[str, Any]:
    """Name changed columns as the card names them; what is only derived is left out."""
    return {_MEMBERS.get(name, name): value for name, value in changed.items() if name != "user_name_key"}


def as_text(value: Any) -> str:  # noqa: ANN401 — any JSON
    """Write a member's value as history keeps it: texts as they are, everything else as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
