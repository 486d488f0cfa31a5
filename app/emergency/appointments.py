"""Who may open sessions, and who keeps the nightly sheet: named by security, for a hundred days at most, never by oneself.

Naming somebody anew is how the list is looked at every quarter: it ends the appointment before. A sheet shows executives and core staff
only where a second person stands behind its custodian's appointment. A custodian's key is the custodian's own to give.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from app.audit.authors import written
from app.audit.intents import add_intent
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, own_contact, seek
from app.disclosure.looks import Look
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.emergency import sealing
from app.emergency.errors import AlreadyDone, KeyNotUsable
from app.emergency.parts import Parts
from app.emergency.repository import EmergencyRepository
from app.emergency.rules import MOST_APPOINTMENT, Appointment, Office
from app.emergency.schemas import AppointmentCreate, AppointmentList, AppointmentQuery
from app.emergency.sessions import EmergencySessions
from app.emergency.views import appointment_view, oversees
from app.kit.db import UnitOfWork
from app.kit.errors import FieldError, Invalid, NotFound
from app.kit.idempotency import Receipt
from app.kit.models import new_id
from app.permissions import step_up
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer, author_of

COLLECTION: Final = "/v1/emergency-eligibility"
_SECONDS: Final = frozenset({"infosec", "hr", "executive"})
_STAFF: Final = frozenset({"employee", "temporary"})
_PRESENT: Final = frozenset({"active", "frozen", "leaving"})


class Appointments:
    """Names people, and tells who is named."""

    def __init__(
        self,
        showing: Showing,
        *,
        rows: EmergencyRepository,
        sessions: EmergencySessions,
        contacts: ContactRepository,
        parts: Parts,
    ) -> None:
        """Take what desks share, the rows, what ends sessions, the contacts, and who is who."""
        self._rows, self._sessions, self._contacts, self._parts = rows, sessions, contacts, parts
        self._gate, self._reader, self._clock = showing.gate, showing.reader, showing.clock
        self._rights = CurrentRights(showing.standings)

    async def listed(self, viewer: Viewer, query: AppointmentQuery) -> Disclosed[AppointmentList]:
        """List appointments in force: security, HR and audit all of them, everybody else their own. Raises ``NoContact``."""
        seek("emergency.eligibility", Purpose.AUDIT)

        async def attempt(viewer: Viewer) -> Disclosed[AppointmentList]:
            person, now = own_contact(viewer), self._clock.now()
            every = await self._rows.standing_appointments(self._reader, query.office, now)
            found = [each for each in every if oversees(viewer) or each.person_id == person]
            look = Look(action="emergency.eligibility", purpose=Purpose.AUDIT)
            people = sorted({each.person_id for each in found})
            note = await self._gate.disclose_plain(viewer, look, count=len(found), contacts=people)
            body = {"items": [appointment_view(each, now) for each in found], "disclosure": orjson.Fragment(note)}
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def appoint(self, viewer: Viewer, unit: UnitOfWork, body: AppointmentCreate) -> Receipt:
        """Name somebody, in place of what they were named before for the same.

        Raises ``NotPermitted``, ``OwnPart``, and ``Invalid`` for nobody who can be named and for an end that is past or too far off.
        """
        seek("emergency.appoint", Purpose.EMERGENCY, body.person)
        me, now = own_contact(viewer), self._clock.now()
        _refuse_others(viewer)
        await self._parts.refuse(unit.session, me, [body.person])
        if not now < body.until <= now + MOST_APPOINTMENT:
            detail, chinese = "In the future, and at most 100 days off.", "须为将来时间且不超过 100 天。"
            raise Invalid(errors=[FieldError("/until", "out_of_range", detail, chinese)])
        await self._refuse_unknown(viewer, body.person)
        key = None
        for each in await self._rows.held_appointments(unit.session, body.person):
            if each.office is body.office:
                key = each.public_key, each.keyed_at
                await self._rows.save_appointment(unit.session, replace(each, ended_at=now, ended_by=me))
        new = Appointment(
            id=new_id(),
            person_id=body.person,
            office=body.office,
            since=now,
            until=body.until,
            named_by=me,
            public_key=key[0] if key else None,
            keyed_at=key[1] if key else None,
        )
        await self._rows.save_appointment(unit.session, new, new=True)
        await self._put_on_record(viewer, unit, "emergency.appoint", new)
        return self._receipt(new, now, 201)

    async def end(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> None:
        """End an appointment now, and what its holder has open: security, or the holder. Ended twice is ended once. Raises ``NotFound``."""
        seek("emergency.dismiss", Purpose.EMERGENCY)
        held = await self._held(unit, identity)
        me = own_contact(viewer)
        if held.person_id != me:
            _refuse_strangers(viewer)
            _refuse_others(viewer)
        if held.ended_at is None:
            after = replace(held, ended_at=self._clock.now(), ended_by=me)
            after = await self._rows.save_appointment(unit.session, after)
            await self._put_on_record(viewer, unit, "emergency.dismiss", after)
            if held.office is Office.OPENER:
                await self._sessions.revoke_all(viewer, unit, held.person_id)

    async def confirm(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> Receipt:
        """Stand behind a custodian's appointment as the second person.

        Raises ``NotFound``, ``NotPermitted``, ``OwnPart`` for who named them and for the custodian, and ``AlreadyDone``.
        """
        seek("emergency.appoint.confirm", Purpose.EMERGENCY)
        me, now = own_contact(viewer), self._clock.now()
        if _SECONDS.isdisjoint(viewer.standing.roles):
            raise NotPermitted
        held = await self._held(unit, identity)
        if held.office is not Office.CUSTODIAN or not held.live(now):
            raise NotFound
        await self._parts.refuse(unit.session, me, [held.person_id, held.named_by])
        if held.confirmed_by is not None:
            raise AlreadyDone
        after = await self._rows.save_appointment(unit.session, replace(held, confirmed_by=me, confirmed_at=now))
        await self._put_on_record(viewer, unit, "emergency.appoint.confirm", after)
        return self._receipt(after, now, 200)

    async def give_key(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, text: str) -> Receipt:
        """Take the caller's own public key, to which sheets are sealed from now on.

        Raises ``NotFound``, ``FreshSignInRequired`` and ``KeyNotUsable``.
        """
        seek("emergency.key", Purpose.EMERGENCY)
        held, now = await self._held(unit, identity), self._clock.now()
        if held.person_id != own_contact(viewer) or held.office is not Office.CUSTODIAN or not held.live(now):
            raise NotFound
        if not viewer.standing.step_up:
            raise step_up.challenge()
        try:
            public_key = sealing.read_public(text)
        except ValueError:
            raise KeyNotUsable from None
        after = await self._rows.save_appointment(unit.session, replace(held, public_key=public_key, keyed_at=now))
        await self._put_on_record(viewer, unit, "emergency.key", after, key=sealing.fingerprint(public_key))
        return self._receipt(after, now, 200)

    async def _held(self, unit: UnitOfWork, identity: UUID) -> Appointment:
        found = await self._rows.appointment(unit.session, identity)
        if found is None:
            raise NotFound
        held = await self._rows.held_appointments(unit.session, found.person_id)
        return next((each for each in held if each.id == identity), found)

    async def _refuse_unknown(self, viewer: Viewer, person: UUID) -> None:
        record = await self._contacts.by_id(person, viewer.tree)
        seen = record is not None and self._gate.verdict(viewer.plan(Purpose.WORK_CONTACT), record) is not None
        if record is None or not seen or record.cohort.kind not in _STAFF or record.cohort.status not in _PRESENT:
            detail, chinese = "Nobody who can be named.", "该人员不存在或不可指定。"
            raise Invalid(errors=[FieldError("/person", "unknown_person", detail, chinese)])

    def _receipt(self, appointment: Appointment, now: datetime, status: int) -> Receipt:
        told = appointment_view(appointment, now)
        body: dict[str, Any] = orjson.loads(orjson.dumps(told, option=orjson.OPT_UTC_Z))
        return Receipt(appointment.id, body, status)

    async def _put_on_record(
        self, viewer: Viewer, unit: UnitOfWork, action: str, appointment: Appointment, **further: str
    ) -> None:
        query = {
            "appointment": str(appointment.id),
            "office": appointment.office.value,
            "until": appointment.until.isoformat(),
            **further,
        }
        draft = written(author_of(viewer), action, self._clock.now(), contacts=[appointment.person_id], query=query)
        await add_intent(unit.session, draft)


def _refuse_others(viewer: Viewer) -> None:
    if "infosec" not in viewer.standing.roles:
        raise NotPermitted


def _refuse_strangers(viewer: Viewer) -> None:
    """Say to who knows of no appointment of others that this one is not there."""
    if not oversees(viewer):
        raise NotFound
