"""Fetching sheets, and taking back the records of their openings."""

import json
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from app.audit.authors import written
from app.audit.intents import add_intent
from app.contacts.rights import CurrentRights, own_contact, seek
from app.disclosure.looks import Look
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.emergency.errors import UnknownRecord
from app.emergency.repository import EmergencyRepository
from app.emergency.rules import Office, Sheet, SheetOpening
from app.emergency.schemas import OpeningUpload, SheetList
from app.emergency.sealing import NOTHING_BEFORE, OpeningRecord, RecordInvalid, read_record
from app.emergency.sessions import REASON, EmergencySessions
from app.emergency.sheet_repository import SheetRepository
from app.emergency.telling import INFOSEC
from app.emergency.views import oversees
from app.kit.db import UnitOfWork
from app.kit.errors import FieldError, NotFound
from app.kit.models import new_id
from app.notices.notice import Audience, Notice
from app.notices.teller import Teller
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer, author_of

MEDIA_TYPE: Final = "application/octet-stream"
DISCLOSURE: Final = "Duanhao-Disclosure"
_CLOCK_DIFFERENCE: Final = timedelta(minutes=5)


class SealedSheet(Disclosed[bytes]):
    """A sheet, closed."""

    media_type = MEDIA_TYPE

    def __init__(self, box: bytes, sheet: Sheet, note: bytes, *, status_code: int = 200) -> None:
        """Send ``box`` as a file named after its day."""
        name = f"emergency-{sheet.day.isoformat()}.sheet"
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": f'attachment; filename="{name}"',
            DISCLOSURE: json.dumps(orjson.loads(note)),
        }
        super().__init__(box, status_code=status_code, headers=headers)


class SheetDesk:
    """Shows and gives sheets, and takes records."""

    def __init__(
        self,
        showing: Showing,
        *,
        rows: EmergencyRepository,
        sheets: SheetRepository,
        sessions: EmergencySessions,
        teller: Teller,
    ) -> None:
        """Take what desks share, who is appointed, the rows, what seals reasons, and who tells others."""
        self._rows, self._sheets, self._sessions, self._teller = rows, sheets, sessions, teller
        self._gate, self._reader, self._clock = showing.gate, showing.reader, showing.clock
        self._rights = CurrentRights(showing.standings)

    async def listed(self, viewer: Viewer) -> Disclosed[SheetList]:
        """List the newest sheets: security, HR and audit everybody's, a custodian their own."""
        seek("emergency.sheet.list", Purpose.EMERGENCY)

        async def attempt(viewer: Viewer) -> Disclosed[SheetList]:
            found = await self._sheets.listed(self._reader, None if oversees(viewer) else own_contact(viewer))
            look = Look(action="emergency.sheet.list", purpose=Purpose.EMERGENCY)
            people = sorted({each.custodian_id for each, _ in found})
            note = await self._gate.disclose_plain(viewer, look, count=len(found), contacts=people)
            items = [
                {
                    "id": each.id,
                    "custodian": each.custodian_id,
                    "day": each.day,
                    "made_at": each.made_at,
                    "people": each.people,
                    "available": kept,
                }
                for each, kept in found
            ]
            body = {"items": items, "disclosure": orjson.Fragment(note)}
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def content(self, viewer: Viewer, identity: UUID) -> SealedSheet:
        """Give a custodian's own sheet, sealed. Raises ``NotFound`` for another's, a replaced one, and to who is no custodian now."""
        seek("emergency.sheet.fetch", Purpose.EMERGENCY)

        async def attempt(viewer: Viewer) -> SealedSheet:
            sheet, now = await self._own(viewer, identity), self._clock.now()
            keeps = await self._rows.appointed(self._reader, sheet.custodian_id, Office.CUSTODIAN, now)
            box = await self._sheets.box(self._reader, identity)
            if box is None or keeps is None:
                raise NotFound
            look = Look(action="emergency.sheet.fetch", purpose=Purpose.EMERGENCY, query={"sheet": str(identity)})
            contacts = [sheet.custodian_id]
            note = await self._gate.disclose_plain(viewer, look, count=sheet.people, contacts=contacts)
            return SealedSheet(box, sheet, note)

        return await self._rights.of(viewer, attempt)

    async def take(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, body: OpeningUpload) -> dict[str, int]:
        """Put on record when and why the caller opened a sheet away from the service; known records change nothing.

        All or none. Raises ``NotFound`` and ``UnknownRecord``.
        """
        seek("emergency.sheet.open", Purpose.EMERGENCY)
        sheet, now = await self._own(viewer, identity), self._clock.now()
        records = [self._read(sheet, at, line) for at, line in enumerate(body.records)]
        before = await self._sheets.known(unit.session, sheet.custodian_id)
        hashes, taken, gaps = {NOTHING_BEFORE, *before.values()}, 0, 0
        for each in records:
            if each.id in before:
                continue
            gap = each.previous not in hashes
            reason = await self._sessions.sealed(unit, sheet.custodian_id, REASON, each.reason)
            opening = SheetOpening(
                id=each.id,
                sheet_id=identity,
                custodian_id=sheet.custodian_id,
                opened_at=each.at,
                reason=reason,
                digest=each.digest,
                previous=each.previous,
                signature=each.signature,
                uploaded_at=now,
            )
            await self._sheets.add(unit.session, [opening])
            before[each.id] = each.digest
            hashes.add(each.digest)
            detail: dict[str, Any] = {
                "sheet": str(identity),
                "record": str(each.id),
                "opened_at": each.at.isoformat(),
                "gap": gap,
            }
            draft = written(author_of(viewer), "emergency.sheet.open", now, query=detail, reason=reason)
            await add_intent(unit.session, draft)
            taken, gaps = taken + 1, gaps + gap
        if taken:
            await self._tell(unit, sheet, taken, gaps)
        return {"taken": taken, "known": len(records) - taken, "gaps": gaps}

    async def _own(self, viewer: Viewer, identity: UUID) -> Sheet:
        person, sheet = own_contact(viewer), await self._sheets.sheet(self._reader, identity)
        if sheet is None or sheet.custodian_id != person:
            raise NotFound
        return sheet

    def _read(self, sheet: Sheet, at: int, line: str) -> OpeningRecord:
        try:
            record = read_record(line, sheet.public_key)
        except RecordInvalid:
            record = None
        if (
            record is None
            or (record.sheet_id, record.custodian_id) != (sheet.id, sheet.custodian_id)
            or not sheet.made_at - _CLOCK_DIFFERENCE <= record.at <= self._clock.now() + _CLOCK_DIFFERENCE
        ):
            code, title, title_zh = UnknownRecord.code, UnknownRecord.title, UnknownRecord.title_zh
            raise UnknownRecord(errors=[FieldError(f"/records/{at}", code, title, title_zh)])
        return record

    async def _tell(self, unit: UnitOfWork, sheet: Sheet, taken: int, gaps: int) -> None:
        notice = Notice(
            id=new_id(),
            type="emergency.sheet_used",
            occurred_at=self._clock.now(),
            body={"sheet": sheet.id, "custodian": sheet.custodian_id, "openings": taken, "gaps": gaps},
            audience=Audience(roles=INFOSEC),
        )
        await self._teller.tell(unit, notice)
