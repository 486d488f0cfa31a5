"""Random viewers, contacts, grants and packs, small enough that rules, rows and people meet often."""

import random
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from app.contacts.fields import CATALOGUE
from app.permissions.emergency import Emergency
from app.permissions.outcomes import CLASSES, MARKS, FieldClass, Outcome, Power, Purpose, Reason, Tag, Tier
from app.permissions.pack import ContactCondition, Effect, Pack, Relation, Rule, ViewerCondition
from app.permissions.plan import CohortKey, Engagement, Fact, GrantScope, LiveGrant, Place, ScopeKind, Standing
from tests.support.clock import NOON

T = TypeVar("T")

DEPARTMENTS: Final = tuple(UUID(int=each) for each in range(100, 105))
CONTACTS: Final = tuple(UUID(int=each) for each in range(1, 7))
KINDS: Final = ("employee", "temporary", "hotline", "external")
STATUSES: Final = ("active", "prehire", "left", "archived", "leaving")
SECRECY: Final = ("normal", "executive", "core")
ROLES: Final = ("hr", "executive", "infosec", "directory_steward", "it", "office_reader")
SCOPES: Final = ("contacts:read", "hr:write")
PURPOSES: Final = (Purpose.WORK_CONTACT, Purpose.HR_ADMIN, Purpose.INCIDENT, Purpose.EMERGENCY)
TAGS: Final = ("safety_officer", "driver", "first_aid", "frequent_contact")
FACTS: Final[tuple[Fact, ...]] = ("account", "order", "ticket")
SCOPE_KINDS: Final[tuple[ScopeKind, ...]] = (
    *("contact", "department", "subtree", "company", "legal_entity", "region", "kind", "tag", "assigned"),
)
OBLIGATIONS: Final = ("watermark", "no_export", "no_forward", "sing_a_song")
EDGES: Final = (timedelta(hours=-2), timedelta(minutes=-1), timedelta(), timedelta(minutes=1), timedelta(hours=2))
WORKER_KINDS: Final = ("regular", "intern", "outsourced")

_OF_DEPARTMENTS: Final = frozenset({"department", "subtree", "legal_entity", "region"})


