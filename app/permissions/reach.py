"""Whom a viewer can see at most, as sets that an index gives: for a search to begin from them when they are few.

Pure, and no decision: the predicate and the gate decide. Everybody that a plan shows is within its reach (a property test), most of whom
are not shown otherwise. A plan that shows people at large has no reach to begin from.
"""

from dataclasses import dataclass
from functools import reduce
from typing import Final
from uuid import UUID

from app.permissions.outcomes import FieldClass, Outcome
from app.permissions.pack import Relation, Rule
from app.permissions.plan import LiveGrant, Plan, departments_of

HOTLINE: Final = "hotline"
"""The one kind whose contacts an index lists."""
_BY_DEPARTMENT: Final = frozenset(
    {
        Relation.OWN_DEPARTMENT,
        Relation.OWN_SUBTREE,
        Relation.HEADED,
        Relation.SAME_REGION,
        Relation.SAME_LEGAL_ENTITY,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The contacts of some departments, some by id, those with some tags, and all hotlines: all of them together."""

    departments: frozenset[UUID] = frozenset()
    contacts: frozenset[UUID] = frozenset()
    tags: frozenset[str] = frozenset()
    hotlines: bool = False

    def joined(self, other: "Reach") -> "Reach":
        """Give both together."""
        return Reach(
            departments=self.departments | other.departments,
            contacts=self.contacts | other.contacts,
            tags=self.tags | other.tags,
            hotlines=self.hotlines or other.hotlines,
        )


def reach(plan: Plan) -> Reach | None:
    """Give the reach of a plan; ``None`` where it shows people at large."""
    giving = [rule for rule in plan.grants if rule.shows.get(FieldClass.C1, Outcome.HIDDEN) > Outcome.HIDDEN]
    parts = [*(_of_rule(plan, rule) for rule in giving), *(_of_grant(plan, grant) for grant in plan.live)]
    found = [each for each in parts if each is not None]
    return reduce(Reach.joined, found, Reach()) if len(found) == len(parts) else None


def _of_rule(plan: Plan, rule: Rule) -> Reach | None:
    """Give the reach of a rule, by the narrowest of its conditions."""
    relation, contact = rule.contact.relation, rule.contact
    if relation is Relation.SELF:
        own = plan.standing.contact_id
        return Reach(contacts=frozenset() if own is None else frozenset({own}))
    if relation in plan.engaged:
        return Reach(contacts=plan.engaged[relation])
    if relation is Relation.EMERGENCY:
        session = plan.emergency
        return Reach() if session is None else Reach(departments=session.departments, tags=frozenset(session.tags))
    if relation in _BY_DEPARTMENT:
        return Reach(departments=departments_of(relation, plan.standing))
    if contact.tags:
        return Reach(tags=frozenset(contact.tags))
    return Reach(hotlines=True) if set(contact.kinds) == {HOTLINE} else None


def _of_grant(plan: Plan, grant: LiveGrant) -> Reach | None:
    value = grant.scope.value
    match grant.scope.kind:
        case "contact":
            return Reach(contacts=frozenset({UUID(value)}))
        case "department" | "subtree" | "legal_entity" | "region":
            return Reach(departments=frozenset(grant.departments))
        case "company":
            return None
        case "kind":
            return Reach(hotlines=True) if value == HOTLINE else None
        case "tag":
            return Reach(tags=frozenset({value}))
        case "assigned":
            return Reach(contacts=plan.engaged[Relation.ASSIGNED])
