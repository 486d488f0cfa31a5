"""A new contact before it is stored: its row, sealed and under its MAC, and what history is told of it.

Whoever writes contacts, one at a time or thousands at once, makes them here, so that there is one answer to what a new row holds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol, TypeAlias
from uuid import UUID

from app.audit.authors import Author
from app.contacts.fields import CATALOGUE
from app.contacts.models import Contact
from app.contacts.record import RowShape, pack_digests
from app.contacts.rows import as_text, covered, empty, member_names
from app.crypto.datakey import WrappedDataKey
from app.crypto.historykey import WrappedHistoryKey
from app.crypto.sealed import Sealed
from app.crypto.sealer import HistorySealer, Sealer, SubjectSealer
from app.kit.models import new_id

Expected: TypeAlias = tuple[UUID, WrappedDataKey | None] | None
"""The id that a card is to have, where it was made beforehand, and its key where there is one already."""

_SET_AT_BIRTH: Final = frozenset({"id", "kind", "status", "secrecy", "row_version"})
_EMPLOYED: Final = frozenset({"employee", "temporary"})


@dataclass(frozen=True, slots=True)
class Born:
    """A contact that no session knows yet, its keys, and the members that it was given (``told``, protected values in clear)."""

    contact: Contact
    wrapped: WrappedDataKey
    sealer: SubjectSealer
    wrapped_history: WrappedHistoryKey
    history: HistorySealer
    told: Mapping[str, Any]


def born(
    sealer: Sealer,
    identity: UUID,
    kind: str,
    plain: Mapping[str, Any],
    values: Mapping[str, str | None],
    at: datetime,
    *,
    key: WrappedDataKey | None = None,
) -> Born:
    """Make a contact of the columns ``plain`` and the protected ``values`` in normal form, under its ``key`` or, without one, a new one."""
    own, wrapped = sealer.new(identity) if key is None else (sealer.existing(identity, key), key)
    contact = Contact(
        id=identity,
        kind=kind,
        status=plain.get("status") or "active",
        secrecy=plain.get("secrecy") or "normal",
        row_version=1,
        **{
            name: empty(name) if plain.get(name) is None else plain[name]
            for name in RowShape.PLAIN
            if name not in _SET_AT_BIRTH
        },
        digests=b"",
        mac=b"",
        created_at=at,
        updated_at=at,
    )
    if kind in _EMPLOYED and contact.worker_kind is None:
        contact.worker_kind = "regular"
    kept = {name: value for name, value in values.items() if value is not None}
    for name, value in kept.items():
        setattr(contact, CATALOGUE.by_name[name].column, own.seal(name, value))
    contact.digests = pack_digests({name: own.digest(name, value) for name, value in kept.items()})
    contact.mac = own.mac(covered(contact))
    told = (
        {name: value for name, value in member_names(plain).items() if value not in (None, [])} | {"kind": kind} | kept
    )
    history, wrapped_history = sealer.new_history(identity, at)
    return Born(contact, wrapped, own, wrapped_history, history, told)


class Versioned(Protocol):
    """A row of which history is kept."""

    @property
    def id(self) -> UUID:
        """Whose history it is."""
        ...

    @property
    def row_version(self) -> int:
        """The version that the row now has."""
        ...


def remembered(
    contact: Versioned, sealer: HistorySealer, author: Author, told: Mapping[str, Any], at: datetime
) -> Iterator[dict[str, Any]]:
    """Give the rows of ``contact_change`` for the members ``told``: a value sealed, a closed box sealed once more, ``None``: removed.

    What is sealed here opens with the key of the contact's history of that quarter, and with nothing else.
    """
    for name, value in sorted(told.items()):
        yield {
            "id": new_id(),
            "contact_id": contact.id,
            "row_version": contact.row_version,
            "field": name,
            "value": None
            if value is None
            else sealer.seal(name, value if isinstance(value, Sealed) else as_text(value)),
            "at": at,
            "actor_type": author.type,
            "actor_id": author.id,
            "request_id": author.request_id,
        }
