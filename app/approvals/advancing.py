"""From one thing that happened to the next that waits for somebody: steps are opened, checks run, the effect acts, all in one transaction.

Promises: after ``settled`` a request waits for people, for a moment, or for nothing; what it asks of whom, by when, its decision and its
effect are committed together or not at all. An effect acts at most once for a request, by the key of its row, and only when everything it
rests on still holds: what was asked, by whom it was approved, and the facts that chose the chain.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

import structlog

from app.approvals.chains import Chains, Kind, Step, StepType
from app.approvals.decision_repository import Decision, DecisionRepository
from app.approvals.effects import Applied, Approved, Asked, Cause, Effect, Examined, RestsOnEach
from app.approvals.errors import NobodyMayDecide
from app.approvals.machine import Asks, Course, Effected, Passed, Refused, Said, Stale, State, Unable, Word, moved
from app.approvals.repository import RequestRepository
from app.approvals.request import Asking, Deadline, Request
from app.approvals.resolving import Question, Resolving
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth.repository import Source
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import Problem

MOST_PEOPLE: Final = 50
"""How many are asked in one step at most, but for consent, which each gives for themselves."""

_log = structlog.get_logger("duanhao.security")


class WorkingDay(Protocol):
    """A due date and whether a calendar that nobody has confirmed went into it."""

    @property
    def at(self) -> datetime:
        """The moment."""
        ...

    @property
    def predicted(self) -> bool:
        """Whether it may move when the calendar is confirmed."""
        ...


class WorkingDays(Protocol):
    """The calendar of now."""

    def due(self, start: datetime, days: int) -> WorkingDay:
        """Give the end of the working day that is so many working days after ``start``."""
        ...


class Calendar(Protocol):
    """Where the calendar is read."""

    async def current(self, source: Source) -> WorkingDays:
        """Give the calendar of now."""
        ...

    async def epoch(self, source: Source) -> int:
        """Give the number that moves with every revision."""
        ...


class Teller(Protocol):
    """Who tells people and systems that something happened to a request."""

    async def request(self, unit: UnitOfWork, what: str, request: Request, people: tuple[UUID, ...]) -> None:
        """Promise, in this transaction, to tell ``people`` and whoever has subscribed."""
        ...


class Check(Protocol):
    """A condition that a step asks of the store and of nobody."""

    async def holds(self, source: Source, request: Request, asked: Asked) -> bool:
        """Tell whether it does."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the engine runs by: kinds and chains, effects and checks by name."""

    chains: Chains
    effects: Mapping[str, Effect]
    checks: Mapping[str, Check]

    def effect(self, kind: Kind) -> Effect:
        """Give what a kind does."""
        return self.effects[kind.effect]


