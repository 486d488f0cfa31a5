"""The shape of a contact's row: which columns it has in which order, what its MAC covers, how it becomes a card's C1 members.

Pure over a tuple of column values, so that the read path needs no mapped object, and shared with the write path, so that the two can never
disagree on what a MAC covers.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any, ClassVar, Final, NoReturn
from uuid import UUID

import orjson

from app.contacts.fields import CATALOGUE, NAMES, SEALED_NAMES, TEMPORARY
from app.crypto.datakey import DIGEST_SIZE, WrappedDataKey
from app.crypto.envelope import Box, cut
from app.crypto.rowmac import RowValue
from app.departments.tree import Tree
from app.disclosure.records import Record
from app.permissions.plan import CohortKey

_FIELDS: Final = len(CATALOGUE.protected)
_ADDED: Final = (CATALOGUE.place["relations"], CATALOGUE.place[NAMES[0]])
"""Where each group of fields begins that came after the first rows were covered, the newest first."""


_DIGESTS_AT: Final = 8
"""Where the digests stand in what a MAC covers."""


class RowUnreadable(ValueError):
    """A column holds what the service never writes there: somebody else wrote it, and the row is not believed."""


def pack_digests(digests: Mapping[str, bytes]) -> bytes:
    """Pack the digests of the sealed values: one byte of place in the catalogue and 16 of digest each, in order of place."""
    places = sorted((CATALOGUE.place[name], digest) for name, digest in digests.items())
    return b"".join(bytes([place]) + digest for place, digest in places)


def unpack_digests(packed: bytes) -> dict[str, bytes]:
    """Read what ``pack_digests`` wrote."""
    step = DIGEST_SIZE + 1
    return {CATALOGUE.protected[packed[at]].name: packed[at + 1 : at + step] for at in range(0, len(packed), step)}


def covered_digests(covered: Sequence[RowValue]) -> dict[str, bytes]:
    """Read the digests of a row out of what its MAC covers, so that what is read is what was verified."""
    packed = covered[_DIGESTS_AT] if len(covered) > _DIGESTS_AT else None
    return unpack_digests(packed) if isinstance(packed, bytes) else {}


def membership_departments(main: UUID | None, memberships: Sequence[Mapping[str, Any]]) -> tuple[UUID, ...]:
    """List every department of a contact once, the main one first."""
    found = dict.fromkeys(UUID(each["department_id"]) for each in memberships)
    if main is not None:
        found = {main: None, **found}
    return tuple(found)


def covered_values(
    *,
    identity: UUID,
    kind: str,
    worker_kind: str | None,
    status: str,
    secrecy: str,
    user_name_key: str | None,
    departments: tuple[UUID, ...],
    row_version: int,
    digests: bytes,
    sealed: Sequence[bytes | None],
    tags: Sequence[str] = (),
    until: date | None = None,
    consented: str | None = None,
) -> tuple[RowValue, ...]:
    """Lay out what a row's MAC covers: everything that policy reads, the row counter, every digest and every envelope.

    Fields that came later stand last, and are covered up to the last group of which there is any; after them the consents that are live,
    and tags and the end of a temporary contract, where there are any: so a row that has none of these is covered as it was before they
    came. What is moved, removed or added changes what is covered, if only its length, since what is covered says of each value where it
    ends and of which type it is: envelopes are bytes, what follows them one, two or three texts.
    """
    packed = b"".join([each.bytes for each in departments])
    for first in _ADDED:
        if any(sealed[first:]):
            break
        sealed = sealed[:first]
    return (
        identity.bytes,
        kind,
        worker_kind,
        status,
        secrecy,
        user_name_key,
        packed,
        str(row_version),
        digests,
        *sealed,
        *(() if consented is None else (consented,)),
        *(
            ()
            if not tags and until is None
            else (orjson.dumps(tags).decode(), "" if until is None else until.isoformat())
        ),
    )


def ends(kind: str, contract_until: object) -> date | None:
    """Read when the contract of a temporary contact ends, of which policy asks; raise ``RowUnreadable`` for what is no date."""
    if kind != TEMPORARY or contract_until is None:
        return None
    try:
        return date.fromisoformat(str(contract_until))
    except ValueError:
        _unreadable()


class RowShape:
    """One row, as the repository's statement selects it."""

    PLAIN: ClassVar[tuple[str, ...]] = (
        "id",
        "kind",
        "worker_kind",
        "status",
        "secrecy",
        "name",
        "name_en",
        "alias",
        "user_name",
        "user_name_key",
        "employee_no",
        "department_id",
        "title",
        "memberships",
        "manager_id",
        "dotted_manager_id",
        "short_numbers",
        "extension",
        "location",
        "duties",
        "work_area",
        "organisation",
        "relation",
        "contract_ref",
        "contract_until",
        "review_due",
        "tags",
        "category",
        "away_until",
        "backup_contact_id",
        "retain_until",
        "consented",
        "unconfirmed_since",
        "row_version",
    )

    def __init__(self, row: Sequence[Any]) -> None:
        """Take the values in the statement's order."""
        at = len(self.PLAIN)
        self.plain: dict[str, Any] = dict(zip(self.PLAIN, row, strict=False))
        self.identity: UUID = row[0]
        self.sealed: tuple[bytes | None, ...] = tuple(row[at : at + _FIELDS])
        self.digests: bytes = row[at + _FIELDS]
        self.mac: bytes = row[at + _FIELDS + 1]
        self.key = WrappedDataKey(*row[at + _FIELDS + 2 : at + _FIELDS + 6])

    @cached_property
    def memberships(self) -> Sequence[Mapping[str, Any]]:
        """Further departments, as the row keeps them."""
        found = _listed(self.plain["memberships"], dict)
        if not all(map(_is_membership, found)):
            _unreadable()
        return found

    @cached_property
    def departments(self) -> tuple[UUID, ...]:
        """Every department of the contact."""
        main = self.plain["department_id"]
        if not self.memberships:
            return (main,) if main is not None else ()
        return membership_departments(main, self.memberships)

    @property
    def boxes(self) -> tuple[Box | None, ...]:
        """The sealed values, cut for opening."""
        return tuple(
            None if envelope is None else cut(field.name, envelope)
            for field, envelope in zip(CATALOGUE.protected, self.sealed, strict=True)
        )

    @property
    def cohort(self) -> CohortKey:
        """What policy may read."""
        plain = self.plain
        return CohortKey(
            plain["kind"],
            plain["worker_kind"],
            plain["status"],
            plain["secrecy"],
            self.departments,
            self.tags,
            ends(plain["kind"], plain["contract_until"]),
        )

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The contact's tags, in the order of the row."""
        return tuple(_listed(self.plain["tags"], str))

    @property
    def covered(self) -> tuple[RowValue, ...]:
        """What the MAC covers."""
        plain = self.plain
        return covered_values(
            identity=self.identity,
            kind=plain["kind"],
            worker_kind=plain["worker_kind"],
            status=plain["status"],
            secrecy=plain["secrecy"],
            user_name_key=plain["user_name_key"],
            departments=self.departments,
            row_version=plain["row_version"],
            digests=self.digests,
            sealed=self.sealed,
            tags=self.tags,
            until=ends(plain["kind"], plain["contract_until"]),
            consented=plain["consented"],
        )

    def public(self, tree: Tree) -> dict[str, Any]:
        """Write the C1 members of the card, as far as a serialiser needs it: ids, dates and rendered parts stay what they are."""
        plain = self.plain
        card = {
            "id": self.identity,
            "kind": plain["kind"],
            "name": plain["name"],
            "name_en": plain["name_en"],
            "alias": plain["alias"],
            "employee_no": plain["employee_no"],
            "user_name": plain["user_name"],
            "worker_kind": plain["worker_kind"],
            "status": plain["status"],
            "department": department_view(plain["department_id"], tree),
            "title": plain["title"],
            "memberships": [_membership(each, tree) for each in self.memberships],
            "manager": plain["manager_id"],
            "dotted_manager": plain["dotted_manager_id"],
            "short_numbers": _texts(plain["short_numbers"]),
            "extension": plain["extension"],
            "location": plain["location"],
            "duties": plain["duties"],
            "work_area": plain["work_area"],
            "organisation": plain["organisation"],
            "relation": plain["relation"],
            "contract_ref": plain["contract_ref"],
            "contract_until": plain["contract_until"],
            "review_due": plain["review_due"],
            "tags": _texts(plain["tags"]),
            "category": plain["category"],
            "away_until": plain["away_until"],
            "backup_contact": plain["backup_contact_id"],
            "retain_until": plain["retain_until"],
        }
        if plain["unconfirmed_since"] is not None:
            card["unconfirmed_since"] = plain["unconfirmed_since"]
        if plain["kind"] in SEALED_NAMES:
            for name in NAMES:
                del card[name]
        return card


