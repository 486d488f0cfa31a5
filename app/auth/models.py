"""Tables of sign-in: clients, accounts of people, and tokens that were revoked before their time.

``client`` and ``user_account`` carry a MAC over what policy believes of them (``repository``), so an edit by SQL
refuses instead of promoting. ``epoch`` counts what ends the tokens issued before it, ``epoch_at`` says when, for
issuers that know no epochs of ours.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.auth.subject import Tier
from app.kit.models import Base, Id, Instant, Json

AccountState = Literal["active", "suspended", "disabled"]
ClientState = Literal["active", "disabled"]


class ClientRow(Base):
    """A service account, or a front end through which people sign in (then without a secret)."""

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


class RevokedTokenRow(Base):
    """A token that is not taken any more, kept until it would have expired."""

    __tablename__ = "revoked_token"

    jti: Mapped[str] = mapped_column(String(128), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
