"""The row predicate of a plan, for SQL: the same rows that the plan's cohorts call visible, and no others.

A list must be cut before it is ranked, counted and paged, so the database has to know. The predicate is built from the very rules of the
plan; a property test holds the two equal, and the gate checks every row again. For a question that uses a power over C1 (find by it, order
by it, count), rows over which the viewer has no such power are cut too: nothing tells whether they would have answered it.
"""

from collections.abc import Iterable
from datetime import date
from typing import Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, not_, or_, true

from app.permissions.emergency import ORDINARY
from app.permissions.outcomes import FieldClass, Outcome, Power
from app.permissions.pack import Relation, Rule, lowered
from app.permissions.plan import LiveGrant, Place, Plan, departments_of


class ContactColumns(Protocol):
    """What the contacts' repository offers to speak of a row."""

    id: ColumnElement[UUID]
    kind: ColumnElement[str]
    status: ColumnElement[str]
    secrecy: ColumnElement[str]

    def in_departments(self, departments: Iterable[UUID]) -> ColumnElement[bool]:
        """Say that the contact belongs to one of ``departments``."""
        ...

    def tagged(self, tags: Iterable[str]) -> ColumnElement[bool]:
        """Say that the contact has one of ``tags``."""
        ...

    def ended(self, today: date) -> ColumnElement[bool]:
        """Say that the contact is temporary and its contract was over before ``today``."""
        ...


def visible(plan: Plan, columns: ContactColumns, powers: Iterable[Power] = ()) -> ColumnElement[bool]:
    """Write when a contact is visible to the viewer of ``plan``, who has all of ``powers`` over its C1."""
    write = _Writer(plan, columns)
    hiding = [rule for rule in plan.caps if lowered(rule, FieldClass.C1) is Outcome.HIDDEN]
    giving = [rule for rule in plan.grants if rule.shows.get(FieldClass.C1, Outcome.HIDDEN) > Outcome.HIDDEN]
    distrusted = plan.standing.distrusted
    return and_(
        *(not_(write.applies(rule)) for rule in plan.forbids),
        *(not_(write.hides(rule)) for rule in hiding),
        not_(columns.in_departments(distrusted)) if distrusted else true(),
        or_(
            false(),
            *(write.applies(rule) for rule in giving),
            *(write.covers(grant) for grant in plan.live),
        ),
        *(write.holds(power) for power in sorted(set(powers)) if not _comes_with(plan, giving, power)),
    )


def _comes_with(plan: Plan, giving: Iterable[Rule], power: Power) -> bool:
    """Tell whether whoever is visible to the viewer is so with this power; then there is nothing more to say."""
    return (
        not plan.live
        and (plan.emergency is None or power is not Power.EXPORT)
        and not any(power in rule.denies for rule in plan.caps)
        and all(FieldClass.C1 in rule.having(power) for rule in giving)
    )


class _Writer:
    """Writes conditions on rows."""

    def __init__(self, plan: Plan, columns: ContactColumns) -> None:
        self._plan, self._columns = plan, columns

    def applies(self, rule: Rule) -> ColumnElement[bool]:
        contact, columns = rule.contact, self._columns
        conditions: list[ColumnElement[bool]] = [
            column.in_(sorted(allowed))
            for column, allowed in (
                (columns.kind, contact.kinds),
                (columns.status, contact.statuses),
                (columns.secrecy, contact.secrecy),
            )
            if allowed
        ]
        if contact.tags:
            conditions.append(columns.tagged(contact.tags))
        if contact.ended is not None:
            over = columns.ended(self._plan.today)
            conditions.append(over if contact.ended else not_(over))
        return and_(true(), *conditions, self._related(contact.relation))

    def hides(self, cap: Rule) -> ColumnElement[bool]:
        """Say that a cap on C1 applies, and no emergency session lifts it."""
        applies, session = self.applies(cap), self._plan.emergency
        backed = session is not None and (session.confirmed or not cap.takes_second)
        return and_(applies, not_(self.in_emergency())) if cap.liftable and backed else applies

    def in_emergency(self) -> ColumnElement[bool]:
        """Say that the viewer's emergency session is about the contact."""
        session, columns = self._plan.emergency, self._columns
        if session is None:
            return false()
        about = or_(columns.in_departments(session.departments), columns.tagged(session.tags))
        return about if session.confirmed else and_(about, columns.secrecy == ORDINARY)

    def covers(self, grant: LiveGrant) -> ColumnElement[bool]:
        columns, value = self._columns, grant.scope.value
        match grant.scope.kind:
            case "contact":
                return columns.id == UUID(value)
            case "department" | "subtree" | "legal_entity" | "region":
                return columns.in_departments(grant.departments)
            case "company":
                return true()
            case "kind":
                return columns.kind == value
            case "tag":
                return columns.tagged((value,))
            case "assigned":
                related = self._related(Relation.ASSIGNED)
                return and_(related, columns.id == UUID(value)) if value else related

    def holds(self, power: Power) -> ColumnElement[bool]:
        """Say that the viewer has a power over the contact's C1."""
        plan = self._plan
        denying = [rule for rule in plan.caps if power in rule.denies]
        giving = [rule for rule in plan.grants if FieldClass.C1 in rule.having(power)]
        return and_(
            not_(self.in_emergency()) if power is Power.EXPORT else true(),
            *(not_(self.applies(rule)) for rule in denying),
            or_(false(), *(self.applies(rule) for rule in giving)),
        )

    def _related(self, relation: Relation) -> ColumnElement[bool]:
        standing, columns = self._plan.standing, self._columns
        oneself = false() if standing.contact_id is None else columns.id == standing.contact_id
        match relation:
            case Relation.ANY:
                return true()
            case Relation.SELF | Relation.OTHERS:
                return oneself if relation is Relation.SELF else not_(oneself)
            case Relation.EMERGENCY:
                return self.in_emergency()
            case Relation.OTHER_REGION | Relation.OTHER_LEGAL_ENTITY:
                return self._apart(standing.region if relation is Relation.OTHER_REGION else standing.legal_entity)
            case _ if relation in self._plan.engaged:
                return columns.id.in_(sorted(self._plan.engaged[relation]))
            case _:
                return columns.in_departments(departments_of(relation, standing))

    def _apart(self, place: Place) -> ColumnElement[bool]:
        return and_(not_(self._columns.in_departments(place.same)), self._columns.in_departments(place.other))
