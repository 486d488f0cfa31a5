"""From the business store into the log: what a write promised in its own transaction becomes an event, exactly once.

A write and its ``audit_intent`` row commit together. The mover brings rows into the log in the order of their
sequence and deletes them when they are durable there. Killed in between, it finds the same rows again, and the log
answers each id that it already has with the index it has; two movers at once do the same work twice and write it
once. A row that is no event, or that the log can never take, stays where it is, is reported, and holds up nobody.
"""

from collections.abc import Iterable
from typing import Any, Final, cast

import structlog
from sqlalchemy import Table, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.events import EventDraft, EventMalformed, FieldBits, encode_event
from app.audit.models import AuditIntent
from app.audit.stores import Entry, entry_from
from app.audit.writer import AccessLog
from app.kit.db import Database
from app.kit.straight import Straight, Writes

_BATCH: Final = 256
_INTENTS: Final = cast("Table", AuditIntent.__table__)
_ADD: Final = Straight(insert(_INTENTS).inline(), columns=("id", "at", "payload"))

_log = structlog.get_logger("duanhao.audit")


async def add_intent(session: AsyncSession, draft: EventDraft) -> None:
    """Put the event of a write beside it, in its transaction; raise ``EventMalformed`` when it cannot be evidence."""
    await add_intents(session, [draft])


async def add_intents(session: AsyncSession, drafts: Iterable[EventDraft]) -> None:
    """Put the events of several writes beside them, in this order; raise as ``add_intent`` does."""
    await _ADD.each(session, [{"id": draft.id, "at": draft.at, "payload": encode_event(draft)} for draft in drafts])


def gather_intent(writes: Writes, draft: EventDraft) -> None:
    """Put the event of a write among ``writes``; raise as ``add_intent`` does."""
    writes.add(_ADD, {"id": draft.id, "at": draft.at, "payload": encode_event(draft)})


class IntentMover:
    """Moves intents; any number of processes may run one."""

    def __init__(self, database: Database, log: AccessLog, bits: FieldBits) -> None:
        """Take the business store to read from, and a started log to write to."""
        self._database, self._log, self._bits = database, log, bits
        self._stuck: set[int] = set()

    async def move_once(self, limit: int = _BATCH) -> int:
        """Move at most ``limit`` intents, oldest first, and tell how many.

        Raises ``LogUnavailable`` when the log cannot take them. No transaction is open while the log is awaited.
        """
        rows = await self._oldest(limit)
        entries: list[tuple[int, Entry]] = []
        for seq, payload in rows:
            try:
                entries.append((seq, entry_from(payload, self._bits)))
            except EventMalformed as error:
                self._report(seq, str(error))
        indexes = await self._log.replay([entry for _, entry in entries])
        moved = []
        for (seq, _), index in zip(entries, indexes, strict=True):
            if index is None:
                self._report(seq, "the log cannot take it")
            else:
                moved.append(seq)
        if moved:
            async with self._database.session() as session, session.begin():
                await session.execute(delete(AuditIntent).where(AuditIntent.seq.in_(moved)))
        return len(moved)

    async def move_all(self) -> int:
        """Move until nothing is left that can be moved."""
        total = 0
        while moved := await self.move_once():
            total += moved
        return total

    async def _oldest(self, limit: int) -> list[Any]:
        statement = select(AuditIntent.seq, AuditIntent.payload).order_by(AuditIntent.seq).limit(limit)
        if self._stuck:
            statement = statement.where(AuditIntent.seq.not_in(self._stuck))
        async with self._database.session() as session:
            return list((await session.execute(statement)).all())

    def _report(self, seq: int, reason: str) -> None:
        self._stuck.add(seq)
        _log.critical("intent_stuck", seq=seq, reason=reason)
