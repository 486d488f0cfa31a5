"""Answering a request: saying yes or no, passing the question on, asking somebody beside oneself, withdrawing, and writing beside it.

Everybody who says something is asked three things: is their answer awaited, or that of somebody for whom they decide; may they be the one,
as a natural person, for themselves and for whom they stand in; and does the request still stand as they saw it. A word is signed over the
digest of exactly what is asked.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol, assert_never
from uuid import UUID

import structlog

from app.approvals.advancing import Advancing
from app.approvals.chains import Step, StepType
from app.approvals.decision_repository import Decision
from app.approvals.delegation_rules import StandIn
from app.approvals.duties import Conflict as DutyConflict
from app.approvals.duties import StepRule, conflict
from app.approvals.effects import Asked, Cause, Term
from app.approvals.errors import AlreadyDecided, NotAsked, NotOpen, NotShorter, SeparationOfDuties, UnknownBeneficiary
from app.approvals.filing import Acquainted
from app.approvals.machine import Asks, Course, Moves, Reason, Refused, Said, Stage, State, Withdrawn, Word, moved
from app.approvals.request import Asking, Request
from app.approvals.schemas import CommentCreate, DecisionCreate, Shorter, TransferCreate
from app.auth.repository import Source
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.dependencies import names_version
from app.kit.errors import FieldError, Invalid, NotFound, PreconditionFailed
from app.permissions.errors import NoContact
from app.permissions.standing import Viewer, author_of

MUTUAL: Final = timedelta(days=30)
"""How far back two people's approvals of each other are looked for."""

_log = structlog.get_logger("duanhao.security")


class StandIns(Protocol):
    """Where it is read for whom somebody decides."""

    async def acting_for(self, source: Source, person: UUID, now: datetime) -> tuple[StandIn, ...]:
        """List for whom ``person`` decides now."""
        ...


class Sight(Protocol):
    """Whether somebody may know of a request at all."""

    async def sees(self, source: Source, viewer: Viewer, request: Request) -> bool:
        """Tell whether they have to do with it, or oversee."""
        ...


