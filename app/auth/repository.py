"""All queries of sign-in, and the MACs that make its rows believable.

Reads take a session (inside a transaction) or the driver-level reader (outside), and give frozen values whose MAC has
been checked; a row that fails is reported to the security log and refused, as if its holder had no rights. Nothing
here commits.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

import structlog
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    column,
    delete,
    insert,
    or_,
    select,
    table,
    update,
)
from sqlalchemy import cast as cast_as
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.errors import AccountRefused
from app.auth.models import AccountRow, AccountState, ClientRow, ClientState, RevokedTokenRow
from app.auth.subject import Tier
from app.crypto.rowmac import RowSigner
from app.kit.db import Row, Statement
from app.kit.models import Id
from app.kit.query import Query, Source

__all__ = ["KEEP_REVOKED", "Account", "AccountRepository", "Client", "ClientRepository", "Holder", "Query", "Source"]

KEEP_REVOKED: Final = timedelta(days=1)
"""How long a revocation outlives its token; more than any leeway."""

_ACCOUNTS: Final = AccountRow.__tablename__
_CLIENTS: Final = ClientRow.__tablename__
_ACCOUNT_TABLE: Final = cast("Table", AccountRow.__table__)

_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account. ``user_name`` is in the form under which accounts are kept."""

    id: UUID
    user_name: str
    contact_id: UUID | None
    tier: Tier
    roles: tuple[str, ...]
    state: AccountState
    password_hash: str | None = field(repr=False)
    epoch: int
    epoch_at: datetime

    @property
    def epoch_key(self) -> str:
        """Name the counter that moves when this account's standing does."""
        return f"user:{self.id}"


