"""Calling privileges as the composition root sees them: what routes call, what requests give by, what ends them when somebody leaves."""

from app.calling.reading import PrivilegePages
from app.calling.repository import PrivilegeRepository
from app.calling.service import CallingPrivileges
from app.crypto.rowmac import RowSigner
from app.disclosure.acquaintances import Acquaintances, ClosedContacts
from app.disclosure.showing import Showing


class CallingDesk:
    """Shows, gives and ends."""

    def __init__(self, showing: Showing, *, signer: RowSigner, contacts: ClosedContacts) -> None:
        """Take what desks share, the signer of the table, and where people are found."""
        self.rows = PrivilegeRepository(signer)
        self.service = CallingPrivileges(self.rows, showing.clock)
        people = Acquaintances(contacts, showing.gate)
        self.pages = PrivilegePages(showing, rows=self.rows, service=self.service, people=people)
