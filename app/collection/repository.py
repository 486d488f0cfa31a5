"""All queries on consents, notices and acknowledgements, and the MACs that make their rows believable. Nothing here commits, or opens.

A row that was edited past us is reported and left out, wherever rows are read.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
import structlog
from sqlalchemy import Integer, LargeBinary, bindparam, func, select, type_coerce
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.collection.errors import NoticeRaced
from app.collection.models import Consent, PrivacyAcknowledgement, PrivacyNotice
from app.crypto.rowmac import RowSigner, RowValue
from app.crypto.sealer import SubjectSealer
from app.kit.db import Reader, Row
from app.kit.models import Id, Instant, new_id

_log = structlog.get_logger("duanhao.security")

_CONSENT: Final = (
    Consent.id,
    Consent.contact_id,
    Consent.field,
    Consent.basis,
    Consent.event,
    Consent.purpose,
    Consent.source,
    Consent.notice_version,
    Consent.forms,
    Consent.at,
    Consent.actor_type,
    Consent.actor_id,
    Consent.request_id,
)
_NOTICE: Final = (
    PrivacyNotice.id,
    PrivacyNotice.version,
    PrivacyNotice.title_zh,
    PrivacyNotice.title_en,
    PrivacyNotice.text_zh,
    PrivacyNotice.text_en,
    PrivacyNotice.digest,
    PrivacyNotice.valid_from,
    PrivacyNotice.published_at,
    PrivacyNotice.actor_type,
    PrivacyNotice.actor_id,
)


@dataclass(frozen=True, slots=True)
class Notice:
    """A version of the privacy notice."""

    id: UUID
    version: int
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    digest: bytes
    valid_from: datetime
    published_at: datetime


@dataclass(frozen=True, slots=True)
class ConsentEntry:
    """One consent, given or withdrawn; ``proof`` is the envelope of what shows it."""

    id: UUID
    field: str
    basis: str
    event: str
    purpose: str | None
    source: str
    notice_version: int | None
    forms: str
    at: datetime
    actor_type: str
    actor_id: str
    proof: bytes | None


class ConsentRows:
    """Rows of ``consent``."""

    def __init__(self, reader: Reader) -> None:
        """Take the reader."""
        self._reader = reader

    def add(self, session: AsyncSession, sealer: SubjectSealer, row: Consent) -> None:
        """Write a row under its contact's MAC."""
        row.id = new_id()
        row.mac = sealer.mac(_covered(tuple(getattr(row, column.key) for column in _CONSENT), _envelope(row)))
        session.add(row)

    async def page(
        self, sealer: SubjectSealer, contact_id: UUID, *, before: UUID | None, limit: int
    ) -> tuple[list[ConsentEntry], UUID | None]:
        """List what was given and withdrawn, newest first; and where the next page begins, ``None`` at the end."""
        statement = select(*_CONSENT, type_coerce(Consent.proof, LargeBinary), Consent.mac).where(
            Consent.contact_id == bindparam("contact", type_=Id())
        )
        values: dict[str, Any] = {"contact": contact_id, "page": limit + 1}
        if before is not None:
            statement = statement.where(Consent.id < bindparam("before", type_=Id()))
            values["before"] = before
        statement = statement.order_by(Consent.id.desc()).limit(bindparam("page", type_=Integer()))
        rows = await self._reader.fetch(self._reader.prepare(statement), values)
        found = [entry for row in rows[:limit] if (entry := _entry(sealer, row)) is not None]
        return found, rows[limit - 1][0] if len(rows) > limit else None


