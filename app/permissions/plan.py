"""What one viewer may see, worked out once: the pack read with the viewer's facts, and per cohort of contacts with theirs.

Pure. A cohort is all contacts that policy cannot tell apart: same kind, status, secrecy and departments. The first contact of a cohort
costs a walk over the rules that speak of this viewer; every further one costs a dictionary hit. Precedence (reference/policy-approval.md
c.3): a forbid hides; otherwise the lowest cap over the highest grant; nothing granted is hidden.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from app.permissions.outcomes import CLASSES, FieldClass, Outcome, Purpose, Tier
from app.permissions.pack import Effect, Pack, Relation, Rule

_C1: Final = FieldClass.C1


class CohortKey(NamedTuple):
    """Everything about a contact that policy may read; never a field value."""

    kind: str
    worker_kind: str | None
    status: str
    secrecy: str
    departments: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class LiveGrant:
    """An exception that an approved request made: fields of a contact or of a department, for a purpose, until a time."""

    id: UUID
    contact_id: UUID | None
    department_id: UUID | None
    fields: Mapping[str, FieldClass]
    outcome: Outcome
    purpose: Purpose
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Who the viewer is, as the store says; nothing of it comes from the token but the second proof and the scopes."""

    kind: str
    actor_id: str
    name: str
    client_id: str
    scopes: frozenset[str]
    tier: Tier = Tier.T0
    roles: frozenset[str] = frozenset()
    worker_kind: str | None = None
    contact_id: UUID | None = None
    user_id: UUID | None = None
    main_department: UUID | None = None
    departments: frozenset[UUID] = frozenset()
    headed: frozenset[UUID] = frozenset()
    distrusted: frozenset[UUID] = frozenset()
    grants: tuple[LiveGrant, ...] = ()
    step_up: bool = False
    ceiling: FieldClass | None = None
    epochs: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Cohort:
    """The verdict on one cohort. ``program`` is room for what the gate works out from it once."""

    visible: bool
    shows: Mapping[FieldClass, Outcome]
    reveals: Mapping[FieldClass, Outcome]
    requests: Mapping[FieldClass, str]
    granted: Mapping[str, Outcome]
    granted_by: tuple[UUID, ...]
    edits: frozenset[FieldClass]
    obligations: tuple[str, ...]
    rules: tuple[str, ...]
    program: object = None

    def shown(self, name: str, field_class: FieldClass) -> Outcome:
        """Give how far a field is shown on a card."""
        return max(self.shows[field_class], self.granted.get(name, Outcome.HIDDEN))

    def revealed(self, name: str, field_class: FieldClass) -> Outcome:
        """Give how far a reveal with purpose and reason goes."""
        return max(self.reveals[field_class], self.shown(name, field_class))

    def next_step(self, name: str, field_class: FieldClass) -> str | None:
        """Name what the viewer may do to see more: ``reveal``, ``request:<kind>`` or nothing; from the policy, never from the value."""
        shown = self.shown(name, field_class)
        if shown is Outcome.CLEAR:
            return None
        if self.revealed(name, field_class) > shown:
            return "reveal"
        kind = self.requests.get(field_class)
        return f"request:{kind}" if kind else None


def _speaks_of(rule: Rule, standing: Standing, purpose: Purpose) -> bool:
    viewer = rule.viewer
    return (
        standing.kind in viewer.kinds
        and (not viewer.tiers or standing.tier in viewer.tiers)
        and (not viewer.roles or not standing.roles.isdisjoint(viewer.roles))
        and standing.roles.isdisjoint(viewer.not_roles)
        and (not viewer.scopes or not standing.scopes.isdisjoint(viewer.scopes))
        and (not viewer.worker_kinds or standing.worker_kind in viewer.worker_kinds)
        and (viewer.step_up is None or viewer.step_up == standing.step_up)
        and (not rule.purposes or purpose in rule.purposes)
    )


