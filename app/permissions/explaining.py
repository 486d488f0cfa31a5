"""Why a field is shown as far as it is, and what would have to be different.

Pure. It asks the same plan that decides, rule by rule, so an explanation cannot say anything else than what happens. The way forward is
found by trying: the nearest single change under which the plan would show more, near things first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.permissions.outcomes import FieldClass, Outcome, Purpose, Reason
from app.permissions.pack import Pack, Rule, lowered
from app.permissions.plan import Cohort, CohortKey, LiveGrant, Plan, Standing


class Way(StrEnum):
    """What may lead further, the nearest first."""

    REVEAL = "reveal"
    PURPOSE = "purpose"
    STEP_UP = "step_up"
    SETTLE = "settle"
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Change:
    """The nearest change that would show more, and how far: ``value`` is the purpose, the mark to settle or the kind of request.

    ``reason`` is what a reveal then has to say; ``None`` for a request, which says it itself.
    """

    way: Way
    value: str | None
    leads_to: Outcome
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Tried:
    """A rule that could have mattered: whether it speaks of this viewer and this contact, and how far it lets the field be shown."""

    rule: Rule
    applied: bool
    shown: Outcome | None
    revealed: Outcome | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about one field of one contact for one viewer; ``reason`` is what a reveal of it has to say."""

    name: str
    field_class: FieldClass
    shown: Outcome
    revealed: Outcome
    reason: Reason
    forbids: tuple[Tried, ...]
    caps: tuple[Tried, ...]
    grants: tuple[Tried, ...]
    exceptions: tuple[LiveGrant, ...]
    winning: tuple[str, ...]
    obligations: tuple[str, ...]
    change: Change | None


@dataclass(frozen=True, slots=True)
class Question:
    """Whose view of whom is to be explained, under which pack, for which purpose, when."""

    pack: Pack
    standing: Standing
    purpose: Purpose
    now: datetime
    key: CohortKey
    contact_id: UUID

    def plan(self, *, standing: Standing | None = None, purpose: Purpose | None = None) -> Plan:
        """Give the plan, or the one that another standing or purpose would make."""
        return Plan(self.pack, standing or self.standing, purpose or self.purpose, self.now)

    def cohort(self, plan: Plan) -> Cohort:
        """Give the verdict of a plan on the contact."""
        return plan.cohort(self.key, self.contact_id)


def explain(question: Question, fields: Sequence[tuple[str, FieldClass]]) -> tuple[Explanation, ...]:
    """Explain the view of some fields, given by name and class."""
    plan, others = question.plan(), tuple(_alternatives(question))
    return tuple(_explained(question, plan, others, name, field_class) for name, field_class in fields)


@dataclass(frozen=True, slots=True)
class _Alternative:
    """The verdict that one change would make."""

    way: Way
    value: str | None
    cohort: Cohort


def _alternatives(question: Question) -> Iterator[_Alternative]:
    standing = question.standing
    for purpose in Purpose:
        if purpose is not question.purpose:
            yield _Alternative(Way.PURPOSE, purpose.value, question.cohort(question.plan(purpose=purpose)))
    if standing.kind == "person" and not standing.step_up:
        plan = question.plan(standing=replace(standing, step_up=True))
        yield _Alternative(Way.STEP_UP, None, question.cohort(plan))
    for mark in sorted(standing.marks):
        plan = question.plan(standing=replace(standing, marks=standing.marks - {mark}))
        yield _Alternative(Way.SETTLE, mark, question.cohort(plan))


def _explained(
    question: Question, plan: Plan, others: Sequence[_Alternative], name: str, field_class: FieldClass
) -> Explanation:
    cohort = question.cohort(plan)
    shown = cohort.shown(name, field_class)
    grants = tuple(
        Tried(rule, True, rule.shows.get(field_class), rule.reveals.get(field_class))  # noqa: FBT003 — that it applies
        for rule in plan.grants
        if plan.applies(rule, question.key, question.contact_id)
        and (field_class in rule.shows or field_class in rule.reveals)
    )
    exceptions = tuple(
        each for each in plan.live if name in each.fields and plan.covers(each, question.key, question.contact_id)
    )
    consented = any(each.lifts for each in exceptions)
    return Explanation(
        name=name,
        field_class=field_class,
        shown=shown,
        revealed=cohort.revealed(name, field_class),
        reason=cohort.demanded(name, field_class),
        forbids=tuple(_tried(question, plan, rule, None) for rule in plan.forbids),
        caps=tuple(
            _tried(question, plan, rule, lowered(rule, field_class))
            for rule in plan.caps
            if field_class in rule.shows
            and not (consented and rule.gives_way)
            and not plan.lifts(rule, field_class, question.key)
        ),
        grants=grants,
        exceptions=exceptions,
        winning=_winning(cohort, shown, grants, exceptions, name),
        obligations=cohort.obligations,
        change=next(_changes(cohort, others, name, field_class), None),
    )


def _tried(question: Question, plan: Plan, rule: Rule, shown: Outcome | None) -> Tried:
    return Tried(rule, plan.applies(rule, question.key, question.contact_id), shown, None)


def _winning(
    cohort: Cohort, shown: Outcome, grants: Sequence[Tried], exceptions: Sequence[LiveGrant], name: str
) -> tuple[str, ...]:
    """Name what decides: exceptions where one leads further than the rules, else the rules that give most."""
    if shown is Outcome.HIDDEN or not cohort.visible:
        return ()
    if exceptions and cohort.granted.get(name) == shown:
        return tuple(str(each.id) for each in exceptions)
    most = max((each.shown for each in grants if each.shown is not None), default=Outcome.HIDDEN)
    return tuple(each.rule.id for each in grants if each.shown is most)


def _changes(cohort: Cohort, others: Sequence[_Alternative], name: str, field_class: FieldClass) -> Iterator[Change]:
    shown, revealed = cohort.shown(name, field_class), cohort.revealed(name, field_class)
    if shown is Outcome.CLEAR:
        return
    if revealed > shown:
        yield Change(Way.REVEAL, None, revealed, cohort.demanded(name, field_class))
    for other in others:
        further = other.cohort.revealed(name, field_class)
        if further > revealed:
            yield Change(other.way, other.value, further, other.cohort.demanded(name, field_class))
    following = cohort.requests.get(field_class)
    if following is not None:
        yield Change(Way.REQUEST, following, Outcome.CLEAR)
