"""Custody as the composition root sees it: what commands call, what somebody's leaving calls, what the worker's rounds do."""

from typing import Final, Protocol
from uuid import UUID

from app.approvals.delegations import Delegations
from app.approvals.resolving import Organisation, Persons
from app.audit.authors import Author
from app.auth.accounts import UserAccounts
from app.auth.clients import Clients
from app.auth.loans import StandingLoans
from app.calendar.joints import Calendar
from app.crypto.rowmac import RowSigner
from app.custody.founding import Founding
from app.custody.handovers import ClientHandovers
from app.custody.rows import CustodyRows
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.notices.teller import Teller

CUSTODY: Final = "custody"


class Lines(Protocol):
    """Where it is kept what somebody's lines may do beyond the house."""

    async def end_all(self, unit: UnitOfWork, author: Author, *, contact_id: UUID) -> int:
        """End it; give how much that was."""
        ...


class Parting:
    """What ends or passes on, beside their card, when somebody leaves: stand-ins, their service accounts, what their lines may do."""

    def __init__(self, delegations: Delegations, handovers: ClientHandovers, lines: Lines) -> None:
        """Take all three."""
        self._delegations, self._handovers, self._lines = delegations, handovers, lines

    async def end_all(self, unit: UnitOfWork, author: Author, *, contact_id: UUID, cause: str) -> int:
        """End or pass on all of it, ``cause`` being ``left`` or ``suspended``; give how many they were."""
        ended = await self._delegations.end_all(unit, author, contact_id=contact_id, cause=cause)
        ended += await self._lines.end_all(unit, author, contact_id=contact_id)
        return ended + await self._handovers.end_all(unit, author, contact_id=contact_id, cause=cause)


class CustodyDesk:
    """Founds, hands over, and looks after what nobody answers for."""

    def __init__(
        self,
        signer: RowSigner,
        *,
        accounts: UserAccounts,
        loans: StandingLoans,
        clients: Clients,
        organisation: Organisation,
        persons: Persons,
        delegations: Delegations,
        lines: Lines,
        calendar: Calendar,
        teller: Teller,
        database: Database,
        clock: Clock,
        handover_days: int,
    ) -> None:
        """Take the signer of the rows, accounts and what is lent, positions, persons, stand-ins, lines, days, who tells, the store."""
        self.rows = CustodyRows(signer)
        self.founding = Founding(
            rows=self.rows,
            accounts=accounts,
            loans=loans,
            organisation=organisation,
            persons=persons,
            calendar=calendar,
            teller=teller,
            clock=clock,
        )
        self.handovers = ClientHandovers(
            rows=self.rows,
            accounts=accounts,
            clients=clients,
            organisation=organisation,
            persons=persons,
            calendar=calendar,
            teller=teller,
            database=database,
            clock=clock,
            days=handover_days,
        )
        self.parting = Parting(delegations, self.handovers, lines)

    async def sweep(self) -> int:
        """Do what is due about service accounts without an owner; give how much that was."""
        return await self.handovers.sweep()
