"""All queries on the ledger. Nothing here commits."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import Query, Source
from app.hr.models import HrEvent
from app.kit.db import Reader, Row

_TOLD: Final = select(
    HrEvent.id,
    HrEvent.event_id,
    HrEvent.source,
    HrEvent.type,
    HrEvent.at,
    HrEvent.sequence,
    HrEvent.received_at,
    HrEvent.state,
    HrEvent.contact_id,
    HrEvent.problem,
    HrEvent.numbers,
)
_OWN: Final = _TOLD.where(HrEvent.event_id == bindparam("event_id"), HrEvent.client_id == bindparam("client_id"))
_BY_ID: Final = Query(_OWN.order_by(HrEvent.source).limit(2))
_BY_SOURCE: Final = Query(_OWN.where(HrEvent.source == bindparam("source_name")))


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCriteria:
    """Which events of a sender are looked for; every member that is given narrows."""

    state: str | None = None
    type: str | None = None
    source: str | None = None
    subject_hash: bytes | None = None


class HrLedger:
    """Rows of ``hr_event``.

    What is told of a row: id, event id, source, type, time, sequence, time of receipt, state, contact, problem, numbers; never the payload.
    """

    async def claim(self, session: AsyncSession, row: HrEvent) -> HrEvent | None:
        """Enter a new event; when its source has used the id, enter nothing and give the row that has it.

        Of two transactions that enter the same event the second waits here until the first has ended.
        """
        try:
            async with session.begin_nested():
                session.add(row)
        except IntegrityError:
            known = await session.scalar(
                select(HrEvent).where(HrEvent.source == row.source, HrEvent.event_id == row.event_id)
            )
            if known is None:
                raise
            return known
        return None

    async def own(self, source: Source, client_id: str, event_id: str) -> list[Row]:
        """Find the events of one id that ``client_id`` sent, at most two."""
        return list(await _BY_ID.rows(source, event_id=event_id, client_id=client_id))

    async def of_source(self, source: Source, client_id: str, event_id: str, named: str) -> list[Row]:
        """Find the event of one id and one source that ``client_id`` sent."""
        return list(await _BY_SOURCE.rows(source, event_id=event_id, client_id=client_id, source_name=named))

    async def page(
        self, reader: Reader, client_id: str, criteria: LedgerCriteria, *, before: UUID | None, limit: int
    ) -> list[Row]:
        """List what ``client_id`` sent, newest first, from ``before`` (the id of a row) on."""
        conditions: list[ColumnElement[bool]] = [HrEvent.client_id == client_id]
        if criteria.state is not None:
            conditions.append(HrEvent.state == criteria.state)
        if criteria.type is not None:
            conditions.append(HrEvent.type == criteria.type)
        if criteria.source is not None:
            conditions.append(HrEvent.source == criteria.source)
        if criteria.subject_hash is not None:
            conditions.append(HrEvent.subject_hash == criteria.subject_hash)
        if before is not None:
            conditions.append(HrEvent.id < before)
        statement = _TOLD.where(*conditions).order_by(HrEvent.id.desc()).limit(limit)
        return await reader.fetch(reader.prepare(statement))
