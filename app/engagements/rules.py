"""What a business fact is, who may be told of it, and who may work on one. Pure.

Facts are C1 of an external contact, and told to those whose business it is: who works on one for that contact, the department that owns
the contact with those who head it, and the offices that keep the book and review rights in it. To everybody else a contact with facts
looks like one without.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.permissions.plan import CohortKey, Engagement, Fact, Standing

OPEN: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""The end of what has none yet."""

SUBJECT: Final = "external"
"""The kind of contact that facts are about."""

STAFF: Final = frozenset({"employee", "temporary"})
"""Kinds of contact that can be at work."""

PRESENT: Final = frozenset({"active", "frozen", "leaving"})
"""Statuses of contacts whom a fact can name, on either side."""

CLOCK_DIFFERENCE: Final = timedelta(minutes=5)
"""How far ahead a source's clock may be before its "since" counts as the future."""

MOST_STAFF: Final = 20
MOST_LIVE: Final = 500
"""On how many live facts one person can be: what a standing loads is bounded."""

_OFFICES: Final = frozenset({"administration", "directory_steward", "hr"})


class Cause(StrEnum):
    """Why somebody's work on a fact ended."""

    ENDED = "ended"
    LEFT = "left"
    MOVED = "moved"
    REPLACED = "replaced"


FACTS: Final[tuple[Fact, ...]] = ("account", "order", "ticket")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """One person at work on one fact, as the row's MAC covers it."""

    engagement_id: UUID
    staff_id: UUID
    contact_id: UUID
    kind: Fact
    since: datetime
    until: datetime
    cause: str | None = None
    row_version: int = 1

    def live(self, now: datetime) -> bool:
        """Tell whether it is in force."""
        return self.until > now


@dataclass(frozen=True, slots=True, kw_only=True)
class Business:
    """One fact, as the row's MAC covers it."""

    id: UUID
    contact_id: UUID
    kind: Fact
    reference: str
    source: str
    since: datetime
    until: datetime
    body_hash: bytes
    row_version: int = 1

    def live(self, now: datetime) -> bool:
        """Tell whether it is in force."""
        return self.until > now


def standing_of(rows: Iterable[tuple[UUID, Fact, datetime]]) -> tuple[Engagement, ...]:
    """Write contacts, facts and ends as policy reads them: per contact and end, which kinds of fact; always in one order."""
    found: dict[tuple[UUID, datetime], set[Fact]] = {}
    for contact_id, fact, until in rows:
        found.setdefault((contact_id, until), set()).add(fact)
    return tuple(
        Engagement(contact_id, frozenset(kinds), None if until >= OPEN else until)
        for (contact_id, until), kinds in sorted(found.items())
    )


def may_know(standing: Standing, key: CohortKey, contact_id: UUID, now: datetime) -> bool:
    """Tell whether a viewer who may see this contact is told of its facts."""
    departments = standing.departments | standing.headed
    return (
        not standing.roles.isdisjoint(_OFFICES)
        or not departments.isdisjoint(key.departments)
        or any(
            each.contact_id == contact_id and (each.until is None or each.until > now) for each in standing.engagements
        )
    )


def may_look_everywhere(standing: Standing) -> bool:
    """Tell whether a viewer is told of the facts of every contact that they may see."""
    return not standing.roles.isdisjoint(_OFFICES)
