"""All queries on the undertaking's versions and on who confirmed which. Edited rows are reported and left out; nothing here commits."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy import Integer, bindparam, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto.rowmac import RowSigner
from app.crypto.rows import Rows, by_id
from app.departures.errors import TextRaced
from app.departures.models import UndertakingRow, UndertakingText
from app.kit.models import Id
from app.kit.query import Query, Source

UNDERTAKING: Final = UndertakingRow.__tablename__


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A version of the undertaking."""

    id: UUID
    version: int
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    digest: bytes
    published_at: datetime
    actor_type: str
    actor_id: str

    @staticmethod
    def digest_of(version: int, *said: str) -> bytes:
        """Give the SHA-256 of version, titles and texts, as JSON in this order."""
        return hashlib.sha256(orjson.dumps([version, *said])).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """Somebody confirmed a version: by their own call (``own``), or as HR put on record (``recorded``)."""

    text_id: UUID
    contact_id: UUID
    means: str
    digest: bytes
    at: datetime
    actor_type: str
    actor_id: str


class UndertakingRows:
    """Rows of ``undertaking_text`` and ``undertaking``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of both tables."""
        self._texts = Rows(UndertakingText, Text, signer)
        self._confirmed = Rows(UndertakingRow, Confirmation, signer, key=("text_id", "contact_id"))
        texts, confirmed = self._texts.table.c, self._confirmed.table.c
        before = self._texts.select(texts.version < bindparam("before", type_=Integer()))
        self._page = Query(before.order_by(texts.version.desc()).limit(bindparam("most", type_=Integer())))
        self._one = by_id(self._texts)
        of = self._confirmed.select(confirmed.contact_id == bindparam("contact", type_=Id()))
        self._of = Query(of.order_by(confirmed.at.desc()))

    async def page(self, source: Source, *, before: int, most: int) -> Sequence[Text]:
        """List versions below ``before``, newest first."""
        return await self._texts.find(source, self._page, before=before, most=most)

    async def current(self, source: Source) -> Text | None:
        """Give the version in force, which is the newest."""
        return next(iter(await self.page(source, before=2**31 - 1, most=1)), None)

    async def text(self, source: Source, identity: UUID) -> Text | None:
        """Find a version."""
        return next(iter(await self._texts.find(source, self._one, wanted=identity)), None)

    async def next_version(self, session: AsyncSession) -> int:
        """Give the number of the version to come, whatever stands in the rows before."""
        newest = select(func.coalesce(func.max(self._texts.table.c.version), 0))
        return 1 + (await session.scalar(newest) or 0)

    async def publish(self, session: AsyncSession, text: Text) -> None:
        """Add a version. Raises ``TextRaced``."""
        try:
            async with session.begin_nested():
                await self._texts.add(session, text)
        except IntegrityError as error:
            raise TextRaced from error

    async def confirmations(self, source: Source, contact: UUID) -> Sequence[Confirmation]:
        """Give what somebody confirmed, newest first."""
        return await self._confirmed.find(source, self._of, contact=contact)

    async def confirm(self, session: AsyncSession, confirmation: Confirmation) -> bool:
        """Add a confirmation; tell whether it is the first of this version."""
        try:
            async with session.begin_nested():
                await self._confirmed.add(session, confirmation)
        except IntegrityError:
            return False
        return True

    async def owes(self, source: Source, contact: UUID) -> bool:
        """Tell whether there is an undertaking in force that somebody has not confirmed."""
        current = await self.current(source)
        if current is None:
            return False
        return all(each.text_id != current.id for each in await self.confirmations(source, contact))
