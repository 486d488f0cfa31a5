"""Departures that no source sends as an event, but a provisioning client causes: entered in the ledger as what they were applied as.

So they are counted with those of events, sender by sender, and whoever keeps the ledger reads them there.
"""

from uuid import UUID

from app.hr.fusing import LeaverFuse
from app.hr.known import LedgerKeys
from app.hr.models import HrEvent
from app.hr.repository import HrLedger
from app.hr.schemas import HrEventIn
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.models import new_id
from app.permissions.standing import Viewer


class Leavers:
    """Enters departures."""

    def __init__(self, *, ledger: HrLedger, keys: LedgerKeys, fuse: LeaverFuse, clock: Clock) -> None:
        """Take the ledger and the keys of its hashes, what counts leavers, and the clock."""
        self._ledger, self._keys, self._clock = ledger, keys, clock
        self.fuse = fuse

    async def enter(self, viewer: Viewer, unit: UnitOfWork, event: HrEventIn, contact_id: UUID) -> None:
        """Enter a departure that this transaction applied, under an id that nobody has used; tell of a day on which they are many."""
        row = HrEvent(
            id=new_id(),
            source=event.source,
            event_id=event.id,
            client_id=viewer.standing.client_id,
            type=event.type,
            subject_hash=self._keys.of_subject(event.subject),
            body_hash=self._keys.of_body(event.canonical()),
            at=event.time,
            placed_at=event.time,
            received_at=self._clock.now(),
            state="applied",
            contact_id=contact_id,
        )
        await self._ledger.enter(unit.session, row)
        await self.fuse.watch(unit.session, viewer)
