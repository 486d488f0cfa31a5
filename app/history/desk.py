"""Purges as the composition root sees them: one thing to make, from what it shares."""

from datetime import timedelta

from app.audit.note import Signer
from app.disclosure.showing import Showing
from app.history.reading import PurgePages
from app.history.repository import PurgeRepository
from app.history.service import HistoryPurger, Holds


class HistoryDesk:
    """Purges history, and shows what was purged."""

    def __init__(
        self,
        showing: Showing,
        signer: Signer,
        *,
        kept: int,
        utc_offset: timedelta,
        holds: tuple[Holds, ...],
    ) -> None:
        """Take what every look shares, the log's signer, how many whole quarters stay, where a quarter begins, and who holds what."""
        rows = PurgeRepository()
        self.purger = HistoryPurger(
            rows=rows, signer=signer, holds=holds, kept=kept, utc_offset=utc_offset, clock=showing.clock
        )
        self.pages = PurgePages(showing, rows, signer.verifier())
