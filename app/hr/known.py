"""Subjects of personnel events as the ledger knows them: by a keyed hash, with the id that their card has or is to have.

A subject's row is locked by everything that is done about the subject, so events of one person queue and events of others do not. Its id is
minted when a source first speaks of somebody whom the directory does not know; the key of that id seals what waits, and becomes the key
of the card. A row that somebody edited past us answers as one that is not there: nothing is taken about that subject until it is mended.
"""

import hmac
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.contacts.repository import ContactRepository
from app.crypto.datakey import WrappedDataKey
from app.crypto.rowmac import RowSigner
from app.crypto.rows import Rows
from app.crypto.sealer import Sealer
from app.crypto.stored import ensure_key, found_key, stored_key
from app.hr.models import HrSubject
from app.hr.ordering import Place, Standing, Subject
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.kit.models import new_id

SUBJECTS: Final = HrSubject.__tablename__
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class LedgerKeys:
    """Keys of the ledger's hashes, from the keyring: one for subjects, one for bodies."""

    subject: bytes
    body: bytes

    def of_subject(self, subject: str) -> bytes:
        """Hash an employee number or a department's code."""
        return hmac.digest(self.subject, subject.encode(), "sha256")

    def of_body(self, body: bytes) -> bytes:
        """Hash an event as ``HrEventIn.canonical`` writes it."""
        return hmac.digest(self.body, body, "sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A subject: ``id`` is the contact's, or, ``minted``, that of the card that is not there yet; the rest is JSON."""

    subject_hash: bytes
    id: UUID
    minted: bool
    sequences: str = "{}"
    writers: str = "{}"

    def last(self, source: str) -> int | None:
        """Give the sequence up to which a source's events have come."""
        found: int | None = orjson.loads(self.sequences).get(source)
        return found

    def at(self, source: str, sequence: int) -> "Known":
        """Give the subject once a source's events have come to ``sequence``, or further."""
        sequences = orjson.loads(self.sequences)
        sequences[source] = max(sequence, sequences.get(source, 0))
        return replace(self, sequences=_written(sequences))

    def subject(self, standing: Standing) -> Subject:
        """Give the subject as order is judged by."""
        writers = orjson.loads(self.writers)
        return Subject(standing, {name: _place(*each) for name, each in writers.items()})

    def wrote(self, subject: Subject, contact_id: UUID) -> "Known":
        """Give the subject with the card that it has now, and who wrote what last."""
        writers = {name: [_micros(each.at), each.source, each.sequence] for name, each in subject.writers.items()}
        return replace(self, id=contact_id, minted=False, writers=_written(writers))


def rows_of(signer: RowSigner) -> Rows[Known]:
    """Give the table as values."""
    return Rows(HrSubject, Known, signer, key=("id",))


class KnownSubjects:
    """Rows of ``hr_subject``, and the keys that go with them."""

    def __init__(
        self, *, contacts: ContactRepository, sealer: Sealer, signer: RowSigner, keys: LedgerKeys, clock: Clock
    ) -> None:
        """Take where contacts are found, what makes keys, the signer of the table, the keys of hashes, and the clock."""
        self._contacts, self._sealer, self._rows = contacts, sealer, rows_of(signer)
        self._keys, self._clock = keys, clock

    async def locked(self, unit: UnitOfWork, subject: str, *, person: bool = True) -> Known:
        """Give the subject of an employee number, or of a department's code, as its own until the transaction ends.

        Raises ``NotFound`` for a row that was edited past us.
        """
        digest = self._keys.of_subject(subject if person else f"department:{subject}")
        found = await self._one(unit.session, digest)
        if found is not None and not (found.minted and person):
            return found
        contact = await self._contacts.by_employee_no(unit.session, subject) if person else None
        if found is not None:
            return found if contact is None else replace(found, id=contact, minted=False)
        new = Known(subject_hash=digest, id=contact or new_id(), minted=contact is None)
        try:
            async with unit.session.begin_nested():
                await self._rows.add(unit.session, new)
        except IntegrityError:
            found = await self._one(unit.session, digest)
        else:
            found = new
        if found is None:
            raise NotFound
        return found

    async def of_hash(self, unit: UnitOfWork, digest: bytes) -> Known | None:
        """Give the subject of a ledger row as one's own; ``None`` for a department's."""
        return await self._one(unit.session, digest)

    async def put(self, session: AsyncSession, known: Known) -> None:
        """Write a subject that is ``locked``."""
        named = self._rows.table.c.subject_hash == known.subject_hash
        await session.execute(self._rows.table.update().where(named).values(**self._rows.written(known)))

    async def key(self, session: AsyncSession, known: Known) -> WrappedDataKey:
        """Give the key of the subject's card, made now where there is none yet."""
        await ensure_key(session, self._sealer, known.id, at=self._clock.now())
        return await stored_key(session, known.id)

    async def found_key(self, session: AsyncSession, known: Known) -> WrappedDataKey | None:
        """Give the key that was made for a card beforehand, if one was."""
        return await found_key(session, known.id) if known.minted else None

    async def hold(self, unit: UnitOfWork, contact_id: UUID) -> None:
        """Lock the subject whose card this is, so that no event about them is applied meanwhile."""
        await self._rows.locked(unit.session, self._rows.table.c.id == contact_id)

    async def forget(self, unit: UnitOfWork, contact_id: UUID) -> None:
        """Know a subject no more by the card that it had: what comes of it from now on is heard of somebody who has none yet."""
        found = await self._rows.locked(unit.session, self._rows.table.c.id == contact_id)
        for each in found:
            await self.put(unit.session, replace(each, id=new_id(), minted=True, writers="{}"))

    async def _one(self, session: AsyncSession, digest: bytes) -> Known | None:
        column = self._rows.table.c.subject_hash
        rows = (await session.execute(self._rows.select(column == digest).with_for_update())).all()
        found = self._rows.read([tuple(row) for row in rows])
        if rows and not found:
            raise NotFound
        return found[0] if found else None


def _place(micros: int, source: str, sequence: int | None) -> Place:
    return Place(_EPOCH + micros * _MICROSECOND, source, sequence)


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _written(document: object) -> str:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()
