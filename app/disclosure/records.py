"""A row as the gate takes it: what policy may read, what stays sealed, and what proves that nobody edited it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from app.crypto.datakey import WrappedDataKey
from app.crypto.envelope import Box
from app.crypto.rowmac import RowValue
from app.permissions.plan import CohortKey


@dataclass(slots=True)
class Record:
    """One contact, still closed. ``consented`` are its consents that are live, as the row keeps them.

    ``boxes`` holds the envelopes in catalogue order, cut for opening; ``covered`` and ``mac`` are the row's MAC and what it covers;
    ``public`` the C1 members, ready to be written, and ``head`` the same as the open beginning of a card; ``subject_bytes`` is the
    contact's id as the log packs it, and ``present`` has a bit for every place in ``boxes`` that holds a box.
    """

    subject: UUID
    key: WrappedDataKey
    cohort: CohortKey
    boxes: tuple[Box | None, ...]
    covered: tuple[RowValue, ...]
    mac: bytes
    public: dict[str, Any]
    consented: str | None = None
    head: bytes = field(init=False)
    subject_bytes: bytes = field(init=False)
    present: int = field(init=False)

    def __post_init__(self) -> None:
        """Render the C1 members once: a record that is looked at again begins its card with the same bytes."""
        self.head = orjson.dumps(self.public)[:-1]
        self.subject_bytes = self.subject.bytes
        self.present = sum(1 << place for place, box in enumerate(self.boxes) if box is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """A file in sealed pieces, with the key that is its own: ``subject`` names key and file, ``name`` is the logical name of what it is."""

    subject: UUID
    key: WrappedDataKey
    name: str
    chunks: Sequence[bytes]
