"""What an answer, or silence, does to a right: shorten it, end it, suspend it, give it back. Each is part of the caller's transaction.

Whatever ends a right moves its holder's epoch in the same transaction, so no look that was being prepared with it is still disclosed. A
role or tier is suspended by a mark, which says why and can be taken off; a grant was for a time anyway, and is ended. Accounts are read
after their counter was moved, so that of two who change one account at once the second sees what the first did.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth import epochs
from app.auth.accounts import UserAccounts
from app.auth.errors import AccountRefused
from app.auth.loans import StandingLoans
from app.auth.repository import Account
from app.campaigns.joints import Holdings
from app.campaigns.rules import GRANT, MARKED, ROLE, TIER, Item
from app.contacts.confirming import CardConfirmations
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.permissions.errors import AlreadyMarked, MarkNotFound
from app.permissions.grants import Grant
from app.permissions.marks import MarkKind, MarkReason, MarkRepository
from app.permissions.repository import GrantRepository

_LEAST_TIER: Final = "T1"


class Effects:
    """Does what follows."""

    def __init__(
        self,
        *,
        grants: GrantRepository,
        accounts: UserAccounts,
        marks: MarkRepository,
        cards: CardConfirmations,
        loans: StandingLoans,
        holdings: Iterable[Holdings],
        clock: Clock,
    ) -> None:
        """Take where rights, marks and cards are kept, what is lent, further things that people hold, and the clock."""
        self._grants, self._accounts, self._marks, self._cards = grants, accounts, marks, cards
        self._holdings: Mapping[str, Holdings] = MappingProxyType({each.kind: each for each in holdings})
        self._loans, self._clock = loans, clock

    async def is_there(self, session: AsyncSession, item: Item) -> bool:
        """Tell whether what an item is about still is as it says."""
        now = self._clock.now()
        match item.kind:
            case "grant":
                return await self._grant(session, item) is not None
            case "role" | "tier":
                return await self._holder_of(session, item) is not None
            case "card" | "list":
                return True
            case kind if kind in self._holdings:
                return await self._holdings[kind].is_held(session, item, now)
            case _:
                return False

    async def may_end(self, session: AsyncSession, item: Item, until: datetime) -> bool:
        """Tell whether ``until`` would make a right shorter."""
        if until <= self._clock.now():
            return False
        if item.kind != GRANT:
            ends = item.detail.get("ends_at")
            return ends is None or until < datetime.fromisoformat(ends)
        grant = await self._grant(session, item)
        return grant is not None and until < grant.ends_at

    async def shorten(self, unit: UnitOfWork, author: Author, item: Item, until: datetime) -> None:
        """Let a grant end by ``until``; what has no end of its own is ended by the sweep, when the time comes."""
        grant = await self._grant(unit.session, item) if item.kind == GRANT else None
        if grant is not None and await self._grants.shorten(unit.session, grant, until=until):
            await self._record(unit, author, "grant.shorten", item)

    async def end(self, unit: UnitOfWork, author: Author, item: Item, *, why: str) -> None:
        """Take a right from its holder now; nothing when it is gone."""
        session, now = unit.session, self._clock.now()
        if item.kind == GRANT:
            grant = await self._grant(session, item)
            if grant is not None and await self._grants.end(session, grant, at=now):
                await self._record(unit, author, "grant.end", item, by=why)
        elif item.kind in MARKED:
            await self._take(unit, author, item, why)
        elif item.kind in self._holdings:
            await self._holdings[item.kind].end(unit, author, item, why=why)

    async def suspend(self, unit: UnitOfWork, author: Author, item: Item) -> None:
        """Let nobody use a right that nobody answered for."""
        if item.kind not in MARKED:
            await self.end(unit, author, item, why="silence")
            return
        if item.account_id is None:
            return
        try:
            await self._marks.add(
                unit.session,
                item.account_id,
                MarkKind.SUSPENDED,
                MarkReason.NOT_RECERTIFIED,
                at=self._clock.now(),
                operator=f"campaign:{item.campaign_id}",
            )
        except AlreadyMarked:
            return
        await self._record(unit, author, "mark.set", item, by="silence")

    async def restore(self, unit: UnitOfWork, author: Author, item: Item) -> None:
        """Take the mark of silence off, and no other mark."""
        if item.account_id is None:
            return
        marks = await self._marks.of(unit.session, item.account_id, self._clock.now())
        if {mark.reason for mark in marks if mark.kind is MarkKind.SUSPENDED} != {MarkReason.NOT_RECERTIFIED}:
            return
        try:
            await self._marks.end(unit.session, item.account_id, MarkKind.SUSPENDED, at=self._clock.now())
        except MarkNotFound:
            return
        await self._record(unit, author, "mark.end", item, by="answer")

    async def confirm(self, unit: UnitOfWork, contact: UUID) -> None:
        """Take the mark off a card that is said to be right."""
        await self._cards.clear(unit.session, contact)

    async def mark_cards(self, unit: UnitOfWork, contacts: Collection[UUID], since: date) -> int:
        """Mark cards that nobody said to be right; give how many were not marked before."""
        return await self._cards.mark(unit.session, contacts, since)

    async def _take(self, unit: UnitOfWork, author: Author, item: Item, why: str) -> None:
        await epochs.bump(unit.session, epochs.TOKENS)
        account = await self._holder_of(unit.session, item)
        if account is None:
            return
        await self._take_back_whole(unit, item, account)
        account = await self._holder_of(unit.session, item)
        if account is None:
            await self._record(unit, author, f"{item.kind}.end", item, by=why)
            return
        roles = set(account.roles) - ({item.reference} if item.kind == ROLE else set())
        tier = _LEAST_TIER if item.kind == TIER else account.tier
        await self._accounts.set_standing(unit.session, account.user_name, tier=tier, roles=roles)
        await self._record(unit, author, f"{item.kind}.end", item, by=why)

    async def _take_back_whole(self, unit: UnitOfWork, item: Item, account: Account) -> None:
        """Take back what requests lent where this right is all of it; of a loan of several rights the others stay."""
        now = self._clock.now()
        for loan in await self._loans.live(unit.session, account, now):
            alone = (loan.tier, loan.roles) in {(None, (item.reference,)), (item.reference, ())}
            if alone:
                await self._loans.take_back(unit.session, loan.request_id, at=now)

    async def _grant(self, session: AsyncSession, item: Item) -> Grant | None:
        grant = await self._grants.one(session, UUID(item.reference))
        return None if grant is None or grant.is_over(self._clock.now()) else grant

    async def _holder_of(self, session: AsyncSession, item: Item) -> Account | None:
        """Find the account that has the role or tier of an item; ``None`` when it has it no more, and for a row edited past us."""
        if item.account_id is None:
            return None
        try:
            account = await self._accounts.by_id(session, item.account_id)
        except AccountRefused:
            return None
        if account is None or account.contact_id != item.holder_id or account.state == "disabled":
            return None
        has = item.reference in account.roles if item.kind == ROLE else account.tier == item.reference
        return account if has else None

    async def _record(self, unit: UnitOfWork, author: Author, action: str, item: Item, by: str = "review") -> None:
        contacts = [] if item.holder_id is None else [item.holder_id]
        told = {"campaign": str(item.campaign_id), "item": str(item.id), item.kind: item.reference, "by": by}
        await add_intent(unit.session, written(author, action, self._clock.now(), contacts=contacts, query=told))
