"""Separation of duties: who may not be the one to say yes, and why.

Pure. Rules count natural persons: somebody's second account, whoever decides for somebody, and whoever holds two positions is one person
(reference/policy-approval.md d.4). The same rules are asked when people are chosen for a step, when a word is said, and once more over all
words before an effect acts; nothing anywhere passes them by.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from app.approvals.chains import StepType


class Conflict(StrEnum):
    """Why somebody's word is not taken."""

    REQUESTER = "requester"
    BENEFICIARY = "beneficiary"
    DECIDED_BEFORE = "decided_before"
    SAME_DEPARTMENT = "same_department"
    NOT_IN_OFFICE = "not_in_office"
    AWAY = "away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Somebody who might decide: their contact, the natural person behind it, their department, and whether they are in service."""

    contact: UUID
    person: UUID
    department: UUID | None
    in_office: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Duties:
    """What is known of a request: the natural persons who ask and who gain, and who has said yes in which earlier step, from where."""

    requester: UUID
    beneficiary: UUID
    decided: Collection[UUID] = ()
    departments: Collection[UUID | None] = ()
    subjects: Collection[UUID] = ()


@dataclass(frozen=True, slots=True)
class StepRule:
    """What a step demands beyond its type."""

    type: StepType
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Reciprocity:
    """Two people who approve for each other: how often one did for the other of late."""

    pairs: Mapping[tuple[UUID, UUID], int] = field(default_factory=dict)

    def mutual(self, decider: UUID, requester: UUID) -> bool:
        """Tell whether ``requester`` approved something for ``decider`` in the time that ``pairs`` counts, as ``decider`` does now."""
        return decider != requester and self.pairs.get((requester, decider), 0) > 0


def conflict(decider: Decider, rule: StepRule, duties: Duties) -> Conflict | None:  # noqa: PLR0911 — one answer per rule
    """Give why ``decider`` may not answer the step; ``None`` when they may."""
    if not decider.in_office:
        return Conflict.NOT_IN_OFFICE
    if rule.type is StepType.CONSENT:
        return None
    if rule.type.approves and decider.person == duties.requester:
        return Conflict.REQUESTER
    if rule.type is not StepType.ATTEST and decider.person == duties.beneficiary:
        return Conflict.BENEFICIARY
    if rule.type.approves and decider.person in duties.decided:
        return Conflict.DECIDED_BEFORE
    if rule.apart and decider.department is not None and decider.department in duties.departments:
        return Conflict.SAME_DEPARTMENT
    return None
