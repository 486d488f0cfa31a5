"""What a kind of import is: how its files are read, and what becomes of each row. Kinds are registered by name, in the composition.

A kind says who may import, reads the file once, and then settles rows a stretch at a time: what it must find out first it finds out before
a transaction is open, and what it writes it writes in the one that it is given. It never commits, and it need not know whether this is
rehearsed: a rehearsal is the same transaction, taken back.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol
from uuid import UUID

from app.kit.db import UnitOfWork
from app.kit.query import Source
from app.permissions.standing import Viewer


class Outcome(StrEnum):
    """What became of a row."""

    ADOPTED = "adopted"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    PROBLEM = "problem"


class ImportState(StrEnum):
    """How far an import is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One file that was handed in, and what was asked of it: what the row's MAC covers.

    ``place`` is what the kind puts the rows into, as a numbering domain, or reads them by, as a profile; ``overrules`` asks to take over
    what is kept back for requests.
    """

    id: UUID
    kind: str
    format: str
    place: str
    dry_run: bool
    overrules: bool
    size: int
    digest: bytes
    caller: str
    contact_id: UUID | None
    job_id: UUID
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RowResult:
    """What became of one row. ``item`` is what the row is about, an identifier and never a person's data."""

    line: int
    outcome: Outcome
    code: str
    column: str | None = None
    item: str | None = None
    notes: tuple[str, ...] = ()


Settle = Callable[[UnitOfWork], Awaitable[Sequence[RowResult]]]
"""Writes what rows ask for, in the transaction that it is given, and tells what became of each."""


class Sheet(Protocol):
    """A file that has been read."""

    @property
    def problems(self) -> Sequence[RowResult]:
        """What could not be read."""
        ...

    @property
    def total(self) -> int:
        """How many rows could."""
        ...

    async def stretch(self, viewer: Viewer, at: int, count: int) -> Settle:
        """Find out what rows ``at`` to ``at + count`` need; give what settles them."""
        ...

    async def proposals(self, source: Source) -> Mapping[str, Any]:
        """Tell what the operator might do next, as JSON; looked at when all rows are settled."""
        ...


class Asked(Protocol):
    """What is asked of a file that a kind has a say in."""

    @property
    def domain(self) -> str:
        """The numbering domain."""
        ...

    @property
    def profile(self) -> str:
        """The profile that a sheet of people is read by."""
        ...

    @property
    def overrule(self) -> bool:
        """Whether what is kept back for requests is to be taken over."""
        ...


class ImportKind(Protocol):
    """One kind of import."""

    @property
    def placed(self) -> Literal["domain", "profile"]:
        """What the place of an import of this kind is called."""
        ...

    @property
    def formats(self) -> frozenset[str]:
        """The formats of its files."""
        ...

    def admit(self, viewer: Viewer) -> None:
        """Raise ``NotPermitted`` unless ``viewer`` may import this, and see what others imported."""
        ...

    async def check(self, source: Source, asked: Asked) -> str:
        """Give the place that is asked for; raise ``Invalid`` unless there is one, and for what this kind does not do."""
        ...

    async def read(self, found: Import, content: bytes, *, seconded: bool) -> Sheet:
        """Read a file; what cannot be read is among its problems. ``seconded``: somebody else has handed in the same file."""
        ...

    def explain(self, code: str) -> tuple[str, str]:
        """Say in English and Chinese what a row's code or note means."""
        ...