class Deciding:
    """Takes what people say to requests."""

    def __init__(
        self, *, advancing: Advancing, sight: Sight, people: Acquainted, stand_ins: StandIns, clock: Clock
    ) -> None:
        """Take what brings requests on, who may see them, whom viewers may know, who stands in for whom, and the clock."""
        self._advancing, self._sight, self._people = advancing, sight, people
        self._stand_ins, self._clock = stand_ins, clock
        self._requests, self._resolving = advancing.requests, advancing.resolving

    async def decide(
        self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: DecisionCreate, seen: str | None = None
    ) -> Request:
        """Take the caller's word for the active step; ``seen`` is the version that they decide on, when they say.

        Raises ``NotFound``, ``PreconditionFailed``, ``NotAsked``, ``AlreadyDecided``, ``NotOpen``, ``SeparationOfDuties``, ``NotShorter``.
        """
        me, request, asked = await self._held(viewer, unit, identity)
        if seen is not None and not names_version(seen, version_of(request, me)):
            raise PreconditionFailed
        stage = _listening(request)
        person = await self._for_whom(unit.session, me, request, stage, body.on_behalf_of)
        await self._refuse_duties(unit.session, request, asked, stage, {me, person})
        word, now = Word(body.decision), self._clock.now()
        _explained(request.step(stage.id), word, body.comment)
        members = {} if body.shorten is None else {"term": _shortened(request, body.shorten, word, now)}
        course = _taken(moved(request.course, Said(person, word)))
        await self._advancing.decisions.say(
            unit.session,
            Decision(
                request=request.id,
                round=request.round,
                step=stage.id,
                person=person,
                actor=me,
                word=word,
                requester=request.requester,
                digest=request.digest,
                comment=body.comment,
                at=now,
            ),
        )
        said = request.happened(course, now, **members)
        author = author_of(viewer)
        detail = {"step": stage.id, "word": word.value, **({} if person == me else {"for": str(person)})}
        await self._advancing.told(unit, author, "request.decide", said, **detail)
        if said.state is State.REVOKED:
            await self._advancing.ended(unit, author, said, asked, Cause.REVIEWED)
        await self._note_mutual(unit.session, request, me, word)
        settled = await self._advancing.settled(unit, author, said, asked)
        await self._requests.save(unit.session, request, settled)
        return settled

    async def hold(self, unit: UnitOfWork, requests: Iterable[UUID]) -> None:
        """Lock what deciding many requests may lock, in one order everywhere: requests by id, then all of their people."""
        found = [await self._requests.locked(unit.session, each) for each in sorted(set(requests))]
        held = [each for each in found if each is not None]
        people = {person for each in held for person in (each.requester, each.beneficiary, *each.about)}
        await self._resolving.hold(unit.session, people)

    async def transfer(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: TransferCreate) -> Request:
        """Let somebody else answer instead of the caller (转交). Raises as ``decide`` does, and ``UnknownBeneficiary``."""
        return await self._pass_on(viewer, unit, identity, body, beside=False)

    async def add(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: TransferCreate) -> Request:
        """Ask somebody beside those who are asked, without whom the step is not done (加签). Raises as ``transfer`` does."""
        return await self._pass_on(viewer, unit, identity, body, beside=True)

    async def withdraw(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> Request:
        """Take a request back before it has had its effect. Raises ``NotFound``, ``NotAsked`` for another's, ``NotOpen``."""
        me, request, _ = await self._held(viewer, unit, identity)
        if request.requester != me:
            raise NotAsked
        now = self._clock.now()
        gone = request.happened(_taken(moved(request.course, Withdrawn())), now)
        await self._advancing.told(unit, author_of(viewer), "request.withdraw", gone)
        await self._requests.save(unit.session, request, gone)
        return gone

    async def comment(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: CommentCreate) -> Request:
        """Write beside a request that the caller has to do with. Raises ``NotFound``."""
        me, request, _ = await self._held(viewer, unit, identity)
        now = self._clock.now()
        await self._advancing.decisions.comment(unit.session, request.id, me, body.text, now)
        after = request.happened(request.course, now)
        await self._advancing.told(unit, author_of(viewer), "request.comment", after)
        await self._requests.save(unit.session, request, after)
        return after

    async def _pass_on(
        self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: TransferCreate, *, beside: bool
    ) -> Request:
        me, request, asked = await self._held(viewer, unit, identity)
        stage = _listening(request)
        person = await self._for_whom(unit.session, me, request, stage, body.on_behalf_of)
        if stage.type is StepType.CONSENT:
            raise NotOpen
        if body.to not in await self._people.known(viewer, [body.to]):
            raise UnknownBeneficiary(
                errors=[FieldError("/to", "unknown_beneficiary", "Nobody to be named here.", "不可指定。")]
            )
        await self._refuse_duties(unit.session, request, asked, stage, {me, body.to})
        happens = Asks((body.to,)) if beside else Moves(person, body.to)
        course, now, author = _taken(moved(request.course, happens)), self._clock.now(), author_of(viewer)
        asking = Asking(how="added" if beside else "transfer", by=me, reason=None)
        passed = request.happened(course, now, askings={**request.askings, (stage.id, body.to): asking})
        if body.reason is not None:
            await self._advancing.decisions.comment(unit.session, request.id, me, body.reason, now)
        what = "request.add" if beside else "request.transfer"
        await self._advancing.told(unit, author, what, passed, step=stage.id, to=str(body.to))
        await self._requests.save(unit.session, request, passed)
        return passed

    async def _held(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> tuple[UUID, Request, Asked]:
        """Lock a request of which the caller may know."""
        me = viewer.standing.contact_id
        if me is None:
            raise NoContact
        request = await self._requests.locked(unit.session, identity)
        if request is None or not await self._sight.sees(unit.session, viewer, request):
            raise NotFound
        return me, request, await self._requests.asked(unit.session, identity)

    async def _for_whom(self, source: Source, me: UUID, request: Request, stage: Stage, named: UUID | None) -> UUID:
        """Give the person whose task the caller answers: their own, or that of somebody for whom they stand in."""
        waiting = stage.waiting_for
        if named in {None, me} and me in waiting and await self._is_still(source, request, stage, me):
            return me
        acting = await self._stand_ins.acting_for(source, me, self._clock.now())
        mine = [
            each.principal
            for each in acting
            if each.principal in waiting
            and named in {None, each.principal}
            and (each.kinds is None or request.kind in each.kinds)
            and await self._is_still(source, request, stage, each.principal)
        ]
        if stage.type is not StepType.CONSENT and mine:
            return mine[0]
        if any(task.person == me and task.word is not None for task in stage.tasks):
            raise AlreadyDecided
        raise NotAsked

    async def _is_still(self, source: Source, request: Request, stage: Stage, person: UUID) -> bool:
        """Tell whether somebody still is what they are asked as: who lost the role or the department answers for it no more."""
        return await self._resolving.holds(source, person, request.basis(stage.id, person))

    async def _refuse_duties(
        self, source: Source, request: Request, asked: Asked, stage: Stage, people: set[UUID]
    ) -> None:
        """Raise unless all of ``people`` may be the one, by the organisation of now."""
        rule = StepRule(stage.type, request.step(stage.id).apart)
        before = [
            task.person
            for each in request.course.stages
            if each.id != stage.id and each.type.approves
            for task in each.tasks
            if task.word is Word.APPROVE
        ]
        duties = await self._resolving.duties(source, self._advancing.question(request, asked), before)
        for decider in (await self._resolving.deciders(source, people)).values():
            why = conflict(decider, rule, duties)
            if why is not None:
                _log.warning("separation_of_duties", request=str(request.id), conflict=why.value)
                raise NotAsked if why is DutyConflict.NOT_IN_OFFICE else SeparationOfDuties(conflict=why.value)

    async def _note_mutual(self, source: Source, request: Request, me: UUID, word: Word) -> None:
        """Tell the security log of two people who approve for each other."""
        if word is not Word.APPROVE:
            return
        since = self._clock.now() - MUTUAL
        if await self._advancing.decisions.approvals_between(source, request.requester, me, since):
            _log.warning("mutual_approval", request=str(request.id), decider=str(me), requester=str(request.requester))


def version_of(request: Request, person: UUID | None) -> str:
    """Give what names the state of a request to somebody: id and count, nothing that they could read more from.

    For whom the count would tell how many others answered (``Request.lone``), it names what they are shown instead; not by the digest of
    what is asked, which moves with every file.
    """
    if person is None or not request.lone(person):
        return f"{request.id.hex[-12:]}-{request.version}"
    own = [task.word for stage in request.course.stages for task in stage.tasks if task.person == person]
    step = None if request.course.at is None else request.course.at.id
    shown = repr((request.round, request.state, own, step, request.ends, request.problem))
    return f"{request.id.hex[-12:]}-{sha256(shown.encode()).hexdigest()[:16]}"


def _listening(request: Request) -> Stage:
    stage = request.course.at
    if stage is None or stage.type is StepType.CHECK:
        raise NotOpen
    return stage


def _explained(step: Step, word: Word, comment: str | None) -> None:
    """Raise ``Invalid`` for an answer that lacks the reasons which its step asks for (PIPL 50)."""
    wanted = step.explains == "everything" or (step.explains == "refusal" and word is not Word.APPROVE)
    if wanted and not (comment or "").strip():
        raise Invalid(
            errors=[FieldError("/comment", "reasons_required", "This answer needs its reasons.", "须说明理由。")]
        )


def _taken(outcome: Course | Refused) -> Course:
    """Give the course, or raise the problem that says why it cannot be."""
    if isinstance(outcome, Course):
        return outcome
    match outcome.reason:
        case Reason.NOT_OPEN | Reason.NOT_IN_FORCE | Reason.NOBODY_LEFT:
            raise NotOpen
        case Reason.ALREADY_DECIDED | Reason.ALREADY_ASKED:
            raise AlreadyDecided
        case Reason.NOT_ASKED | Reason.NOT_YOUR_TURN:
            raise NotAsked
        case Reason.NO_SUCH_WORD:
            raise Invalid(
                errors=[
                    FieldError("/decision", "no_such_word", "This step takes no such answer.", "该步骤不接受此结论。")
                ]
            )
        case _:
            assert_never(outcome.reason)


def _shortened(request: Request, shorter: Shorter, word: Word, now: datetime) -> Term:
    """Cut the term; raise ``NotShorter``."""
    length = None if shorter.duration_minutes is None else timedelta(minutes=shorter.duration_minutes)
    cut = request.term.shortened(Term(length, shorter.until))
    if cut is None or word is not Word.APPROVE or (shorter.until is not None and shorter.until <= now):
        raise NotShorter(errors=[FieldError("/shorten", NotShorter.code, NotShorter.title, NotShorter.title_zh)])
    return cut