class Chance:
    """Draws from a seeded generator; equal seeds give equal worlds."""

    def __init__(self, seed: int) -> None:
        """Take the seed."""
        self._random = random.Random(seed)

    def one(self, choices: tuple[T, ...]) -> T:
        """Pick one."""
        return self._random.choice(choices)

    def some(self, choices: tuple[T, ...], most: int = 3) -> tuple[T, ...]:
        """Pick a few, often none."""
        return tuple(self._random.sample(choices, k=self._random.randint(0, min(most, len(choices)))))

    def yes(self, chance: float = 0.5) -> bool:
        """Toss a coin."""
        return self._random.random() < chance

    def contact(self) -> tuple[UUID, CohortKey]:
        """Make a contact."""
        return self.one(CONTACTS), CohortKey(
            self.one(KINDS),
            self.one(WORKER_KINDS),
            self.one(STATUSES) if self.yes(0.6) else "active",
            self.one(SECRECY) if self.yes(0.6) else "normal",
            self.some(DEPARTMENTS, 2),
            self.some(TAGS, 2) if self.yes(0.3) else (),
            (NOON + timedelta(days=self.one((-1, 0, 1)))).date() if self.yes(0.2) else None,
        )

    def grant(self, at: datetime) -> LiveGrant:
        """Make an exception around ``at``, sometimes ending or beginning exactly then."""
        field, kind = self.one(CATALOGUE.protected), self.one(SCOPE_KINDS)
        contact = str(self.one(CONTACTS))
        values = {"contact": contact, "kind": self.one(KINDS), "tag": self.one(TAGS), "assigned": contact}
        value = "" if kind == "assigned" and self.yes() else values.get(kind, "")
        return LiveGrant(
            id=UUID(int=self._random.getrandbits(100)),
            scope=GrantScope(kind, value),
            fields={field.name: field.field_class, "mobile": FieldClass.C3},
            outcome=self.one(tuple(Outcome)),
            purpose=self.one(PURPOSES),
            starts_at=at + self.one(EDGES),
            ends_at=at + self.one(EDGES),
            departments=frozenset(self.some(DEPARTMENTS, 2)) if kind in _OF_DEPARTMENTS else frozenset(),
            lifts=self.yes(0.3),
        )

    def engagement(self, at: datetime) -> Engagement:
        """Make work on a contact, sometimes over or ending just then."""
        until = at + self.one(EDGES) if self.yes() else None
        return Engagement(self.one(CONTACTS), frozenset(self.some(FACTS)), until)

    def emergency(self, at: datetime) -> Emergency:
        """Make an open session, sometimes over or ending just then."""
        departments, tags = frozenset(self.some(DEPARTMENTS, 3)), frozenset(self.some(TAGS, 1))
        session_id = UUID(int=self._random.getrandbits(100))
        return Emergency(session_id, at + self.one(EDGES), departments, tags, confirmed=self.yes())

    def place(self) -> Place:
        """Part some departments into here and elsewhere."""
        here = self.some(DEPARTMENTS, 3)
        return Place(frozenset(here), frozenset(self.some(tuple(each for each in DEPARTMENTS if each not in here))))

    def standing(self, at: datetime = NOON) -> Standing:
        """Make a viewer."""
        service = self.yes(0.2)
        contact_id = None if service else self.one(CONTACTS)
        return Standing(
            kind="service" if service else "person",
            actor_id="x",
            name="x",
            client_id="x",
            scopes=frozenset(self.some(SCOPES)),
            tier=Tier.T0 if service else self.one(tuple(Tier)),
            roles=frozenset() if service else frozenset(self.some(ROLES, 2)),
            worker_kind=None if service else self.one(WORKER_KINDS),
            contact_id=contact_id,
            departments=frozenset() if service else frozenset(self.some(DEPARTMENTS, 2)),
            marks=frozenset(self.some(tuple(MARKS), 2)) if not service and self.yes(0.3) else frozenset(),
            subtree=frozenset() if service else frozenset(self.some(DEPARTMENTS, 3)),
            headed=frozenset() if service else frozenset(self.some(DEPARTMENTS, 2)),
            region=Place() if service else self.place(),
            legal_entity=Place() if service else self.place(),
            engagements=() if service else tuple(self.engagement(at) for _ in range(self._random.randint(0, 3))),
            emergency=self.emergency(at) if not service and self.yes(0.4) else None,
            distrusted=frozenset(self.some(DEPARTMENTS, 1)) if self.yes(0.2) else frozenset(),
            grants=tuple(self.grant(at) for _ in range(self._random.randint(0, 3))),
            step_up=self.yes(0.3),
            ceiling=self.one(CLASSES) if self.yes(0.2) else None,
        )

    def outcome(self, field_class: FieldClass) -> Outcome:
        """Pick how far a class is shown; C1 has no mask."""
        return self.one((Outcome.HIDDEN, Outcome.CLEAR) if field_class is FieldClass.C1 else tuple(Outcome))

    def rule(self, name: str, effect: Effect | None = None) -> Rule:
        """Make a rule."""
        effect = effect or (Effect.FORBID if self.yes(0.1) else Effect.CAP if self.yes(0.3) else Effect.GRANT)
        outcomes = {each: self.outcome(each) for each in (self.some(CLASSES, 5) or (FieldClass.C1,))}
        given: dict[str, Any] = {}
        relation = self.one(tuple(Relation)) if self.yes(0.6) else Relation.ANY
        if effect is not Effect.FORBID:
            given["shows"] = outcomes
        if effect is Effect.GRANT:
            given["reveals"] = {each: self.outcome(each) for each in self.some(CLASSES, 3)}
            words = (Reason.TEXT, Reason.CASE)
            given["reason"] = self.one(words if max(given["reveals"], default="C1") > "C2" else tuple(Reason))
            given["requests"] = {each: f"{self.one(('field', 'customer'))}.reveal" for each in self.some(CLASSES, 2)}
            given["edit_requests"] = {
                each: f"contact.{self.one(('change', 'correction'))}" for each in self.some(CLASSES, 2)
            }
            given["lookups"] = self.some(tuple(Tag), 2)
            given.update(
                (power, self.some(CLASSES, 2)) for power in ("edits", "matches", "orders", "counts", "exports")
            )
        if effect is Effect.CAP:
            given["liftable"] = self.yes()
            given["denies"] = self.some(tuple(Power), 2) if self.yes(0.3) else ()
        if effect is Effect.GRANT and relation is Relation.EMERGENCY:
            given = {"shows": {each: self.outcome(each) for each in (FieldClass.C1, FieldClass.C2, FieldClass.C3)}}
        return Rule(
            id=name,
            effect=effect,
            clauses=("X-1",),
            zh="规则",
            en="rule",
            viewer=ViewerCondition(
                kinds=self.some(("person", "service"), 2) or ("person",),
                tiers=self.some(tuple(Tier), 3) if self.yes(0.4) else (),
                roles=self.some(ROLES, 2) if self.yes(0.4) else (),
                not_roles=self.some(ROLES, 1) if self.yes(0.2) else (),
                marks=self.some(tuple(MARKS), 2) if self.yes(0.2) else (),
                scopes=self.some(SCOPES, 1) if self.yes(0.2) else (),
                not_scopes=self.some(SCOPES, 1) if self.yes(0.2) else (),
                worker_kinds=self.some(WORKER_KINDS, 2) if self.yes(0.2) else (),
                step_up=self.yes() if self.yes(0.2) else None,
            ),
            contact=ContactCondition(
                relation=relation,
                kinds=self.some(KINDS, 3) if self.yes(0.5) else (),
                statuses=self.some(STATUSES, 3) if self.yes(0.3) else (),
                secrecy=self.some(SECRECY, 2) if self.yes(0.3) else (),
                tags=self.some(TAGS, 2) if self.yes(0.2) else (),
                ended=self.yes() if self.yes(0.2) else None,
            ),
            purposes=self.some(PURPOSES, 1) if self.yes(0.2) else (),
            obligations=self.some(OBLIGATIONS, 1) if self.yes(0.3) else (),
            **given,
        )

    def pack(self) -> Pack:
        """Make a pack."""
        rules = tuple(self.rule(f"rule.n{at}") for at in range(self._random.randint(1, 9)))
        return Pack(version="1.0.0", profile="open", zh="包", en="pack", rules=rules)
