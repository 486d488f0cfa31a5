"""From a resolver to people: who is asked in a step, by the organisation as it is when the step begins.

Who is found is never taken as he stands: whoever must not decide is left out, and when nobody is left the question goes up, superior by
superior, then to administration and to the executives. A step is never skipped and never answers itself (reference/policy-approval.md
d.1): when nobody in the company may, the request cannot be filed, and says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from app.approvals.chains import Resolver, Step, StepType
from app.approvals.duties import Conflict, Decider, Duties, StepRule, conflict
from app.auth.repository import Source
from app.auth.roles import Role
from app.departments.tree import Tree
from app.kit.clock import Clock

_HIGHEST: Final = 12
_LAST_RESORTS: Final = (Role.ADMINISTRATION, Role.EXECUTIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFacts:
    """What the organisation knows of a contact: where they belong, who leads them, and whether they are in service with an account."""

    contact: UUID
    department: UUID | None
    manager: UUID | None
    in_office: bool


class Organisation(Protocol):
    """Where people and positions are read."""

    async def tree(self, source: Source) -> Tree:
        """Give the department tree of now."""
        ...

    async def facts(self, source: Source, contacts: Iterable[UUID]) -> Mapping[UUID, PersonFacts]:
        """Give what is known of contacts; those who are not there are left out."""
        ...

    async def holders(self, source: Source, role: Role) -> Sequence[UUID]:
        """Give who holds a role, in an order that does not change."""
        ...


class Persons(Protocol):
    """Where the natural person behind a contact is read."""

    async def of(self, source: Source, contacts: Iterable[UUID]) -> Mapping[UUID, UUID]:
        """Give the person behind each contact; itself where nothing says otherwise."""
        ...


class Absences(Protocol):
    """Where it is read who decides for whom."""

    async def deputies(self, source: Source, person: UUID, kind: str, now: datetime) -> Sequence[UUID]:
        """Give who decides for somebody, in requests of a kind."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What people are found for: who asks, who gains, whom it is about, which department answers for it, and the form."""

    kind: str
    requester: UUID
    beneficiary: UUID
    about: tuple[UUID, ...]
    owner: UUID | None
    form: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Who is asked: by the resolvers themselves, or, ``escalated``, those to whom it went up."""

    people: tuple[UUID, ...]
    escalated: bool = False
    left_out: Mapping[UUID, Conflict]


class Resolving:
    """Finds people."""

    def __init__(self, organisation: Organisation, persons: Persons, absences: Absences, clock: Clock) -> None:
        """Take where positions, natural persons and stand-ins are read, and the clock."""
        self._organisation, self._persons, self._absences, self._clock = organisation, persons, absences, clock

    async def duties(self, source: Source, question: Question, decided: Iterable[UUID] = ()) -> Duties:
        """Gather what separation of duties asks about: ``decided`` are the contacts who have said yes before."""
        before = list(dict.fromkeys(decided))
        everybody = [question.requester, question.beneficiary, *question.about, *before]
        persons = await self._persons.of(source, everybody)
        facts = await self._organisation.facts(source, before)
        return Duties(
            requester=persons[question.requester],
            beneficiary=persons[question.beneficiary],
            decided=frozenset(persons[each] for each in before),
            departments=frozenset(facts[each].department for each in before if each in facts),
            subjects=frozenset(persons[each] for each in question.about),
        )

    async def deciders(self, source: Source, contacts: Iterable[UUID]) -> dict[UUID, Decider]:
        """Describe contacts as separation of duties sees them; somebody who is not there is not in office."""
        wanted = list(dict.fromkeys(contacts))
        persons, facts = await self._persons.of(source, wanted), await self._organisation.facts(source, wanted)
        return {
            each: Decider(
                contact=each,
                person=persons[each],
                department=facts[each].department if each in facts else None,
                in_office=each in facts and facts[each].in_office,
            )
            for each in wanted
        }

    async def people(self, source: Source, step: Step, question: Question, decided: Iterable[UUID] = ()) -> Found:
        """Find who is asked in ``step``. Nobody found means that nobody in the company may answer it."""
        tree = await self._organisation.tree(source)
        duties = await self.duties(source, question, decided)
        rule = StepRule(step.type, step.apart)
        meant = list(dict.fromkeys([each for by in step.by for each in await self._meant(source, tree, by, question)]))
        left_out: dict[UUID, Conflict] = {}
        fit = await self._fit(source, meant, rule, duties, left_out)
        if fit or step.type is StepType.CONSENT:
            return Found(people=tuple(fit), left_out=left_out)
        for start in (*meant, question.beneficiary):
            for above in await self._above(source, tree, start):
                fit = await self._fit(source, [above], rule, duties, left_out)
                if fit:
                    return Found(people=tuple(fit), escalated=True, left_out=left_out)
        for role in _LAST_RESORTS:
            fit = await self._fit(source, await self._organisation.holders(source, role), rule, duties, left_out)
            if fit:
                return Found(people=tuple(fit), escalated=True, left_out=left_out)
        return Found(people=(), left_out=left_out)

    async def superior(self, source: Source, person: UUID, rule: StepRule, duties: Duties) -> UUID | None:
        """Give who is asked instead of somebody: the next superior who may answer the step, else one of the last resort, else nobody."""
        tree = await self._organisation.tree(source)
        resorts = [each for role in _LAST_RESORTS for each in await self._organisation.holders(source, role)]
        for above in (*await self._above(source, tree, person), *resorts):
            if above != person and await self._fit(source, [above], rule, duties, {}):
                return above
        return None

    async def _fit(
        self, source: Source, people: Iterable[UUID], rule: StepRule, duties: Duties, left_out: dict[UUID, Conflict]
    ) -> list[UUID]:
        found, seen = list[UUID](), set[UUID]()
        for contact, decider in (await self.deciders(source, people)).items():
            why = conflict(decider, rule, duties)
            if why is not None:
                left_out[contact] = why
            elif decider.person not in seen:
                seen.add(decider.person)
                found.append(contact)
        return found

    async def _meant(  # noqa: PLR0911 — one answer per resolver
        self, source: Source, tree: Tree, by: Resolver, question: Question
    ) -> Sequence[UUID]:
        """Give who a resolver means, whether they may decide or not."""
        if by.role is not None:
            return await self._organisation.holders(source, by.role)
        if by.committee:
            return await self._organisation.holders(source, Role.COMMITTEE)
        if by.on_call is not None:
            return await self._on_call(source, by.on_call, question)
        if by.subject:
            return question.about
        if by.requester:
            return (question.requester,)
        if by.named is not None:
            return _named(question.form.get(by.named))
        if by.owner_head:
            return () if question.owner is None else _heads(tree, question.owner, question.beneficiary)[:1]
        if by.head is not None:
            whose = _whose(by.head, question)
            facts = await self._organisation.facts(source, [whose] if whose else [])
            at = facts[whose].department if whose is not None and whose in facts else None
            return () if at is None or whose is None else _heads(tree, at, question.beneficiary, whose)[:1]
        of = _whose(by.of, question)
        above = [] if of is None else await self._above(source, tree, of)
        level = by.superior or 1
        return above[level - 1 : level]

    async def _on_call(self, source: Source, role: Role, question: Question) -> Sequence[UUID]:
        holders = await self._organisation.holders(source, role)
        now = self._clock.now()
        present = [each for each in holders if not await self._absences.deputies(source, each, question.kind, now)]
        return present or holders

    async def _above(self, source: Source, tree: Tree, person: UUID) -> list[UUID]:
        """List who leads somebody, the nearest first: the manager on the card, else the head of the department, else of one above."""
        chain, at = list[UUID](), person
        while len(chain) < _HIGHEST:
            facts = (await self._organisation.facts(source, [at])).get(at)
            if facts is None:
                break
            known = {person, *chain}
            heads = [] if facts.department is None else _heads(tree, facts.department, at)
            upper = next((each for each in (facts.manager, *heads) if each is not None and each not in known), None)
            if upper is None:
                break
            chain.append(upper)
            at = upper
        return chain


def _heads(tree: Tree, department: UUID, *passing: UUID) -> list[UUID]:
    """List the heads from a department upwards, leaving out those ``passing``: one level up where it is they."""
    heads = [node.head_id for node in reversed(tree.ancestry(department)) if node.head_id is not None]
    return [each for each in dict.fromkeys(heads) if each not in passing]


def _whose(whose: str, question: Question) -> UUID | None:
    match whose:
        case "requester":
            return question.requester
        case "beneficiary":
            return question.beneficiary
        case _:
            return next(iter(question.about), None)


def _named(value: object) -> list[UUID]:
    """Read contact ids as the form names them; what is none is nobody."""
    found = []
    for each in value if isinstance(value, list) else [value]:
        try:
            found.append(UUID(str(each)))
        except ValueError:
            continue
    return found
