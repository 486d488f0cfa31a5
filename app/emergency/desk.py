"""Emergencies as the composition root sees them: what routes call, what standings read, what the worker sweeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from app.approvals.resolving import Persons
from app.audit.repository import AccessLogRepository
from app.auth.repository import AccountRepository
from app.contacts.repository import ContactRepository
from app.crypto.rowmac import RowSigner
from app.crypto.sealer import Sealer
from app.disclosure.showing import Showing
from app.emergency.appointments import Appointments
from app.emergency.days import Calendars
from app.emergency.parting import EmergencyParting
from app.emergency.parts import Parts
from app.emergency.reading import EmergencyPages
from app.emergency.repository import EmergencyRepository
from app.emergency.reviewing import EmergencyReviews
from app.emergency.sessions import EmergencySessions
from app.emergency.sheet_desk import SheetDesk
from app.emergency.sheet_repository import SheetRepository
from app.emergency.sheets import SheetMaker, reachable
from app.emergency.sweeping import EmergencySweep
from app.kit.db import Database
from app.kit.idempotency import Idempotency
from app.notices.teller import Teller
from app.permissions.outcomes import FieldClass


@dataclass(frozen=True, slots=True)
class Stores:
    """What emergencies read and write beside their own rows, and what makes a repeat harmless."""

    database: Database
    accounts: AccountRepository
    contacts: ContactRepository
    events: AccessLogRepository
    sealer: Sealer
    idempotency: Idempotency


class EmergencyDesk:
    """Appoints, opens, shows, judges, ends, and keeps the sheets."""

    def __init__(
        self,
        showing: Showing,
        signer: RowSigner,
        stores: Stores,
        *,
        classes: Mapping[str, FieldClass],
        clock_here: timedelta,
        calendars: Calendars,
        teller: Teller,
        persons: Persons,
    ) -> None:
        """Take what desks share, the signer, the stores, the fields' classes, the company's day and calendar, who tells, and who is who."""
        rows, told, clock = EmergencyRepository(signer), teller, showing.clock
        self.rows = rows
        accounts, contacts, database = stores.accounts, stores.contacts, stores.database
        sheets, parts = SheetRepository(signer), Parts(persons)
        self.sessions = EmergencySessions(
            rows=rows,
            accounts=accounts,
            sealer=stores.sealer,
            calendars=calendars,
            teller=told,
            parts=parts,
            idempotency=stores.idempotency,
            clock=clock,
        )
        self.reviews = EmergencyReviews(rows=rows, sessions=self.sessions, teller=told, parts=parts, clock=clock)
        self.pages = EmergencyPages(showing, rows=rows, contacts=contacts)
        self.appointments = Appointments(showing, rows=rows, sessions=self.sessions, contacts=contacts, parts=parts)
        self.sheets = SheetDesk(showing, rows=rows, sheets=sheets, sessions=self.sessions, teller=told)
        self.maker = SheetMaker(
            showing,
            database=database,
            rows=rows,
            sheets=sheets,
            accounts=accounts,
            contacts=contacts,
            reachable=reachable(classes),
            clock_here=clock_here,
        )
        self.parting = EmergencyParting(rows=rows, sessions=self.sessions, clock=clock)
        self._sweep = EmergencySweep(
            database=database,
            rows=rows,
            sessions=self.sessions,
            sheets=self.maker,
            events=stores.events,
            calendars=calendars,
            teller=told,
            clock=clock,
        )

    async def sweep(self) -> int:
        """Do what is due about sessions and sheets; give how much that was."""
        return await self._sweep.once()
