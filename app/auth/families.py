"""Rows of a sign-in and of what came of it: the code, the family of tokens, each refresh token. All queries, no rule.

Codes and refresh tokens are 256 random bits, kept as SHA-256. Every row carries a MAC, over whether it was used too, so that nobody makes,
moves or revives one in SQL; a row that fails is reported and counts as absent. Using one is an update that holds only while it is unused,
so of two at once one finds it used.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import Select, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.models import AuthorizationCodeRow, RefreshTokenRow, TokenFamilyRow
from app.crypto.rowmac import RowSigner

_TOKEN_BYTES: Final = 32
_CODES: Final = AuthorizationCodeRow.__tablename__
_FAMILIES: Final = TokenFamilyRow.__tablename__
_REFRESH: Final = RefreshTokenRow.__tablename__

_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in gave: whom, through which client, with which scopes, proven how and when, under which epoch of the account."""

    family_id: UUID
    account_id: UUID
    client_id: str
    scopes: frozenset[str]
    acr: str
    auth_time: datetime
    epoch: int

    @property
    def columns(self) -> dict[str, Any]:
        """Give the columns that code and family share, but for the family's id."""
        return {
            "account_id": self.account_id,
            "client_id": self.client_id,
            "scopes": sorted(self.scopes),
            "acr": self.acr,
            "auth_time": self.auth_time,
            "epoch": self.epoch,
        }

    @property
    def values(self) -> tuple[Any, ...]:
        """Give the values under the MAC of either."""
        scopes = tuple(sorted(self.scopes))
        return (self.family_id, self.account_id, self.client_id, scopes, self.acr, self.auth_time, self.epoch)


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code, for one redirect URI and one PKCE challenge."""

    hash: bytes
    grant: Grant
    redirect_uri: str
    challenge: str
    expires_at: datetime
    used_at: datetime | None = None

    @property
    def values(self) -> tuple[Any, ...]:
        """Give the values under the MAC."""
        return (self.hash, *self.grant.values, self.redirect_uri, self.challenge, self.expires_at, self.used_at)


@dataclass(frozen=True, slots=True)
class Family:
    """A sign-in that is carried on by refresh tokens until ``expires_at``, unless it was ended."""

    grant: Grant
    expires_at: datetime
    ended_at: datetime | None = None

    @property
    def values(self) -> tuple[Any, ...]:
        """Give the values under the MAC."""
        return (*self.grant.values, self.expires_at, self.ended_at)


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh token, and the access token that was given with it."""

    hash: bytes
    family_id: UUID
    expires_at: datetime
    jti: str
    access_expires_at: datetime
    used_at: datetime | None = None

    @property
    def values(self) -> tuple[Any, ...]:
        """Give the values under the MAC."""
        return (self.hash, self.family_id, self.expires_at, self.jti, self.access_expires_at, self.used_at)


