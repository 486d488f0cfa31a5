"""The order of personnel events: what an event may still do to somebody of whom other events were applied before it arrived. Pure.

Every member of a person, their status among them, has one last writer: the place, in the order of events, of the event that wrote it. An
event writes those members that no later one has written, so it matters neither in which order events arrive nor how often: what remains of
each member is what the latest event said of it. What an event needs and does not find (a person whom nobody has let in, somebody to take
back who has not left) may still arrive, and so it waits. docs/decisions/0048 says why, and what this does not promise.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["joined", "moved", "updated", "leaving", "left", "rehired"]
Standing: TypeAlias = Literal["absent", "in_service", "left"]

STATUS: Final = "status"
"""The member that joining, leaving and coming back write, besides those that their data name."""

FORMER_PLACE: Final = frozenset(
    {"title", "manager", "dotted_manager", "backup_contact", "duties", "work_area", "away_until", "contract_until"}
)
"""Members that describe a place in the company: who comes back has those that the event names, and no others."""

_WRITES_STATUS: Final = frozenset({"joined", "leaving", "left", "rehired"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands among those about its subject: by the sequence of its source where both have one, else by time."""

    at: datetime
    source: str
    sequence: int | None = None

    def before(self, other: "Place") -> bool:
        """Tell whether this is earlier; what stands at the same place comes in the order of arrival, so neither is."""
        if self.source == other.source and self.sequence is not None and other.sequence is not None:
            return self.sequence < other.sequence
        return self.at < other.at


class Missing(StrEnum):
    """What an event that waits waits for; each is the code of a problem that its source is told."""

    EARLIER = "sequence_gap"
    PERSON = "unknown_subject"
    RETURN = "subject_left"
    DEPARTURE = "subject_in_service"
    CAUSE = "unknown_event"
    DECISION = "held_up"


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as far as its order matters: what it is, where it stands, and which members it writes besides the status."""

    kind: Kind
    place: Place
    members: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody as far as order matters: whether they are there, and who wrote each member last."""

    standing: Standing = "absent"
    writers: Mapping[str, Place] = field(default_factory=lambda: MappingProxyType({}))

    def open_to(self, place: Place, members: Iterable[str]) -> frozenset[str]:
        """Name the members among these that nothing later than ``place`` has written."""
        return frozenset(
            name for name in members if (writer := self.writers.get(name)) is None or not place.before(writer)
        )


@dataclass(frozen=True, slots=True)
class Apply:
    """It is to be applied, to these members alone."""

    members: frozenset[str]


@dataclass(frozen=True, slots=True)
class Wait:
    """It cannot be applied yet."""

    missing: Missing


@dataclass(frozen=True, slots=True)
class Superseded:
    """Everything that it would write was written by later events."""


Verdict: TypeAlias = Apply | Wait | Superseded


def written_by(happening: Happening) -> frozenset[str]:
    """Name every member that an event writes, those that it empties among them."""
    members = happening.members | (FORMER_PLACE | {"memberships"} if happening.kind == "rehired" else frozenset())
    return members | {STATUS} if happening.kind in _WRITES_STATUS else members


def judge(subject: Subject, happening: Happening) -> Verdict:
    """Say what an event may do to its subject now.

    What an event needs is asked of the time at which it stands: one that stands before the last change of status is believed to have found
    what it needs, since its source saw to that, and keeps the status as the later event left it.
    """
    if happening.kind == "joined":
        return Apply(written_by(happening))
    if subject.standing == "absent":
        return Wait(Missing.PERSON)
    free = subject.open_to(happening.place, written_by(happening))
    current = bool(subject.open_to(happening.place, (STATUS,)))
    if current and happening.kind == "rehired" and subject.standing != "left":
        return Wait(Missing.DEPARTURE)
    if current and happening.kind in ("moved", "updated", "leaving") and subject.standing == "left":
        return Wait(Missing.RETURN)
    return Apply(free) if free else Superseded()


def after(subject: Subject, happening: Happening, members: frozenset[str]) -> Subject:
    """Give the subject once ``happening`` has written ``members``; who joins begins anew."""
    before = {} if happening.kind == "joined" else subject.writers
    writers = {**before, **dict.fromkeys(members, happening.place)}
    if STATUS not in members:
        return replace(subject, writers=writers)
    return Subject("left" if happening.kind == "left" else "in_service", writers)


def in_turn(last: int | None, sequence: int | None, *, begins: bool) -> bool:
    """Tell whether nothing is missing before an event of this ``sequence``.

    ``last`` is the place up to which its source's events about the subject have come; where none has, an event that ``begins`` (a joining,
    or whatever is first heard of somebody who is known from elsewhere) is the base. What comes late has had its turn.
    """
    if sequence is None:
        return True
    return begins if last is None else sequence <= last + 1
