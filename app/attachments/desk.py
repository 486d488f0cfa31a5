"""Attachments as the composition root sees them: what routes call, and what the worker sweeps."""

from app.approvals.attaching import Attaching
from app.attachments.keeping import AttachmentKeeper
from app.attachments.reading import AttachmentReader
from app.attachments.repository import AttachmentRepository
from app.disclosure.showing import Showing
from app.kit.db import Database
from app.kit.idempotency import Idempotency


class AttachmentDesk:
    """Takes, shows and lets go of files."""

    def __init__(
        self,
        showing: Showing,
        *,
        rows: AttachmentRepository,
        attaching: Attaching,
        database: Database,
        idempotency: Idempotency,
    ) -> None:
        """Take what every look shares, the rows, what puts files to requests, the stores, and what repeats are told."""
        self.rows = rows
        self.reader = AttachmentReader(showing, rows=rows, attaching=attaching)
        self.keeper = AttachmentKeeper(
            rows=rows, attaching=attaching, database=database, idempotency=idempotency, clock=showing.clock
        )

    async def sweep(self) -> int:
        """Let go of files that nobody filed with in time; give of how many."""
        return await self.keeper.sweep()
