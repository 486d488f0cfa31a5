"""What another pack would give and take, counted: every viewer against every contact, without asking each pair.

Pure. What a pack says of a pair depends on what rules can read: facts of the viewer, facts of the contact, and how the two stand to each
other. So both packs are asked once for each combination of these that occurs, and pairs are counted by comparing sets of departments. Who
is oneself, and whom one works on or has an exception for, is looked at one by one. The count is exact: a test holds it to what cards show.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from app.permissions.outcomes import CLASSES, TAG_CLASS, FieldClass, Outcome, Power, Purpose, Reason
from app.permissions.pack import Pack
from app.permissions.plan import Cohort, CohortKey, Plan, Standing

_NOBODY: Final = UUID(int=0)
_HIGH: Final = frozenset({FieldClass.C4, FieldClass.C5})
_GUARDED: Final = frozenset({"core", "executive", "protected"})
SAID: Final = "reason"
"""What a reveal has to say, compared like a power where both packs let it show more than the card: to have to say less is a gain."""
EASE: Final = tuple(reversed(Reason))
"""What has to be said, by how easy it is: the number of a change of ``SAID`` is a place here."""


class Change(NamedTuple):
    """One difference for a pair: for which purposes, over a class, which power, from what to what.

    Numbers are outcomes, for ``SAID`` places in ``EASE``, and of other powers 0 and 1.
    """

    purposes: tuple[Purpose, ...]
    field_class: FieldClass
    power: str
    before: int
    after: int

    @property
    def gains(self) -> bool:
        """Tell whether the candidate gives more."""
        return self.after > self.before


class Cell(NamedTuple):
    """Pairs that are counted together: role of the viewer, what policy reads of the contact, and the difference."""

    role: str
    kind: str
    status: str
    secrecy: str
    change: Change

    @property
    def is_high_risk(self) -> bool:
        """Tell whether a gain is named: personal and sensitive fields, people of a guarded circle, and what leaves the house."""
        change = self.change
        guarded = change.field_class in _HIGH or self.secrecy in _GUARDED
        return change.gains and (guarded or change.power == Power.EXPORT)


@dataclass(slots=True)
class Tally:
    """How many pairs, and which viewers and contacts (by their places) they are of."""

    pairs: int = 0
    viewers: set[int] = field(default_factory=set)
    contacts: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Group:
    """Viewers whom policy cannot tell apart but by who they are: the standing of one of them, and their places in the list."""

    standing: Standing
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Kin:
    """Contacts whom policy cannot tell apart but by who they are: what it reads of them, and their places in the list."""

    key: CohortKey
    members: tuple[int, ...]


class Comparison:
    """Two packs, compared over viewers and contacts, a group of viewers at a time, so that whoever runs it can breathe."""

    def __init__(
        self,
        packs: tuple[Pack, Pack],
        viewers: Sequence[Standing],
        contacts: Sequence[tuple[UUID, CohortKey]],
        now: datetime,
        *,
        clock_here: timedelta = timedelta(hours=8),
    ) -> None:
        """Take the pack in force and the candidate, standings and contacts of now, and when a day begins."""
        self._packs, self._viewers, self._contacts = packs, viewers, contacts
        self._now, self._clock_here = now, clock_here
        self.purposes = tuple(sorted({Purpose.WORK_CONTACT, *(each for pack in packs for each in _purposes(pack))}))
        self.groups = tuple(_groups(viewers))
        self._kin = tuple(_kin(contacts))
        self._place = {identity: place for place, (identity, _) in enumerate(contacts)}
        self._kin_of = {place: at for at, kin in enumerate(self._kin) for place in kin.members}
        self._asked: dict[tuple[Any, ...], tuple[Change, ...]] = {}
        self._plans: dict[tuple[int, Purpose], tuple[Plan, Plan]] = {}
        self.tallies: dict[Cell, Tally] = {}

    def count(self, group: Group) -> None:
        """Count the pairs of one group of viewers."""
        standing, facts = group.standing, _facts(group.standing)
        known = self._known(standing)
        own = self._own(group)
        for at, kin in enumerate(self._kin):
            few = known.get(at, ())
            for place in few:
                others = tuple(viewer for viewer in group.members if own.get(viewer) != place)
                if others:
                    changes = self._changes(self._viewers[others[0]], facts, place)
                    self._add(standing, kin.key, changes, others, (place,))
            rest = [place for place in kin.members if place not in few] if few else kin.members
            if rest:
                changes = self._changes(standing, facts, rest[0], stranger=True)
                self._add(standing, kin.key, changes, group.members, rest, own=own)
        for viewer, place in own.items():
            changes = self._changes(self._viewers[viewer], facts, place)
            self._add(standing, self._contacts[place][1], changes, (viewer,), (place,))

    def _own(self, group: Group) -> dict[int, int]:
        """Say who of a group is which contact."""
        found = ((viewer, self._viewers[viewer].contact_id) for viewer in group.members)
        return {viewer: self._place[each] for viewer, each in found if each is not None and each in self._place}

    def _known(self, standing: Standing) -> dict[int, list[int]]:
        """Find the contacts whom a viewer works on or has an exception for, by what policy reads of them."""
        named = {each.contact_id for each in standing.engagements}
        named |= {UUID(grant.scope.value) for grant in standing.grants if grant.scope.kind == "contact"}
        found: dict[int, list[int]] = {}
        for place in sorted(self._place[each] for each in named if each in self._place):
            found.setdefault(self._kin_of[place], []).append(place)
        return found

    def _changes(
        self, standing: Standing, facts: tuple[Any, ...], place: int, *, stranger: bool = False
    ) -> tuple[Change, ...]:
        """Ask both packs about a contact, as the one that it is or as a stranger of its kind; once for all pairs that are alike."""
        identity, key = self._contacts[place]
        if stranger:
            identity = _NOBODY
        engaged = [each for each in standing.engagements if each.contact_id == identity]
        named = [each for each in standing.grants if each.scope.kind == "contact" and each.scope.value == str(identity)]
        at = (
            facts,
            key._replace(departments=()),
            relations(standing, key),
            identity == standing.contact_id,
            tuple((each.facts, each.until) for each in engaged),
            tuple(each.id for each in named),
        )
        found = self._asked.get(at)
        if found is None:
            pairs = {purpose: self._decided(standing, key, identity, purpose) for purpose in self.purposes}
            found = self._asked[at] = differences(pairs)
        return found

    def _decided(self, standing: Standing, key: CohortKey, identity: UUID, purpose: Purpose) -> tuple[Cohort, Cohort]:
        """Let both packs decide on one contact; their plans are kept as long as the same viewer is asked about."""
        at = (id(standing), purpose)
        plans = self._plans.get(at)
        if plans is None:
            if len(self._plans) > len(self.purposes):
                self._plans.clear()
            base, candidate = (
                Plan(pack, standing, purpose, self._now, clock_here=self._clock_here) for pack in self._packs
            )
            plans = self._plans[at] = (base, candidate)
        return plans[0].cohort(key, identity), plans[1].cohort(key, identity)

    def _add(
        self,
        standing: Standing,
        key: CohortKey,
        changes: Sequence[Change],
        viewers: Sequence[int],
        contacts: Sequence[int],
        *,
        own: dict[int, int] | None = None,
    ) -> None:
        """Count pairs of ``viewers`` with ``contacts``; with ``own``, nobody with themselves."""
        if not changes:
            return
        pairs, among = len(viewers) * len(contacts), frozenset(contacts)
        seeing, seen = set(viewers), set(contacts)
        for viewer, place in (own or {}).items():
            if place in among:
                pairs -= 1
                if len(contacts) == 1:
                    seeing.discard(viewer)
                if len(viewers) == 1:
                    seen.discard(place)
        if not pairs:
            return
        for change in changes:
            for role in roles_of(standing):
                tally = self.tallies.setdefault(Cell(role, key.kind, key.status, key.secrecy, change), Tally())
                tally.pairs += pairs
                tally.viewers |= seeing
                tally.contacts |= seen


def relations(standing: Standing, key: CohortKey) -> tuple[bool, ...]:
    """Say in which ways a viewer's places and a contact's departments meet: all that rules and exceptions can ask of them."""
    theirs = key.departments
    return (
        not standing.departments.isdisjoint(theirs),
        not standing.subtree.isdisjoint(theirs),
        not standing.headed.isdisjoint(theirs),
        not standing.region.same.isdisjoint(theirs),
        not standing.region.other.isdisjoint(theirs),
        not standing.legal_entity.same.isdisjoint(theirs),
        not standing.legal_entity.other.isdisjoint(theirs),
        not standing.distrusted.isdisjoint(theirs),
        *(not grant.departments.isdisjoint(theirs) for grant in standing.grants),
    )


def differences(pairs: Mapping[Purpose, tuple[Cohort, Cohort]]) -> tuple[Change, ...]:
    """Compare two verdicts for each purpose, class by class and power by power; what is alike for several purposes is said once."""
    found: dict[tuple[FieldClass, str, int, int], list[Purpose]] = {}
    for purpose, (before, after) in pairs.items():
        old, new = _powers(before), _powers(after)
        for each in CLASSES:
            for power, had in old[each].items():
                has = new[each].get(power, had)
                if had != has:
                    found.setdefault((each, power, had, has), []).append(purpose)
    return tuple(Change(tuple(purposes), *what) for what, purposes in found.items())


def roles_of(standing: Standing) -> tuple[str, ...]:
    """Name the roles under which a viewer is counted: each that they have, and ``employee`` for who has none."""
    return tuple(sorted(standing.roles)) or ("employee",)


def _powers(cohort: Cohort) -> dict[FieldClass, dict[str, int]]:
    tagged = {TAG_CLASS[tag] for tag in cohort.lookups}
    found: dict[FieldClass, dict[str, int]] = {}
    for each in CLASSES:
        visible = cohort.visible
        found[each] = {
            "show": int(cohort.shows[each] if visible else Outcome.HIDDEN),
            "reveal": int(max(cohort.shows[each], cohort.reveals[each]) if visible else Outcome.HIDDEN),
            **{
                power.value: int(
                    visible and (each in cohort.powers[power] or (power is Power.LOOKUP and each in tagged))
                )
                for power in Power
            },
        }
        if visible and cohort.reveals[each] > cohort.shows[each]:
            found[each][SAID] = EASE.index(cohort.reasons[each])
    return found


def _purposes(pack: Pack) -> Iterator[Purpose]:
    return (each for rule in pack.rules for each in rule.purposes)


def _facts(standing: Standing) -> tuple[Any, ...]:
    """Give what rules read of a viewer alone; an exception is told by its id, since its holder alone has it."""
    return (
        standing.kind,
        standing.tier,
        standing.roles,
        standing.marks,
        standing.worker_kind,
        standing.scopes,
        standing.step_up,
        standing.ceiling,
        tuple(grant.id for grant in standing.grants),
    )


def _groups(viewers: Sequence[Standing]) -> Iterator[Group]:
    found: dict[Any, list[int]] = {}
    for place, each in enumerate(viewers):
        where = (each.departments, each.subtree, each.headed, each.region, each.legal_entity, each.distrusted)
        found.setdefault((*_facts(each), *where, each.engagements), []).append(place)
    return (Group(viewers[members[0]], tuple(members)) for members in found.values())


def _kin(contacts: Sequence[tuple[UUID, CohortKey]]) -> Iterator[Kin]:
    found: dict[CohortKey, list[int]] = {}
    for place, (_, key) in enumerate(contacts):
        found.setdefault(key, []).append(place)
    return (Kin(key, tuple(members)) for key, members in found.items())
