"""What a head-count is, what is different, and what became of a difference: values that the parts of this package hand each other. Pure."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

import orjson

SOURCE_PREFIX: Final = "reconcile:"
"""Before a source's name in the ledger of personnel events."""


class ReconciliationState(StrEnum):
    """How far a reconciliation is."""

    QUEUED = "queued"
    COMPARING = "comparing"
    COMPARED = "compared"
    APPLYING = "applying"
    APPLIED = "applied"
    FAILED = "failed"


class DiffKind(StrEnum):
    """What is different about a person, or wrong with a row."""

    JOINER = "joiner"
    RETURNED = "returned"
    CHANGED = "changed"
    LEAVER = "leaver"
    NEWER = "newer"
    UNKNOWN_DEPARTMENT = "unknown_department"
    UNREADABLE = "unreadable"


APPLICABLE: Final = frozenset({DiffKind.JOINER, DiffKind.RETURNED, DiffKind.CHANGED, DiffKind.LEAVER})


class DifferenceOutcome(StrEnum):
    """What became of a difference."""

    APPLIED = "applied"
    SCHEDULED = "scheduled"
    WAITING = "waiting"
    SUPERSEDED = "superseded"
    FAILED = "failed"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """One head-count, and what was found: what the row's MAC covers.

    ``digest`` is over all differences in their order; ``people`` are those in service and in scope when it was compared. ``begun_at`` is
    when its application was allowed; ``released_by`` the approved request that allowed a blown fuse.
    """

    id: UUID
    source: str
    format: str
    department_id: UUID | None
    as_of: datetime
    size: int
    content: bytes
    caller: str
    client_id: str
    job_id: UUID
    created_at: datetime
    compared_at: datetime | None = None
    digest: bytes | None = None
    rows: int = 0
    leavers: int = 0
    people: int = 0
    nameless: int = 0
    begun_at: datetime | None = None
    apply_job_id: UUID | None = None
    released_by: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """The word of an approved request that one diff may let so many people go."""

    request_id: UUID
    reconciliation_id: UUID
    digest: bytes
    leavers: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One row of a diff: names of members, never values. ``said`` is what the file says of it, as JSON, boxed before it is kept."""

    kind: DiffKind
    line: int | None = None
    employee_no: str | None = None
    contact_id: UUID | None = None
    department_id: UUID | None = None
    version: int | None = None
    members: tuple[str, ...] = ()
    column: str | None = None
    code: str | None = None
    said: bytes | None = field(default=None, repr=False)
    names: frozenset[str] = frozenset()
    """Whom a joiner's row names, by employee number: they come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A difference as it is kept, by its number from 0."""

    number: int
    kind: DiffKind
    line: int | None
    employee_no: str | None
    contact_id: UUID | None
    department_id: UUID | None
    version: int | None
    members: tuple[str, ...]
    column: str | None
    code: str | None
    box: bytes | None = field(default=None, repr=False)
    outcome: DifferenceOutcome | None = None
    result: str | None = None


def canonical(row: Row) -> bytes:
    """Write what a diff's digest covers of a row: all of it but what became of it."""
    box = None if row.box is None else hashlib.sha256(row.box).hexdigest()
    told = [row.number, row.kind.value, row.line, row.employee_no, row.contact_id, row.department_id]
    return orjson.dumps([*told, row.version, row.members, row.column, row.code, box])


class Digest:
    """Collects the digest of a diff, row by row in their order."""

    def __init__(self, identity: UUID) -> None:
        """Begin with the reconciliation's id, so that equal diffs of two have different digests."""
        self._hash = hashlib.sha256(b"duanhao:reconciliation:1" + identity.bytes)

    def take(self, rows: Iterable[Row]) -> None:
        """Take the next rows."""
        for row in rows:
            told = canonical(row)
            self._hash.update(len(told).to_bytes(4) + told)

    def value(self) -> bytes:
        """Give it."""
        return self._hash.digest()


CHANGES_AFTER: Final = 20_000
LEAVES_AFTER: Final = 20_001


def waves(named: Mapping[str, frozenset[str]]) -> dict[str, int]:
    """Say in which order joiners come, so that who is named is there before who names them: 0 first.

    ``named``: whom each joiner's row names. Those who name each other in a circle come last, at once; the ledger tells what fails.
    """
    left = {who: each & named.keys() - {who} for who, each in named.items()}
    naming: dict[str, list[str]] = {}
    for who, each in left.items():
        for one in each:
            naming.setdefault(one, []).append(who)
    missing = {who: len(each) for who, each in left.items()}
    found: dict[str, int] = {}
    ready, wave = [who for who, count in missing.items() if not count], 0
    while ready:
        following: list[str] = []
        for who in ready:
            found[who] = min(wave, CHANGES_AFTER - 2)
            for one in naming.get(who, ()):
                missing[one] -= 1
                if not missing[one]:
                    following.append(one)
        ready, wave = following, wave + 1
    return {who: found.get(who, CHANGES_AFTER - 1) for who in named}
