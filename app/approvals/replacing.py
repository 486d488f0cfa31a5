"""Asking others where those who are asked cannot answer any more: they left, moved, lost the role, or their stand-in's time is over.

Twice a minute whoever is asked is looked at again, and what stands open with somebody who is not who they were asked as is resolved by the
rules of filing: the step's own resolvers, then the next superior, then administration. Nobody's going is a yes: a step that waits for
everybody gets somebody in their place, and one for which nobody in the company is found waits, on record, for somebody or for its time.
Nobody consents for another, so the consent of somebody who left counts as refused, at once. See docs/decisions/0036 and 0038.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from app.approvals.advancing import Advancing
from app.approvals.chains import StepType
from app.approvals.course import EVERYBODY, Course, Stage
from app.approvals.effects import Asked
from app.approvals.machine import Gone, Replaced, moved
from app.approvals.request import Asking, Request
from app.approvals.seats import Seats
from app.audit.authors import Author
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.errors import Problem

CLOCK: Final = Author(type="system", id="approvals")
_EVERY: Final = timedelta(seconds=20)
_AT_ONCE: Final = 50

_log = structlog.get_logger("duanhao.security")


class Replacing:
    """Finds open tasks that nobody answers any more, and asks others."""

    def __init__(self, *, advancing: Advancing, database: Database, clock: Clock) -> None:
        """Take what brings requests on, the stores, and the clock."""
        self._advancing, self._database, self._clock = advancing, database, clock
        self._requests, self._resolving = advancing.requests, advancing.resolving
        self._seats = Seats()
        self._looked: datetime | None = None
        self._tried: set[UUID] = set()
        self._reported: set[tuple[UUID, str]] = set()

    async def sweep(self) -> int:
        """Look at everybody who is asked, if that was not done just now; give in how many requests others are asked."""
        now, reader = self._clock.now(), self._database.reader
        if self._looked is not None and now - self._looked < _EVERY:
            return 0
        gone = [
            each
            for each in await self._seats.taken(reader)
            if not await self._resolving.seated(reader, each.person, each.basis, each.kind)
        ]
        stuck = [*await self._seats.requests(reader, gone), *await self._seats.unasked(reader)]
        due, done = [each for each in stuck if each not in self._tried], 0
        for identity in due[:_AT_ONCE]:
            self._tried.add(identity)
            try:
                done += await self._one(identity)
            except Problem as problem:
                _log.error("request_not_reassigned", request=str(identity), code=problem.code)
        if len(due) <= _AT_ONCE:
            self._looked = now
            self._tried.clear()
        return done

    async def _one(self, identity: UUID) -> bool:
        async with self._database.unit_of_work() as unit:
            request = await self._requests.try_lock(unit.session, identity)
            if request is None:
                return False
            asked = await self._requests.asked(unit.session, identity)
            after = await self.replaced(unit, request, asked)
            if after is request:
                return False
            await self._requests.save(unit.session, request, after)
            return True

    async def replaced(
        self, unit: UnitOfWork, request: Request, asked: Asked, also: frozenset[UUID] = frozenset()
    ) -> Request:
        """Ask others in the active step instead of those who cannot answer, and of ``also``.

        Gives the request itself where there is nobody to replace.
        """
        stage = request.course.at
        if stage is None or stage.type is StepType.CHECK:
            return request
        if stage.type is StepType.CONSENT:
            return await self._counted_out(unit, request, asked, stage)
        source, step, question = unit.session, request.step(stage.id), self._advancing.question(request, asked)
        if not stage.tasks:
            found = await self._resolving.people(source, step, question, request.decided)
            return await self._advancing.settled(unit, CLOCK, request, asked) if found.people else request
        fit = await self._resolving.fit(source, stage.waiting_for, step, question, request.decided)
        gone = [
            each
            for each in stage.waiting_for
            if each in also
            or each not in fit
            or not await self._resolving.holds(source, each, request.basis(stage.id, each))
        ]
        after, told = request, dict[UUID, tuple[UUID, ...]]()
        for person in gone:
            following, by = await self._without(unit, after, asked, stage.id, person, gone)
            if following is None:
                self._report(request.id, stage.id)
                continue
            after, told[person] = following, by
        return after if not told else await self._told(unit, request, after, stage, told)

    async def _counted_out(self, unit: UnitOfWork, request: Request, asked: Asked, stage: Stage) -> Request:
        """Wait no longer for the consent of those who left; go on where that was all that was waited for."""
        gone = [each for each in stage.waiting_for if not await self._resolving.in_office(unit.session, each)]
        course = request.course
        for each in gone:
            following = moved(course, Gone(each))
            course = following if isinstance(following, Course) else course
        if course == request.course:
            return request
        after = request.happened(course, self._clock.now())
        told = ",".join(map(str, gone))
        await self._advancing.told(unit, CLOCK, "request.consent_lapse", after, step=stage.id, gone=told)
        return await self._advancing.settled(unit, CLOCK, after, asked)

    def _report(self, request: UUID, step: str) -> None:
        """Say once that nobody in the company answers a step."""
        if (request, step) not in self._reported:
            self._reported.add((request, step))
            _log.error("request_without_decider", request=str(request), step=step)

    async def _without(
        self, unit: UnitOfWork, request: Request, asked: Asked, step: str, person: UUID, gone: list[UUID]
    ) -> tuple[Request | None, tuple[UUID, ...]]:
        """Ask others instead of ``person``, or nobody where enough are left; ``None`` when there is nobody to be asked."""
        stage = request.course.stage(step)
        assert stage is not None, "the step was there a moment ago"  # noqa: S101 — a course loses no step
        askings, by = dict(request.askings), tuple[UUID, ...]()
        if not stage.can_do_without(*gone):
            found = await self._others(unit, request, asked, stage, person)
            by = tuple(found)
            askings |= {
                (step, each): Asking(how="replacement", by=person, basis=basis) for each, basis in found.items()
            }
        course = moved(request.course, Replaced(person, by))
        if not isinstance(course, Course):
            return None, ()
        return request.happened(course, self._clock.now(), askings=askings), by

    async def _others(
        self, unit: UnitOfWork, request: Request, asked: Asked, stage: Stage, person: UUID
    ) -> Mapping[UUID, str | None]:
        """Find who is asked instead of somebody: as at filing, of those not asked; of whoever was asked beside, the superior."""
        source, step, question = unit.session, request.step(stage.id), self._advancing.question(request, asked)
        there = [task.person for task in stage.tasks if not task.moved]
        if any(task.must for task in stage.tasks if task.person == person and not task.moved):
            above = await self._resolving.superior(source, person, step, question, request.decided, but=there)
            return {} if above is None else {above: None}
        found = await self._resolving.people(source, step, question, request.decided, but=there)
        people = found.people[:1] if stage.type in EVERYBODY else found.people
        return {each: found.bases.get(each) for each in people}

    async def _told(
        self,
        unit: UnitOfWork,
        before: Request,
        after: Request,
        stage: Stage,
        told: Mapping[UUID, tuple[UUID, ...]],
    ) -> Request:
        """Begin the step's time anew where nobody is left of those who had it, and put on record who is asked instead of whom."""
        now = after.course.at
        assert now is not None, "nobody's going ends a step"  # noqa: S101 — held by the course
        if not set(now.waiting_for) & set(stage.waiting_for):
            deadline = await self._advancing.deadline(unit.session, before.step(stage.id), self._clock.now())
            after = after.happened(after.course, self._clock.now(), deadlines={**after.deadlines, stage.id: deadline})
        gone = ",".join(map(str, told))
        instead = ",".join(str(each) for people in told.values() for each in people)
        await self._advancing.told(unit, CLOCK, "request.reassign", after, step=stage.id, gone=gone, to=instead)
        return after