@dataclass(frozen=True, slots=True)
class Client:
    """A client; ``secret_hash`` is the SHA-256 of its secret, none for a front end that keeps no secret.

    ``exchanges``: it may exchange people's tokens and act for them. ``owner``: the contact of the person who answers for it.
    """

    client_id: str
    name: str
    secret_hash: bytes | None = field(repr=False)
    scopes: frozenset[str]
    ceiling: str | None
    state: ClientState
    epoch: int
    epoch_at: datetime
    exchanges: bool = False
    owner: UUID | None = None

    @property
    def epoch_key(self) -> str:
        """Name the counter that moves when this client's rights do."""
        return f"client:{self.client_id}"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose standing a statement reads, as expressions of the ids of account and contact."""

    account: ColumnElement[UUID]
    contact: ColumnElement[UUID | None]


_ACCOUNT: Final = select(
    AccountRow.id,
    AccountRow.user_name_key,
    AccountRow.contact_id,
    AccountRow.tier,
    AccountRow.roles,
    AccountRow.state,
    AccountRow.password_hash,
    AccountRow.epoch,
    AccountRow.epoch_at,
    AccountRow.mac,
)
_CLIENT: Final = select(
    ClientRow.client_id,
    ClientRow.name,
    ClientRow.secret_hash,
    ClientRow.scopes,
    ClientRow.ceiling,
    ClientRow.state,
    ClientRow.epoch,
    ClientRow.epoch_at,
    ClientRow.exchanges,
    ClientRow.owner_id,
    ClientRow.mac,
)
_NAMED: Final = AccountRow.user_name_key == bindparam("key", type_=String())
_ACCOUNT_BY_NAME: Final = Query(_ACCOUNT.where(_NAMED), by_key=True)
_ACCOUNT_BY_ID: Final = Query(_ACCOUNT.where(AccountRow.id == bindparam("account_id")), by_key=True)
_ACTIVE_ACCOUNTS: Final = Query(
    _ACCOUNT.where(
        AccountRow.id > bindparam("after", type_=Id()), AccountRow.state == "active", AccountRow.contact_id.is_not(None)
    )
    .order_by(AccountRow.id)
    .limit(bindparam("page", type_=Integer()))
)
_ACCOUNT_BY_CONTACT: Final = Query(_ACCOUNT.where(AccountRow.contact_id == bindparam("contact_id")), by_key=True)
_CLIENT_BY_ID: Final = Query(_CLIENT.where(ClientRow.client_id == bindparam("client_id")), by_key=True)
ACCOUNT_NAMED: Final[Statement] = _ACCOUNT.where(_NAMED)
"""The account kept under the name bound as ``key``; ``AccountRepository.read`` believes its row."""
HOLDER_NAMED: Final = Holder(
    select(AccountRow.id).where(_NAMED).scalar_subquery(), select(AccountRow.contact_id).where(_NAMED).scalar_subquery()
)
"""Who holds that account."""
CLIENTS_NAMED: Final[Statement] = _CLIENT.where(
    ClientRow.client_id.in_((bindparam("client", type_=String()), bindparam("front_end", type_=String())))
)
"""The clients bound as ``client`` and ``front_end``; ``ClientRepository.read`` believes their rows."""
REVOCATIONS_NAMED: Final[Statement] = select(RevokedTokenRow.jti).where(
    RevokedTokenRow.jti.in_((bindparam("token", type_=String()), bindparam("shown", type_=String())))
)
"""Which of the tokens bound as ``token`` and ``shown`` are revoked."""
_EPOCH: Final = table("epoch", column("key", String), column("value", BigInteger))
_COUNTERS: Final = tuple(
    select(_EPOCH.c.value).where(_EPOCH.c.key == bindparam(name)).scalar_subquery()
    for name in ("own", "other", "third")
)
_CLIENT_AND_COUNTERS: Final = Query(
    _CLIENT.add_columns(*_COUNTERS).where(ClientRow.client_id == bindparam("client_id")), by_key=True
)
_SET_APART: Final = Query(
    _ACCOUNT.where(
        AccountRow.state != "disabled", or_(AccountRow.tier != "T1", cast_as(AccountRow.roles, Text) != "[]")
    ).order_by(AccountRow.user_name_key)
)
_EVERY_CLIENT: Final = Query(_CLIENT.order_by(ClientRow.client_id))
_REVOKED: Final = Query(select(RevokedTokenRow.jti).where(RevokedTokenRow.jti == bindparam("jti")), by_key=True)


def _tampered(table: str, row_id: str) -> AccountRefused:
    _log.error("row_mac_mismatch", table=table, row=row_id)
    return AccountRefused()


class AccountRepository:
    """Rows of ``user_account``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of this table."""
        self._signer = signer

    async def by_key(self, source: Source, key: str) -> Account | None:
        """Find by the kept form of the user name; raise ``AccountRefused`` when the row was edited past us."""
        return self.read(await _ACCOUNT_BY_NAME.rows(source, key=key))

    async def by_id(self, source: Source, account_id: UUID) -> Account | None:
        """Find by id; raise ``AccountRefused`` when the row was edited past us."""
        return self.read(await _ACCOUNT_BY_ID.rows(source, account_id=account_id))

    async def by_contact(self, source: Source, contact_id: UUID) -> Account | None:
        """Find the account bound to a contact; raise ``AccountRefused`` when the row was edited past us."""
        return self.read(await _ACCOUNT_BY_CONTACT.rows(source, contact_id=contact_id))

    async def set_apart(self, source: Source) -> list[Account]:
        """List accounts with a role or another tier than everybody's, by name; rows edited past us are reported and left out."""
        found = []
        for row in await _SET_APART.rows(source):
            with suppress(AccountRefused):
                account = self.read([row])
                if account is not None:
                    found.append(account)
        return found

    async def active(self, source: Source, *, after: UUID, limit: int) -> list[Account]:
        """List active accounts that are bound to a contact, by id; raise as ``by_key`` does."""
        rows = await _ACTIVE_ACCOUNTS.rows(source, after=after, page=limit)
        return [account for row in rows if (account := self.read([row])) is not None]

    def read(self, rows: Sequence[Row]) -> Account | None:
        """Believe the first row, if there is one; raise ``AccountRefused`` when it was edited past us."""
        if not rows:
            return None
        *values, mac = rows[0]
        values[4] = tuple(values[4])
        account = Account(*values)
        if not self._signer.verify(_ACCOUNTS, _account_values(account), mac):
            raise _tampered(_ACCOUNTS, str(account.id))
        return account

    async def insert(self, session: AsyncSession, account: Account, *, at: datetime) -> None:
        """Add a row."""
        await session.execute(insert(AccountRow).values(**self._row(account), created_at=at, updated_at=at))

    async def insert_all(self, session: AsyncSession, accounts: Iterable[Account], *, at: datetime) -> None:
        """Add many rows at once."""
        rows = [{**self._row(account), "created_at": at, "updated_at": at} for account in accounts]
        if rows:
            await session.execute(insert(_ACCOUNT_TABLE), rows)

    async def update(self, session: AsyncSession, account: Account, *, at: datetime) -> None:
        """Replace a row."""
        await session.execute(
            update(AccountRow).where(AccountRow.id == account.id).values(**self._row(account), updated_at=at)
        )

    def _row(self, account: Account) -> dict[str, object]:
        return {
            "id": account.id,
            "user_name_key": account.user_name,
            "contact_id": account.contact_id,
            "tier": account.tier,
            "roles": list(account.roles),
            "state": account.state,
            "password_hash": account.password_hash,
            "epoch": account.epoch,
            "epoch_at": account.epoch_at,
            "mac": self._signer.sign(_ACCOUNTS, _account_values(account)),
        }


