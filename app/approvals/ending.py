"""What comes after the effect: it is given back, taken back, or over by the clock; and what the clock does before it.

People end what they gain (归还), consent to, or oversee. The clock reminds half way, asks the superior at the due date, closes what nobody
answered, asks others where those who are asked are gone, begins what was approved for later, and ends what was given for a time: each
request by itself, in a transaction of its own, so that one that cannot be moved holds up no other.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

import structlog

from app.approvals.advancing import Advancing
from app.approvals.chains import StepType
from app.approvals.consents import rests_on, taken_back
from app.approvals.deciding import Sight
from app.approvals.effects import Asked, Cause
from app.approvals.errors import NotAsked, NotReturnable
from app.approvals.machine import IN_FORCE, OVER, Course, Ends, Moves, OutOfTime, Refused, Stage, State, moved
from app.approvals.replacing import CLOCK, Replacing
from app.approvals.request import Asking, Deadline, Request
from app.approvals.schemas import RevocationCreate
from app.audit.authors import Author
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.errors import NotFound, Problem
from app.permissions.errors import NoContact
from app.permissions.standing import Viewer, author_of

_AT_ONCE: Final = 50

_log = structlog.get_logger("duanhao.approvals")


class Oversees(Protocol):
    """Who may take back what others approved."""

    def __call__(self, viewer: Viewer) -> bool:
        """Tell whether ``viewer`` may."""
        ...


class Ending:
    """Ends what was approved, for people."""

    def __init__(self, *, advancing: Advancing, sight: Sight, oversees: Oversees, clock: Clock) -> None:
        """Take what brings requests on, who may see them, who may take back, and the clock."""
        self._advancing, self._sight, self._oversees, self._clock = advancing, sight, oversees, clock
        self._requests = advancing.requests

    async def give_back(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> Request:
        """Give back what a request gave, by whoever gained or asked (归还). Raises ``NotFound``, ``NotAsked``, ``NotReturnable``."""
        request, asked = await self._held(viewer, unit, identity)
        if viewer.standing.contact_id not in {request.beneficiary, request.requester}:
            raise NotAsked
        return await self._end(unit, author_of(viewer), request, asked, State.RETURNED, Cause.RETURNED)

    async def revoke(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: RevocationCreate) -> Request:
        """Take back what a request gave: by whoever consented to it or approved it, or who oversees.

        Raises ``NotFound``, ``NotAsked``, ``NotReturnable``.
        """
        request, asked = await self._held(viewer, unit, identity)
        me = viewer.standing.contact_id
        if me is not None and (own := taken_back(request.course, me)) is not None:
            await self._advancing.decisions.comment(unit.session, request.id, me, body.reason, self._clock.now())
            return await self._without(unit, author_of(viewer), request, asked, me, own)
        consented = me in request.consented
        if not (consented or me in request.decided or self._oversees(viewer)):
            raise NotAsked
        assert me is not None, "whoever is asked or oversees is a person"  # noqa: S101 — guards admit no service here
        await self._advancing.decisions.comment(unit.session, request.id, me, body.reason, self._clock.now())
        cause = Cause.CONSENT_WITHDRAWN if consented else Cause.REVOKED
        return await self._end(unit, author_of(viewer), request, asked, State.REVOKED, cause)

    async def _without(
        self, unit: UnitOfWork, author: Author, request: Request, asked: Asked, me: UUID, course: Course | Refused
    ) -> Request:
        """Take back what one person consented to for themselves; the last one ends it all."""
        if isinstance(course, Refused) or request.state in OVER:
            raise NotReturnable
        without = request.happened(course, self._clock.now())
        if request.state not in IN_FORCE:
            after = await self._advancing.settled(unit, author, without, asked)
        elif not rests_on(course):
            return await self._end(unit, author, request, asked, State.REVOKED, Cause.CONSENT_WITHDRAWN)
        else:
            await self._advancing.withdrawn(unit, author, request, asked, me)
            after = without
        await self._advancing.told(unit, author, "request.consent_withdraw", after, person=str(me))
        await self._requests.save(unit.session, request, after)
        return after

    async def _end(
        self, unit: UnitOfWork, author: Author, request: Request, asked: Asked, state: State, cause: Cause
    ) -> Request:
        course = moved(request.course, Ends(state))
        if not isinstance(course, Course):
            raise NotReturnable
        await self._advancing.ended(unit, author, request, asked, cause)
        over = request.happened(course, self._clock.now(), ends=self._clock.now())
        await self._advancing.told(unit, author, "request.end", over, cause=cause.value)
        await self._requests.save(unit.session, request, over)
        return over

    async def _held(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> tuple[Request, Asked]:
        if viewer.standing.contact_id is None:
            raise NoContact
        request = await self._requests.locked(unit.session, identity)
        if request is None or not await self._sight.sees(unit.session, viewer, request):
            raise NotFound
        return request, await self._requests.asked(unit.session, identity)


class RequestClock:
    """Does what is due."""

    def __init__(self, *, advancing: Advancing, database: Database, clock: Clock) -> None:
        """Take what brings requests on, the stores, and the clock."""
        self._advancing, self._database, self._clock = advancing, database, clock
        self._requests = advancing.requests
        self._replacing = Replacing(advancing=advancing, database=database, clock=clock)
        self._calendar: int | None = None
        self._failing: set[UUID] = set()

    async def sweep(self) -> int:
        """Do what is due with some requests, each in its own transaction; give with how many something was done."""
        done = await self._recalculated() + await self._replacing.sweep()
        due = await self._requests.due(self._database.reader, self._clock.now(), but=self._failing, most=_AT_ONCE)
        if not due:
            self._failing.clear()
        for identity in due:
            try:
                done += await self._one(identity)
            except Problem as problem:
                _log.error("request_clock_failed", request=str(identity), code=problem.code)
                self._failing.add(identity)
        return done

    async def _one(self, identity: UUID) -> bool:
        async with self._database.unit_of_work() as unit:
            request = await self._requests.try_lock(unit.session, identity)
            now = self._clock.now()
            if request is None or request.next_at is None or request.next_at > now:
                return False
            asked = await self._requests.asked(unit.session, identity)
            after = await self._happened(unit, request, asked, now)
            if after is request:
                return False
            await self._requests.save(unit.session, request, after)
            return True

    async def _happened(self, unit: UnitOfWork, request: Request, asked: Asked, now: datetime) -> Request:  # noqa: PLR0911 — one per case
        if request.state in {State.PENDING, State.AMENDING, State.NEEDS_REAPPROVAL} and now >= request.closes:
            return await self._closed(unit, request, asked, now)
        if request.state is State.APPROVED:
            return await self._advancing.settled(unit, CLOCK, request, asked)
        if request.state is State.ACTIVE and request.ends is not None and now >= request.ends:
            return await self._expired(unit, request, asked, now)
        stage = request.course.at
        if stage is None or stage.id not in request.deadlines:
            return request
        deadline = request.deadlines[stage.id]
        if now >= deadline.closes and request.state is State.PENDING:
            return await self._closed(unit, request, asked, now)
        if now >= deadline.due and not deadline.escalated:
            return await self._escalated(unit, request, asked, stage, now)
        if now >= deadline.remind and not deadline.reminded:
            after = request.happened(request.course, now, deadlines=_with(request, stage.id))
            await self._advancing.told(unit, CLOCK, "request.remind", after, step=stage.id)
            return after
        return request

    async def _closed(self, unit: UnitOfWork, request: Request, asked: Asked, now: datetime) -> Request:
        course = moved(request.course, OutOfTime())
        if not isinstance(course, Course):
            return request
        after = request.happened(course, now)
        if after.state is not State.TIMED_OUT:
            await self._advancing.told(unit, CLOCK, "request.consent_close", after)
            return await self._advancing.settled(unit, CLOCK, after, asked)
        await self._advancing.told(unit, CLOCK, "request.time_out", after)
        return after

    async def _expired(self, unit: UnitOfWork, request: Request, asked: Asked, now: datetime) -> Request:
        returnable = self._advancing.rules.chains.by_name[request.kind].returnable
        course = moved(request.course, Ends(State.OVERDUE if returnable else State.EXPIRED))
        if not isinstance(course, Course):
            return request
        await self._advancing.ended(unit, CLOCK, request, asked, Cause.EXPIRED)
        after = request.happened(course, now)
        await self._advancing.told(unit, CLOCK, "request.overdue" if returnable else "request.expire", after)
        return after

    async def _escalated(
        self, unit: UnitOfWork, request: Request, asked: Asked, stage: Stage, now: datetime
    ) -> Request:
        """Ask the superior of everybody who has not answered, instead of them; who has none stays asked. Consent is nobody else's."""
        course, askings = request.course, dict(request.askings)
        if stage.type is not StepType.CONSENT:
            step, question = request.step(stage.id), self._advancing.question(request, asked)
            for person in stage.waiting_for:
                above = await self._advancing.resolving.superior(unit.session, person, step, question, request.decided)
                following = None if above is None else moved(course, Moves(person, above))
                if above is not None and isinstance(following, Course):
                    course, askings[stage.id, above] = following, Asking(how="escalation", by=person)
        deadlines = _with(request, stage.id, escalated=True)
        after = request.happened(course, now, deadlines=deadlines, askings=askings)
        await self._advancing.told(unit, CLOCK, "request.escalate", after, step=stage.id)
        return after

    async def _recalculated(self) -> int:
        """Work deadlines out anew when the calendar was revised; what was said first stays beside."""
        epoch = await self._advancing.calendar_epoch(self._database.reader)
        if epoch == self._calendar:
            return 0
        done, after = 0, None
        while True:
            page, after = await self._requests.under_older_calendar(self._database.reader, epoch, after=after, most=200)
            for each in page:
                done += await self._moved(each.id, epoch)
            if after is None:
                break
        self._calendar = epoch
        return done

    async def _moved(self, identity: UUID, epoch: int) -> bool:
        async with self._database.unit_of_work() as unit:
            request = await self._requests.locked(unit.session, identity)
            if request is None or request.calendar >= epoch:
                return False
            deadlines = dict(request.deadlines)
            stage = request.course.at
            if stage is not None and stage.id in deadlines:
                deadlines[stage.id] = await self._advancing.recalculated(
                    unit.session, request.step(stage.id), deadlines[stage.id]
                )
            closes = await self._advancing.closing(unit.session, request.opened, request.pending_days)
            after = request.happened(
                request.course, self._clock.now(), deadlines=deadlines, calendar=epoch, closes=closes
            )
            if deadlines != dict(request.deadlines):
                await self._advancing.told(unit, CLOCK, "request.reschedule", after)
            await self._requests.save(unit.session, request, after)
            return True


def _with(request: Request, step: str, *, escalated: bool = False) -> Mapping[str, Deadline]:
    before = request.deadlines[step]
    return {**request.deadlines, step: replace(before, reminded=True, escalated=before.escalated or escalated)}