def listed_under(public: Mapping[str, Any]) -> str:
    """Give what a card stands under in a list by name (``models.LABEL``): its plain name, else the organisation."""
    return public.get("name") or public.get("organisation") or ""


def readable(*, memberships: object, short_numbers: object, tags: object) -> None:
    """Raise ``RowUnreadable`` unless the JSON columns of a mapped row hold what the service writes there."""
    if not all(map(_is_membership, _listed(memberships, dict))):
        _unreadable()
    for texts in (short_numbers, tags):
        _listed(texts, str)


def unreadable_record(raw: Sequence[Any], identity: UUID) -> Record:
    """Make the record of a row that cannot be read from what the driver gave: under no MAC, so that nobody takes it for true.

    Of its members it keeps those that a list is ordered by.
    """
    at = len(RowShape.PLAIN)
    plain = dict(zip(RowShape.PLAIN, raw, strict=False))
    ordering = {
        name: plain[name] if isinstance(plain[name], str) else None for name in ("name", "organisation", "employee_no")
    }
    return Record(
        subject=identity,
        key=WrappedDataKey(*raw[at + _FIELDS + 2 : at + _FIELDS + 6]),
        cohort=CohortKey(plain["kind"], plain["worker_kind"], plain["status"], plain["secrecy"], ()),
        boxes=(None,) * _FIELDS,
        covered=(),
        mac=b"",
        public={"id": identity, **ordering},
    )