class ClientRepository:
    """Rows of ``client``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of this table."""
        self._signer = signer

    async def by_id(self, source: Source, client_id: str) -> Client | None:
        """Find a client; raise ``AccountRefused`` when the row was edited past us."""
        rows = await _CLIENT_BY_ID.rows(source, client_id=client_id)
        return self.read(rows, client_id)

    def read(self, rows: Sequence[Row], client_id: str) -> Client | None:
        """Believe the row of this client, if it is among ``rows``; raise ``AccountRefused`` when it was edited past us."""
        return next((self._checked(row) for row in rows if row[0] == client_id), None)

    async def with_counters(
        self, source: Source, client_id: str, other: str, third: str
    ) -> tuple[Client | None, int, int, int]:
        """Find a client as it is at one moment with its counter and two others (``app.auth.epochs``); raise as ``by_id`` does."""
        rows = await _CLIENT_AND_COUNTERS.rows(
            source, client_id=client_id, own=f"client:{client_id}", other=other, third=third
        )
        if not rows:
            return None, 0, 0, 0
        *row, own, counted, last = rows[0]
        return self._checked(tuple(row)), int(own or 0), int(counted or 0), int(last or 0)

    async def all(self, source: Source) -> list[Client]:
        """List every client by id; raise ``AccountRefused`` when one was edited past us."""
        return [self._checked(row) for row in await _EVERY_CLIENT.rows(source)]

    def _checked(self, row: Row) -> Client:
        *values, mac = row
        values[3] = frozenset(values[3])
        client = Client(*values)
        if not self.is_genuine(client, mac):
            raise _tampered(_CLIENTS, client.client_id)
        return client

    def is_genuine(self, client: Client, mac: bytes) -> bool:
        """Tell whether ``mac`` covers these values."""
        return self._signer.verify(_CLIENTS, _client_values(client), mac)

    async def insert(self, session: AsyncSession, client: Client, *, at: datetime) -> None:
        """Add a row."""
        await session.execute(insert(ClientRow).values(**self._row(client), created_at=at, updated_at=at))

    async def update(self, session: AsyncSession, client: Client, *, at: datetime) -> None:
        """Replace a row."""
        statement = (
            update(ClientRow).where(ClientRow.client_id == client.client_id).values(**self._row(client), updated_at=at)
        )
        await session.execute(statement)

    def _row(self, client: Client) -> dict[str, object]:
        return {
            "client_id": client.client_id,
            "name": client.name,
            "secret_hash": client.secret_hash,
            "scopes": sorted(client.scopes),
            "ceiling": client.ceiling,
            "state": client.state,
            "epoch": client.epoch,
            "epoch_at": client.epoch_at,
            "exchanges": client.exchanges,
            "owner_id": client.owner,
            "mac": self._signer.sign(_CLIENTS, _client_values(client)),
        }


def _account_values(account: Account) -> tuple[Any, ...]:
    return (
        account.id,
        account.user_name,
        account.contact_id,
        account.tier,
        account.roles,
        account.state,
        account.password_hash,
        account.epoch,
        account.epoch_at,
    )


def _client_values(client: Client) -> tuple[Any, ...]:
    """Give the values under the MAC. What a client does not have adds nothing, so that rows from before it was invented still verify."""
    return (
        client.client_id,
        client.name,
        client.secret_hash,
        tuple(sorted(client.scopes)),
        client.ceiling,
        client.state,
        client.epoch,
        client.epoch_at,
        *(("exchanges",) if client.exchanges else ()),
        *(("owner", client.owner) if client.owner is not None else ()),
    )


async def is_revoked(source: Source, jti: str) -> bool:
    """Tell whether this token was revoked."""
    return bool(await _REVOKED.rows(source, jti=jti))


async def revoke(session: AsyncSession, jti: str, *, expires_at: datetime) -> bool:
    """Remember a revocation; ``False`` when it is known already."""
    if await is_revoked(session, jti):
        return False
    await session.execute(insert(RevokedTokenRow).values(jti=jti, expires_at=expires_at))
    return True


async def forget_revoked(session: AsyncSession, *, before: datetime) -> int:
    """Delete revocations of tokens that expired before ``before``; tell how many."""
    expired = select(RevokedTokenRow.jti).where(RevokedTokenRow.expires_at < before)
    count = len((await session.scalars(expired)).all())
    await session.execute(delete(RevokedTokenRow).where(RevokedTokenRow.expires_at < before))
    return count
