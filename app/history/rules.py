"""What a purge may reach, and what its certificate says. Pure.

History goes by whole quarters, all before a day on which a quarter begins; the quarters that the company keeps, and the one that runs, are
out of reach. A certificate is one line of JSON under the signature of the access log's key; its root is that of an RFC 6962 tree over the
keys, in the order of their handles, so that whoever holds the list of keys can check it, and whoever restores a backup knows which to
destroy again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Self
from uuid import UUID

import orjson

from app.audit.merkle import Frontier, leaf_hash
from app.audit.note import Signer, Verifier, attested
from app.crypto import quarters
from app.crypto.history_purging import KeptKey

KIND: Final = "duanhao.history-purge/1"
READERS: Final = frozenset({"directory_steward", "infosec", "auditor"})
"""The roles that certificates are told to."""


def cutoff(day: date) -> int | None:
    """Give the quarter that begins on ``day``, before which everything goes; ``None`` where none does."""
    quarter = quarters.quarter_on(day)
    return quarter if quarters.begins(quarter) == day else None


def newest(now: datetime, kept: int, utc_offset: timedelta) -> date:
    """Give the latest day that a purge may name: the first of the oldest quarter of the ``kept`` whole ones that stay."""
    return quarters.begins(quarters.earlier(quarters.quarter_of(now, utc_offset), kept))


def moment(day: date, utc_offset: timedelta) -> datetime:
    """Give when a day begins in a place that is ``utc_offset`` ahead of UTC."""
    return datetime.combine(day, time(), UTC) - utc_offset


@dataclass(slots=True)
class Tally:
    """What was counted of keys, each added once, in the order of handles."""

    tree: Frontier = field(default_factory=Frontier)
    subjects: set[UUID] = field(default_factory=set)
    first: int | None = None
    last: int | None = None

    @classmethod
    def of(cls, keys: Iterable[KeptKey]) -> Self:
        """Count these."""
        tally = cls()
        for key in keys:
            tally.add(key)
        return tally

    def add(self, key: KeptKey) -> None:
        """Count one more."""
        self.tree.append(leaf_hash(key.leaf()))
        self.subjects.add(key.subject)
        self.first = key.quarter if self.first is None else min(self.first, key.quarter)
        self.last = key.quarter if self.last is None else max(self.last, key.quarter)

    @property
    def root(self) -> str:
        """The root of the tree, in hexadecimal."""
        return self.tree.root().hex()

    def told(self) -> dict[str, Any]:
        """Say it in counts."""
        span = [] if self.first is None or self.last is None else [quarters.name(self.first), quarters.name(self.last)]
        return {"subjects": len(self.subjects), "keys": self.tree.size, "quarters": span}


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What one purge did: ``id`` is the request's; ``statement`` is the JSON that was signed."""

    id: UUID
    at: datetime
    note: str
    statement: Mapping[str, Any]
    intact: bool


def certified(signer: Signer, statement: Mapping[str, Any]) -> str:
    """Write the signed note of a purge."""
    return signer.attest(KIND, orjson.dumps(statement, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z).decode())


def opened(verifiers: Sequence[Verifier], note: str) -> Mapping[str, Any] | None:
    """Read the statement of a note that one of these keys signed; ``None`` for anything else."""
    return attested(verifiers, KIND, note)


def stated(note: str) -> Mapping[str, Any]:
    """Read what a stored note says, whoever signed it; empty where it says nothing readable."""
    try:
        read = orjson.loads(note.split("\n")[1])
    except (IndexError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}
