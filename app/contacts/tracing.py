"""The trace that a change of a contact leaves for those who follow the directory (``app.traces``): ids and names of groups, never values.

What policy could read of the contact before goes along, in a closed box, where the change has changed that: a follower from whose sight a
contact goes is told so, and one who never saw it is told nothing (docs/decisions/0054).
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final
from uuid import UUID

import orjson

from app.contacts.fields import CATALOGUE
from app.contacts.models import Contact
from app.contacts.record import ends, membership_departments
from app.crypto.secretbox import SecretBox
from app.permissions.plan import CohortKey
from app.traces.trace import CARD, CONFIRMATION, NUMBERS, PLACEMENT, PLAIN_GROUPS, STATUS, TAGS, Sort, Trace

BOX: Final = "directory-change"
"""Label of the key that closes what policy could read."""
_GROUP_OF: Final[Mapping[str, str]] = MappingProxyType(
    {
        "department": PLACEMENT,
        "memberships": PLACEMENT,
        "manager": PLACEMENT,
        "dotted_manager": PLACEMENT,
        "short_numbers": NUMBERS,
        "extension": NUMBERS,
        "tags": TAGS,
        "status": STATUS,
        "kind": STATUS,
        "worker_kind": STATUS,
        "unconfirmed_since": CONFIRMATION,
    }
)
_SORT_OF: Final[Mapping[str, Sort]] = MappingProxyType(
    {"contact.create": Sort.CREATED, "contact.leave": Sort.LEFT, "contact.delete": Sort.ARCHIVED}
)
_ORDER: Final = {name: at for at, name in enumerate(PLAIN_GROUPS)}


def groups_of(kind: str, members: Iterable[str]) -> tuple[str, ...]:
    """Name the groups of members of a contact of ``kind``: sealed ones by their class; what no card shows is in none."""
    found = {group for name in members if (group := _group(kind, name)) is not None}
    return tuple(sorted(found, key=lambda name: (_ORDER.get(name, len(_ORDER)), name)))


def _group(kind: str, name: str) -> str | None:
    if name in CATALOGUE.apart:
        return CATALOGUE.classes[name].name
    field = CATALOGUE.protects(kind, name)
    if field is not None:
        return field.field_class.name
    if name in _GROUP_OF:
        return _GROUP_OF[name]
    return CARD if any(each.name == name for each in CATALOGUE.public) else None


def cohort_of(contact: Contact) -> CohortKey:
    """Give what policy may read of a mapped row."""
    return CohortKey(
        contact.kind,
        contact.worker_kind,
        contact.status,
        contact.secrecy,
        membership_departments(contact.department_id, contact.memberships),
        tuple(contact.tags),
        ends(contact.kind, contact.contract_until),
    )


class CardTracer:
    """Says what the change of a card leaves."""

    def __init__(self, key: bytes) -> None:
        """Take the key of boxes (32 bytes, from the keyring, by ``BOX``)."""
        self._box = SecretBox(key)

    def of(self, action: str, contact: Contact, told: Collection[str], before: CohortKey | None) -> Trace:
        """Make the trace of ``action`` that changed the members ``told``; ``before`` is what policy could read, ``None`` of a new one."""
        moved = Sort.MOVED if "department" in told else Sort.UPDATED
        return Trace(
            type="contact",
            subject=contact.id,
            sort=_SORT_OF.get(action, moved),
            groups=() if action == "contact.create" else groups_of(contact.kind, told),
            before=self._closed(contact.id, before, None if before is None else cohort_of(contact)),
        )

    def retagged(self, identity: UUID, before: CohortKey, tags: tuple[str, ...]) -> Trace:
        """Make the trace of a change of tags alone."""
        closed = self._closed(identity, before, before._replace(tags=tags))
        return Trace(type="contact", subject=identity, sort=Sort.UPDATED, groups=(TAGS,), before=closed)

    def before(self, trace: Trace) -> CohortKey | None:
        """Give what policy could read before the change; ``None`` where it reads the same since. Raises ``SealBroken``."""
        if trace.before is None:
            return None
        read = orjson.loads(self._box.open(trace.subject.bytes, trace.before))
        kind, worker_kind, status, secrecy, departments, tags, until = read
        return CohortKey(
            kind,
            worker_kind,
            status,
            secrecy,
            tuple(map(UUID, departments)),
            tuple(tags),
            None if until is None else date.fromisoformat(until),
        )

    def _closed(self, identity: UUID, before: CohortKey | None, after: CohortKey | None) -> bytes | None:
        """Put what policy could read into a box that opens for this contact alone, where it no longer reads the same."""
        if before is None or before == after:
            return None
        return self._box.close(identity.bytes, orjson.dumps(list(before)))
