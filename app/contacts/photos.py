"""Photos: shown to those whom policy shows them clear, kept by those who may edit the card.

A photo is a protected field (C2) with a place of its own. Half a picture is none, so where policy would mask it, it is withheld; and
withheld, none, and nobody there are one and the same 404. What is kept is drawn anew from what came in (``pictures``), sealed as base64
text under the contact's key, and leaves only with a permit. History tells that a photo was given or removed, and keeps no old one.
"""

import asyncio
import json
from base64 import b64decode, b64encode
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
import structlog
from sqlalchemy import LargeBinary, bindparam, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from app.contacts.errors import ConsentRequired, NotCollected
from app.contacts.fields import PHOTO
from app.contacts.forms import Forms, unpack_consents
from app.contacts.models import ContactPhoto
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, seek
from app.contacts.service import ContactService
from app.contacts.writer import ContactWriter
from app.crypto.rowmac import RowValue
from app.crypto.sealer import Sealer, SubjectSealer
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.records import Record
from app.disclosure.view import Disclosed
from app.kit.clock import Clock
from app.kit.db import Reader, UnitOfWork
from app.kit.dependencies import names_version
from app.kit.errors import PreconditionFailed
from app.kit.idempotency import Receipt
from app.kit.models import Id
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import FieldClass, Outcome, Purpose
from app.permissions.standing import Viewer, author_of

MEDIA_TYPE: Final = "image/jpeg"
DISCLOSURE: Final = "Duanhao-Disclosure"
"""Header with the note that other answers carry in their body, as JSON in ASCII."""

_log = structlog.get_logger("duanhao.security")


class Photo(Disclosed[bytes]):
    """A picture, as it was kept."""

    media_type = MEDIA_TYPE

    def __init__(self, jpeg: bytes, *, version: str, note: bytes, status_code: int = 200) -> None:
        """Send ``jpeg`` as what it is and as nothing else."""
        headers = {"X-Content-Type-Options": "nosniff", DISCLOSURE: json.dumps(orjson.loads(note))}
        super().__init__(jpeg, etag=version, status_code=status_code, headers=headers)


class PhotoRows:
    """Rows of ``contact_photo``. Nothing here commits, or opens."""

    def __init__(self, reader: Reader, sealer: Sealer) -> None:
        """Take the reader, and the sealer that checks a row's MAC."""
        self._reader, self._sealer = reader, sealer
        self._by_id = reader.prepare(
            select(
                type_coerce(ContactPhoto.image, LargeBinary),
                ContactPhoto.digest,
                ContactPhoto.updated_at,
                ContactPhoto.mac,
            ).where(ContactPhoto.contact_id == bindparam("id", type_=Id()))
        )

    async def box(self, record: Record) -> bytes | None:
        """Give the sealed photo of a contact; ``None`` when there is none, and for a row that was edited past us, which is reported."""
        identity = record.subject
        rows = await self._reader.fetch(self._by_id, {"id": identity})
        if not rows:
            return None
        image, digest, updated_at, mac = rows[0]
        covered = _covered(identity, bytes(image), bytes(digest), updated_at)
        if not self._sealer.existing(identity, record.key).verify(covered, bytes(mac)):
            _log.error("row_mac_mismatch", table="contact_photo", row=str(identity))
            return None
        return bytes(image)

    async def for_change(self, session: AsyncSession, identity: UUID) -> ContactPhoto | None:
        """Load one row for a write, locked until the transaction ends."""
        return await session.scalar(select(ContactPhoto).where(ContactPhoto.contact_id == identity).with_for_update())


