"""All queries on attachments, the MACs that make their rows believable, the boxes of their names, and their sealed pieces.

Nothing here commits, or opens content. A row edited past us is reported and is not there.
"""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from typing import Any, Final, cast
from uuid import UUID

import structlog
from sqlalchemy import Table, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.attachments.attachment import Stored
from app.attachments.kinds import FileType
from app.attachments.models import Attachment, AttachmentChunk
from app.crypto.chunks import chunks_of
from app.crypto.datakey import WrappedDataKey
from app.crypto.rowmac import RowSigner
from app.crypto.sealer import Sealer
from app.crypto.secretbox import SecretBox
from app.crypto.stored import KEY_OF, add_key, drop_keys
from app.kit.models import Id, Instant
from app.kit.query import Query, Source

CONTENT: Final = "attachment"
"""The logical name under which pieces are sealed, and which a permit names."""

_TABLE: Final = "attachment"
_ROWS: Final = cast("Table", Attachment.__table__)
_CHUNKS: Final = cast("Table", AttachmentChunk.__table__)
_COLUMNS: Final[tuple[Any, ...]] = (
    Attachment.id,
    Attachment.request_id,
    Attachment.owner_id,
    Attachment.name,
    Attachment.media_type,
    Attachment.size,
    Attachment.digest,
    Attachment.uploaded_at,
    Attachment.expires_at,
    Attachment.mac,
)
_OF_REQUEST: Final = Query(
    select(*_COLUMNS).where(Attachment.request_id == bindparam("request", type_=Id())).order_by(Attachment.id)
)
_STAGED: Final = Query(
    select(*_COLUMNS)
    .where(
        Attachment.owner_id == bindparam("owner", type_=Id()),
        Attachment.request_id.is_(None),
        Attachment.expires_at > bindparam("now", type_=Instant()),
    )
    .order_by(Attachment.id)
)
_PIECES: Final = Query(
    select(AttachmentChunk.place, AttachmentChunk.sealed)
    .where(AttachmentChunk.attachment_id == bindparam("attachment", type_=Id()))
    .order_by(AttachmentChunk.place)
)
_KEY: Final = Query(KEY_OF)

_log = structlog.get_logger("duanhao.security")


