"""What long work is given, and how it is asked for: a job has no rights of its own, it has those of whoever asked, as they are now."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from uuid import UUID

from app.kit.db import UnitOfWork
from app.kit.errors import TooMany
from app.permissions.standing import Viewer

_AGAIN_SECONDS: Final = 30


class TooManyJobs(TooMany):
    """Long work waits in one short line."""

    code, title, title_zh = "too_many_jobs", "Too many jobs are waiting", "等待中的任务过多"

    def __init__(self) -> None:
        """Say when to ask again."""
        super().__init__(headers={"Retry-After": str(_AGAIN_SECONDS)})


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of the next item of a job; ``detail`` is JSON with ids, codes and counts only."""

    state: str
    detail: Mapping[str, Any] = field(default_factory=dict)


class JobRun(Protocol):
    """One run of a job, as its handler sees it."""

    id: UUID
    payload: Mapping[str, Any]
    done: int
    """How many items earlier runs have finished; a run that takes over goes on from there."""

    async def viewer(self) -> Viewer:
        """Give whoever asked, with the rights of now; raise what a request of theirs would be refused with."""
        ...

    async def advance(self, done: int, total: int, rows: Sequence[RowOutcome] = ()) -> None:
        """Say how far it is, with what became of the items since; raise ``JobEnded`` when the run is not wanted any more."""
        ...


class JobQueue(Protocol):
    """Where long work is asked for."""

    async def submit(
        self, unit: UnitOfWork, viewer: Viewer, kind: str, payload: Mapping[str, Any], *, total: int = 0
    ) -> UUID:
        """Promise a job in the transaction of ``unit``; ``payload`` is JSON with ids only. Give its id.

        Raises ``TooManyJobs`` when too many of the caller's, or of everybody's, wait.
        """
        ...


RESOURCE: Final = "resource"
"""Member of a booked job's payload: the path of what it works on. A job that has it is done by the outbox and not by a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of a booked job that was just done: how many items it made, how many there are by now, and how many there will be."""

    made: int
    done: int
    total: int


class JobBooking(Protocol):
    """Where whoever promises long work piece by piece books it as a job."""

    async def begin(self, unit: UnitOfWork, viewer: Viewer, kind: str, *, resource: str, total: int) -> UUID:
        """Book a job of ``total`` items on what stands at ``resource``, in the transaction of ``unit``; give its id."""
        ...


JobHandler = Callable[[JobRun], Awaitable[Mapping[str, Any]]]
"""Does the work and gives its result: JSON with ids and counts only."""


class JobEnded(Exception):
    """The job was cancelled, or another process has it: stop, and change nothing any more."""
