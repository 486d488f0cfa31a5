"""Who can be a party of a delegation at this moment: whose decisions can be given away, and who can take them.

Asked whenever somebody is about to decide for somebody else, from what is stored now: so what was given ends with the account, the
employment and the trust of either side in that very moment, whoever forgot to end it. A mark for leave or at one's own request keeps its
bearer from deciding, and not from being stood in for, which is what it is for.
"""

from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from app.auth.errors import AccountRefused
from app.auth.repository import Account, Source
from app.auth.scopes import Scope, scopes_of_person
from app.permissions.marks import Mark, MarkKind, MarkReason
from app.permissions.parts import ContactFacts, ViewerFacts

DECIDES: Final = "employee"
"""The kind of contact that decides."""

_NEVER: Final = frozenset({"intern", "outsourced"})
_IN_OFFICE: Final = frozenset({"active", "leaving"})
_IN_SERVICE: Final = frozenset({"active", "frozen", "leaving"})
_ABSENT: Final = frozenset({MarkReason.LEAVE, MarkReason.OWN_REQUEST})


class PartyAccounts(Protocol):
    """Where the accounts of people are read."""

    async def by_contact(self, source: Source, contact_id: UUID) -> Account | None:
        """Find the account bound to a contact; raise ``AccountRefused`` when its row was edited past us."""
        ...


class PartyMarks(Protocol):
    """Where marks on people are read."""

    async def of(self, source: Source, account_id: UUID, now: datetime) -> list[Mark]:
        """Load the marks of an account that are or will be in force."""
        ...


class Parties:
    """Knows who can give and take."""

    def __init__(self, *, contacts: ContactFacts, accounts: PartyAccounts, marks: PartyMarks) -> None:
        """Take where people, their accounts and the marks on them are read."""
        self._contacts, self._accounts, self._marks = contacts, accounts, marks

    async def can_give(self, source: Source, person: UUID, now: datetime) -> bool:
        """Tell whether what was this person's to decide can be decided by a stand-in."""
        facts = await self._contacts.viewer_facts(source, person)
        if facts is None or facts.status not in _IN_SERVICE:
            return False
        account = await self._account(source, person)
        return account is not None and not await self._suspended(source, account, now, unless=_ABSENT)

    async def can_take(self, source: Source, person: UUID, now: datetime) -> bool:
        """Tell whether this person can decide for somebody else: an employee of the house, at work, with an account that may."""
        facts = await self._contacts.viewer_facts(source, person)
        if facts is None or not _decides(facts):
            return False
        account = await self._account(source, person)
        if account is None or Scope.APPROVALS_USE not in scopes_of_person(account.roles):
            return False
        return not await self._suspended(source, account, now)

    async def is_away(self, source: Source, person: UUID, now: datetime) -> bool:
        """Tell whether a mark keeps this person from deciding now, whatever its reason."""
        account = await self._account(source, person)
        return account is not None and await self._suspended(source, account, now)

    async def _account(self, source: Source, person: UUID) -> Account | None:
        """Find an account that can be signed in with."""
        try:
            account = await self._accounts.by_contact(source, person)
        except AccountRefused:
            return None
        return account if account is not None and account.state == "active" else None

    async def _suspended(
        self, source: Source, account: Account, now: datetime, *, unless: frozenset[MarkReason] = frozenset()
    ) -> bool:
        return any(
            mark.kind is MarkKind.SUSPENDED and mark.starts_at <= now and mark.reason not in unless
            for mark in await self._marks.of(source, account.id, now)
        )


def _decides(facts: ViewerFacts) -> bool:
    return facts.kind == DECIDES and facts.worker_kind not in _NEVER and facts.status in _IN_OFFICE
