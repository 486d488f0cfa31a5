"""Requests of somebody who leaves or moves, in the transaction of that: where they are asked, have filed, have gained, are the subject.

Who is asked is asked no more, and others are, by the rules of ``replacing``. What somebody filed goes back with them: approvers sign that
this person asks, so nobody takes a request over, and whoever still needs it files their own. What they gained for their work ends with it.
What others want of somebody who left has nobody to be done to, but for kinds that go on (``Kind.outlives``).

Whoever decides locks requests by id and people after them; so does this, before the personnel event locks its person.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.advancing import Advancing
from app.approvals.course import IN_FORCE, OPEN
from app.approvals.effects import Asked, Cause
from app.approvals.machine import Course, Ends, State, Withdrawn, moved
from app.approvals.models import ApprovalRequest, ApprovalTask
from app.approvals.replacing import Replacing
from app.approvals.request import Request
from app.audit.authors import Author
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import Problem

MOST_ASKED: Final = 200
"""In how many requests others are asked at once; whoever is asked in more is replaced in the rest by the sweep, within a minute."""

_OPEN: Final = sorted(each.value for each in OPEN)
_IN_FORCE: Final = sorted(each.value for each in IN_FORCE)
_log = structlog.get_logger("duanhao.security")


class PartingRequests:
    """Settles the requests of somebody who goes."""

    def __init__(self, *, advancing: Advancing, replacing: Replacing, clock: Clock) -> None:
        """Take what brings requests on, what finds others to be asked, and the clock."""
        self._advancing, self._replacing, self._clock = advancing, replacing, clock
        self._requests = advancing.requests

    async def hold(self, unit: UnitOfWork, person: UUID) -> None:
        """Lock every request that somebody's going touches, by id, and then everybody concerned: before anything else is locked."""
        session = unit.session
        concerned = or_(_filed(person), _gained(person), _about(person))
        wanted = {*await self._asked(session, person), *await _ids(session, concerned)}
        held = [await self._requests.locked(session, each) for each in sorted(wanted)]
        people = {who for each in held if each is not None for who in (each.requester, each.beneficiary, *each.about)}
        await self._advancing.resolving.hold(session, {person, *people})

    async def reroute(self, unit: UnitOfWork, person: UUID) -> int:
        """Ask others where somebody is asked who cannot answer any more, or not as what they were asked; give in how many requests.

        Who moved is nobody's superior any more where they were asked as that, and is asked no more.
        """
        done = 0
        for request in await self._loaded(unit, await self._asked(unit.session, person)):
            asked = await self._requests.asked(unit.session, request.id)
            also = frozenset({person}) if await self._leads_no_more(unit, request, asked, person) else frozenset()
            after = await self._replacing.replaced(unit, request, asked, also)
            if after is not request:
                await self._requests.save(unit.session, request, after)
                done += 1
        return done

    async def _leads_no_more(self, unit: UnitOfWork, request: Request, asked: Asked, person: UUID) -> bool:
        stage = request.course.at
        asking = None if stage is None else request.askings.get((stage.id, person))
        if stage is None or asking is None or asking.how != "chain" or asking.basis:
            return False
        step = request.step(stage.id)
        if all(by.superior is None for by in step.by):
            return False
        question = self._advancing.question(request, asked)
        found = await self._advancing.resolving.people(unit.session, step, question, request.decided)
        return bool(found.people) and person not in found.people

    async def withdraw(self, unit: UnitOfWork, author: Author, person: UUID) -> int:
        """Take back what somebody who left filed and nobody has decided; give how much that was."""
        return await self._withdrawn(unit, author, await _ids(unit.session, _filed(person)), "requester_left")

    async def close(self, unit: UnitOfWork, author: Author, person: UUID) -> int:
        """Close what others asked about somebody who left, but what goes on; give how much that was."""
        kinds = self._advancing.rules.chains.by_name
        about = await self._loaded(unit, await _ids(unit.session, _about(person)))
        ended = [each.id for each in about if (kind := kinds.get(each.kind)) is None or not kind.outlives]
        return await self._withdrawn(unit, author, ended, "subject_left")

    async def end(self, unit: UnitOfWork, author: Author, person: UUID, cause: Cause) -> int:
        """End what requests gave somebody for their work, by kinds that are gone too; give how much that was."""
        kinds, done = self._advancing.rules.chains.by_name, 0
        for request in await self._loaded(unit, await _ids(unit.session, _gained(person))):
            kind = kinds.get(request.kind)
            if kind is None or kind.personal:
                done += await self._ended(unit, author, request, cause)
        return done

    async def _ended(self, unit: UnitOfWork, author: Author, request: Request, cause: Cause) -> bool:
        course = moved(request.course, Ends(State.REVOKED))
        if not isinstance(course, Course):
            return False
        now = self._clock.now()
        over = request.happened(course, now, ends=now)
        try:
            async with unit.session.begin_nested():
                asked = await self._requests.asked(unit.session, request.id)
                await self._advancing.ended(unit, author, request, asked, cause)
                await self._advancing.told(unit, author, "request.end", over, cause=cause.value)
                await self._requests.save(unit.session, request, over)
        except Problem as problem:
            _log.error("request_not_ended", request=str(request.id), code=problem.code)
            return False
        return True

    async def _withdrawn(self, unit: UnitOfWork, author: Author, identities: Iterable[UUID], cause: str) -> int:
        done = 0
        for request in await self._loaded(unit, identities):
            course = moved(request.course, Withdrawn())
            if isinstance(course, Course):
                gone = request.happened(course, self._clock.now())
                await self._advancing.told(unit, author, "request.withdraw", gone, cause=cause)
                await self._requests.save(unit.session, request, gone)
                done += 1
        return done

    async def _loaded(self, unit: UnitOfWork, identities: Iterable[UUID]) -> list[Request]:
        found = [await self._requests.locked(unit.session, each) for each in sorted(identities)]
        return [each for each in found if each is not None]

    async def _asked(self, session: AsyncSession, person: UUID) -> Sequence[UUID]:
        statement = select(ApprovalTask.request_id).where(ApprovalTask.open, ApprovalTask.person_id == person)
        rows = await session.scalars(statement.distinct().order_by(ApprovalTask.request_id).limit(MOST_ASKED))
        return list(rows)


async def _ids(session: AsyncSession, wanted: ColumnElement[bool]) -> Sequence[UUID]:
    return list(await session.scalars(select(ApprovalRequest.id).where(wanted).order_by(ApprovalRequest.id)))


def _filed(person: UUID) -> ColumnElement[bool]:
    theirs = or_(ApprovalRequest.requester_id == person, ApprovalRequest.beneficiary_id == person)
    return theirs & ApprovalRequest.state.in_(_OPEN)


def _gained(person: UUID) -> ColumnElement[bool]:
    return (ApprovalRequest.beneficiary_id == person) & ApprovalRequest.state.in_(_IN_FORCE)


def _about(person: UUID) -> ColumnElement[bool]:
    subject: ColumnElement[Any] = ApprovalRequest.subject_id == str(person)
    return subject & (ApprovalRequest.subject_type == "contact") & ApprovalRequest.state.in_(_OPEN)
