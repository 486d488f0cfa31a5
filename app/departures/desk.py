"""Departures as the composition root sees them: what lets people go, what routes call, what the worker's rounds do."""

from app.contacts.repository import ContactRepository
from app.departures.departing import Departing
from app.departures.erasing import Eraser
from app.departures.reading import DeparturePages
from app.departures.undertaking_rows import UndertakingRows
from app.departures.undertakings import Undertakings
from app.disclosure.showing import Showing
from app.kit.idempotency import Idempotency


class DepartureDesk:
    """Lets people go, shows who went, and keeps what they confirm."""

    def __init__(
        self,
        showing: Showing,
        departing: Departing,
        *,
        undertakings: UndertakingRows,
        contacts: ContactRepository,
        idempotency: Idempotency,
        eraser: Eraser,
    ) -> None:
        """Take what desks share, what lets people go, who confirmed what, the cards, what repeats are told, and what erases."""
        self.departing, self.eraser = departing, eraser
        self.undertakings = Undertakings(showing, rows=undertakings, contacts=contacts, idempotency=idempotency)
        self.pages = DeparturePages(showing, rows=departing.book.rows, undertakings=undertakings)

    async def sweep(self) -> int:
        """Take away the cards that are due, and erase who is past retention; give how many that were."""
        return await self.departing.book.sweep() + await self.eraser.sweep()
