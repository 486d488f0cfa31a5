"""Judging a session when it is over, and putting off that the people looked at are told. Inside the caller's transaction.

Two people judge, one of security and one of HR; neither is the actor or the second person, and nobody speaks for both sides. Abuse is told
to security as an incident with the first verdict that says so.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.audit.authors import written
from app.audit.intents import add_intent
from app.contacts.rights import own_contact, seek
from app.emergency.errors import AlreadyDone, SessionOpen
from app.emergency.parts import Parts
from app.emergency.repository import EmergencyRepository
from app.emergency.rules import MOST_DEFERRAL, Cause, Review, Session, Verdict, judged
from app.emergency.schemas import DigestDeferral, SessionReview
from app.emergency.sessions import EmergencySessions
from app.emergency.telling import INFOSEC, notice_of
from app.emergency.views import OVERSEERS
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import FieldError, Invalid, NotFound
from app.kit.idempotency import Receipt
from app.notices.teller import Teller
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer, author_of

COMMENT: Final = "emergency.comment"
DEFERRAL: Final = "emergency.deferral"


class EmergencyReviews:
    """Takes verdicts and deferrals."""

    def __init__(
        self, *, rows: EmergencyRepository, sessions: EmergencySessions, teller: Teller, parts: Parts, clock: Clock
    ) -> None:
        """Take the rows, who ends sessions and seals texts, who tells others, who is who, and the clock."""
        self._rows, self._sessions, self._teller = rows, sessions, teller
        self._parts, self._clock = parts, clock

    async def review(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: SessionReview) -> Receipt:
        """Say for one side what a session was.

        Raises ``NotFound``, ``NotPermitted`` for who has not that side's role, ``OwnPart``, ``SessionOpen`` and ``AlreadyDone``.
        """
        seek("emergency.review", Purpose.AUDIT)
        session, now = await self._held(viewer, unit, identity), self._clock.now()
        if body.side.value not in viewer.standing.roles:
            raise NotPermitted
        reviewer = own_contact(viewer)
        await self._parts.refuse(unit.session, reviewer, session.parties)
        session = await self._over(unit, session, now)
        before = (await self._rows.reviews_of(unit.session, [identity]))[identity]
        if any(each.side is body.side for each in before):
            raise AlreadyDone
        if await self._parts.has(unit.session, reviewer, [each.reviewer_id for each in before]):
            raise AlreadyDone
        comment = await self._sessions.sealed(unit, session.actor_id, COMMENT, body.comment)
        said = Review(
            session_id=identity,
            side=body.side,
            reviewer_id=reviewer,
            verdict=body.verdict,
            comment=comment,
            at=now,
        )
        await self._rows.reviews.add(unit.session, said)
        verdict = judged([*before, said])
        if verdict is not None:
            session = await self._rows.save(unit.session, replace(session, reviewed_at=now, verdict=verdict))
        detail = {"side": body.side.value, "verdict": body.verdict.value, "final": verdict.value if verdict else None}
        await self._put_on_record(viewer, unit, "emergency.review", session, detail, comment)
        await self._tell(unit, session, said, first=all(each.verdict is not Verdict.ABUSE for each in before))
        return self._sessions.receipt(session, 201)

    async def defer(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: DigestDeferral) -> Receipt:
        """Put off telling the people who were looked at. Raises as ``review`` does, and ``Invalid``."""
        seek("emergency.defer", Purpose.AUDIT)
        session, now = await self._held(viewer, unit, identity), self._clock.now()
        if "infosec" not in viewer.standing.roles:
            raise NotPermitted
        await self._parts.refuse(unit.session, own_contact(viewer), session.parties)
        if session.digested_at is not None:
            raise AlreadyDone
        if not session.digest_at < body.until <= now + MOST_DEFERRAL:
            detail, chinese = "Later than now planned, and at most 30 days off.", "须晚于原定时间且不超过 30 天。"
            raise Invalid(errors=[FieldError("/until", "out_of_range", detail, chinese)])
        reason = await self._sessions.sealed(unit, session.actor_id, DEFERRAL, body.reason)
        deferred = replace(session, digest_at=body.until, deferred_by=own_contact(viewer), deferral=reason)
        session = await self._rows.save(unit.session, deferred)
        await self._put_on_record(viewer, unit, "emergency.defer", session, {"until": body.until.isoformat()}, reason)
        return self._sessions.receipt(session, 200)

    async def _held(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> Session:
        """Hold a session that the viewer may know of; its actor and second person may, and hear that they have a part in it."""
        session = await self._sessions.held(unit, identity)
        if own_contact(viewer) not in session.parties and viewer.standing.roles.isdisjoint(OVERSEERS):
            raise NotFound
        return session

    async def _over(self, unit: UnitOfWork, session: Session, now: datetime) -> Session:
        if session.live(now):
            raise SessionOpen
        return (
            session if session.ended_at is not None else await self._sessions.close(unit, session, Cause.EXPIRED, now)
        )

    async def _tell(self, unit: UnitOfWork, session: Session, said: Review, *, first: bool) -> None:
        if said.verdict is Verdict.ABUSE and first:
            incident = notice_of(session, "incident", said.at, roles=INFOSEC, side=said.side.value)
            await self._teller.tell(unit, incident)
        if session.verdict is not None:
            people, verdict = (session.actor_id,), session.verdict.value
            await self._teller.tell(unit, notice_of(session, "reviewed", said.at, people=people, verdict=verdict))

    async def _put_on_record(
        self, viewer: Viewer, unit: UnitOfWork, action: str, session: Session, detail: dict[str, Any], reason: bytes
    ) -> None:
        query = {"emergency": str(session.id), **detail}
        draft = written(
            author_of(viewer), action, self._clock.now(), contacts=[session.actor_id], query=query, reason=reason
        )
        await add_intent(unit.session, draft)