class Plan:
    """The pack, read for one viewer and one purpose."""

    def __init__(self, pack: Pack, standing: Standing, purpose: Purpose, now: datetime) -> None:
        """Keep the rules that speak of this viewer; grants that are not live are left out."""
        self.pack_label = pack.label
        self.purpose = purpose
        self.standing = standing
        spoken = [rule for rule in pack.rules if _speaks_of(rule, standing, purpose)]
        self.forbids = tuple(rule for rule in spoken if rule.effect is Effect.FORBID)
        self.caps = tuple(rule for rule in spoken if rule.effect is Effect.CAP)
        self.grants = tuple(rule for rule in spoken if rule.effect is Effect.GRANT)
        self.live = tuple(
            grant for grant in standing.grants if grant.purpose is purpose and grant.starts_at <= now < grant.ends_at
        )
        edges = [edge for grant in standing.grants for edge in (grant.starts_at, grant.ends_at) if edge > now]
        self.not_after: datetime | None = min(edges, default=None)
        self._special = frozenset(
            identity
            for identity in (standing.contact_id, *(grant.contact_id for grant in self.live))
            if identity is not None
        )
        self._cohorts: dict[tuple[CohortKey, UUID | None], Cohort] = {}

    def cohort(self, key: CohortKey, contact_id: UUID) -> Cohort:
        """Give the verdict on the cohort of a contact."""
        at = (key, contact_id if contact_id in self._special else None)
        found = self._cohorts.get(at)
        if found is None:
            found = self._cohorts[at] = self._decide(key, contact_id)
        return found

    def _related(self, relation: Relation, key: CohortKey, contact_id: UUID) -> bool:
        match relation:
            case Relation.ANY:
                return True
            case Relation.SELF:
                return contact_id == self.standing.contact_id
            case Relation.OTHERS:
                return contact_id != self.standing.contact_id
            case Relation.OWN_DEPARTMENT:
                return not self.standing.departments.isdisjoint(key.departments)
            case Relation.HEADED:
                return not self.standing.headed.isdisjoint(key.departments)

    def _applies(self, rule: Rule, key: CohortKey, contact_id: UUID) -> bool:
        contact = rule.contact
        return (
            (not contact.kinds or key.kind in contact.kinds)
            and (not contact.statuses or key.status in contact.statuses)
            and (not contact.secrecy or key.secrecy in contact.secrecy)
            and self._related(contact.relation, key, contact_id)
        )

    def _matching(self, rules: Iterable[Rule], key: CohortKey, contact_id: UUID) -> list[Rule]:
        return [rule for rule in rules if self._applies(rule, key, contact_id)]

    def _decide(self, key: CohortKey, contact_id: UUID) -> Cohort:
        forbids = self._matching(self.forbids, key, contact_id)
        if forbids or not self.standing.distrusted.isdisjoint(key.departments):
            rules = tuple(rule.id for rule in forbids) or ("row.distrusted_department",)
            return _hidden(rules)
        caps = self._matching(self.caps, key, contact_id)
        grants = self._matching(self.grants, key, contact_id)
        ceiling = {
            each: min((rule.shows.get(each, Outcome.CLEAR) for rule in caps), default=Outcome.CLEAR) for each in CLASSES
        }
        if self.standing.ceiling is not None:
            ceiling.update((each, Outcome.HIDDEN) for each in CLASSES if each > self.standing.ceiling)
        shows = {
            each: min(
                ceiling[each], max((rule.shows.get(each, Outcome.HIDDEN) for rule in grants), default=Outcome.HIDDEN)
            )
            for each in CLASSES
        }
        reveals = {
            each: min(
                ceiling[each], max((rule.reveals.get(each, Outcome.HIDDEN) for rule in grants), default=Outcome.HIDDEN)
            )
            for each in CLASSES
        }
        final = {
            each
            for rule in caps
            if not rule.liftable
            for each, lowered in rule.shows.items()
            if lowered < Outcome.CLEAR
        }
        live = [
            grant
            for grant in self.live
            if grant.contact_id == contact_id
            or (grant.department_id is not None and grant.department_id in key.departments)
        ]
        granted: dict[str, Outcome] = {}
        for grant in live:
            for name, field_class in grant.fields.items():
                granted[name] = max(granted.get(name, Outcome.HIDDEN), min(ceiling[field_class], grant.outcome))
        return Cohort(
            visible=shows[_C1] > Outcome.HIDDEN,
            shows=shows,
            reveals=reveals,
            requests={each: kind for rule in grants for each, kind in rule.requests.items() if each not in final},
            granted=granted,
            granted_by=tuple(grant.id for grant in live),
            edits=frozenset(each for rule in grants for each in rule.edits),
            obligations=tuple(sorted({each for rule in (*caps, *grants) for each in rule.obligations})),
            rules=tuple(rule.id for rule in (*caps, *grants)),
        )


def _hidden(rules: tuple[str, ...]) -> Cohort:
    nothing = dict.fromkeys(CLASSES, Outcome.HIDDEN)
    return Cohort(
        visible=False,
        shows=nothing,
        reveals=nothing,
        requests={},
        granted={},
        granted_by=(),
        edits=frozenset(),
        obligations=(),
        rules=rules,
    )
