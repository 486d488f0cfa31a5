"""Opening, confirming, renewing and ending emergency sessions, inside the caller's transaction.

Whoever changes what a session lets its actor see moves the epoch of the actor's account with it, so no look that was prepared under the
session from before is disclosed. A session is an exception to what policy gives; that it may be made at all is said by an appointment.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth import epochs
from app.auth.errors import AccountRefused
from app.auth.repository import AccountRepository
from app.contacts.rights import own_contact, seek
from app.crypto.sealer import Sealer
from app.crypto.stored import stored_key
from app.departments.tree import Tree
from app.emergency.days import Calendars
from app.emergency.errors import (
    AlreadyDone,
    BeyondHardStop,
    NotEligible,
    ReviewOverdue,
    SessionOpen,
    SessionOver,
)
from app.emergency.parts import Parts, owed
from app.emergency.repository import EmergencyRepository
from app.emergency.rules import DIGEST_DAYS, LENGTH, REVIEW_DAYS, Cause, Office, Session, ended, renewed
from app.emergency.schemas import SessionOpen as Opening
from app.emergency.telling import REVIEWERS, notice_of
from app.emergency.views import session_view
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import FieldError, Invalid, NotFound
from app.kit.idempotency import Answer, Call, Idempotency, Receipt
from app.kit.models import new_id
from app.notices.teller import Teller
from app.permissions import step_up
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer, author_of

COLLECTION: Final = "/v1/emergency-sessions"
REASON: Final = "emergency.reason"
_BEFORE_DUE: Final = timedelta(hours=1)
"""How long before the time that the law of the house allows the people looked at are told."""


class EmergencySessions:
    """Makes and ends sessions."""

    def __init__(
        self,
        *,
        rows: EmergencyRepository,
        accounts: AccountRepository,
        sealer: Sealer,
        calendars: Calendars,
        teller: Teller,
        parts: Parts,
        idempotency: Idempotency,
        clock: Clock,
    ) -> None:
        """Take the rows, whose epochs move, what seals reasons, working days, who tells others, who is who, and repeats."""
        self._rows, self._accounts, self._sealer = rows, accounts, sealer
        self._calendars, self._teller, self._parts = calendars, teller, parts
        self._idempotency, self._clock = idempotency, clock

    async def open(self, viewer: Viewer, unit: UnitOfWork, key: str | None, body: Opening) -> Answer:
        """Open a session for the caller, once per ``key``.

        Raises ``NotEligible``, ``FreshSignInRequired`` (RFC 9470), ``ReviewOverdue``, ``SessionOpen`` and ``Invalid``.
        """
        seek("emergency.open", Purpose.EMERGENCY)
        actor = own_contact(viewer)

        async def work() -> Receipt:
            await self._refuse_ineligible(viewer, unit)
            departments = _departments(viewer.tree, body.departments)
            now = self._clock.now()
            for each in await self._rows.open_sessions(unit.session, actor):
                if each.live(now):
                    raise SessionOpen
                await self.close(unit, each, Cause.EXPIRED, now)
            await self._refuse_unaccounted(unit, actor, now)
            session = await self._new(unit, actor, body, departments, now)
            await self._rows.save(unit.session, session, new=True)
            await self._changed(unit, session)
            held = owed(viewer, viewer.tree, session.named, everywhere=session.key_people)
            await self._put_on_record(unit, author_of(viewer), "emergency.open", session, held=held)
            heads = await self._heads(unit, viewer.tree, session)
            await self._teller.tell(unit, notice_of(session, "opened", now, people=heads, held=held))
            return self.receipt(session, 201)

        call = Call(viewer.caller, "POST", COLLECTION, key)
        return await self._idempotency.run(
            unit, call, key and body.model_dump(mode="json"), allowed=lambda: None, work=work
        )

    async def confirm(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> Receipt:
        """Stand behind an open session as the second person, which lifts the caps on executives, on core staff and on the actor.

        Raises ``NotFound``, ``OwnPart``, ``NotEligible``, ``FreshSignInRequired``, ``SessionOver`` and ``AlreadyDone``.
        """
        seek("emergency.confirm", Purpose.EMERGENCY)
        second, now = own_contact(viewer), self._clock.now()
        await self._refuse_ineligible(viewer, unit)
        session = await self.held(unit, identity)
        await self._parts.refuse(unit.session, second, [session.actor_id])
        if not session.live(now):
            raise SessionOver
        if session.confirmed_by is not None:
            raise AlreadyDone
        session = await self._rows.save(unit.session, replace(session, confirmed_by=second, confirmed_at=now))
        await self._changed(unit, session)
        await self._put_on_record(unit, author_of(viewer), "emergency.confirm", session)
        await self._teller.tell(unit, notice_of(session, "confirmed", now, second=second))
        return self.receipt(session, 200)

    async def renew(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, length: timedelta = LENGTH) -> Receipt:
        """Lengthen the caller's open session, once. Raises ``NotFound``, ``SessionOver``, ``AlreadyDone`` and ``BeyondHardStop``."""
        seek("emergency.renew", Purpose.EMERGENCY)
        now = self._clock.now()
        await self._refuse_ineligible(viewer, unit)
        session = await self.held(unit, identity)
        if session.actor_id != own_contact(viewer):
            raise NotFound
        if not session.live(now):
            raise SessionOver
        if session.renewed_at is not None:
            raise AlreadyDone
        longer = renewed(session, now, length)
        if longer is None:
            raise BeyondHardStop(hard_stop=session.hard_stop.isoformat())
        session = await self._rows.save(unit.session, longer)
        await self._changed(unit, session)
        await self._put_on_record(unit, author_of(viewer), "emergency.renew", session)
        await self._teller.tell(unit, notice_of(session, "renewed", now))
        return self.receipt(session, 200)

    async def end(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> None:
        """End a session now: its actor, or security. Ended twice is ended once. Raises ``NotFound``."""
        seek("emergency.end", Purpose.EMERGENCY)
        session = await self.held(unit, identity)
        own = session.actor_id == own_contact(viewer)
        if not own and "infosec" not in viewer.standing.roles:
            raise NotFound
        if session.ended_at is None:
            cause = Cause.ENDED if own else Cause.REVOKED
            await self.close(unit, session, cause, self._clock.now(), by=viewer)

    async def revoke_all(self, viewer: Viewer, unit: UnitOfWork, actor: UUID) -> None:
        """End whatever a person has open, because they may not any more."""
        for each in await self._rows.open_sessions(unit.session, actor):
            await self.close(unit, each, Cause.REVOKED, self._clock.now(), by=viewer)

    async def close(
        self, unit: UnitOfWork, session: Session, cause: Cause, now: datetime, *, by: Viewer | None = None
    ) -> Session:
        """End a held session, tell security and the reviewers; give it as it is then."""
        over = ended(session, now, cause, None if by is None else own_contact(by))
        after = await self._rows.save(unit.session, over)
        author = Author(type="system", id="emergency") if by is None else author_of(by)
        await self._changed(unit, after)
        await self._put_on_record(unit, author, "emergency.end", after)
        how = after.cause.value if after.cause else cause.value
        await self._teller.tell(unit, notice_of(after, "ended", now, cause=how))
        due = notice_of(after, "review_due", now, roles=REVIEWERS, due_at=after.review_due)
        await self._teller.tell(unit, due)
        return after

    async def held(self, unit: UnitOfWork, identity: UUID) -> Session:
        """Find a session and hold it; raise ``NotFound``."""
        session = await self._rows.held(unit.session, identity)
        if session is None:
            raise NotFound
        return session

    def receipt(self, session: Session, status: int) -> Receipt:
        """Write what a write answers."""
        told = session_view(session, (), self._clock.now())
        body: dict[str, Any] = orjson.loads(orjson.dumps(told, option=orjson.OPT_UTC_Z))
        return Receipt(session.id, body, status)

    async def sealed(self, unit: UnitOfWork, subject: UUID, field: str, text: str) -> bytes:
        """Seal a text under the key of the person whom it is about."""
        key = await stored_key(unit.session, subject)
        return self._sealer.existing(subject, key).seal(field, text).envelope

    async def _new(
        self, unit: UnitOfWork, actor: UUID, body: Opening, departments: tuple[str, ...], now: datetime
    ) -> Session:
        calendar = await self._calendars.current(unit.session)
        digest, review = calendar.due(now, DIGEST_DAYS), calendar.due(now, REVIEW_DAYS)
        return Session(
            id=new_id(),
            actor_id=actor,
            scenario=body.scenario,
            reason=await self.sealed(unit, actor, REASON, body.reason),
            key_people=body.key_people,
            departments=departments,
            opened_at=now,
            until=now + LENGTH,
            digest_at=digest.at - _BEFORE_DUE,
            review_due=review.at,
            predicted=review.predicted,
        )

    async def _refuse_ineligible(self, viewer: Viewer, unit: UnitOfWork) -> None:
        """Raise unless the caller is appointed, which they stay until this transaction ends, and has proved who they are."""
        now = self._clock.now()
        appointed = await self._rows.held_appointments(unit.session, own_contact(viewer))
        if viewer.on_behalf_of is not None or not any(
            each.office is Office.OPENER and each.live(now) for each in appointed
        ):
            raise NotEligible
        if not viewer.standing.step_up:
            raise step_up.challenge()

    async def _refuse_unaccounted(self, unit: UnitOfWork, actor: UUID, now: datetime) -> None:
        """Raise ``ReviewOverdue`` while the review of a session is, of the actor's own or of another account of theirs."""
        others = [each.person_id for each in await self._rows.standing_appointments(unit.session, Office.OPENER, now)]
        own = [each for each in others if each == actor or await self._parts.has(unit.session, actor, [each])]
        for each in {actor, *own}:
            if not await self._rows.accounted_for(unit.session, each, now):
                raise ReviewOverdue

    async def _changed(self, unit: UnitOfWork, session: Session) -> None:
        """Let nothing be shown any more that was decided before this change; to an account that was edited past us nothing is."""
        try:
            account = await self._accounts.by_contact(unit.session, session.actor_id)
        except AccountRefused:
            return
        if account is not None:
            await epochs.bump(unit.session, account.epoch_key)

    async def _heads(self, unit: UnitOfWork, tree: Tree, session: Session) -> tuple[UUID, ...]:
        """Name who heads the departments affected, or the nearest above them where nobody does."""
        affected: Iterable[UUID] = session.named
        if session.key_people:
            affected = {*affected, *(await self._rows.places_of_key_people(unit.session))}
        found: dict[UUID, None] = {}
        for each in affected:
            nearest = next((node.holders for node in reversed(tree.ancestry(each)) if node.holders), ())
            found.update(dict.fromkeys(nearest))
        return tuple(found)

    async def _put_on_record(
        self, unit: UnitOfWork, author: Author, action: str, session: Session, *, held: Iterable[str] = ()
    ) -> None:
        detail = {
            "emergency": str(session.id),
            "scenario": session.scenario.value,
            "key_people": session.key_people,
            "departments": list(session.departments),
            "until": session.until.isoformat(),
            "confirmed": session.confirmed_by is not None,
            **({"held": list(held)} if held else {}),
        }
        reason = session.reason if action == "emergency.open" else None
        draft = written(author, action, self._clock.now(), contacts=[session.actor_id], query=detail, reason=reason)
        await add_intent(unit.session, replace(draft, purpose=Purpose.EMERGENCY.value))


def _departments(tree: Tree, named: Iterable[str]) -> tuple[str, ...]:
    nodes = [tree.find(each) for each in named]
    faults = [
        FieldError(f"/departments/{at}", "unknown_department", "There is no such department.", "部门不存在。")
        for at, node in enumerate(nodes)
        if node is None
    ]
    if faults:
        raise Invalid(errors=faults)
    return tuple(dict.fromkeys(str(node.id) for node in nodes if node is not None))
