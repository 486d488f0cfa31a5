"""Provisions as the composition root sees them: what routes call, what approved requests do, what the worker sweeps."""

from collections.abc import Callable

from app.contacts.repository import ContactRepository
from app.crypto.rowmac import RowSigner
from app.crypto.secretbox import SecretBox
from app.disclosure.showing import Showing
from app.kit.db import Database
from app.permissions.marks import MarkRepository
from app.provisions.keeping import Accounts, OverdueMarks, Persons, ReturnKeeper
from app.provisions.packaging import PackageMaker
from app.provisions.reading import ProvisionPages
from app.provisions.repository import PROVISION, ProvisionRepository
from app.provisions.service import Calendars, Provisions
from app.provisions.sweeping import ProvisionSweep
from app.provisions.telling import Notices, ProvisionTeller


class ProvisionDesk:
    """Begins, packages, shows, takes back and ends provisions."""

    def __init__(
        self,
        showing: Showing,
        key: Callable[[str], bytes],
        *,
        database: Database,
        contacts: ContactRepository,
        accounts: Accounts,
        marks: MarkRepository,
        persons: Persons,
        calendars: Calendars,
        notices: Notices,
    ) -> None:
        """Take what every look shares, the keys, the store, who people are and what they carry, working days, and who tells others."""
        self.rows = rows = ProvisionRepository(RowSigner(key(PROVISION)), SecretBox(key(f"{PROVISION}-box")))
        clock, teller = showing.clock, ProvisionTeller(notices)
        overdue = OverdueMarks(accounts=accounts, marks=marks, clock=clock)
        self.service = Provisions(rows=rows, calendars=calendars, teller=teller, clock=clock)
        self.packages = PackageMaker(showing, rows=rows, contacts=contacts, database=database, teller=teller)
        self.returns = ReturnKeeper(rows=rows, marks=overdue, persons=persons, teller=teller, clock=clock)
        self.pages = ProvisionPages(showing, rows=rows, contacts=contacts)
        self._sweep = ProvisionSweep(database=database, rows=rows, marks=overdue, teller=teller, clock=clock)

    async def sweep(self) -> int:
        """Do what is due; give with how many provisions something was done."""
        return await self._sweep.once()
