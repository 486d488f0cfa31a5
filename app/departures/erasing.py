"""Erasing people whose retention is over: the keys that open what is kept of them are destroyed, and nothing of them is read again.

The time runs by the collection form of their kind, as it stands on the day: a form that is changed moves the day of everybody who is still
in the archive. Each person goes in a transaction of their own, all or nothing, under a certificate; whoever is held stays until nothing
holds them. Cards are walked by id, some at a time, once a day by the company's calendar. It cannot be undone.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

import structlog

from app.approvals.concerning import OpenRequests
from app.attachments.repository import AttachmentRepository
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.audit.note import Signer
from app.auth.forgetting import AccountEraser
from app.contacts.erasing import CardArchive, Kept, lasting
from app.crypto.history_purging import destroy, keys_of
from app.crypto.stored import destroy_key
from app.departures.certificates import Erasure, certified, stated
from app.departures.erasure_rows import ErasureRows
from app.departures.repository import DepartureRepository
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.errors import Problem
from app.kit.models import new_id
from app.kit.query import Source

ERASER: Final = Author(type="system", id="retention")
_FIRST: Final = UUID(int=0)
_PAGE: Final = 500
_AT_ONCE: Final = 50

_log = structlog.get_logger("duanhao.departures")


class Holds(Protocol):
    """Something that is not over: whom it is about is not erased."""

    async def contacts(self, source: Source) -> frozenset[UUID]:
        """Give whom it is about."""
        ...


class Traces(Holds, Protocol):
    """What knows people by their card from above contacts."""

    async def hold(self, unit: UnitOfWork, contact_id: UUID) -> None:
        """Lock what is locked before cards are."""
        ...

    async def forget(self, unit: UnitOfWork, contact_id: UUID) -> None:
        """Know the card no more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Somebody in the archive whose last day is over, and what holds them all the same."""

    contact_id: UUID
    kind: str
    kept_until: date
    held_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Where a person is kept."""

    archive: CardArchive
    departures: DepartureRepository
    requests: OpenRequests
    files: AttachmentRepository
    accounts: AccountEraser