def _texts(stored: Any) -> Any:  # noqa: ANN401 — a JSON document, parsed or as text
    """Take a list of texts as a serialiser can: text that the store kept as JSON goes out as it is, once it is known to be that."""
    _listed(stored, str)
    return orjson.Fragment(stored) if isinstance(stored, str) else stored


def _listed(stored: Any, kind: type) -> Sequence[Any]:  # noqa: ANN401 — a JSON document, parsed or as text
    """Read a JSON column that holds a list of ``kind``; raise ``RowUnreadable`` for anything else."""
    if stored == "[]":
        return ()
    try:
        found = orjson.loads(stored) if isinstance(stored, str) else stored
    except ValueError:
        _unreadable()
    if not isinstance(found, list) or not all(type(each) is kind for each in found):
        _unreadable()
    return found


def _is_membership(each: Mapping[str, Any]) -> bool:
    title = each.get("title")
    return (
        _is_id(each.get("department_id"))
        and (title is None or type(title) is str)
        and type(each.get("order", 0)) is int
        and type(each.get("leader", False)) is bool
    )


def _is_id(text: object) -> bool:
    try:
        return isinstance(text, str) and bool(UUID(text))
    except ValueError:
        return False


def _unreadable() -> NoReturn:
    message = "a column does not hold what is written there"
    raise RowUnreadable(message) from None


def _membership(each: Mapping[str, Any], tree: Tree) -> dict[str, Any]:
    return {
        "department": department_view(UUID(each["department_id"]), tree),
        "title": each.get("title"),
        "order": each.get("order", 0),
        "leader": each.get("leader", False),
        "main": False,
    }


def department_view(identity: UUID | None, tree: Tree) -> orjson.Fragment | None:
    """Write a department as a card names it; ``None`` for none, and for one that is not in the verified tree."""
    found = None if identity is None else tree.views.get(identity)
    return None if found is None else orjson.Fragment(found)
