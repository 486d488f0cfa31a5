"""The nightly sheet of key people, for when the service cannot be reached: made, fetched, and accounted for.

A sheet is a look of its custodian's at the key people, through the gate, under the policy of an emergency session; executives and core
staff are on it where a second person stands behind the appointment. What the look showed is sealed to the custodian's key at once; the
service keeps the newest box of each custodian and cannot open it. What was opened away from the service comes back as records that the
custodian's key has signed (``sheet_desk``), and goes into the log with its reason.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import structlog
from sqlalchemy.exc import IntegrityError

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth.errors import AccountRefused
from app.auth.repository import AccountRepository
from app.auth.scopes import Scope
from app.auth.subject import Person
from app.contacts.criteria import Criteria, Order
from app.contacts.record import listed_under
from app.contacts.repository import ContactRepository
from app.disclosure.looks import Look
from app.disclosure.records import Record
from app.disclosure.showing import Showing
from app.emergency.repository import EmergencyRepository
from app.emergency.rules import KEY_TAG, Appointment, Office, Sheet
from app.emergency.sealing import seal_sheet
from app.emergency.sheet_repository import SheetRepository
from app.kit.db import Database
from app.kit.errors import Problem
from app.kit.models import new_id
from app.permissions.emergency import Emergency
from app.permissions.outcomes import EMERGENCY_CLASSES, FieldClass, Power, Purpose
from app.permissions.standing import Viewer

CLIENT: Final = "emergency-sheet"
_NIGHT: Final = timedelta(hours=2)
"""How long after midnight the day's sheets are made."""
_AT_ONCE: Final = 200
_MOST: Final = 2000
_WHILE_MAKING: Final = timedelta(minutes=10)
_PUBLIC: Final = ("name", "title", "department", "short_numbers", "extension")
_PRESENT: Final = ("active", "frozen", "leaving")

_log = structlog.get_logger("duanhao.worker")


class SheetMaker:
    """Makes the sheets of the day."""

    def __init__(
        self,
        showing: Showing,
        *,
        database: Database,
        rows: EmergencyRepository,
        sheets: SheetRepository,
        accounts: AccountRepository,
        contacts: ContactRepository,
        reachable: Sequence[str],
        clock_here: timedelta,
    ) -> None:
        """Take what desks share, the store, the rows, who custodians and key people are, the fields told, and the company's day."""
        self._showing, self._database = showing, database
        self._rows, self._sheets = rows, sheets
        self._accounts, self._contacts = accounts, contacts
        self._reachable, self._here = tuple(reachable), clock_here

    async def make_due(self) -> int:
        """Make the sheets of the day that are not there; give how many were made. One that fails is reported and tried again."""
        now = self._showing.clock.now()
        local = now + self._here
        if local - local.replace(hour=0, minute=0, second=0, microsecond=0) < _NIGHT:
            return 0
        reader, day = self._showing.reader, local.date()
        served = await self._sheets.served(reader, day)
        made = 0
        for each in await self._rows.standing_appointments(reader, Office.CUSTODIAN, now):
            if each.public_key is None or each.person_id in served:
                continue
            try:
                made += await self._made(each, now)
            except (Problem, IntegrityError) as error:
                _log.warning("emergency_sheet_not_made", appointment=str(each.id), error=type(error).__name__)
        return made

    async def _made(self, appointment: Appointment, now: datetime) -> int:
        account = await self._accounts.by_contact(self._showing.reader, appointment.person_id)
        if account is None or appointment.public_key is None:
            raise AccountRefused
        subject = Person(account.user_name, CLIENT, frozenset({Scope.CONTACTS_READ.value}))
        viewer, identity = await self._showing.standings.passing(subject), new_id()
        inside = viewer.in_emergency(
            Emergency(
                identity,
                now + _WHILE_MAKING,
                tags=frozenset({KEY_TAG}),
                confirmed=appointment.confirmed_by is not None,
            )
        )
        day = (now + self._here).date()
        records = await self._key_people(inside)
        look = Look(action="emergency.sheet", purpose=Purpose.EMERGENCY, query={"day": day.isoformat()})
        opened = await self._showing.gate.disclose(inside, records, look)
        people = [self._entry(orjson.loads(card)) for _, card, _ in opened.cards]
        watermark = f"{viewer.standing.name} · {day.isoformat()} · {identity}"
        content = orjson.dumps(
            {
                "sheet": str(identity),
                "day": day.isoformat(),
                "made_at": now.isoformat(),
                "for": viewer.standing.name,
                "watermark": watermark,
                "people": people,
            }
        )
        box = seal_sheet(
            appointment.public_key, content, sheet_id=identity, custodian_id=appointment.person_id, day=day
        )
        sheet = Sheet(
            id=identity,
            appointment_id=appointment.id,
            custodian_id=appointment.person_id,
            day=day,
            made_at=now,
            event_id=opened.event_id or identity,
            people=len(people),
            public_key=appointment.public_key,
            digest=hashlib.sha256(box).digest(),
        )
        async with self._database.unit_of_work() as unit:
            await self._sheets.keep(unit.session, sheet, box)
            detail = {"sheet": str(identity), "day": day.isoformat(), "people": len(people)}
            author = Author(type="system", id="emergency")
            contacts = [appointment.person_id]
            await add_intent(
                unit.session, written(author, "emergency.sheet.keep", now, contacts=contacts, query=detail)
            )
        return 1

    async def _key_people(self, viewer: Viewer) -> list[Record]:
        found: list[Record] = []
        criteria = Criteria(statuses=_PRESENT, tag=KEY_TAG, powers=frozenset({Power.MATCH}))
        plan, after = viewer.plan(Purpose.EMERGENCY), None
        while len(found) < _MOST:
            page = await self._contacts.search(
                criteria, plan, order=Order(), after=after, limit=_AT_ONCE, tree=viewer.tree
            )
            found += page
            if len(page) < _AT_ONCE:
                break
            after = (listed_under(page[-1].public), page[-1].subject)
        return found

    def _entry(self, card: Mapping[str, Any]) -> dict[str, Any]:
        told = {name: card[name] for name in _PUBLIC if card.get(name)}
        sealed = {name: card[name] for name in self._reachable if isinstance(card.get(name), dict)}
        fields = {name: each["value"] for name, each in sealed.items() if "value" in each}
        return {**told, "fields": fields}


def reachable(classes: Mapping[str, FieldClass]) -> list[str]:
    """Name the protected fields that a sheet tells of: those that an emergency reaches."""
    return [name for name, field_class in classes.items() if field_class in EMERGENCY_CLASSES]
