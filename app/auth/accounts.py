"""Accounts of people: made, bound to a contact, promoted, suspended, ended.

Every change to what an account may do moves its epoch: tokens issued before are dead, and a look that was being
prepared under the old standing is refused by the log's writer. Callers hold the transaction and put the event on
record; nothing here commits.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, get_args
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth import epochs
from app.auth.errors import AccountExists, AccountNotFound, MalformedName
from app.auth.models import AccountState
from app.auth.repository import Account, AccountRepository, ClientRepository, Source
from app.auth.roles import are_roles
from app.auth.subject import Tier, user_name_key
from app.kit.clock import Clock
from app.kit.db import current_unit_of_work
from app.kit.models import new_id

_TIERS: Final = frozenset(get_args(Tier))


def after_commit(action: Callable[[], None]) -> None:
    """Run ``action`` when the unit of work of this task is durable.

    Without one, the counter in the store tells within a second.
    """
    unit = current_unit_of_work()
    if unit is not None:
        unit.after_commit(action)


class UserAccounts:
    """The accounts, as everybody else uses them."""

    def __init__(
        self, *, accounts: AccountRepository, clients: ClientRepository, clock: Clock, changed: Callable[[], None]
    ) -> None:
        """Take the rows and ``changed``, which drops what the verifier remembers (``TokenVerifier.forget``)."""
        self._accounts, self._clients = accounts, clients
        self._clock, self._changed = clock, changed

    async def by_user_name(self, source: Source, user_name: str) -> Account | None:
        """Find an account by its name in any case, or ``None``.

        Raise ``AccountRefused`` when its row was edited past us.
        """
        key = user_name_key(user_name)
        return None if key is None else await self._accounts.by_key(source, key)

    async def by_contact(self, source: Source, contact_id: UUID) -> Account | None:
        """Find the account bound to a contact, or ``None``.

        Raise ``AccountRefused`` when its row was edited past us.
        """
        return await self._accounts.by_contact(source, contact_id)

    async def by_id(self, source: Source, identity: UUID) -> Account | None:
        """Find an account by its id, or ``None``.

        Raise ``AccountRefused`` when its row was edited past us.
        """
        return await self._accounts.by_id(source, identity)

    async def set_apart(self, source: Source) -> list[Account]:
        """List the accounts that have a role, or another tier than everybody's, by name."""
        return await self._accounts.set_apart(source)

    async def add(
        self,
        session: AsyncSession,
        user_name: str,
        *,
        contact_id: UUID | None = None,
        tier: Tier = "T1",
        roles: Collection[str] = (),
    ) -> Account:
        """Make an active account without a password.

        Raises ``MalformedName`` for a name, tier or role that cannot be kept and ``AccountExists`` when the name
        belongs to an account or to a client (a person and a service account must never look alike in a token) or the
        contact is bound.
        """
        key = user_name_key(user_name)
        if key is None or not _is_standing(tier, roles):
            raise MalformedName
        if await self._clients.by_id(session, key) is not None:
            raise AccountExists
        now = self._clock.now()
        account = _fresh(key, contact_id, tier, tuple(sorted(set(roles))), now)
        try:
            await self._accounts.insert(session, account, at=now)
        except IntegrityError as error:
            raise AccountExists from error
        return account

    async def add_all(self, session: AsyncSession, contacts: Mapping[str, UUID]) -> None:
        """Make an active account without a password for each user name, bound to the contact that stands for it.

        Raises as ``add`` does; the transaction can then only be rolled back.
        """
        clients = {each.client_id for each in await self._clients.all(session)}
        now, made = self._clock.now(), list[Account]()
        for name, contact in contacts.items():
            key = user_name_key(name)
            if key is None:
                raise MalformedName
            if key in clients:
                raise AccountExists
            made.append(_fresh(key, contact, "T1", (), now))
        try:
            await self._accounts.insert_all(session, made, at=now)
        except IntegrityError as error:
            raise AccountExists from error

    async def bind(self, session: AsyncSession, user_name: str, contact_id: UUID | None) -> Account:
        """Bind the account to a contact, or to none.

        Raise ``AccountNotFound`` or, when the contact is bound, ``AccountExists``.
        """
        return await self._change(session, user_name, contact_id=contact_id)

    async def set_standing(
        self, session: AsyncSession, user_name: str, *, tier: Tier, roles: Collection[str]
    ) -> Account:
        """Give the account another tier and other roles; raise ``MalformedName`` or ``AccountNotFound``."""
        if not _is_standing(tier, roles):
            raise MalformedName
        return await self._change(session, user_name, tier=tier, roles=tuple(sorted(set(roles))))

    async def suspend(self, session: AsyncSession, user_name: str) -> Account:
        """Suspend: no token is issued, policy caps what others still show; raise ``AccountNotFound``."""
        return await self._enter(session, user_name, "suspended")

    async def disable(self, session: AsyncSession, user_name: str) -> Account:
        """End: no token of any issuer is taken for this account, and its password is gone; raise ``AccountNotFound``."""
        return await self._change(session, user_name, state="disabled", password_hash=None)

    async def rename(self, session: AsyncSession, user_name: str, after: str) -> Account:
        """Call an account otherwise, so that its name says nobody any more and is free; raise ``AccountNotFound`` or ``AccountExists``."""
        return await self._change(session, user_name, user_name=after)

    async def set_password_hash(self, session: AsyncSession, user_name: str, password_hash: str) -> Account:
        """Give the account another password; whatever was signed in with the old one is over. Raise ``AccountNotFound``."""
        return await self._change(session, user_name, password_hash=password_hash)

    async def activate(self, session: AsyncSession, user_name: str) -> Account:
        """Take back a suspension or an end; tokens from before stay dead. Raise ``AccountNotFound``."""
        return await self._enter(session, user_name, "active")

    async def _enter(self, session: AsyncSession, user_name: str, state: AccountState) -> Account:
        return await self._change(session, user_name, state=state)

    async def _change(self, session: AsyncSession, user_name: str, /, **members: Any) -> Account:  # noqa: ANN401 — members of Account
        """Change what is there now: the counter, moved first, lets one change of an account after the other read it."""
        await epochs.bump(session, epochs.TOKENS)
        account = await self.by_user_name(session, user_name)
        if account is None:
            raise AccountNotFound
        now = self._clock.now()
        await epochs.bump(session, account.epoch_key)
        epoch = await epochs.value(session, account.epoch_key)
        changed = replace(account, **members, epoch=epoch, epoch_at=now)
        try:
            await self._accounts.update(session, changed, at=now)
        except IntegrityError as error:
            raise AccountExists from error
        after_commit(self._changed)
        return changed


def _fresh(key: str, contact_id: UUID | None, tier: Tier, roles: tuple[str, ...], now: datetime) -> Account:
    return Account(
        id=new_id(),
        user_name=key,
        contact_id=contact_id,
        tier=tier,
        roles=roles,
        state="active",
        password_hash=None,
        epoch=0,
        epoch_at=now,
    )


def _is_standing(tier: str, roles: Collection[str]) -> bool:
    return tier in _TIERS and are_roles(roles)
