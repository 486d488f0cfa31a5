"""From a resolver to people: who is asked in a step, by the organisation as it is when the step begins.

Who is found is never taken as he stands: whoever must not decide is left out, and when nobody is left the question goes up, superior by
superior, then to administration and to the executives. A step is never skipped and never answers itself (reference/policy-approval.md
d.1): when nobody in the company may, the request cannot be filed, and says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.chains import Resolver, Step, StepType
from app.approvals.duties import Conflict, Decider, Duties, StepRule, conflict
from app.approvals.request import CONSENTS
from app.auth.repository import Source
from app.auth.roles import Role
from app.departments.tree import Tree
from app.kit.clock import Clock

_HIGHEST: Final = 12
_LAST_RESORTS: Final = (Role.ADMINISTRATION, Role.EXECUTIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFacts:
    """What the organisation knows of a contact: where they belong, who leads them, whether they are here, and whether they decide.

    Here is who is in service with an account; in office is who is here and no intern.
    """

    contact: UUID
    department: UUID | None
    manager: UUID | None
    here: bool
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

    async def hold(self, session: AsyncSession, contacts: Iterable[UUID]) -> None:
        """Let none of these people leave, move or be changed before this transaction ends; wait for whoever is changing one."""
        ...


class Persons(Protocol):
    """Where the natural person behind a contact is read."""

    async def of(self, source: Source, contacts: Iterable[UUID]) -> Mapping[UUID, UUID]:
        """Give the person behind each contact; itself where nothing says otherwise."""
        ...


class Rosters(Protocol):
    """Where it is read who is on call."""

    async def on_call(self, source: Source, role: Role, now: datetime) -> UUID | None:
        """Give who is on call for a role; nobody where no roster says so."""
        ...


class Absences(Protocol):
    """Where it is read who is away, and who decides for whom."""

    async def away(self, source: Source, person: UUID, now: datetime) -> bool:
        """Tell whether somebody is kept from deciding for a while."""
        ...

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
    """Who is asked: by the resolvers themselves, or, ``escalated``, those to whom it went up.

    ``bases`` says what each is asked as: ``role:hr``, ``head:<department>``; nothing for somebody who is asked as who they are.
    """

    people: tuple[UUID, ...]
    escalated: bool = False
    left_out: Mapping[UUID, Conflict]
    bases: Mapping[UUID, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sieve:
    """What people have to pass to be asked, and who did not; ``asked`` are natural persons who are asked already."""

    rule: StepRule
    duties: Duties
    kind: str
    asked: frozenset[UUID]
    left_out: dict[UUID, Conflict] = field(default_factory=dict)


class Resolving:
    """Finds people."""

    def __init__(
        self, organisation: Organisation, persons: Persons, absences: Absences, rosters: Rosters, clock: Clock
    ) -> None:
        """Take where positions, natural persons, stand-ins and rosters are read, and the clock."""
        self._organisation, self._persons, self._clock = organisation, persons, clock
        self._absences, self._rosters = absences, rosters

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

    async def hold(self, session: AsyncSession, contacts: Iterable[UUID]) -> None:
        """As ``Organisation.hold``."""
        await self._organisation.hold(session, contacts)

    async def is_here(self, source: Source, person: UUID) -> bool:
        """Tell whether somebody is in service with an account that can be used."""
        facts = (await self._organisation.facts(source, [person])).get(person)
        return facts is not None and facts.here

    async def people(
        self,
        source: Source,
        step: Step,
        question: Question,
        decided: Iterable[UUID] = (),
        *,
        but: Iterable[UUID] = (),
    ) -> Found:
        """Find who is asked in ``step``, none of ``but``. Nobody found means that nobody in the company may answer it."""
        tree = await self._organisation.tree(source)
        sieve = await self._sieve(source, step, question, decided, but)
        bases: dict[UUID, str] = {}
        for by in step.by:
            for person, basis in await self._meant(source, tree, by, question):
                bases.setdefault(person, CONSENTS if step.type is StepType.CONSENT else basis)
        fit = await self._fit(source, bases, sieve)
        if fit or step.type is StepType.CONSENT:
            return Found(people=tuple(fit), left_out=sieve.left_out, bases={each: bases[each] for each in fit})
        for start in (*bases, question.beneficiary):
            for above in await self._above(source, tree, start):
                fit = await self._fit(source, [above], sieve)
                if fit:
                    return Found(people=tuple(fit), escalated=True, left_out=sieve.left_out)
        for role in _LAST_RESORTS:
            fit = await self._fit(source, await self._organisation.holders(source, role), sieve)
            if fit:
                as_role = dict.fromkeys(fit, f"role:{role.value}")
                return Found(people=tuple(fit), escalated=True, left_out=sieve.left_out, bases=as_role)
        return Found(people=(), left_out=sieve.left_out)

    async def superior(
        self,
        source: Source,
        person: UUID,
        step: Step,
        question: Question,
        decided: Iterable[UUID] = (),
        *,
        but: Iterable[UUID] = (),
    ) -> UUID | None:
        """Give who is asked instead of somebody: the next superior who may answer the step, else one of the last resort, else nobody."""
        tree = await self._organisation.tree(source)
        resorts = [each for role in _LAST_RESORTS for each in await self._organisation.holders(source, role)]
        sieve = await self._sieve(source, step, question, decided, but)
        for above in (*await self._above(source, tree, person), *resorts):
            if above != person and await self._fit(source, [above], sieve):
                return above
        return None

    async def fit(
        self, source: Source, people: Iterable[UUID], step: Step, question: Question, decided: Iterable[UUID] = ()
    ) -> Sequence[UUID]:
        """Give those of ``people`` who may answer ``step``, whoever asked them."""
        return await self._fit(source, people, await self._sieve(source, step, question, decided, ()))

    async def holds(self, source: Source, person: UUID, basis: str | None) -> bool:
        """Tell whether somebody still is what they are asked as."""
        sort, _, name = (basis or "").partition(":")
        match sort:
            case "role":
                return person in await self._organisation.holders(source, Role(name))
            case "head":
                node = (await self._organisation.tree(source)).nodes.get(UUID(name))
                return node is not None and node.head_id == person
            case _:
                return True

    async def in_office(self, source: Source, person: UUID) -> bool:
        """Tell whether somebody is here still, at work or away."""
        facts = (await self._organisation.facts(source, [person])).get(person)
        return facts is not None and facts.in_office

    async def seated(self, source: Source, person: UUID, basis: str | None, kind: str) -> bool:
        """Tell whether who was asked can answer: in office and, but to consent, still what they are asked as, there or stood in for."""
        if not await self.in_office(source, person) or not await self.holds(source, person, basis):
            return False
        if basis == CONSENTS:
            return True
        now = self._clock.now()
        return not await self._absences.away(source, person, now) or bool(
            await self._absences.deputies(source, person, kind, now)
        )

    async def _sieve(
        self, source: Source, step: Step, question: Question, decided: Iterable[UUID], but: Iterable[UUID]
    ) -> _Sieve:
        duties = await self.duties(source, question, decided)
        asked = frozenset((await self._persons.of(source, but)).values())
        return _Sieve(rule=StepRule(step.type, step.apart), duties=duties, kind=question.kind, asked=asked)

    async def _fit(self, source: Source, people: Iterable[UUID], sieve: _Sieve) -> list[UUID]:
        """Give those who may answer, one for each natural person; who is away counts when somebody who may stands in for them."""
        found, seen = list[UUID](), set(sieve.asked)
        for contact, decider in (await self.deciders(source, people)).items():
            why = conflict(decider, sieve.rule, sieve.duties) or await self._absent(source, contact, sieve)
            if why is not None:
                sieve.left_out[contact] = why
            elif decider.person not in seen:
                seen.add(decider.person)
                found.append(contact)
        return found

    async def _absent(self, source: Source, contact: UUID, sieve: _Sieve) -> Conflict | None:
        now = self._clock.now()
        if sieve.rule.type is StepType.CONSENT or not await self._absences.away(source, contact, now):
            return None
        deputies = await self.deciders(source, await self._absences.deputies(source, contact, sieve.kind, now))
        able = any(conflict(each, sieve.rule, sieve.duties) is None for each in deputies.values())
        return None if able else Conflict.AWAY

    async def _meant(  # noqa: PLR0911 — one answer per resolver
        self, source: Source, tree: Tree, by: Resolver, question: Question
    ) -> Sequence[tuple[UUID, str]]:
        """Give who a resolver means and as what, whether they may decide or not."""
        if by.role is not None:
            return await self._holding(source, by.role)
        if by.committee:
            return await self._holding(source, Role.COMMITTEE)
        if by.on_call is not None:
            return [(each, f"role:{by.on_call.value}") for each in await self._on_call(source, by.on_call, question)]
        if by.subject:
            return [(each, "") for each in question.about]
        if by.requester:
            return [(question.requester, "")]
        if by.named is not None:
            return [(each, "") for each in _named(question.form.get(by.named))]
        if by.owner_head:
            return () if question.owner is None else _headed(tree, question.owner, question.beneficiary)[:1]
        if by.head is not None:
            whose = _whose(by.head, question)
            facts = await self._organisation.facts(source, [whose] if whose else [])
            at = facts[whose].department if whose is not None and whose in facts else None
            return () if at is None or whose is None else _headed(tree, at, question.beneficiary, whose)[:1]
        of = _whose(by.of, question)
        above = [] if of is None else await self._above(source, tree, of)
        level = by.superior or 1
        return [(each, "") for each in above[level - 1 : level]]

    async def _holding(self, source: Source, role: Role) -> Sequence[tuple[UUID, str]]:
        return [(each, f"role:{role.value}") for each in await self._organisation.holders(source, role)]

    async def _on_call(self, source: Source, role: Role, question: Question) -> Sequence[UUID]:
        """Give whose shift it is, where they hold the role and are there; else the holders who are there; else all."""
        holders, now = await self._organisation.holders(source, role), self._clock.now()
        on_call = await self._rosters.on_call(source, role, now)
        if on_call is not None and on_call in holders and await self.seated(source, on_call, None, question.kind):
            return [on_call]
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
            heads = [] if facts.department is None else [head for head, _ in _headed(tree, facts.department, at)]
            upper = next((each for each in (facts.manager, *heads) if each is not None and each not in known), None)
            if upper is None:
                break
            chain.append(upper)
            at = upper
        return chain


def _headed(tree: Tree, department: UUID, *passing: UUID) -> list[tuple[UUID, str]]:
    """List the heads from a department upwards, and as whose head; leaving out those ``passing``: one level up where it is they."""
    found: dict[UUID, str] = {}
    for node in reversed(tree.ancestry(department)):
        if node.head_id is not None and node.head_id not in passing:
            found.setdefault(node.head_id, f"head:{node.id}")
    return list(found.items())


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