def new_token() -> str:
    """Make the text of a code or refresh token."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def token_hash(text: str) -> bytes:
    """Give the stored form of one."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class FamilyRepository:
    """Rows of ``authorization_code``, ``token_family`` and ``refresh_token``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of the three."""
        self._signer = signer

    async def add_code(self, session: AsyncSession, code: Code) -> None:
        """Add a code."""
        row = {
            "hash": code.hash,
            "family_id": code.grant.family_id,
            **code.grant.columns,
            "redirect_uri": code.redirect_uri,
            "challenge": code.challenge,
            "expires_at": code.expires_at,
            "used_at": code.used_at,
            "mac": self._signer.sign(_CODES, code.values),
        }
        await session.execute(insert(AuthorizationCodeRow).values(**row))

    async def code(self, session: AsyncSession, text: str) -> Code | None:
        """Find a code by its text."""
        row = await _one(session, select(AuthorizationCodeRow).where(AuthorizationCodeRow.hash == token_hash(text)))
        if row is None:
            return None
        code = Code(row.hash, _grant(row, row.family_id), row.redirect_uri, row.challenge, row.expires_at, row.used_at)
        return code if self._is_genuine(_CODES, code.values, row.mac, row.family_id) else None

    async def use_code(self, session: AsyncSession, code: Code, *, at: datetime) -> bool:
        """Mark a code used; ``False`` when somebody else just did."""
        mac = self._signer.sign(_CODES, replace(code, used_at=at).values)
        statement = (
            update(AuthorizationCodeRow)
            .where(AuthorizationCodeRow.hash == code.hash, AuthorizationCodeRow.used_at.is_(None))
            .values(used_at=at, mac=mac)
            .returning(AuthorizationCodeRow.hash)
        )
        return (await session.execute(statement)).first() is not None

    async def add_family(self, session: AsyncSession, family: Family) -> None:
        """Add a family."""
        row = {
            "id": family.grant.family_id,
            **family.grant.columns,
            "expires_at": family.expires_at,
            "ended_at": family.ended_at,
            "mac": self._signer.sign(_FAMILIES, family.values),
        }
        await session.execute(insert(TokenFamilyRow).values(**row))

    async def family(self, session: AsyncSession, family_id: UUID) -> Family | None:
        """Find a family and hold it until the transaction ends, so that its tokens come one after the other."""
        row = await _one(session, select(TokenFamilyRow).where(TokenFamilyRow.id == family_id).with_for_update())
        if row is None:
            return None
        family = Family(_grant(row, row.id), row.expires_at, row.ended_at)
        return family if self._is_genuine(_FAMILIES, family.values, row.mac, family_id) else None

    async def end_family(self, session: AsyncSession, family: Family, *, at: datetime) -> None:
        """Mark a family ended."""
        mac = self._signer.sign(_FAMILIES, replace(family, ended_at=at).values)
        statement = update(TokenFamilyRow).where(TokenFamilyRow.id == family.grant.family_id)
        await session.execute(statement.values(ended_at=at, mac=mac))

    async def end_all(self, session: AsyncSession, account_id: UUID, *, at: datetime) -> int:
        """End every sign-in of an account that is carried on, and every code on its way, whatever their rows say; give how many."""
        families = await session.scalars(
            select(TokenFamilyRow)
            .where(TokenFamilyRow.account_id == account_id, TokenFamilyRow.ended_at.is_(None))
            .order_by(TokenFamilyRow.id)
            .with_for_update()
        )
        found = [Family(_grant(row, row.id), row.expires_at, row.ended_at) for row in families]
        for family in found:
            await self.end_family(session, family, at=at)
        codes = delete(AuthorizationCodeRow).where(AuthorizationCodeRow.account_id == account_id)
        await session.execute(codes)
        return len(found)

    async def add_refresh(self, session: AsyncSession, refresh: Refresh) -> None:
        """Add a refresh token."""
        row = {
            "hash": refresh.hash,
            "family_id": refresh.family_id,
            "expires_at": refresh.expires_at,
            "jti": refresh.jti,
            "access_expires_at": refresh.access_expires_at,
            "used_at": refresh.used_at,
            "mac": self._signer.sign(_REFRESH, refresh.values),
        }
        await session.execute(insert(RefreshTokenRow).values(**row))

    async def refresh(self, session: AsyncSession, text: str) -> Refresh | None:
        """Find a refresh token by its text."""
        row = await _one(session, select(RefreshTokenRow).where(RefreshTokenRow.hash == token_hash(text)))
        if row is None:
            return None
        found = Refresh(row.hash, row.family_id, row.expires_at, row.jti, row.access_expires_at, row.used_at)
        return found if self._is_genuine(_REFRESH, found.values, row.mac, row.family_id) else None

    async def use_refresh(self, session: AsyncSession, refresh: Refresh, *, at: datetime) -> bool:
        """Mark a refresh token used; ``False`` when somebody else just did."""
        mac = self._signer.sign(_REFRESH, replace(refresh, used_at=at).values)
        statement = (
            update(RefreshTokenRow)
            .where(RefreshTokenRow.hash == refresh.hash, RefreshTokenRow.used_at.is_(None))
            .values(used_at=at, mac=mac)
            .returning(RefreshTokenRow.hash)
        )
        return (await session.execute(statement)).first() is not None

    async def access_tokens(
        self, session: AsyncSession, family_id: UUID, *, now: datetime
    ) -> Sequence[tuple[str, datetime]]:
        """List id and end of a family's access tokens that are not over."""
        statement = select(RefreshTokenRow.jti, RefreshTokenRow.access_expires_at).where(
            RefreshTokenRow.family_id == family_id, RefreshTokenRow.access_expires_at > now
        )
        return [(jti, ends) for jti, ends in await session.execute(statement)]

    def _is_genuine(self, table: str, values: tuple[Any, ...], mac: bytes, family_id: UUID) -> bool:
        if self._signer.verify(table, values, mac):
            return True
        _log.error("row_mac_mismatch", table=table, row=str(family_id))
        return False


async def forget_families(session: AsyncSession, *, before: datetime) -> None:
    """Delete what was over before ``before``: codes, families and the refresh tokens of those."""
    await session.execute(delete(AuthorizationCodeRow).where(AuthorizationCodeRow.expires_at < before))
    over = or_(TokenFamilyRow.expires_at < before, TokenFamilyRow.ended_at < before)
    ids = select(TokenFamilyRow.id).where(over).scalar_subquery()
    await session.execute(delete(RefreshTokenRow).where(RefreshTokenRow.family_id.in_(ids)))
    await session.execute(delete(TokenFamilyRow).where(over))


async def _one(session: AsyncSession, statement: Select[Any]) -> Any:  # noqa: ANN401 — a mapped row
    """Read one row as it is in the store now, whatever the session has seen of it."""
    return (await session.execute(statement.execution_options(populate_existing=True))).scalar_one_or_none()


def _grant(row: Any, family_id: UUID) -> Grant:  # noqa: ANN401 — a row of either table
    return Grant(family_id, row.account_id, row.client_id, frozenset(row.scopes), row.acr, row.auth_time, row.epoch)
