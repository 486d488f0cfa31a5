"""What one viewer may do, worked out once: the pack read with the viewer's facts, and per cohort of contacts with theirs.

Pure. A cohort is all contacts that policy cannot tell apart: same kind, status, secrecy, departments and tags. The first contact of a
cohort costs a walk over the rules that speak of this viewer; every further one costs a dictionary hit. Precedence
(reference/policy-approval.md c.3): a forbid hides; otherwise the lowest cap over the highest grant; nothing granted is hidden. Only an
exception with the person's consent stands above caps, and those must give way to it. A grant with an unmet obligation is none, a cap hides.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final, Literal, NamedTuple
from uuid import UUID

from app.auth.subject import CallerKind
from app.permissions.emergency import Emergency
from app.permissions.exceptions import GrantScope, LiveGrant, ScopeKind
from app.permissions.outcomes import (
    CLASSES,
    EMERGENCY_CLASSES,
    TAG_CLASS,
    FieldClass,
    Outcome,
    Power,
    Purpose,
    Reason,
    Tag,
    Tier,
)
from app.permissions.pack import Effect, Pack, Relation, Rule, asked_by, demands, lowered, unmet

__all__ = [
    "Cohort",
    "CohortKey",
    "Engagement",
    "Fact",
    "GrantScope",
    "LiveGrant",
    "Place",
    "Plan",
    "ScopeKind",
    "Standing",
]

_C1: Final = FieldClass.C1
_MOST_COHORTS: Final = 16_384
_CLOCK_HERE: Final = timedelta(hours=8)

Fact = Literal["account", "order", "ticket"]


class CohortKey(NamedTuple):
    """Everything about a contact that policy may read; never a field value. ``until`` is the end of a temporary contract."""

    kind: str
    worker_kind: str | None
    status: str
    secrecy: str
    departments: tuple[UUID, ...]
    tags: tuple[str, ...] = ()
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Engagement:
    """That the viewer works on an external contact's account, orders or tickets."""

    contact_id: UUID
    facts: frozenset[Fact]
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Departments by where they are, seen from one of them: ``same`` and, where both are known, ``other``."""

    same: frozenset[UUID] = frozenset()
    other: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Standing:
    """Who the viewer is, as the store says; nothing of it comes from the token but the second proof and the scopes."""

    kind: CallerKind
    actor_id: str
    name: str
    client_id: str
    scopes: frozenset[str]
    tier: Tier = Tier.T0
    roles: frozenset[str] = frozenset()
    marks: frozenset[str] = frozenset()
    worker_kind: str | None = None
    contact_id: UUID | None = None
    user_id: UUID | None = None
    main_department: UUID | None = None
    departments: frozenset[UUID] = frozenset()
    subtree: frozenset[UUID] = frozenset()
    headed: frozenset[UUID] = frozenset()
    region: Place = Place()
    legal_entity: Place = Place()
    distrusted: frozenset[UUID] = frozenset()
    grants: tuple[LiveGrant, ...] = ()
    engagements: tuple[Engagement, ...] = ()
    emergency: Emergency | None = None
    edges: tuple[datetime, ...] = ()
    step_up: bool = False
    ceiling: FieldClass | None = None
    epochs: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Cohort:
    """The verdict on one cohort. ``program`` is room for what the gate works out from it once."""

    visible: bool
    shows: Mapping[FieldClass, Outcome]
    reveals: Mapping[FieldClass, Outcome]
    reasons: Mapping[FieldClass, Reason]
    requests: Mapping[FieldClass, str]
    granted: Mapping[str, Outcome]
    granted_by: tuple[UUID, ...]
    powers: Mapping[Power, frozenset[FieldClass]]
    lookups: frozenset[Tag]
    edit_requests: Mapping[FieldClass, str]
    obligations: tuple[str, ...]
    rules: tuple[str, ...]
    program: object = None

    @property
    def edits(self) -> frozenset[FieldClass]:
        """Give the classes whose fields the viewer may change without asking anybody."""
        return self.powers[Power.EDIT]

    def shown(self, name: str, field_class: FieldClass) -> Outcome:
        """Give how far a field is shown on a card."""
        return max(self.shows[field_class], self.granted.get(name, Outcome.HIDDEN))

    def revealed(self, name: str, field_class: FieldClass) -> Outcome:
        """Give how far a reveal goes of who says what is ``demanded``."""
        return max(self.reveals[field_class], self.shown(name, field_class))

    def demanded(self, name: str, field_class: FieldClass) -> Reason:
        """Say what a reveal of a field has to say; nothing where it shows no more than the card."""
        further = self.reveals[field_class] > self.shown(name, field_class)
        return self.reasons[field_class] if further else Reason.NONE

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
        and (not viewer.marks or not standing.marks.isdisjoint(viewer.marks))
        and (not viewer.scopes or not standing.scopes.isdisjoint(viewer.scopes))
        and standing.scopes.isdisjoint(viewer.not_scopes)
        and (not viewer.worker_kinds or standing.worker_kind in viewer.worker_kinds)
        and (viewer.step_up is None or viewer.step_up == standing.step_up)
        and (not rule.purposes or purpose in rule.purposes)
    )


class Plan:
    """The pack, read for one viewer and one purpose."""

    def __init__(
        self, pack: Pack, standing: Standing, purpose: Purpose, now: datetime, *, clock_here: timedelta = _CLOCK_HERE
    ) -> None:
        """Keep the rules that speak of this viewer; what is not live is left out. ``clock_here`` says when a day begins."""
        self.pack_label = pack.label
        self.purpose = purpose
        self.standing = standing
        self.today = (now + clock_here).date()
        spoken = [rule for rule in pack.rules if _speaks_of(rule, standing, purpose)]
        self.forbids = tuple(rule for rule in spoken if rule.effect is Effect.FORBID)
        self.caps = tuple(rule for rule in spoken if rule.effect is Effect.CAP)
        self.grants = tuple(rule for rule in spoken if rule.effect is Effect.GRANT and not unmet(rule))
        self.live = tuple(
            grant for grant in standing.grants if grant.purpose is purpose and grant.starts_at <= now < grant.ends_at
        )
        working = [each for each in standing.engagements if each.until is None or now < each.until]
        self.engaged: Mapping[Relation, frozenset[UUID]] = {
            relation: frozenset(each.contact_id for each in working if fact is None or fact in each.facts)
            for relation, fact in _FACTS.items()
        }
        session = standing.emergency
        inside = purpose is Purpose.EMERGENCY and session is not None and now < session.until
        self.emergency = session if inside else None
        self.not_after: datetime | None = _first_edge(standing, now, self.today, clock_here)
        self._special = self.engaged[Relation.ASSIGNED].union(
            [] if standing.contact_id is None else [standing.contact_id],
            [UUID(grant.scope.value) for grant in self.live if grant.scope.kind == "contact"],
        )
        self._related = _relations(standing, self.engaged)
        self._related[Relation.EMERGENCY] = lambda key, _: self.in_emergency(key)
        self._cohorts: dict[tuple[CohortKey, UUID | None], Cohort] = {}

    def cohort(self, key: CohortKey, contact_id: UUID) -> Cohort:
        """Give the verdict on the cohort of a contact."""
        at = (key, contact_id if contact_id in self._special else None)
        found = self._cohorts.get(at)
        if found is None:
            if len(self._cohorts) >= _MOST_COHORTS:
                self._cohorts.clear()
            found = self._cohorts[at] = self._decide(key, contact_id)
        return found

    def applies(self, rule: Rule, key: CohortKey, contact_id: UUID) -> bool:
        """Tell whether a rule that speaks of this viewer speaks of this contact."""
        contact = rule.contact
        return (
            (not contact.kinds or key.kind in contact.kinds)
            and (not contact.statuses or key.status in contact.statuses)
            and (not contact.secrecy or key.secrecy in contact.secrecy)
            and (not contact.tags or not set(contact.tags).isdisjoint(key.tags))
            and (contact.ended is None or contact.ended == (key.until is not None and key.until < self.today))
            and self._related[contact.relation](key, contact_id)
        )

    def covers(self, grant: LiveGrant, key: CohortKey, contact_id: UUID) -> bool:
        """Tell whether an exception is about this contact."""
        value = grant.scope.value
        match grant.scope.kind:
            case "contact":
                return str(contact_id) == value
            case "department" | "subtree" | "legal_entity" | "region":
                return not grant.departments.isdisjoint(key.departments)
            case "company":
                return True
            case "kind":
                return key.kind == value
            case "tag":
                return value in key.tags
            case "assigned":
                return contact_id in self.engaged[Relation.ASSIGNED] and value in {"", str(contact_id)}

    def in_emergency(self, key: CohortKey) -> bool:
        """Tell whether the viewer looks inside an emergency session at whom it is about."""
        return self.emergency is not None and self.emergency.covers(key.departments, key.tags, key.secrecy)

    def lifts(self, cap: Rule, field_class: FieldClass, key: CohortKey) -> bool:
        """Tell whether an emergency session lifts what a cap says of a class; a forbid, and a cap that says so, nothing lifts."""
        session = self.emergency
        backed = session is not None and (session.confirmed or not cap.takes_second)
        return cap.liftable and backed and field_class in EMERGENCY_CLASSES and self.in_emergency(key)

    def _matching(self, rules: Iterable[Rule], key: CohortKey, contact_id: UUID) -> list[Rule]:
        return [rule for rule in rules if self.applies(rule, key, contact_id)]

    def _ceiling(self, caps: Iterable[Rule], key: CohortKey) -> dict[FieldClass, Outcome]:
        """Give how far each class is shown at most: the lowest of these caps, and nothing beyond the client's ceiling."""
        ceiling = {
            each: min((lowered(rule, each) for rule in caps if not self.lifts(rule, each, key)), default=Outcome.CLEAR)
            for each in CLASSES
        }
        if self.standing.ceiling is not None:
            ceiling.update((each, Outcome.HIDDEN) for each in CLASSES if each > self.standing.ceiling)
        return ceiling

    def _decide(self, key: CohortKey, contact_id: UUID) -> Cohort:
        forbids = self._matching(self.forbids, key, contact_id)
        if forbids or not self.standing.distrusted.isdisjoint(key.departments):
            rules = tuple(rule.id for rule in forbids) or ("row.distrusted_department",)
            return _hidden(rules)
        caps = self._matching(self.caps, key, contact_id)
        grants = self._matching(self.grants, key, contact_id)
        live = [grant for grant in self.live if self.covers(grant, key, contact_id)]
        ceiling = self._ceiling(caps, key)
        shows = {each: min(ceiling[each], _highest(rule.shows.get(each) for rule in grants)) for each in CLASSES}
        if live:
            shows[_C1] = ceiling[_C1]
        reveals = {each: min(ceiling[each], _highest(rule.reveals.get(each) for rule in grants)) for each in CLASSES}
        final = {each for rule in caps if not rule.liftable for each in CLASSES if lowered(rule, each) < Outcome.CLEAR}
        granted: dict[str, Outcome] = {}
        lifted = any(grant.lifts for grant in live)
        consented = self._ceiling([rule for rule in caps if not rule.gives_way], key) if lifted else ceiling
        for grant in live:
            for name, field_class in grant.fields.items():
                most = consented if grant.lifts else ceiling
                granted[name] = max(granted.get(name, Outcome.HIDDEN), min(most[field_class], grant.outcome))
        denied = {power for rule in caps for power in rule.denies}
        denied |= {Power.EXPORT} if self.in_emergency(key) else set()
        powers = {
            power: frozenset(
                each
                for rule in grants
                for each in rule.having(power)
                if power not in denied and (power is Power.EDIT or shows[each] is Outcome.CLEAR)
            )
            for power in Power
        }
        return Cohort(
            visible=shows[_C1] > Outcome.HIDDEN,
            shows=shows,
            reveals=reveals,
            reasons=demands(grants, ceiling, reveals),
            requests={each: kind for rule in grants for each, kind in rule.requests.items() if each not in final},
            granted=granted,
            granted_by=tuple(grant.id for grant in live),
            powers=powers,
            lookups=frozenset(
                tag
                for rule in grants
                for tag in rule.lookups
                if Power.LOOKUP not in denied and ceiling[TAG_CLASS[tag]] > Outcome.HIDDEN
            ),
            edit_requests=asked_by(grants),
            obligations=tuple(sorted({each for rule in (*caps, *grants) for each in rule.obligations})),
            rules=tuple(rule.id for rule in (*caps, *grants)),
        )


