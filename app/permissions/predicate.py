"""The row predicate of a plan, for SQL: the same rows that the plan's cohorts call visible, and no others.

A list must be cut before it is ranked, counted and paged, so the database has to know. The predicate is built from the very rules of the
plan; a property test holds the two equal, and the gate checks every row again.
"""

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, not_, or_, true

from app.permissions.outcomes import FieldClass, Outcome
from app.permissions.pack import Relation, Rule
from app.permissions.plan import Plan


class ContactColumns(Protocol):
    """What the contacts' repository offers to speak of a row."""

    id: ColumnElement[UUID]
    kind: ColumnElement[str]
    status: ColumnElement[str]
    secrecy: ColumnElement[str]

    def in_departments(self, departments: Iterable[UUID]) -> ColumnElement[bool]:
        """Say that the contact belongs to one of ``departments``."""
        ...


def visible(plan: Plan, columns: ContactColumns) -> ColumnElement[bool]:
    """Write when a contact is visible to the viewer of ``plan``."""
    standing = plan.standing

    def related(relation: Relation) -> ColumnElement[bool]:
        match relation:
            case Relation.ANY:
                return true()
            case Relation.SELF:
                return columns.id == standing.contact_id if standing.contact_id is not None else false()
            case Relation.OTHERS:
                return columns.id != standing.contact_id if standing.contact_id is not None else true()
            case Relation.OWN_DEPARTMENT:
                return columns.in_departments(standing.departments)
            case Relation.HEADED:
                return columns.in_departments(standing.headed)

    def applies(rule: Rule) -> ColumnElement[bool]:
        contact = rule.contact
        return and_(
            true(),
            *(
                column.in_(sorted(allowed))
                for column, allowed in (
                    (columns.kind, contact.kinds),
                    (columns.status, contact.statuses),
                    (columns.secrecy, contact.secrecy),
                )
                if allowed
            ),
            related(contact.relation),
        )

    hiding = [rule for rule in plan.caps if rule.shows.get(FieldClass.C1, Outcome.CLEAR) is Outcome.HIDDEN]
    giving = [rule for rule in plan.grants if rule.shows.get(FieldClass.C1, Outcome.HIDDEN) > Outcome.HIDDEN]
    return and_(
        *(not_(applies(rule)) for rule in (*plan.forbids, *hiding)),
        not_(columns.in_departments(standing.distrusted)) if standing.distrusted else true(),
        or_(false(), *(applies(rule) for rule in giving)),
    )
