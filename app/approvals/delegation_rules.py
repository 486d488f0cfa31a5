"""Who decides for whom: what a delegation is, how far it reaches, and which ones are refused. Pure.

Decisions that A gives to B, and B to C, can be made by B and by C, and go no further. A kind of request passes along a path only where
every delegation on it lets it, at a moment at which all of them are in force. Nobody is reached twice on a path, counted as a natural
person, so nobody ever decides his own by way of others, whatever stands in the table (reference/policy-approval.md d.4, hard test 41).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.departments.tree import Tree
from app.permissions.plan import Standing

MOST_DEEP: Final = 2
"""How often decisions can be handed on."""

MOST_GIVEN: Final = 20
"""How many delegations of one person can be unended at once."""

SOON: Final = timedelta(days=365)
"""How far ahead one can be given."""

CLOCK_DIFFERENCE: Final = timedelta(minutes=5)
"""How far behind a caller's clock may be before "from now" counts as the past."""

Kinds = frozenset[str] | None
"""Kinds of requests by name; ``None`` are all of them, those of tomorrow too."""


class Reason(StrEnum):
    """Why decisions are given away."""

    MANUAL = "MANUAL"
    OUT_OF_OFFICE = "OUT_OF_OFFICE"
    ESCALATION = "ESCALATION"
    SELF_REVIEW = "SELF_REVIEW"


class Cause(StrEnum):
    """Why a delegation ended before its time."""

    ENDED = "ended"
    LEFT = "left"
    SUSPENDED = "suspended"


class Fault(StrEnum):
    """Why a delegation cannot be given."""

    SELF = "self"
    RING = "ring"
    TOO_DEEP = "too_deep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegated:
    """One delegation, as the row's MAC covers it: from ``starts_at`` to just before ``ends_at``, unless it was ended before."""

    id: UUID
    principal_id: UUID
    delegate_id: UUID
    kinds: Kinds
    starts_at: datetime
    ends_at: datetime
    reason: Reason
    filed_by: UUID
    created_at: datetime
    ended_at: datetime | None = None
    cause: Cause | None = None
    row_version: int = 1

    def live(self, now: datetime) -> bool:
        """Tell whether it is in force."""
        return self.ended_at is None and self.starts_at <= now < self.ends_at

    def over(self, now: datetime) -> bool:
        """Tell whether it will never be in force again."""
        return self.ended_at is not None or now >= self.ends_at

    def ended(self, at: datetime, cause: Cause) -> "Delegated":
        """Give it as it is when it ends now."""
        return replace(self, ended_at=at, cause=cause, row_version=self.row_version + 1)


@dataclass(frozen=True, slots=True)
class StandIn:
    """For whom somebody may decide now, and what: ``id`` is the delegation by which ``principal`` gave it away.

    ``through`` are those by which it was handed on from there, the nearest to the principal first; empty where there was nobody between.
    """

    id: UUID
    principal: UUID
    kinds: Kinds
    through: tuple[UUID, ...] = ()


def common(one: Kinds, other: Kinds) -> Kinds:
    """Give the kinds that both have; an empty set is none at all."""
    if one is None or other is None:
        return other if one is None else one
    return one & other


def covers(one: Kinds, other: Kinds) -> bool:
    """Tell whether ``one`` has all of ``other``."""
    return one is None or (other is not None and one >= other)


def acting_for(
    person: UUID, delegations: Iterable[Delegated], now: datetime, *, persons: Mapping[UUID, UUID]
) -> tuple[StandIn, ...]:
    """Give for whom ``person`` may decide at ``now``, the nearest first; ``persons`` are the natural persons behind contacts.

    A principal who is reached twice is told again only for what the nearer delegation does not cover.
    """
    given = _grouped(delegations, now, lambda each: each.delegate_id)
    found: list[StandIn] = []
    level = [_Path(person, None, (), frozenset({_who(person, persons)}))]
    for _ in range(MOST_DEEP):
        level = [
            further
            for path in level
            for each in given.get(path.at, ())
            if (further := path.onwards(each, each.principal_id, persons)) is not None
        ]
        for path in level:
            if not any(each.principal == path.at and covers(each.kinds, path.kinds) for each in found):
                through = tuple(reversed(path.ids))
                found.append(StandIn(through[0], path.at, path.kinds, through[1:]))
    return tuple(found)


