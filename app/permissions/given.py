"""What approved requests gave somebody, taken back together as they move or leave: exceptions, and a lent tier or roles.

Who moves is asked for again by the head of where they come (reference/policy-approval.md d.2, ``contact.move``). Nothing here commits.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.errors import AccountRefused
from app.auth.loans import StandingLoans
from app.auth.repository import AccountRepository
from app.kit.clock import Clock
from app.permissions.repository import GrantRepository


class GivenRights:
    """Ends them."""

    def __init__(
        self, *, grants: GrantRepository, loans: StandingLoans, accounts: AccountRepository, clock: Clock
    ) -> None:
        """Take the exceptions, the loans, whose account is whose, and the clock."""
        self.grants = grants
        self._loans, self._accounts, self._clock = loans, accounts, clock

    async def end_all(self, session: AsyncSession, account_id: UUID, *, at: datetime) -> None:
        """Take everything back from an account; the caller, who changes the account too, moves its epoch."""
        await self.grants.end_all(session, account_id, at=at)
        await self._loans.take_back_all(session, account_id, at=at)

    async def end_earlier(self, session: AsyncSession, account_id: UUID, *, before: datetime, at: datetime) -> None:
        """Take back exceptions that began before a move of which only now is heard, and what was lent; the caller moves the epoch."""
        await self.grants.end_all(session, account_id, at=at, before=before)
        await self._loans.take_back_all(session, account_id, at=at)

    async def end_of(self, session: AsyncSession, contact_id: UUID) -> None:
        """Take everything back now from the account of a contact, where it has one that verifies; as ``end_all``."""
        try:
            account = await self._accounts.by_contact(session, contact_id)
        except AccountRefused:
            return
        if account is not None:
            await self.end_all(session, account.id, at=self._clock.now())