class Eraser:
    """Erases."""

    def __init__(
        self,
        stores: Stores,
        *,
        holds: Mapping[str, Holds],
        signer: Signer,
        database: Database,
        clock: Clock,
        utc_offset: timedelta,
    ) -> None:
        """Take where people are kept, what holds them, by name, the log's signer, store and clock, and where a day begins."""
        self._over, self._rows = stores, ErasureRows()
        self._holds: dict[str, Holds] = dict(holds)
        self._traces: list[Traces] = []
        self._signer, self._database, self._clock, self._utc_offset = signer, database, clock, utc_offset
        self._after, self._walked = _FIRST, date.min

    def complete(self, name: str, traces: Traces) -> None:
        """Take what is made later than this and knows people too."""
        self._holds[name] = traces
        self._traces.append(traces)

    def today(self) -> date:
        """Give the day by the company's calendar."""
        return self._day(self._clock.now())

    async def due(self, on: date, *, after: UUID = _FIRST) -> AsyncIterator[Due]:
        """Walk the archive by id, from after ``after`` on, and name those who are past their last day by the morning of ``on``."""
        reader = self._database.reader
        holding = {name: await each.contacts(reader) for name, each in self._holds.items()}
        while page := await self._over.archive.page(reader, after, limit=_PAGE):
            left = await self._over.departures.last_left(reader, [card.id for card in page])
            for card in page:
                last = lasting(self._over.archive.forms, card, self._day(left.get(card.id, card.archived_at)))
                if last is not None and last < on:
                    by = tuple(name for name, held in holding.items() if card.id in held)
                    yield Due(contact_id=card.id, kind=card.kind, kept_until=last, held_by=by)
            after = page[-1].id

    async def unarchived(self, on: date) -> Sequence[Due]:
        """Name those who are past their last day and still in the directory: no sweep takes them, somebody archives them first."""
        found = await self._over.archive.overdue(self._database.reader, on)
        return [
            Due(contact_id=each.id, kind=each.kind, kept_until=each.retain_until)
            for each in found
            if each.retain_until is not None
        ]

    async def sweep(self) -> int:
        """Go on with today's walk; give how many were erased."""
        today = self.today()
        if self._walked == today:
            return 0
        done = await self.again() if self._after == _FIRST else 0
        async for each in self.due(today, after=self._after):
            self._after = each.contact_id
            done += not each.held_by and await self.erase(each.contact_id)
            if done >= _AT_ONCE:
                return done
        self._after, self._walked = _FIRST, today
        return done

    async def again(self) -> int:
        """Destroy keys that a restored table of keys has brought back; give of how many people."""
        found = await self._rows.back(self._database.reader)
        for each in found:
            async with self._database.unit_of_work() as unit:
                past = await keys_of(unit.session, each.contact_id)
                await destroy(unit.session, [key.handle for key in past], purge=each.id, at=self._clock.now())
                await destroy_key(unit.session, each.contact_id)
                await self._put_on_record(unit, ERASER, each.contact_id, {"erasure": str(each.id), "again": True})
        return len(found)

    async def erase(self, contact_id: UUID, author: Author = ERASER) -> bool:
        """Erase one person, unless they are held, were taken back, or their last day was moved; tell whether it was done."""
        try:
            async with self._database.unit_of_work() as unit:
                return await self._erased(unit, author, contact_id)
        except Problem as problem:
            _log.error("contact_not_erased", contact=str(contact_id), code=problem.code)
            return False

    async def _erased(self, unit: UnitOfWork, author: Author, contact_id: UUID) -> bool:
        session, now, over = unit.session, self._clock.now(), self._over
        for each in self._traces:
            await each.hold(unit, contact_id)
        locked = await over.archive.locked(session, contact_id)
        if locked is None:
            return False
        contact, key = locked
        last = await self._last_day(session, contact_id, Kept(*(getattr(contact, name) for name in _KEPT)))
        if last is None or last >= self._day(now) or await self._is_held(session, contact_id):
            return False
        identity, past = new_id(), await keys_of(session, contact_id)
        statement = stated(identity, contact_id, now, kept_until=last, handle=key.handle, past=past)
        await over.archive.empty(session, contact, at=now)
        await over.accounts.erase(session, contact_id)
        await over.departures.forget(session, contact_id)
        files = await over.files.shred(session, await over.requests.about(session, contact_id))
        for each in self._traces:
            await each.forget(unit, contact_id)
        await destroy(session, [each.handle for each in past], purge=identity, at=now)
        await destroy_key(session, contact_id)
        await self._rows.add(session, Erasure(identity, contact_id, now, certified(self._signer, statement)))
        told = {name: statement[name] for name in ("erasure", "kept_until", "history_keys", "history_root")}
        await self._put_on_record(unit, author, contact_id, {**told, "files": files})
        return True

    async def _put_on_record(self, unit: UnitOfWork, author: Author, contact_id: UUID, told: Mapping[str, Any]) -> None:
        now = self._clock.now()
        await add_intent(unit.session, written(author, "contact.erase", now, contacts=[contact_id], query=dict(told)))

    async def _last_day(self, source: Source, contact_id: UUID, card: Kept) -> date | None:
        """Work out the last day from rows that are believed; ``None`` where a departure is there that is not."""
        newest = await self._over.departures.newest(source, contact_id)
        entered = await self._over.departures.last_left(source, [contact_id])
        if newest is None and entered:
            return None
        left = self._day(card.archived_at if newest is None else newest.left_at)
        return lasting(self._over.archive.forms, card, left)

    async def _is_held(self, source: Source, contact_id: UUID) -> bool:
        found: Sequence[frozenset[UUID]] = [await each.contacts(source) for each in self._holds.values()]
        return any(contact_id in each for each in found)

    def _day(self, at: datetime) -> date:
        return (at + self._utc_offset).date()


_KEPT: Final = ("id", "kind", "created_at", "updated_at", "contract_until", "retain_until")