def deputies(
    person: UUID, kind: str, delegations: Iterable[Delegated], now: datetime, *, persons: Mapping[UUID, UUID]
) -> tuple[UUID, ...]:
    """Give who may decide for ``person`` on requests of ``kind`` at ``now``, the nearest first: those whom ``acting_for`` tells so."""
    given = _grouped(delegations, now, lambda each: each.principal_id)
    found: dict[UUID, None] = {}
    level = [_Path(person, frozenset({kind}), (), frozenset({_who(person, persons)}))]
    for _ in range(MOST_DEEP):
        level = [
            further
            for path in level
            for each in given.get(path.at, ())
            if (further := path.onwards(each, each.delegate_id, persons)) is not None
        ]
        found.update((path.at, None) for path in level)
    return tuple(found)


def fault(new: Delegated, others: Iterable[Delegated], *, persons: Mapping[UUID, UUID]) -> Fault | None:
    """Give why ``new`` cannot stand beside ``others``; ``None`` when it can.

    Only what is in force together, and lets a kind through together, makes a ring or a chain.
    """
    principal, delegate = _who(new.principal_id, persons), _who(new.delegate_id, persons)
    if principal == delegate:
        return Fault.SELF
    known = [each for each in others if each.ended_at is None]
    backwards, forwards = defaultdict[UUID, list[Delegated]](list), defaultdict[UUID, list[Delegated]](list)
    for each in known:
        backwards[_who(each.delegate_id, persons)].append(each)
        forwards[_who(each.principal_id, persons)].append(each)
    deepest = 0
    before = [_Chain(principal, new.kinds, new.starts_at, new.ends_at, 1, frozenset({principal, delegate}))]
    while before:
        chain = before.pop()
        before += chain.longer(backwards, lambda each: _who(each.principal_id, persons))
        after = [replace(chain, at=delegate)]
        while after:
            whole = after.pop()
            if whole.returns(forwards, lambda each: _who(each.delegate_id, persons)):
                return Fault.RING
            deepest = max(deepest, whole.length)
            after += whole.longer(forwards, lambda each: _who(each.delegate_id, persons))
    return Fault.TOO_DEEP if deepest > MOST_DEEP else None


def leads(standing: Standing, tree: Tree, person: UUID, *, department: UUID | None, manager: UUID | None) -> bool:
    """Tell whether the viewer is a superior of ``person``: the manager on their card, or head of their ``department`` or above it.

    Who heads the department that the viewer belongs to is no subordinate, wherever else they belong.
    """
    if standing.contact_id is None or standing.contact_id == person:
        return False
    if standing.main_department is not None and standing.main_department in tree.headed_by(person):
        return False
    return manager == standing.contact_id or (department is not None and department in standing.headed)


@dataclass(frozen=True, slots=True)
class _Path:
    at: UUID
    kinds: Kinds
    ids: tuple[UUID, ...]
    seen: frozenset[UUID]

    def onwards(self, each: Delegated, to: UUID, persons: Mapping[UUID, UUID]) -> "_Path | None":
        kinds, who = common(self.kinds, each.kinds), _who(to, persons)
        if who in self.seen or kinds == frozenset():
            return None
        return _Path(to, kinds, (*self.ids, each.id), self.seen | {who})


@dataclass(frozen=True, slots=True)
class _Chain:
    """Delegations that hang together: from where it is looked further, for which kinds and when all of them are in force."""

    at: UUID
    kinds: Kinds
    since: datetime
    until: datetime
    length: int
    seen: frozenset[UUID]

    def _joined(self, each: Delegated) -> "_Chain | None":
        kinds = common(self.kinds, each.kinds)
        since, until = max(self.since, each.starts_at), min(self.until, each.ends_at)
        if kinds == frozenset() or since >= until:
            return None
        return _Chain(self.at, kinds, since, until, self.length + 1, self.seen)

    def returns(self, beside: Mapping[UUID, list[Delegated]], end: Callable[[Delegated], UUID]) -> bool:
        return any(end(each) in self.seen and self._joined(each) is not None for each in beside.get(self.at, ()))

    def longer(self, beside: Mapping[UUID, list[Delegated]], end: Callable[[Delegated], UUID]) -> "list[_Chain]":
        return [
            replace(joined, at=end(each), seen=self.seen | {end(each)})
            for each in beside.get(self.at, ())
            if end(each) not in self.seen and (joined := self._joined(each)) is not None
        ]


def _who(contact: UUID, persons: Mapping[UUID, UUID]) -> UUID:
    return persons.get(contact, contact)


def _grouped(
    delegations: Iterable[Delegated], now: datetime, side: Callable[[Delegated], UUID]
) -> Mapping[UUID, list[Delegated]]:
    found = defaultdict[UUID, list[Delegated]](list)
    for each in sorted(delegations, key=lambda each: each.id):
        if each.live(now):
            found[side(each)].append(each)
    return found
