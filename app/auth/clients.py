"""Clients: service accounts with a secret, and front ends without one.

A secret is 256 random bits, shown once and stored as its SHA-256; that is enough for a value that nobody can guess,
where a password would need a slow hash. A changed or disabled client ends every token that it got.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth import epochs
from app.auth.accounts import after_commit
from app.auth.errors import AccountRefused, ClientExists, ClientNotFound, MalformedName
from app.auth.repository import AccountRepository, Client, ClientRepository, Source
from app.auth.scopes import VOCABULARY
from app.auth.subject import is_client_id
from app.kit.clock import Clock

_SECRET_BYTES: Final = 32
_MAX_NAME: Final = 128


@dataclass(frozen=True, slots=True)
class NewClient:
    """A client to be made: a front end that people sign in through is not ``confidential``, a back end that acts for them ``exchanges``.

    ``owner`` is the contact of the person who answers for it.
    """

    client_id: str
    name: str
    scopes: Collection[str] = ()
    ceiling: str | None = None
    confidential: bool = True
    exchanges: bool = False
    owner: UUID | None = None


@dataclass(frozen=True, slots=True)
class IssuedSecret:
    """A client and, this once, its secret (none for a front end); the secret is not printed by accident."""

    client: Client
    secret: str | None = field(repr=False)


def secret_hash(secret: str) -> bytes:
    """Give the stored form of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


class Clients:
    """The clients, as the command line and the token endpoint use them."""

    def __init__(
        self, *, clients: ClientRepository, accounts: AccountRepository, clock: Clock, changed: Callable[[], None]
    ) -> None:
        """Take the rows and ``changed``, which drops what the verifier remembers (``TokenVerifier.forget``)."""
        self._clients, self._accounts = clients, accounts
        self._clock, self._changed = clock, changed
        self._decoy = Client(
            client_id="nobody-is-called-this",
            name="",
            secret_hash=secrets.token_bytes(_SECRET_BYTES),
            scopes=frozenset(),
            ceiling=None,
            state="disabled",
            epoch=0,
            epoch_at=clock.now(),
        )

    async def by_client_id(self, source: Source, client_id: str) -> Client | None:
        """Find a client, or ``None``; raise ``AccountRefused`` when its row was edited past us."""
        return await self._clients.by_id(source, client_id)

    async def taken(self, source: Source, client_id: str) -> bool:
        """Tell whether a client or a person is called so."""
        named = await self._clients.by_id(source, client_id) or await self._accounts.by_key(source, client_id)
        return named is not None

    async def authenticate(self, source: Source, client_id: str, secret: str) -> Client | None:
        """Give the active client that has this secret, or ``None``.

        An unknown, edited, disabled or secretless client costs the same work as a wrong secret: one read, one row
        MAC, one comparison.
        """
        try:
            client = await self._clients.by_id(source, client_id if is_client_id(client_id) else self._decoy.client_id)
        except AccountRefused:
            client = None
        else:
            if client is None:
                self._clients.is_genuine(self._decoy, b"")
        expected = client.secret_hash if client is not None else None
        matches = hmac.compare_digest(secret_hash(secret), expected or self._decoy.secret_hash or b"")
        return client if client is not None and expected is not None and client.state == "active" and matches else None

    async def list(self, source: Source) -> list[Client]:
        """List every client by id."""
        return await self._clients.all(source)

    async def add(self, session: AsyncSession, new: NewClient) -> IssuedSecret:
        """Make a client, with a secret when it is ``confidential``.

        Raise ``MalformedName`` for an id, name or scope that cannot be kept and ``ClientExists`` when the id belongs to
        a client or a person.
        """
        well_formed = is_client_id(new.client_id) and 0 < len(new.name) <= _MAX_NAME
        if not well_formed or (new.exchanges and not new.confidential) or not VOCABULARY.issuperset(new.scopes):
            raise MalformedName
        if await self._accounts.by_key(session, new.client_id) is not None:
            raise ClientExists
        secret = secrets.token_urlsafe(_SECRET_BYTES) if new.confidential else None
        now = self._clock.now()
        client = Client(
            client_id=new.client_id,
            name=new.name,
            secret_hash=None if secret is None else secret_hash(secret),
            scopes=frozenset(new.scopes),
            ceiling=new.ceiling,
            state="active",
            epoch=0,
            epoch_at=now,
            exchanges=new.exchanges,
            owner=new.owner,
        )
        try:
            await self._clients.insert(session, client, at=now)
        except IntegrityError as error:
            raise ClientExists from error
        return IssuedSecret(client, secret)

    async def rotate_secret(self, session: AsyncSession, client_id: str) -> IssuedSecret:
        """Give the client another secret; the old one and every token got with it end. Raise ``ClientNotFound``."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        return IssuedSecret(await self._change(session, client_id, secret_hash=secret_hash(secret)), secret)

    async def let_exchange(self, session: AsyncSession, client_id: str, *, allowed: bool) -> Client:
        """Let a back end act for people, or no longer; every token that it got ends either way.

        Raise ``ClientNotFound``, and ``MalformedName`` for a front end, which keeps no secret and cannot be told from anybody else.
        """
        client = await self._clients.by_id(session, client_id)
        if client is not None and allowed and client.secret_hash is None:
            raise MalformedName
        return await self._change(session, client_id, exchanges=allowed)

    async def disable(self, session: AsyncSession, client_id: str) -> Client:
        """End the client; raise ``ClientNotFound``."""
        return await self._change(session, client_id, state="disabled")

    async def hand_to(self, session: AsyncSession, client_id: str, owner: UUID | None) -> Client:
        """Let somebody else, or nobody, answer for a client; every token that it got ends. Raise ``ClientNotFound``."""
        return await self._change(session, client_id, owner=owner)

    async def _change(self, session: AsyncSession, client_id: str, **members: Any) -> Client:  # noqa: ANN401 — members of Client
        client = await self._clients.by_id(session, client_id)
        if client is None:
            raise ClientNotFound
        now = self._clock.now()
        await epochs.bump(session, epochs.TOKENS, client.epoch_key)
        epoch = await epochs.value(session, client.epoch_key)
        changed = replace(client, **members, epoch=epoch, epoch_at=now)
        await self._clients.update(session, changed, at=now)
        after_commit(self._changed)
        return changed