class AttachmentRepository:
    """Rows of attachments."""

    def __init__(self, signer: RowSigner, box: SecretBox, digests: bytes, sealer: Sealer) -> None:
        """Take the signer of these rows, the box of names, the key of digests, and what makes the key of each file."""
        self._signer, self._box, self._digests, self._sealer = signer, box, digests, sealer

    def digest(self, identity: UUID, content: BytesIO) -> bytes:
        """Give the 32 bytes that stand for exactly this file under this id; equal files have different ones."""
        made = hmac.new(self._digests, identity.bytes, "sha256")
        with content.getbuffer() as view:
            made.update(view)
        return made.digest()

    async def add(self, session: AsyncSession, stored: Stored, content: BytesIO) -> None:
        """Write a file: its row, its own new key, its pieces, sealed one after the other."""
        await session.execute(insert(_ROWS).values(**self._values(stored)))
        sealer, wrapped = self._sealer.new(stored.id)
        add_key(session, stored.id, wrapped, at=stored.at)
        await session.flush()
        with content.getbuffer() as view:
            for place, sealed in enumerate(sealer.seal_file(CONTENT, view)):
                await session.execute(insert(_CHUNKS).values(attachment_id=stored.id, place=place, sealed=sealed))

    async def of(self, source: Source, request: UUID) -> dict[UUID, Stored]:
        """Load the attachments of a request, by id."""
        return self._genuine(await _OF_REQUEST.rows(source, request=request))

    async def staged(self, source: Source, owner: UUID, now: datetime) -> dict[UUID, Stored]:
        """Load what somebody may still file with, by id."""
        return self._genuine(await _STAGED.rows(source, owner=owner, now=now))

    async def pieces(self, source: Source, stored: Stored) -> tuple[WrappedDataKey, list[bytes]] | None:
        """Load a file, closed; ``None``, reported, unless all its pieces and its key are there."""
        rows, keys = await _PIECES.rows(source, attachment=stored.id), await _KEY.rows(source, subject=stored.id)
        whole = [place for place, _ in rows] == list(range(chunks_of(stored.size)))
        if not whole or not keys:
            _log.error("attachment_incomplete", row=str(stored.id))
            return None
        return WrappedDataKey(*keys[0]), [bytes(sealed) for _, sealed in rows]

    async def hold(self, session: AsyncSession, owner: UUID) -> None:
        """Let nobody else stage or file with what is somebody's until this transaction ends. On SQLite nobody else writes anyway."""
        if session.get_bind().dialect.name == "postgresql":
            number = int.from_bytes(owner.bytes[-8:], signed=True)
            await session.execute(select(func.pg_advisory_xact_lock(number)))

    async def bind(self, session: AsyncSession, identities: Sequence[UUID], request: UUID) -> bool:
        """Give staged files, held, to a request; tell whether all of them were still there."""
        waiting = (_ROWS.c.id.in_(list(identities)), _ROWS.c.request_id.is_(None))
        found = self._genuine(await Query(select(*_COLUMNS).where(*waiting)).rows(session)) if identities else {}
        bound = 0
        for each in found.values():
            values = self._values(replace(each, request=request, until=None))
            done = await session.execute(
                update(_ROWS)
                .where(_ROWS.c.id == each.id, _ROWS.c.request_id.is_(None))
                .values(**values)
                .returning(_ROWS.c.id)
            )
            bound += len(done.all())
        return bound == len(identities)

    async def drop(self, session: AsyncSession, identities: Sequence[UUID]) -> None:
        """Delete files that no request has: pieces, rows, and the keys without which no copy opens."""
        await session.execute(delete(_CHUNKS).where(_CHUNKS.c.attachment_id.in_(identities)))
        await session.execute(delete(_ROWS).where(_ROWS.c.id.in_(identities), _ROWS.c.request_id.is_(None)))
        await drop_keys(session, identities)

    async def shred(self, session: AsyncSession, requests: Sequence[UUID]) -> int:
        """Delete the content, and the keys, of the files of requests; that there were such files stays. Tell how many they were."""
        files = list(await session.scalars(select(_ROWS.c.id).where(_ROWS.c.request_id.in_(requests))))
        if files:
            await session.execute(delete(_CHUNKS).where(_CHUNKS.c.attachment_id.in_(files)))
            await drop_keys(session, files)
        return len(files)

    async def past(self, session: AsyncSession, now: datetime, most: int) -> list[UUID]:
        """List files that nobody filed with in time; what another process deletes is left out."""
        statement = (
            select(Attachment.id)
            .where(Attachment.request_id.is_(None), Attachment.expires_at <= now)
            .order_by(Attachment.expires_at)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        return list(await session.scalars(statement))

    def _values(self, stored: Stored) -> dict[str, Any]:
        values = {
            "id": stored.id,
            "request_id": stored.request,
            "owner_id": stored.owner,
            "name": self._box.close(stored.id.bytes, stored.name.encode()),
            "media_type": stored.type.value,
            "size": stored.size,
            "digest": stored.digest,
            "uploaded_at": stored.at,
            "expires_at": stored.until,
        }
        return {**values, "mac": self._signer.sign(_TABLE, tuple(values.values()))}

    def _genuine(self, rows: Iterable[Sequence[Any]]) -> dict[UUID, Stored]:
        found = {}
        for *values, mac in rows:
            identity, request, owner, name, media_type, size, digest, at, until = values
            if not self._signer.verify(_TABLE, tuple(values), mac):
                _log.error("row_mac_mismatch", table=_TABLE, row=str(identity))
                continue
            found[identity] = Stored(
                id=identity,
                request=request,
                owner=owner,
                name=self._box.open(identity.bytes, name).decode(),
                type=FileType(media_type),
                size=size,
                digest=bytes(digest),
                at=at,
                until=until,
            )
        return found
