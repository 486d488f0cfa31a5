"""The change feed as the composition root sees it."""

from datetime import timedelta

from app.changes.reading import Boxes, ChangeFeed, ClosedRecords
from app.changes.telling import ChangeTelling, SubscriberTeller
from app.contacts.rights import CurrentRights
from app.disclosure.showing import Showing
from app.kit.db import Database
from app.traces.numbering import Sequencer
from app.traces.repository import TraceRepository


class ChangeDesk:
    """Numbers what changed, tells callers and programs, and forgets in time."""

    def __init__(
        self,
        showing: Showing,
        *,
        database: Database,
        contacts: ClosedRecords,
        boxes: Boxes,
        teller: SubscriberTeller,
        kept_days: int,
    ) -> None:
        """Take what desks share, the store, the contacts, what reads traces, who tells programs, and how long the feed is kept."""
        self._database, self._clock, self._kept = database, showing.clock, timedelta(days=kept_days)
        self._traces = TraceRepository()
        self.sequencer = Sequencer(database, showing.clock)
        self.feed = ChangeFeed(
            sequencer=self.sequencer,
            traces=self._traces,
            boxes=boxes,
            contacts=contacts,
            gate=showing.gate,
            rights=CurrentRights(showing.standings),
            reader=showing.reader,
        )
        telling = ChangeTelling(
            teller, sequencer=self.sequencer, traces=self._traces, database=database, clock=showing.clock
        )
        self.sweep = telling.sweep

    async def forget(self) -> int:
        """Delete what is kept no longer; give how many traces went."""
        return await self._traces.forget(self._database, before=self._clock.now() - self._kept)
