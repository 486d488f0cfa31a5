"""Counting over events, exactly and in bounded memory.

Pure. Events go by once, as evidence; what stays is one counter per actor, contact, department, action, purpose, hour and problem code. The
directory bounds their number, but an actor who asks for invented contacts could make more, so ``Tally.full`` says when to stop.
"""

from base64 import b64decode
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from heapq import nsmallest
from typing import Any, Final
from uuid import UUID

from app.audit.matching import UNREADABLE, Document

MOST_COUNTED: Final = 200_000
"""Most actors and contacts that are counted apart, some 60 MiB; the counting stops there and says so."""

_ID_BYTES: Final = 16

Key = tuple[str, str | None]


@dataclass(slots=True)
class ActorTally:
    """What one actor did; tier and department are those of the newest event."""

    tier: str | None
    department_id: UUID | None
    newest: datetime
    last_look: datetime | None = None
    looks: int = 0
    contacts: int = 0
    refusals: int = 0


class Counts:
    """Events by name, and how many of them were refused."""

    __slots__ = ("events", "refusals")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.events: Counter[Any] = Counter()
        self.refusals: Counter[Any] = Counter()

    def add(self, name: object, *, refused: bool) -> None:
        """Count one event."""
        self.events[name] += 1
        if refused:
            self.refusals[name] += 1

    def most(self, top: int | None = None) -> list[tuple[Any, int, int]]:
        """Give name, events and refusals, the most frequent first; names decide between equals."""
        order = sorted(self.events.items(), key=lambda pair: (-pair[1], str(pair[0])))
        return [(name, events, self.refusals[name]) for name, events in order[:top]]


class Tally:
    """Everything that a summary counts."""

    def __init__(self, *, offset: timedelta = timedelta(0), only: UUID | None = None, most: int = MOST_COUNTED) -> None:
        """Count hours of the day at ``offset`` from UTC, and, of the contacts in an event, ``only`` that one where it is given."""
        self._zone, self._only, self._most = timezone(offset), None if only is None else only.bytes, most
        self.events = self.looks = self.contacts = 0
        self.actors: dict[Key, ActorTally] = {}
        self.looked_at: Counter[bytes] = Counter()
        self.refused_at: Counter[bytes] = Counter()
        self.departments, self.purposes, self.actions, self.hours = Counts(), Counts(), Counts(), Counts()
        self.codes: Counter[str | None] = Counter()

    @property
    def full(self) -> bool:
        """Whether so many are counted apart that no more should be."""
        return len(self.actors) + len(self.looked_at) + len(self.refused_at) >= self._most

    def add(self, at: datetime, document: Document | None) -> None:
        """Count one event that happened ``at``; ``None`` and evidence of another shape count as unreadable."""
        try:
            found = _Read.of(document)
        except (AttributeError, KeyError, TypeError, ValueError):
            found = _Read.damaged()
        self.events += 1
        refused = found.decision == "refused"
        for counts, name in (
            (self.departments, found.department_id),
            (self.purposes, found.purpose),
            (self.actions, found.action),
            (self.hours, at.astimezone(self._zone).hour),
        ):
            counts.add(name, refused=refused)
        actor = self.actors.get(found.actor)
        if actor is None:
            actor = self.actors[found.actor] = ActorTally(found.tier, found.department_id, at)
        elif at > actor.newest:
            actor.tier, actor.department_id, actor.newest = found.tier, found.department_id, at
        contacts = found.contacts if self._only is None else found.contacts & {self._only}
        if refused:
            actor.refusals += 1
            self.codes[found.code] += 1
            self.refused_at.update(contacts)
        elif found.purpose is not None:
            self.looks += 1
            self.contacts += len(contacts)
            actor.looks += 1
            actor.contacts += len(contacts)
            actor.last_look = at if actor.last_look is None else max(at, actor.last_look)
            self.looked_at.update(contacts)

    def readers(self, top: int) -> list[tuple[Key, ActorTally]]:
        """Give those who looked most often, then at most contacts."""
        looked = ((key, actor) for key, actor in self.actors.items() if actor.looks)
        return nsmallest(top, looked, key=lambda pair: (-pair[1].looks, -pair[1].contacts, _named(pair[0])))

    def refused(self, top: int) -> list[tuple[Key, ActorTally]]:
        """Give those who were refused most often."""
        refused = ((key, actor) for key, actor in self.actors.items() if actor.refusals)
        return nsmallest(top, refused, key=lambda pair: (-pair[1].refusals, _named(pair[0])))

    def subjects(self, top: int) -> list[tuple[UUID, int, int]]:
        """Give those who were looked at most often, then sought most often in vain: id, looks, refusals."""
        every: Iterable[bytes] = self.looked_at.keys() | self.refused_at.keys()
        most = nsmallest(top, every, key=lambda each: (-self.looked_at[each], -self.refused_at[each], each))
        return [(UUID(bytes=each), self.looked_at[each], self.refused_at[each]) for each in most]


@dataclass(frozen=True, slots=True)
class _Read:
    """What counting needs of one event, read before anything is counted."""

    actor: Key
    tier: str | None
    department_id: UUID | None
    action: str
    decision: str
    code: str | None
    purpose: str | None
    contacts: frozenset[bytes]

    @classmethod
    def of(cls, document: Document | None) -> "_Read":
        if document is None:
            return cls.damaged()
        department = document["department_id"]
        return cls(
            (document["actor_type"], document["actor_id"]),
            document["tier"],
            None if department is None else UUID(department),
            document["action"],
            document["decision"],
            document["code"],
            document["purpose"],
            frozenset(contact for cohort in document["cohorts"] for contact in _ids(cohort)),
        )

    @classmethod
    def damaged(cls) -> "_Read":
        return cls(("system", None), None, None, UNREADABLE, "refused", "event_unreadable", None, frozenset())


def _ids(cohort: Mapping[str, Any]) -> list[bytes]:
    packed = b64decode(cohort["contacts"], validate=True)
    return [packed[at : at + _ID_BYTES] for at in range(0, len(packed), _ID_BYTES)]


def _named(key: Key) -> tuple[str, str]:
    return key[0], key[1] or ""


def zone(written: str) -> timedelta:
    """Read an offset from UTC: ``+08:00``."""
    hours, minutes = written[1:].split(":")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return -offset if written[0] == "-" else offset
