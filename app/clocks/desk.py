"""Deadlines as the composition root sees them: what follows events, what routes call, what the worker's rounds do."""

from collections.abc import Mapping
from datetime import timedelta

from app.approvals.resolving import Organisation
from app.clocks.reading import DeadlinePages
from app.clocks.repository import DeadlineRepository
from app.clocks.rules import Kind
from app.clocks.service import Calendar, Clocks
from app.clocks.sweeping import DeadlineSweep
from app.contacts.timeliness import CardUpkeep
from app.crypto.rowmac import RowSigner
from app.deadlines import DeadlinesSettings
from app.disclosure.acquaintances import Acquaintances, ClosedContacts
from app.disclosure.showing import Showing
from app.kit.db import Database
from app.notices.teller import Teller


class ClockDesk:
    """Begins, shows and attends deadlines."""

    def __init__(
        self,
        showing: Showing,
        settings: DeadlinesSettings,
        *,
        signer: RowSigner,
        contacts: ClosedContacts,
        organisation: Organisation,
        calendar: Calendar,
        teller: Teller,
        database: Database,
        clock_here: timedelta,
    ) -> None:
        """Take what desks share, the days, the signer of the table, people and positions, working days, who tells, and the store."""
        days: Mapping[Kind, int] = {
            Kind.JOINER: settings.joiner_days,
            Kind.MOVER: settings.mover_days,
            Kind.LEAVER: settings.leaver_days,
        }
        self.rows, upkeep = DeadlineRepository(signer), CardUpkeep()
        self.service = Clocks(rows=self.rows, upkeep=upkeep, calendar=calendar, clock=showing.clock, days=days)
        people = Acquaintances(contacts, showing.gate)
        self.pages = DeadlinePages(showing, rows=self.rows, people=people, days=days, clock_here=clock_here)
        self._sweep = DeadlineSweep(
            database=database,
            rows=self.rows,
            upkeep=upkeep,
            calendar=calendar,
            organisation=organisation,
            teller=teller,
            clock=showing.clock,
        )

    async def sweep(self) -> int:
        """Do what is due; give how much that was."""
        return await self._sweep.once()
