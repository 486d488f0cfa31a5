"""What a review asks, of whom, what can be answered, and what follows from silence. Pure.

A review of rights goes through every right that was given, one item each, and asks whoever owns it; a review of accuracy asks people
whether their own card is right and heads whether the list of their department is. An answer is one verdict; a right that nobody answers
for is suspended on a known working day, unless the campaign was started to keep it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID


class Kind(StrEnum):
    """What a campaign reviews."""

    RIGHTS = "rights"
    ACCURACY = "accuracy"


class Stage(StrEnum):
    """How far a campaign is."""

    PREPARING = "preparing"
    ASKED = "asked"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Silence(StrEnum):
    """What becomes of a right for which nobody answers."""

    SUSPEND = "suspend"
    KEEP = "keep"


class State(StrEnum):
    """What became of an item. ``ended``: kept for a while, which is over. ``moot``: what it asked about was gone already."""

    OPEN = "open"
    KEPT = "kept"
    SHORTENED = "shortened"
    REVOKED = "revoked"
    ENDED = "ended"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    SUSPENDED = "suspended"
    RETAINED = "retained"
    UNCONFIRMED = "unconfirmed"
    MOOT = "moot"


class Verdict(StrEnum):
    """What a reviewer can answer."""

    KEEP = "keep"
    SHORTEN = "shorten"
    REVOKE = "revoke"
    CONFIRM = "confirm"
    DISPUTE = "dispute"


class Risk(StrEnum):
    """How closely an item has to be looked at."""

    LOW = "low"
    HIGH = "high"


GRANT, ROLE, TIER, CARD, LIST = "grant", "role", "tier", "card", "list"
NUMBER, CLIENT = "number", "client"
"""Kinds of item; the last two are brought by ``Holdings``, as others may be."""

OF_ACCURACY: Final = frozenset({CARD, LIST})
MARKED: Final = frozenset({ROLE, TIER})
"""What is suspended by a mark, so that a late answer can still take it off."""

UNLOGGED: Final = frozenset({NUMBER, CLIENT})
"""What the access log tells no use of by its holder; its hints are what the rows say."""

STARTERS: Final = frozenset({"administration", "directory_steward", "hr", "infosec"})
"""Roles that start and cancel campaigns."""
OVERSEERS: Final = frozenset({*STARTERS, "auditor"})
"""Roles that see whole campaigns, whoever is asked."""

MOST_AT_ONCE: Final = 200

_STATES: Final = {
    Verdict.KEEP: State.KEPT,
    Verdict.SHORTEN: State.SHORTENED,
    Verdict.REVOKE: State.REVOKED,
    Verdict.CONFIRM: State.CONFIRMED,
    Verdict.DISPUTE: State.DISPUTED,
}
_QUARTER: Final = 3
_OPENING: Final = time(9, 0)


@dataclass(frozen=True, slots=True)
class Post:
    """Somebody who can answer, and as what: head of a department, of security, of administration, or themselves."""

    person: UUID
    kind: str
    department: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One campaign, as its row's MAC covers it."""

    id: UUID
    kind: Kind
    stage: Stage
    slot: str | None
    started_by: UUID | None
    started_at: datetime
    answer_days: int
    suspend_days: int
    on_silence: Silence
    remind_at: datetime
    due_at: datetime
    suspend_at: datetime
    predicted: bool
    closed_at: datetime | None = None
    row_version: int = 1

    @property
    def is_live(self) -> bool:
        """Tell whether anybody is still being asked."""
        return self.stage not in {Stage.CLOSED, Stage.CANCELLED}

    @property
    def acts_at(self) -> datetime | None:
        """Give when its stage ends by itself; ``None`` when it is over."""
        match self.stage:
            case Stage.PREPARING:
                return self.started_at
            case Stage.ASKED:
                return self.remind_at
            case Stage.REMINDED:
                return self.due_at
            case Stage.ESCALATED:
                return self.suspend_at
            case Stage.CLOSED | Stage.CANCELLED:
                return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item, as its row's MAC covers it. ``detail`` says what it is about, in ids and codes."""

    id: UUID
    campaign_id: UUID
    kind: str
    reference: str
    holder_id: UUID | None
    account_id: UUID | None
    detail: Mapping[str, Any]
    post: Post | None
    risk: Risk
    hints: tuple[str, ...]
    held_since: datetime | None
    last_used_at: datetime | None
    state: State = State.OPEN
    ends_at: datetime | None = None
    decided_by: UUID | None = None
    decided_at: datetime | None = None
    row_version: int = 1

    @property
    def key(self) -> str:
        """What the item is about, once in a campaign."""
        return f"{self.kind}:{self.reference}:{'' if self.holder_id is None else self.holder_id}"

    @property
    def reviewer(self) -> UUID | None:
        """Who answers for it."""
        return None if self.post is None else self.post.person

    @property
    def is_answerable(self) -> bool:
        """Tell whether an answer can still be given: in time, or late where that puts something right."""
        late = self.state is State.SUSPENDED and self.kind in MARKED
        return self.state in {State.OPEN, State.UNCONFIRMED} or late

    @property
    def outlives_silence(self) -> bool:
        """Tell whether silence takes nothing: an ordinary number is how somebody is reached, and no right over anybody."""
        return self.kind == NUMBER and self.risk is Risk.LOW

    @property
    def must_be_opened(self) -> bool:
        """Tell whether keeping it takes having looked at it."""
        return self.risk is Risk.HIGH


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Something that a campaign would ask about, before it is known who answers and how risky it is."""

    kind: str
    reference: str
    holder_id: UUID | None
    account_id: UUID | None = None
    department: UUID | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    held_since: datetime | None = None
    until: datetime | None = None
    flags: Sequence[str] = ()

    @property
    def key(self) -> str:
        """What it is about, once in a campaign."""
        return f"{self.kind}:{self.reference}:{'' if self.holder_id is None else self.holder_id}"


def state_of(verdict: Verdict) -> State:
    """Give the state that a verdict puts an item into."""
    return _STATES[verdict]


def fits(verdict: Verdict, item: Item) -> bool:
    """Tell whether a verdict is one that can be given for such an item."""
    return (verdict in {Verdict.CONFIRM, Verdict.DISPUTE}) == (item.kind in OF_ACCURACY)


def keeps(verdict: Verdict) -> bool:
    """Tell whether a right lives on by this verdict."""
    return verdict in {Verdict.KEEP, Verdict.SHORTEN}


def quarter_of(moment: datetime, clock_here: timedelta) -> str:
    """Name the quarter of a moment, by the clocks here: ``2026-Q4``."""
    here = moment + clock_here
    return f"{here.year}-Q{(here.month - 1) // _QUARTER + 1}"


def next_quarter(moment: datetime, clock_here: timedelta) -> datetime:
    """Give nine in the morning, by the clocks here, of the first day of the quarter after ``moment``'s."""
    here = moment + clock_here
    month = (here.month - 1) // _QUARTER * _QUARTER + _QUARTER + 1
    year, month = (here.year + 1, month - 12) if month > 12 else (here.year, month)  # noqa: PLR2004 — months of a year
    return datetime.combine(datetime(year, month, 1, tzinfo=UTC).date(), _OPENING, tzinfo=UTC) - clock_here
