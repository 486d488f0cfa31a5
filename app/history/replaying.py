"""Certificates with their keys, as one line each, and destroying again what a restored backup has brought back.

A backup from before a purge still holds the wrapped keys. Whoever restores it holds the lines that were written after the purge against it:
what a certificate states is destroyed again, and what the backup never knew is noted as destroyed, so that everything is as certified.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.note import Verifier
from app.crypto.history_purging import KeptKey, destroy, destroyed_keys, note_destroyed
from app.history.errors import CertificateInvalid
from app.history.repository import Purge, PurgeRepository
from app.history.rules import Tally, opened
from app.kit.query import Source

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Replayed:
    """One certificate, held against the store: its keys, how many of them were back, and how many the store had never known."""

    id: UUID
    keys: int
    destroyed: int
    unknown: int


@dataclass(frozen=True, slots=True)
class _Read:
    id: UUID
    at: datetime
    note: str
    keys: Sequence[KeptKey]


async def lines(source: Source, rows: PurgeRepository) -> AsyncIterator[bytes]:
    """Write every purge, newest first, as one line of JSON: its note, and its keys as handle, contact and quarter."""
    before: tuple[datetime, UUID] | None = None
    while page := await rows.page(source, before, limit=_PAGE):
        for purge in page:
            keys, after = list[Any](), b""
            while some := await destroyed_keys(source, purge.id, after=after):
                keys += [[each.handle.hex(), str(each.subject), each.quarter] for each in some]
                after = some[-1].handle
            yield orjson.dumps({"note": purge.note, "keys": keys}) + b"\n"
        before = (page[-1].at, page[-1].id)


async def destroyed_again(
    session: AsyncSession, rows: PurgeRepository, verifiers: Sequence[Verifier], line: bytes
) -> Replayed:
    """Destroy what a line of ``lines`` states, in the caller's transaction; raise ``CertificateInvalid`` for any other line."""
    read = _read(verifiers, line)
    if await rows.one(session, read.id) is None:
        await rows.add(session, Purge(read.id, read.at, read.note))
    destroyed = await destroy(session, [each.handle for each in read.keys], purge=read.id, at=read.at)
    unknown = await note_destroyed(session, read.keys, purge=read.id, at=read.at)
    return Replayed(read.id, len(read.keys), destroyed, unknown)


def _read(verifiers: Sequence[Verifier], line: bytes) -> _Read:
    try:
        given = orjson.loads(line)
        note: str = given["note"]
        keys = [KeptKey(bytes.fromhex(handle), UUID(whose), int(quarter)) for handle, whose, quarter in given["keys"]]
        statement = opened(verifiers, note)
        if statement is None:
            raise CertificateInvalid
        identity, at = UUID(statement["request"]), datetime.fromisoformat(statement["at"])
    except (ValueError, TypeError, KeyError) as error:
        raise CertificateInvalid from error
    tally = Tally.of(keys)
    if (tally.root, tally.tree.size) != (statement["root"], statement["keys"]):
        raise CertificateInvalid
    return _Read(identity, at, note, keys)
