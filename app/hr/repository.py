"""All queries on the ledger. Nothing here commits."""

from typing import Any, Final

from sqlalchemy import Select, bindparam, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import Query, Source
from app.hr.models import HrEvent
from app.kit.db import Row

_OWN: Final[Select[Any]] = select(
    HrEvent.event_id, HrEvent.state, HrEvent.contact_id, HrEvent.problem, HrEvent.source
).where(HrEvent.event_id == bindparam("event_id"), HrEvent.client_id == bindparam("client_id"))
_BY_ID: Final = Query(_OWN.order_by(HrEvent.source).limit(2))


class HrLedger:
    """Rows of ``hr_event``."""

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
        """Find the events of one id that ``client_id`` sent, at most two: id, state, contact, problem, source."""
        return list(await _BY_ID.rows(source, event_id=event_id, client_id=client_id))

    async def of_source(self, source: Source, client_id: str, event_id: str, named: str) -> list[Row]:
        """Find the event of one id and one source that ``client_id`` sent."""
        return list(await _BY_SOURCE.rows(source, event_id=event_id, client_id=client_id, source_name=named))


_BY_SOURCE: Final = Query(_OWN.where(HrEvent.source == bindparam("source_name")))