class Advancing:
    """Brings requests to where they wait."""

    def __init__(
        self,
        *,
        rules: Rules,
        requests: RequestRepository,
        decisions: DecisionRepository,
        resolving: Resolving,
        calendar: Calendar,
        teller: Teller,
        clock: Clock,
    ) -> None:
        """Take the rules, the rows, what finds people and days, who tells, and the clock."""
        self.rules, self.requests, self.decisions, self.resolving = rules, requests, decisions, resolving
        self._calendar, self._teller, self._clock = calendar, teller, clock

    async def settled(
        self, unit: UnitOfWork, author: Author, request: Request, asked: Asked, *, new: bool = False
    ) -> Request:
        """Go on from what just happened until somebody is waited for; give the request as it is then, not yet saved.

        ``new``: it is being filed, and raises ``NobodyMayDecide`` when a step has nobody who may answer it.
        """
        kind = self.rules.chains.by_name[request.kind]
        while True:
            stage = request.course.at
            if stage is not None and not stage.tasks:
                following = await self._opened(unit, author, request, asked, request.step(stage.id), new=new)
                if following is request:
                    return request
                request = following
            elif request.state is State.APPROVED and _has_come(request.begins, self._clock.now()):
                request = await self._acted(unit, author, request, asked, kind)
            else:
                return request

    async def told(self, unit: UnitOfWork, author: Author, what: str, request: Request, **detail: str) -> None:
        """Put what happened on record and promise to tell those whom it concerns."""
        query = {"request": str(request.id), "kind": request.kind, "state": request.state.value, **detail}
        contacts = tuple(dict.fromkeys((request.beneficiary, *request.about)))
        await add_intent(unit.session, written(author, what, request.updated_at, contacts=contacts, query=query))
        stage = request.course.at
        waiting = () if stage is None else stage.waiting_for
        await self._teller.request(unit, what, request, tuple(dict.fromkeys((request.requester, *waiting))))

    async def deadline(self, source: Source, step: Step, begun: datetime) -> Deadline:
        """Work out by when a step that begins now is to be answered: half way a reminder, at twice the time the end."""
        days = await self._calendar.current(source)
        due, closes = days.due(begun, step.days), days.due(begun, max(1, 2 * step.days))
        return Deadline(
            begun=begun,
            due=due.at,
            first=due.at,
            remind=begun + (due.at - begun) / 2,
            closes=max(closes.at, due.at + timedelta(minutes=1)),
            predicted=due.predicted or closes.predicted,
        )

    async def recalculated(self, source: Source, step: Step, before: Deadline) -> Deadline:
        """Work a deadline out anew under the calendar of now; what was said first, and what was done already, stays."""
        after = await self.deadline(source, step, before.begun)
        return replace(after, first=before.first, reminded=before.reminded, escalated=before.escalated)

    async def closing(self, source: Source, filed: datetime, days: int) -> datetime:
        """Give when a request filed then is closed if nobody decides it."""
        return (await self._calendar.current(source)).due(filed, days).at

    async def calendar_epoch(self, source: Source) -> int:
        """Give the number that moves with every revision of the calendar."""
        return await self._calendar.epoch(source)

    def question(self, request: Request, asked: Asked) -> Question:
        """Say what people are found for."""
        return Question(
            kind=request.kind,
            requester=request.requester,
            beneficiary=request.beneficiary,
            about=request.about,
            owner=request.owner,
            form=asked.form,
        )

    async def facts(self, source: Source, beneficiary: UUID, examined: Examined) -> dict[str, str]:
        """Give what is compared before an effect acts: what it found out itself, and where the beneficiary stands."""
        decider = (await self.resolving.deciders(source, [beneficiary]))[beneficiary]
        department = "" if decider.department is None else str(decider.department)
        return {**examined.facts, "beneficiary_department": department, "beneficiary_in_office": str(decider.in_office)}

    async def _opened(
        self, unit: UnitOfWork, author: Author, request: Request, asked: Asked, step: Step, *, new: bool
    ) -> Request:
        now, source = self._clock.now(), unit.session
        if step.type is StepType.CHECK:
            assert step.check is not None, "a check names what is checked"  # noqa: S101 — held by the model of steps
            holds = await self.rules.checks[step.check].holds(source, request, asked)
            request = request.happened(_course(moved(request.course, Passed(holds))), now)
            await self.told(unit, author, "request.check", request, step=step.id, holds=str(holds).lower())
            return request
        found = await self.resolving.people(source, step, self.question(request, asked), request.decided)
        if not found.people:
            if new:
                raise NobodyMayDecide(step=step.id)
            _log.error("request_without_decider", request=str(request.id), step=step.id)
            return request
        most = None if step.type is StepType.CONSENT else MOST_PEOPLE
        people, epoch = found.people[:most], await self._calendar.epoch(source)
        how = "escalation" if found.escalated else "chain"
        request = request.happened(
            _course(moved(request.course, Asks(people))),
            now,
            deadlines={**request.deadlines, step.id: await self.deadline(source, step, now)},
            askings={
                **request.askings,
                **{(step.id, each): Asking(how=how, basis=found.bases.get(each)) for each in people},
            },
            calendar=epoch,
        )
        if step.type is StepType.ATTEST and request.requester in people:
            return await self.signed(unit, author, request, step.id)
        await self.told(unit, author, "request.step", request, step=step.id)
        return request

    async def signed(self, unit: UnitOfWork, author: Author, request: Request, step: str) -> Request:
        """Take the filing itself as the signature of whoever files, in a step that only attests."""
        now = self._clock.now()
        await self.decisions.say(
            unit.session,
            Decision(
                request=request.id,
                round=request.round,
                step=step,
                person=request.requester,
                actor=request.requester,
                word=Word.APPROVE,
                requester=request.requester,
                digest=request.digest,
                comment=None,
                at=now,
            ),
        )
        request = request.happened(_course(moved(request.course, Said(request.requester, Word.APPROVE))), now)
        await self.told(unit, author, "request.decide", request, step=step, word=Word.APPROVE.value)
        return request

    async def _acted(self, unit: UnitOfWork, author: Author, request: Request, asked: Asked, kind: Kind) -> Request:
        """Let the effect act, once, if everything that the approval rests on still holds."""
        await self.resolving.hold(unit.session, {request.requester, request.beneficiary, *request.about})
        now, effect = self._clock.now(), self.rules.effect(kind)
        why = await self._stale(unit.session, request, asked, effect)
        if why is not None:
            request = request.happened(_course(moved(request.course, Stale())), now, problem=why)
            await self.told(unit, author, "request.stale", request, code=why)
            return request
        approved = await self.approved(unit.session, request, asked, begins=now)
        try:
            async with unit.session.begin_nested():
                applied = await effect.apply(unit, author, approved)
                await self.requests.done(unit.session, request.id, kind.effect, applied.result, now)
        except Problem as problem:
            request = request.happened(_course(moved(request.course, Unable())), now, problem=problem.code)
            await self.told(unit, author, "request.fail", request, code=problem.code)
            return request
        request = request.happened(
            _course(moved(request.course, Effected(applied.lasting))),
            now,
            approved_at=now,
            ends=_end(applied, approved),
        )
        await self.told(unit, author, "request.apply", request)
        return request

    async def approved(self, source: Source, request: Request, asked: Asked, *, begins: datetime) -> Approved:
        """Describe a request to its effect."""
        return Approved(
            id=request.id,
            asked=asked,
            facts=request.facts,
            variant=request.variant,
            values=await self.requests.proposed(source, request.id),
            begins=begins,
            ends=request.ends or request.term.ends(begins),
            decided_by=request.decided,
            consented_by=request.consented,
        )

    async def ended(self, unit: UnitOfWork, author: Author, request: Request, asked: Asked, cause: Cause) -> None:
        """Let the effect take back what it gave; what is to be given back is asked once more when it is."""
        kind = self.rules.chains.by_name[request.kind]
        effect = self.rules.effect(kind)
        approved = await self.approved(unit.session, request, asked, begins=request.approved_at or self._clock.now())
        for done in await self.requests.effects(unit.session, request.id):
            if done.ended_at is None:
                await effect.end(unit, author, approved, done.result, cause)
        if not (kind.returnable and cause is Cause.EXPIRED):
            await self.requests.undone(unit.session, request.id, cause, self._clock.now())

    async def withdrawn(self, unit: UnitOfWork, author: Author, request: Request, asked: Asked, person: UUID) -> None:
        """Let the effect take back what rests on one person's consent."""
        effect = self.rules.effect(self.rules.chains.by_name[request.kind])
        approved = await self.approved(unit.session, request, asked, begins=request.approved_at or self._clock.now())
        for done in await self.requests.effects(unit.session, request.id):
            if done.ended_at is None and isinstance(effect, RestsOnEach):
                await effect.withdraw(unit, author, approved, done.result, person)

    async def _stale(self, source: Source, request: Request, asked: Asked, effect: Effect) -> str | None:
        """Give why an approval does not hold any more; ``None`` when it does."""
        said = {
            (each.step, each.person)
            for each in await self.decisions.said(source, request.id)
            if each.round == request.round and each.word is Word.APPROVE and each.digest == request.digest
        }
        for stage in request.course.stages:
            for task in stage.tasks:
                if task.word is Word.APPROVE and (stage.id, task.person) not in said:
                    _log.error("decision_missing", request=str(request.id), step=stage.id)
                    return "decision_missing"
        duties = await self.resolving.duties(source, self.resolving_question(request, asked), ())
        deciders = await self.resolving.deciders(source, request.decided)
        if any(each.person in {duties.requester, duties.beneficiary} for each in deciders.values()):
            return "separation_of_duties"
        if not await self.resolving.is_here(source, request.requester):
            return "requester_left"
        if request.term.until is not None and request.term.until <= self._clock.now():
            return "term_over"
        try:
            examined = await effect.examine(source, None, asked)
        except Problem as problem:
            return problem.code
        return (
            None if await self.facts(source, request.beneficiary, examined) == dict(request.facts) else "facts_changed"
        )

    def resolving_question(self, request: Request, asked: Asked) -> Question:
        """Say whom the request concerns."""
        return replace(self.question(request, asked), about=())


def _has_come(begins: datetime | None, now: datetime) -> bool:
    return begins is None or begins <= now


def _end(applied: Applied, approved: Approved) -> datetime | None:
    if not applied.lasting:
        return None
    return applied.ends or approved.ends


def _course(outcome: Course | Refused) -> Course:
    """Take a course that cannot have been refused: the engine itself makes these happenings, of a course it has just looked at."""
    if isinstance(outcome, Refused):
        message = f"the course took no {outcome.reason}"
        raise TypeError(message)
    return outcome
