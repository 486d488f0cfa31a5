"""The ledger's part in erasing somebody: it waits for events that are still to be applied, and forgets whose card a subject had."""

from uuid import UUID

from app.hr.known import KnownSubjects
from app.hr.repository import HrLedger
from app.kit.db import UnitOfWork
from app.kit.query import Source


class LedgerTraces:
    """Holds and forgets."""

    def __init__(self, ledger: HrLedger, known: KnownSubjects) -> None:
        """Take the ledger, and what is known of subjects."""
        self._ledger, self._known = ledger, known

    async def contacts(self, source: Source) -> frozenset[UUID]:
        """Give whom an event is about that is scheduled or waits: they may come back by it."""
        return await self._ledger.unsettled(source)

    async def hold(self, unit: UnitOfWork, contact_id: UUID) -> None:
        """Lock the subject, before the card, as events do."""
        await self._known.hold(unit, contact_id)

    async def forget(self, unit: UnitOfWork, contact_id: UUID) -> None:
        """Know the subject no more by this card."""
        await self._known.forget(unit, contact_id)
