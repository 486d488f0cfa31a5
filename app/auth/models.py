"""Tables of sign-in: clients, accounts of people, what people sign in with, and the tokens that came of it.

``client`` and ``user_account`` carry a MAC over what policy believes of them (``repository``), so an edit by SQL
refuses instead of promoting. ``epoch`` counts what ends the tokens issued before it, ``epoch_at`` says when, for
issuers that know no epochs of ours.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, LargeBinary, String, false
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.subject import Tier
from app.kit.models import Base, Id, Instant, Json

AccountState = Literal["active", "suspended", "disabled"]
ClientState = Literal["active", "disabled"]


class ClientRow(Base):
    """A service account, or a front end through which people sign in (then without a secret).

    ``exchanges``: it is a back end that may act for people, with tokens that it exchanges theirs for. ``owner_id``: the contact of the
    person who answers for it.
    """

    __tablename__ = "client"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'disabled')", name="state"),
        CheckConstraint("secret_hash IS NULL OR length(secret_hash) = 32", name="secret_hash"),
    )

    client_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    scopes: Mapped[Any] = mapped_column(Json)
    ceiling: Mapped[str | None] = mapped_column(String(32))
    state: Mapped[ClientState] = mapped_column(String(16))
    epoch: Mapped[int]
    epoch_at: Mapped[datetime] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    exchanges: Mapped[bool] = mapped_column(Boolean, server_default=false())
    owner_id: Mapped[UUID | None] = mapped_column(Id)


class AccountRow(Base):
    """A person who may sign in: the standing that policy starts from, and the contact that it belongs to."""

    __tablename__ = "user_account"
    __table_args__ = (
        CheckConstraint("tier IN ('T0', 'T1', 'T2', 'T3', 'T4', 'T5')", name="tier"),
        CheckConstraint("state IN ('active', 'suspended', 'disabled')", name="state"),
        CheckConstraint("user_name_key = lower(user_name_key)", name="user_name_key"),
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    user_name_key: Mapped[str] = mapped_column(String(128), unique=True)
    contact_id: Mapped[UUID | None] = mapped_column(Id, unique=True)
    tier: Mapped[Tier] = mapped_column(String(2))
    roles: Mapped[Any] = mapped_column(Json)
    state: Mapped[AccountState] = mapped_column(String(16))
    password_hash: Mapped[str | None] = mapped_column(String(256))
    epoch: Mapped[int]
    epoch_at: Mapped[datetime] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class StandingLoanRow(Base):
    """What an approved request lent an account until a time or until it is taken back: another tier, roles that it did not have, or both.

    The account's own row says what it may do now; this one says what of that goes, and which tier comes back.
    """

    __tablename__ = "standing_loan"
    __table_args__ = (
        CheckConstraint("(tier IS NULL) = (tier_before IS NULL)", name="whole_tier"),
        CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="ends_after_start"),
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    account_id: Mapped[UUID] = mapped_column(Id, index=True)
    request_id: Mapped[UUID] = mapped_column(Id, unique=True)
    tier: Mapped[Tier | None] = mapped_column(String(2))
    tier_before: Mapped[Tier | None] = mapped_column(String(2))
    roles: Mapped[Any] = mapped_column(Json)
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class RevokedTokenRow(Base):
    """A token that is not taken any more, kept until it would have expired."""

    __tablename__ = "revoked_token"

    jti: Mapped[str] = mapped_column(String(128), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)


class RedirectUriRow(Base):
    """Where the answer to a sign-in through this client may go: exactly there."""

    __tablename__ = "redirect_uri"

    client_id: Mapped[str] = mapped_column(String(63), primary_key=True)
    uri: Mapped[str] = mapped_column(String(512), primary_key=True)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(Instant)


class PasswordRow(Base):
    """What is known of an account's password beside its hash: since when, whether it was given or chosen, and the ones before."""

    __tablename__ = "password"

    account_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    set_at: Mapped[datetime] = mapped_column(Instant)
    temporary: Mapped[bool]
    previous: Mapped[Any] = mapped_column(Json)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class TotpRow(Base):
    """The secret of a person's one-time codes, boxed, and the last time step whose code was taken."""

    __tablename__ = "totp"

    account_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    begun_at: Mapped[datetime] = mapped_column(Instant)
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    last_step: Mapped[int] = mapped_column(BigInteger)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class TokenFamilyRow(Base):
    """One sign-in: whose, through which client, how it was proven, and until when it may be carried on."""

    __tablename__ = "token_family"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    account_id: Mapped[UUID] = mapped_column(Id)
    client_id: Mapped[str] = mapped_column(String(63))
    scopes: Mapped[Any] = mapped_column(Json)
    acr: Mapped[str] = mapped_column(String(128))
    auth_time: Mapped[datetime] = mapped_column(Instant)
    epoch: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class AuthorizationCodeRow(Base):
    """A code on its way from the sign-in page through the browser to the client, by its SHA-256."""

    __tablename__ = "authorization_code"

    hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    family_id: Mapped[UUID] = mapped_column(Id)
    account_id: Mapped[UUID] = mapped_column(Id)
    client_id: Mapped[str] = mapped_column(String(63))
    redirect_uri: Mapped[str] = mapped_column(String(512))
    challenge: Mapped[str] = mapped_column(String(43))
    scopes: Mapped[Any] = mapped_column(Json)
    acr: Mapped[str] = mapped_column(String(128))
    auth_time: Mapped[datetime] = mapped_column(Instant)
    epoch: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class RefreshTokenRow(Base):
    """A refresh token by its SHA-256, with the access token that was given beside it."""

    __tablename__ = "refresh_token"

    hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    family_id: Mapped[UUID] = mapped_column(Id, index=True)
    expires_at: Mapped[datetime] = mapped_column(Instant)
    jti: Mapped[str] = mapped_column(String(128))
    access_expires_at: Mapped[datetime] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class SignInFailureRow(Base):
    """Failures under one name, known or not, by a keyed hash of the name, in a window of time."""

    __tablename__ = "sign_in_failure"

    key: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    count: Mapped[int]
    ends_at: Mapped[datetime] = mapped_column(Instant, index=True)