class PhotoKeeper:
    """Shows, replaces and removes photos for a viewer."""

    def __init__(
        self,
        *,
        repository: ContactRepository,
        rows: PhotoRows,
        service: ContactService,
        writer: ContactWriter,
        gate: Gate,
        sealer: Sealer,
        rights: CurrentRights,
        forms: Forms,
        clock: Clock,
    ) -> None:
        """Take the contacts and their photos, reading and writing, the gate, the sealer, the rights of now, the forms, and the clock."""
        self._repository, self._rows, self._service, self._writer = repository, rows, service, writer
        self._gate, self._sealer, self._rights, self._clock = gate, sealer, rights, clock
        self._forms, self._one_at_a_time = forms, asyncio.Semaphore(1)

    async def read(self, viewer: Viewer, identity: UUID, purpose: Purpose, *, known: str | None = None) -> Photo:
        """Show one photo; 304 when ``known`` (``If-None-Match``) names it. Raises ``NotFound``."""
        seek("contact.photo", purpose, identity)

        async def attempt(viewer: Viewer) -> Photo:
            record = await self._repository.by_id(identity, viewer.tree)
            look = Look(action="contact.photo", purpose=purpose)
            text, note = await self._gate.open_apart(viewer, record, PHOTO.name, self._rows.box, look)
            jpeg = b64decode(text)
            version = self._version(identity, jpeg)
            if known is not None and names_version(known, version):
                return Photo(b"", version=version, note=note, status_code=304)
            return Photo(jpeg, version=version, note=note)

        return await self._rights.of(viewer, attempt)

    async def replace(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, seen: str, data: bytes) -> Receipt:
        """Keep the picture in ``data`` as the photo of a contact whose card the caller saw as ``seen``; an equal one changes nothing.

        Raises ``NotFound``, ``PreconditionFailed``, ``NotPermitted``, ``NotCollected``, ``ConsentRequired``, and as ``pictures.portrait``.
        """
        record = await self._editable(viewer, identity, seen)
        kind, pointer = record.cohort.kind, f"/{PHOTO.name}"
        if not self._forms.collects(kind, PHOTO.name):
            raise NotCollected(pointer)
        if self._forms.unconsented(kind, [PHOTO.name], unpack_consents(record.consented)):
            raise ConsentRequired(pointer)
        async with self._one_at_a_time:
            jpeg, size = await asyncio.to_thread(_portrait, data)
        sealer, text = self._sealer.existing(identity, record.key), b64encode(jpeg).decode()
        row = await self._rows.for_change(unit.session, identity)
        if row is None or not sealer.matches(PHOTO.name, text, row.digest):
            if row is None:
                row = ContactPhoto(contact_id=identity)
                unit.session.add(row)
            self._fill(row, sealer, text)
            await self._writer.beside(unit, author_of(viewer), record, {PHOTO.name: MEDIA_TYPE})
        return Receipt(identity, self._told(viewer, record, jpeg, size), 200)

    async def remove(self, viewer: Viewer, unit: UnitOfWork, identity: UUID, seen: str) -> None:
        """Remove the photo of a contact whose card the caller saw as ``seen``; where there is none, nothing changes.

        The two are not told apart, because not everybody who may edit a card is shown its photo. Raises as ``replace`` does.
        """
        record = await self._editable(viewer, identity, seen)
        row = await self._rows.for_change(unit.session, identity)
        if row is not None:
            await unit.session.delete(row)
            await self._writer.beside(unit, author_of(viewer), record, {PHOTO.name: None})

    async def _editable(self, viewer: Viewer, identity: UUID, seen: str) -> Record:
        """Look at the card, on record; give its row when the caller saw this very card and may edit its C2."""
        look = Look(action="contact.read", purpose=Purpose.WORK_CONTACT)
        record, opened = await self._service.look(viewer, identity, look)
        (_, _, version), *_ = opened.cards
        if not names_version(seen, version):
            raise PreconditionFailed
        cohort = viewer.plan(Purpose.WORK_CONTACT).cohort(record.cohort, record.subject)
        if not cohort.edits >= {FieldClass.C1, PHOTO.field_class}:
            raise NotPermitted
        return record

    def _fill(self, row: ContactPhoto, sealer: SubjectSealer, text: str) -> None:
        row.image, row.digest = sealer.seal(PHOTO.name, text), sealer.digest(PHOTO.name, text)
        row.updated_at = self._clock.now()
        row.mac = sealer.mac(_covered(row.contact_id, row.image.envelope, row.digest, row.updated_at))

    def _told(self, viewer: Viewer, record: Record, jpeg: bytes, size: tuple[int, int]) -> dict[str, Any]:
        cohort = viewer.plan(Purpose.WORK_CONTACT).cohort(record.cohort, record.subject)
        shown = cohort.shown(PHOTO.name, PHOTO.field_class) is Outcome.CLEAR
        width, height = size
        return {
            "id": str(record.subject),
            "version": self._version(record.subject, jpeg) if shown else None,
            "width": width,
            "height": height,
            "size": len(jpeg),
        }

    def _version(self, identity: UUID, jpeg: bytes) -> str:
        return self._gate.version(identity.bytes + jpeg)


def _portrait(data: bytes) -> tuple[bytes, tuple[int, int]]:
    from app.contacts import pictures  # noqa: PLC0415 — decoders that most processes never need

    jpeg = pictures.portrait(data)
    return jpeg, pictures.dimensions(jpeg)


def _covered(identity: UUID, image: bytes, digest: bytes, updated_at: datetime) -> tuple[RowValue, ...]:
    return ("contact_photo", identity.bytes, image, digest, updated_at)
