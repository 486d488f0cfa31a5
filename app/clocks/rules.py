"""When a deadline is due, what happens on the way, and what it came to. Pure.

Sample policy S1-A gives three working days to take up who joins (art. 8) and what changes (art. 9), and five to remove and archive who
leaves (art. 10). A deadline counts from the day on which the event takes effect, and not from the day on which we heard of it: one that we
hear of too late is a breach from its first moment, and says so. A breach is written once: neither a late fulfilment nor a calendar that is
revised afterwards takes it back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal
from uuid import UUID

from app.calendar.rules import WorkCalendar


class Kind(StrEnum):
    """What happened, and so what the directory owes."""

    JOINER = "joiner"
    MOVER = "mover"
    LEAVER = "leaver"


class Cause(StrEnum):
    """Why a deadline ended without being met: the person left, came back, or a later event said otherwise."""

    LEFT = "left"
    REHIRED = "rehired"
    SUPERSEDED = "superseded"


class State(StrEnum):
    """What a deadline came to so far; ``BREACHED`` stays, whatever happens afterwards."""

    OPEN = "open"
    MET = "met"
    BREACHED = "breached"
    WITHDRAWN = "withdrawn"


DEFAULT_DAYS: Final[Mapping[Kind, int]] = {Kind.JOINER: 3, Kind.MOVER: 3, Kind.LEAVER: 5}
Step = Literal["remind", "breach"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """One deadline, as its row's MAC covers it; ``counted_at`` is when ``due_at`` was worked out last, by revision ``calendar``."""

    id: UUID
    kind: Kind
    source: str
    event_id: str
    subject: bytes
    contact_id: UUID | None = None
    department_id: UUID | None = None
    began_at: datetime
    recorded_at: datetime
    days: int
    due_at: datetime
    first_due_at: datetime
    predicted: bool
    counted_at: datetime
    calendar: int
    next_at: datetime | None = None
    reminded_at: datetime | None = None
    escalated_at: datetime | None = None
    breached_at: datetime | None = None
    met_at: datetime | None = None
    ended_at: datetime | None = None
    cause: Cause | None = None

    @property
    def is_running(self) -> bool:
        """Whether what is owed is still owed."""
        return self.met_at is None and self.ended_at is None

    @property
    def state(self) -> State:
        """What it came to so far."""
        if self.breached_at is not None:
            return State.BREACHED
        if self.ended_at is not None:
            return State.WITHDRAWN
        return State.OPEN if self.met_at is None else State.MET

    @property
    def remind_at(self) -> datetime:
        """Half of the time that was given."""
        return self.began_at + (self.due_at - self.began_at) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What begins a deadline: the event, whom it is about, and when it takes effect."""

    id: UUID
    kind: Kind
    source: str
    event_id: str
    subject: bytes
    began_at: datetime


def begun(beginning: Beginning, days: int, calendar: WorkCalendar, now: datetime) -> Deadline:
    """Give the deadline of ``days`` working days that ``beginning`` begins; one that is over already is born breached."""
    due = calendar.due(beginning.began_at, days)
    deadline = Deadline(
        id=beginning.id,
        kind=beginning.kind,
        source=beginning.source,
        event_id=beginning.event_id,
        subject=beginning.subject,
        began_at=beginning.began_at,
        recorded_at=now,
        days=days,
        due_at=due.at,
        first_due_at=due.at,
        predicted=due.predicted,
        counted_at=now,
        calendar=calendar.epoch,
    )
    return _watched(_judged(deadline, now))


def counted(deadline: Deadline, calendar: WorkCalendar, now: datetime) -> Deadline:
    """Work an open deadline out again by the calendar of now; of one that was breached the time that it broke stays."""
    if not deadline.is_running or deadline.breached_at is not None:
        return replace(deadline, calendar=calendar.epoch)
    due = calendar.due(deadline.began_at, deadline.days)
    after = replace(deadline, due_at=due.at, predicted=due.predicted, counted_at=now, calendar=calendar.epoch)
    return _watched(after)


def met(deadline: Deadline, at: datetime) -> Deadline:
    """Say that what was owed is done since ``at``; too late is a breach all the same."""
    return replace(_judged(deadline, at), met_at=at, next_at=None) if deadline.is_running else deadline


def ended(deadline: Deadline, cause: Cause, at: datetime) -> Deadline:
    """Say that it is not owed any more; what was broken before stays broken."""
    if not deadline.is_running:
        return deadline
    return replace(_judged(deadline, at), ended_at=at, cause=cause, next_at=None)


def attended(deadline: Deadline, now: datetime) -> tuple[Deadline, Step | None]:
    """Do what the clock has to do at ``now``: half way a reminder, at the end the breach with its escalation; each once."""
    if not deadline.is_running:
        return replace(deadline, next_at=None), None
    if now >= deadline.due_at and deadline.escalated_at is None:
        after = replace(_judged(deadline, now), reminded_at=deadline.reminded_at or now, escalated_at=now)
        return _watched(after), "breach"
    if now >= deadline.remind_at and deadline.reminded_at is None:
        return _watched(replace(deadline, reminded_at=now)), "remind"
    return _watched(deadline), None


def _judged(deadline: Deadline, now: datetime) -> Deadline:
    """Write the breach of a deadline that is past: at its end, or when we first knew of that end."""
    if deadline.breached_at is not None or now <= deadline.due_at:
        return deadline
    return replace(deadline, breached_at=max(deadline.due_at, deadline.counted_at))


def _watched(deadline: Deadline) -> Deadline:
    """Write when the clock has something to do next."""
    if deadline.reminded_at is None:
        return replace(deadline, next_at=min(deadline.remind_at, deadline.due_at))
    return replace(deadline, next_at=deadline.due_at if deadline.escalated_at is None else None)
