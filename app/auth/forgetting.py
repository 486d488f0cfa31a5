"""What is left of an account whose person is erased: an id. Its name is free for somebody else, and it proves nobody any more."""

from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.accounts import UserAccounts
from app.auth.models import PasswordRow, TotpRow


class AccountEraser:
    """Erases accounts."""

    def __init__(self, accounts: UserAccounts) -> None:
        """Take the accounts."""
        self._accounts = accounts

    async def erase(self, session: AsyncSession, contact_id: UUID) -> None:
        """Close somebody's account and take name and proofs from it. Raises ``AccountRefused`` for one that was edited past us."""
        account = await self._accounts.by_contact(session, contact_id)
        if account is None:
            return
        if account.state != "disabled":
            await self._accounts.disable(session, account.user_name)
        await self._accounts.rename(session, account.user_name, f"erased-{account.id.hex}")
        for proof in (PasswordRow, TotpRow):
            await session.execute(delete(proof).where(proof.account_id == account.id))
