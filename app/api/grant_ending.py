"""How a grant ends before its time: its holder gives it back, or security or the directory steward takes it away.

Giving one is nobody's direct power: that is what approved requests do. An end is in force with its transaction, because it moves the epoch
that every look of the holder is compared with.
"""

from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.authors import written
from app.audit.intents import add_intent
from app.auth.accounts import UserAccounts
from app.auth.errors import AccountRefused
from app.contacts.rights import seek
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.permissions.grants import Grant
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer, author_of

ENDERS: Final = frozenset({"infosec", "directory_steward"})
"""Roles that take grants away."""


class KeptGrants(Protocol):
    """Where grants are kept."""

    async def one(self, source: AsyncSession, identity: UUID) -> Grant | None:
        """Load one grant; ``None`` also for a row edited past us."""
        ...

    async def end(self, session: AsyncSession, grant: Grant, *, at: datetime) -> bool:
        """End it and move its holder's epoch; ``False`` when somebody else just has."""
        ...


class GrantEnder:
    """Ends grants."""

    def __init__(self, *, grants: KeptGrants, accounts: UserAccounts, clock: Clock) -> None:
        """Take the grants, whose they are, and the clock."""
        self._grants, self._accounts, self._clock = grants, accounts, clock

    async def end(self, viewer: Viewer, unit: UnitOfWork, identity: UUID) -> None:
        """End a grant that is the viewer's own, or any for security and the steward; one that is over stays as it is.

        Raises ``NotFound``, alike for one that there is not and one that is another's.
        """
        seek("grant.end", Purpose.WORK_CONTACT)
        grant = await self._grants.one(unit.session, identity)
        own = grant is not None and grant.account_id == viewer.standing.user_id
        if grant is None or not (own or not viewer.standing.roles.isdisjoint(ENDERS)):
            raise NotFound
        now = self._clock.now()
        if grant.is_over(now) or not await self._grants.end(unit.session, grant, at=now):
            return
        try:
            holder = await self._accounts.by_id(unit.session, grant.account_id)
        except AccountRefused:
            holder = None
        contacts = () if holder is None or holder.contact_id is None else (holder.contact_id,)
        told = {"grant": str(grant.id), "request": str(grant.request_id), "by": "holder" if own else "security"}
        await add_intent(unit.session, written(author_of(viewer), "grant.end", now, contacts=contacts, query=told))
