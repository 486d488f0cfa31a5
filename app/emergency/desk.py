"""Emergencies as the composition root sees them: what routes call, what standings read, what the worker sweeps."""

from datetime import timedelta

from app.audit.repository import AccessLogRepository
from app.auth.repository import AccountRepository
from app.contacts.repository import ContactRepository
from app.crypto.rowmac import RowSigner
from app.crypto.sealer import Sealer
from app.disclosure.fields import Catalogue
from app.disclosure.showing import Showing
from app.emergency.appointments import Appointments
from app.emergency.days import Calendars, Weekdays
from app.emergency.reading import EmergencyPages
from app.emergency.repository import EmergencyRepository
from app.emergency.reviewing import EmergencyReviews
from app.emergency.sessions import EmergencySessions
from app.emergency.sheet_desk import SheetDesk
from app.emergency.sheet_repository import SheetRepository
from app.emergency.sheets import SheetMaker, reachable
from app.emergency.sweeping import EmergencySweep
from app.emergency.telling import OnRecord, Teller
from app.kit.db import Database
from app.kit.idempotency import Idempotency


class EmergencyDesk:
    """Appoints, opens, shows, judges, ends, and keeps the sheets."""

    def __init__(
        self,
        showing: Showing,
        *,
        rows: EmergencyRepository,
        signer: RowSigner,
        database: Database,
        accounts: AccountRepository,
        contacts: ContactRepository,
        events: AccessLogRepository,
        sealer: Sealer,
        catalogue: Catalogue,
        idempotency: Idempotency,
        clock_here: timedelta,
        calendars: Calendars | None = None,
        teller: Teller | None = None,
    ) -> None:
        """Take what desks share, the rows that standings read too, the stores, the fields, working days, and who tells others."""
        told, clock = teller or OnRecord(), showing.clock
        sheets = SheetRepository(signer)
        self.sessions = EmergencySessions(
            rows=rows,
            accounts=accounts,
            sealer=sealer,
            calendars=calendars or Weekdays(),
            teller=told,
            idempotency=idempotency,
            clock=clock,
        )
        self.reviews = EmergencyReviews(rows=rows, sessions=self.sessions, teller=told, clock=clock)
        self.pages = EmergencyPages(showing, rows=rows, contacts=contacts)
        self.appointments = Appointments(showing, rows=rows, sessions=self.sessions, contacts=contacts)
        self.sheets = SheetDesk(showing, rows=rows, sheets=sheets, sessions=self.sessions, teller=told)
        self.maker = SheetMaker(
            showing,
            database=database,
            rows=rows,
            sheets=sheets,
            accounts=accounts,
            contacts=contacts,
            reachable=reachable(catalogue.classes),
            clock_here=clock_here,
        )
        self._sweep = EmergencySweep(
            database=database,
            rows=rows,
            sessions=self.sessions,
            sheets=self.maker,
            events=events,
            teller=told,
            clock=clock,
        )

    async def sweep(self) -> int:
        """Do what is due about sessions and sheets; give how much that was."""
        return await self._sweep.once()