_FACTS: Final[Mapping[Relation, Fact | None]] = {
    Relation.ASSIGNED: None,
    Relation.ASSIGNED_ACCOUNT: "account",
    Relation.ASSIGNED_ORDER: "order",
    Relation.ASSIGNED_TICKET: "ticket",
}


def _highest(given: Iterable[Outcome | None]) -> Outcome:
    return max((each for each in given if each is not None), default=Outcome.HIDDEN)


def _first_edge(standing: Standing, now: datetime, today: date, clock_here: timedelta) -> datetime | None:
    """Say when the plan may first read otherwise: an exception, an engagement or a mark begins or ends, or the day does."""
    edges = [edge for grant in standing.grants for edge in (grant.starts_at, grant.ends_at)]
    edges += [each.until for each in standing.engagements if each.until is not None]
    edges += standing.edges
    edges += [standing.emergency.until] if standing.emergency is not None else []
    edges.append(datetime.combine(today + timedelta(days=1), time(), now.tzinfo) - clock_here)
    return min((edge for edge in edges if edge > now), default=None)


def _relations(
    standing: Standing, engaged: Mapping[Relation, frozenset[UUID]]
) -> dict[Relation, Callable[[CohortKey, UUID], bool]]:
    def among(departments: frozenset[UUID]) -> Callable[[CohortKey, UUID], bool]:
        return lambda key, _: not departments.isdisjoint(key.departments)

    def apart(place: Place) -> Callable[[CohortKey, UUID], bool]:
        return lambda key, _: place.same.isdisjoint(key.departments) and not place.other.isdisjoint(key.departments)

    def working(contacts: frozenset[UUID]) -> Callable[[CohortKey, UUID], bool]:
        return lambda _, contact_id: contact_id in contacts

    return {
        Relation.ANY: lambda _key, _id: True,
        Relation.SELF: lambda _, contact_id: contact_id == standing.contact_id,
        Relation.OTHERS: lambda _, contact_id: contact_id != standing.contact_id,
        Relation.OTHER_REGION: apart(standing.region),
        Relation.OTHER_LEGAL_ENTITY: apart(standing.legal_entity),
        **{relation: among(departments) for relation, departments in _by_department(standing).items()},
        **{relation: working(contacts) for relation, contacts in engaged.items()},
    }


def departments_of(relation: Relation, standing: Standing) -> frozenset[UUID]:
    """Give the departments that stand in a relation to the viewer, of the relations that are about departments."""
    return _by_department(standing)[relation]


def _by_department(standing: Standing) -> Mapping[Relation, frozenset[UUID]]:
    return {
        Relation.OWN_DEPARTMENT: standing.departments,
        Relation.OWN_SUBTREE: standing.subtree,
        Relation.HEADED: standing.headed,
        Relation.SAME_REGION: standing.region.same,
        Relation.SAME_LEGAL_ENTITY: standing.legal_entity.same,
    }


def _hidden(rules: tuple[str, ...]) -> Cohort:
    nothing = dict.fromkeys(CLASSES, Outcome.HIDDEN)
    return Cohort(
        visible=False,
        shows=nothing,
        reveals=nothing,
        reasons={},
        requests={},
        granted={},
        granted_by=(),
        powers=dict.fromkeys(Power, frozenset()),
        lookups=frozenset(),
        edit_requests={},
        obligations=(),
        rules=rules,
    )
