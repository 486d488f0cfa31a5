"""Showing attachments: to those whom the request concerns, and before it is filed to the uploader alone.

Whose file it is not, for them it is not there; neither for who oversees requests, who sees in the request itself that it has files and
what stands for them. A file leaves whole, as the type that it was judged to be, to be saved and never shown in a page, and only after the
look is on record.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

import orjson

from app.approvals.attaching import Attaching
from app.approvals.request import Attached, Request
from app.attachments.attachment import Stored
from app.attachments.errors import AttachmentUnreadable
from app.attachments.repository import CONTENT, AttachmentRepository
from app.attachments.schemas import AttachmentList, StagedList
from app.crypto.errors import SealBroken
from app.disclosure.looks import Look
from app.disclosure.records import SealedFile
from app.disclosure.rights import CurrentRights, seek
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.kit.errors import NotFound
from app.permissions.errors import NoContact
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer

DISCLOSURE: Final = "Duanhao-Disclosure"
"""Header with the note that other answers carry in their body, as JSON in ASCII."""
_PURPOSE: Final = Purpose.WORK_CONTACT
_OPENED_AT_ONCE: Final = 4
"""A file lies in memory sealed and open while it is opened."""


class File(Disclosed[bytes]):
    """A file, as it came in."""

    media_type = "application/octet-stream"

    def __init__(self, content: bytes, stored: Stored, note: bytes, *, status_code: int = 200) -> None:
        """Send it as the type that it was judged to be, to be saved under its name; no page that it is opened in may run anything."""
        plain = f"attachment.{stored.name.rpartition('.')[2].lower()}"
        headers = {
            "Content-Type": stored.type.served,
            "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(stored.name, safe='')}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            DISCLOSURE: json.dumps(orjson.loads(note)),
        }
        super().__init__(content, status_code=status_code, headers=headers)


class AttachmentReader:
    """Shows files."""

    def __init__(self, showing: Showing, *, rows: AttachmentRepository, attaching: Attaching) -> None:
        """Take what every look shares, the rows, and what knows whom requests concern."""
        self._gate, self._reader, self._clock = showing.gate, showing.reader, showing.clock
        self._rows, self._attaching = rows, attaching
        self._rights, self._opening = CurrentRights(showing.standings), asyncio.Semaphore(_OPENED_AT_ONCE)

    async def of_request(self, viewer: Viewer, request: UUID) -> Disclosed[AttachmentList]:
        """List the files of a request, in the order in which they came; raise ``NotFound`` to whom it does not concern."""
        seek("request.attachment.list", _PURPOSE)

        async def attempt(viewer: Viewer) -> Disclosed[AttachmentList]:
            found = await self._attaching.concerning(self._reader, viewer, request)
            there = await self._rows.of(self._reader, request)
            items = [_attached(each, there.get(each.id)) for each in found.attachments]
            owners = {each.owner for each in there.values()}
            look = Look(action="request.attachment.list", purpose=_PURPOSE, query={"request": str(request)})
            return await self._listed(viewer, look, items, owners | _people(found))

        return await self._rights.of(viewer, attempt)

    async def content(self, viewer: Viewer, request: UUID, identity: UUID) -> File:
        """Give a file of a request; raise ``NotFound`` as ``of_request``, and ``AttachmentUnreadable``."""
        seek("request.attachment", _PURPOSE)

        async def attempt(viewer: Viewer) -> File:
            found = await self._attaching.concerning(self._reader, viewer, request)
            named = next((each for each in found.attachments if each.id == identity), None)
            if named is None:
                raise NotFound
            stored = (await self._rows.of(self._reader, request)).get(identity)
            if stored is None or stored.digest != named.digest:
                raise AttachmentUnreadable
            query = {"request": str(request), "attachment": str(identity)}
            return await self._opened(viewer, stored, "request.attachment", query, _people(found))

        return await self._rights.of(viewer, attempt)

    async def staged(self, viewer: Viewer) -> Disclosed[StagedList]:
        """List what the caller may still file with."""
        seek("attachment.list", _PURPOSE)

        async def attempt(viewer: Viewer) -> Disclosed[StagedList]:
            owner = _person(viewer)
            found = await self._rows.staged(self._reader, owner, self._clock.now())
            items = [{**_told(each), "expires_at": each.until} for each in found.values()]
            return await self._listed(viewer, Look(action="attachment.list", purpose=_PURPOSE), items, {owner})

        return await self._rights.of(viewer, attempt)

    async def staged_content(self, viewer: Viewer, identity: UUID) -> File:
        """Give a file back to who has staged it; raise ``NotFound`` for any other, and ``AttachmentUnreadable``."""
        seek("attachment.read", _PURPOSE)

        async def attempt(viewer: Viewer) -> File:
            owner = _person(viewer)
            stored = (await self._rows.staged(self._reader, owner, self._clock.now())).get(identity)
            if stored is None:
                raise NotFound
            return await self._opened(viewer, stored, "attachment.read", {"attachment": str(identity)}, {owner})

        return await self._rights.of(viewer, attempt)

    async def _opened(
        self, viewer: Viewer, stored: Stored, action: str, query: Mapping[str, Any], contacts: Iterable[UUID]
    ) -> File:
        look = Look(action=action, purpose=_PURPOSE, query=query)
        async with self._opening:
            closed = await self._rows.pieces(self._reader, stored)
            if closed is None:
                raise AttachmentUnreadable
            key, chunks = closed
            sealed = SealedFile(subject=stored.id, key=key, name=CONTENT, chunks=chunks)
            try:
                content, note = await self._gate.open_file(viewer, look, sealed, contacts=sorted(contacts))
            except SealBroken:
                raise AttachmentUnreadable from None
        if len(content) != stored.size:
            raise AttachmentUnreadable
        return File(content, stored, note)

    async def _listed(
        self, viewer: Viewer, look: Look, items: list[dict[str, Any]], contacts: Iterable[UUID]
    ) -> Disclosed[Any]:
        people = sorted(contacts)
        note = await self._gate.disclose_plain(viewer, look, count=len(people), contacts=people)
        body = {"items": items, "disclosure": orjson.Fragment(note)}
        return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))


def _attached(named: Attached, stored: Stored | None) -> dict[str, Any]:
    """Tell a file of a request; one whose row is gone, or is not what was signed, is told as such."""
    if stored is None or stored.digest != named.digest:
        unknown = dict.fromkeys(("name", "media_type", "size", "uploaded_by", "uploaded_at"))
        return {"id": named.id, "digest": named.digest.hex(), **unknown, "available": False}
    return {**_told(stored), "uploaded_by": stored.owner, "available": True}


def _told(stored: Stored) -> dict[str, Any]:
    return {
        "id": stored.id,
        "digest": stored.digest.hex(),
        "name": stored.name,
        "media_type": stored.type.value,
        "size": stored.size,
        "uploaded_at": stored.at,
    }


def _people(request: Request) -> set[UUID]:
    """Give whom a look at a request's files is a look at."""
    return {request.beneficiary, *request.about}


def _person(viewer: Viewer) -> UUID:
    if viewer.standing.contact_id is None:
        raise NoContact
    return viewer.standing.contact_id
