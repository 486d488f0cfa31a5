"""Delegations and natural persons as the composition root sees them: what routes, commands, personnel events and the engine call."""

from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from app.approvals.chains import Chains
from app.approvals.delegation_keeping import DelegationKeeper
from app.approvals.delegation_reading import DelegationPages
from app.approvals.delegation_repository import DelegationRepository
from app.approvals.delegations import Delegations, DelegationTeller
from app.approvals.parties import Parties, PartyAccounts, PartyMarks
from app.approvals.persons import Persons
from app.crypto.rowmac import RowSigner
from app.disclosure.acquaintances import Acquaintances, ClosedContacts
from app.disclosure.showing import Showing
from app.kit.db import Database
from app.kit.idempotency import Idempotency
from app.permissions.parts import ContactFacts


class PartyContacts(ClosedContacts, ContactFacts, Protocol):
    """Where people are read, closed and as standings read them."""


class DelegationDesk:
    """Shows, takes and ends; knows who decides for whom, and who is one person."""

    def __init__(
        self,
        showing: Showing,
        *,
        key: Callable[[str], bytes],
        contacts: PartyContacts,
        accounts: PartyAccounts,
        marks: PartyMarks,
        chains: Chains,
        database: Database,
        idempotency: Idempotency,
        longest_days: int,
        teller: DelegationTeller,
    ) -> None:
        """Take what shows, the keys by name, people with accounts and marks, the kinds of requests, the store, and how long one can be."""
        rows = DelegationRepository(RowSigner(key("delegation")))
        people = Acquaintances(contacts, showing.gate)
        self.rows = rows
        self.persons = Persons(RowSigner(key("person_link")), showing.clock)
        self.service = Delegations(
            rows=rows,
            parties=Parties(contacts=contacts, accounts=accounts, marks=marks),
            persons=self.persons,
            teller=teller,
            database=database,
            clock=showing.clock,
        )
        self.pages = DelegationPages(rows=rows, people=people, showing=showing)
        self.keeper = DelegationKeeper(
            service=self.service,
            rows=rows,
            people=people,
            contacts=contacts,
            chains=chains,
            reader=showing.reader,
            idempotency=idempotency,
            clock=showing.clock,
            longest=timedelta(days=longest_days),
        )

    async def sweep(self) -> int:
        """End what has a side that is not there any more, or not trusted; give how many ended."""
        return await self.service.sweep()