class NoticeRows:
    """Rows of ``privacy_notice`` and ``privacy_acknowledgement``."""

    def __init__(self, reader: Reader, signer: RowSigner) -> None:
        """Take the reader and the signer of both tables."""
        self._reader, self._signer = reader, signer
        every = select(*_NOTICE, PrivacyNotice.mac).order_by(PrivacyNotice.version.desc())
        self._current = reader.prepare(every.where(PrivacyNotice.valid_from <= bindparam("now", type_=Instant())))
        self._by_id = reader.prepare(every.where(PrivacyNotice.id == bindparam("id", type_=Id())))
        self._page = reader.prepare(
            every.where(PrivacyNotice.version < bindparam("before", type_=Integer())).limit(
                bindparam("page", type_=Integer())
            )
        )
        acknowledged = select(
            PrivacyAcknowledgement.notice_id,
            PrivacyAcknowledgement.contact_id,
            PrivacyAcknowledgement.at,
            PrivacyAcknowledgement.mac,
        ).where(PrivacyAcknowledgement.notice_id == bindparam("notice", type_=Id()))
        self._acknowledged = reader.prepare(acknowledged)
        self._one = reader.prepare(
            acknowledged.where(PrivacyAcknowledgement.contact_id == bindparam("contact", type_=Id()))
        )

    async def current(self, now: datetime) -> Notice | None:
        """Give the version in force: the newest whose time has come."""
        rows = await self._reader.fetch(self._current, {"now": now})
        return next((notice for row in rows if (notice := self._notice(row)) is not None), None)

    async def by_id(self, identity: UUID) -> Notice | None:
        """Give one version."""
        rows = await self._reader.fetch(self._by_id, {"id": identity})
        return self._notice(rows[0]) if rows else None

    async def page(self, *, before: int, limit: int) -> tuple[list[Notice], int | None]:
        """List versions below ``before``, newest first; and where the next page begins."""
        rows = await self._reader.fetch(self._page, {"before": before, "page": limit + 1})
        found = [notice for row in rows[:limit] if (notice := self._notice(row)) is not None]
        return found, rows[limit - 1][1] if len(rows) > limit else None

    async def publish(self, session: AsyncSession, row: PrivacyNotice) -> Notice:
        """Write the next version. Raises ``NoticeRaced`` when somebody else wrote it meanwhile."""
        row.id = new_id()
        row.version = 1 + (await session.scalar(select(func.coalesce(func.max(PrivacyNotice.version), 0))) or 0)
        said = (row.version, row.title_zh, row.title_en, row.text_zh, row.text_en, row.valid_from)
        row.digest = hashlib.sha256(orjson.dumps(said, option=orjson.OPT_UTC_Z)).digest()
        values = tuple(getattr(row, column.key) for column in _NOTICE)
        row.mac = self._signer.sign("privacy_notice", values)
        session.add(row)
        try:
            await session.flush()
        except IntegrityError as error:
            raise NoticeRaced from error
        return Notice(*values[:9])

    async def newest_valid_from(self, session: AsyncSession) -> datetime | None:
        """Give when the newest version comes into force."""
        newest = select(PrivacyNotice.valid_from).order_by(PrivacyNotice.version.desc()).limit(1)
        return await session.scalar(newest)

    async def acknowledged(self, notice_id: UUID) -> dict[UUID, datetime]:
        """Give who saw a version, and when."""
        rows = await self._reader.fetch(self._acknowledged, {"notice": notice_id})
        return {row[1]: row[2] for row in rows if self._believed(row)}

    async def acknowledged_at(self, notice_id: UUID, contact_id: UUID) -> datetime | None:
        """Give when somebody saw a version."""
        rows = await self._reader.fetch(self._one, {"notice": notice_id, "contact": contact_id})
        return rows[0][2] if rows and self._believed(rows[0]) else None

    async def acknowledge(self, session: AsyncSession, notice_id: UUID, contact_id: UUID, at: datetime) -> bool:
        """Write that somebody saw a version; tell whether that was new."""
        values = (notice_id, contact_id, at)
        row = PrivacyAcknowledgement(notice_id=notice_id, contact_id=contact_id, at=at)
        row.mac = self._signer.sign("privacy_acknowledgement", values)
        try:
            async with session.begin_nested():
                session.add(row)
        except IntegrityError:
            return False
        return True

    def _notice(self, row: Row) -> Notice | None:
        *values, mac = row
        values[6] = bytes(values[6])
        if not self._signer.verify("privacy_notice", tuple(values), bytes(mac)):
            _log.error("row_mac_mismatch", table="privacy_notice", row=str(row[0]))
            return None
        return Notice(*values[:9])

    def _believed(self, row: Row) -> bool:
        intact = self._signer.verify("privacy_acknowledgement", tuple(row[:3]), bytes(row[3]))
        if not intact:
            _log.error("row_mac_mismatch", table="privacy_acknowledgement", row=f"{row[0]} {row[1]}")
        return intact


def _covered(values: tuple[RowValue, ...], proof: bytes | None) -> tuple[RowValue, ...]:
    return ("consent", *values, proof)


def _envelope(row: Consent) -> bytes | None:
    return None if row.proof is None else row.proof.envelope


def _entry(sealer: SubjectSealer, row: Row) -> ConsentEntry | None:
    *values, stored, mac = row
    proof = None if stored is None else bytes(stored)
    if not sealer.verify(_covered(tuple(values), proof), bytes(mac)):
        _log.error("row_mac_mismatch", table="consent", row=str(row[0]))
        return None
    told: Mapping[str, Any] = {column.key: value for column, value in zip(_CONSENT, values, strict=True)}
    wanted = {name: told[name] for name in ConsentEntry.__dataclass_fields__ if name != "proof"}
    return ConsentEntry(**wanted, proof=proof)
