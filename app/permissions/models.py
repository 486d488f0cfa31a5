"""Exceptions that approved requests made, marks that cap what a person sees, packs as they were uploaded, and which of them is in force.

A row's MAC covers all of it, so nobody grants himself an exception or another pack by SQL, moves one to another account, or takes a mark
off.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Integer, LargeBinary, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant, Json

_ROW_NUMBER: Final = BigInteger().with_variant(Integer(), "sqlite")


class AccessGrant(Base):
    """Fields of the contacts in a scope, for one person and purpose, from a time until a time.

    ``contact_id`` and ``department_id`` are of rows from before there were scopes; no new row has them. ``lifts``: whom it is about has
    consented.
    """

    __tablename__ = "access_grant"
    __table_args__ = (
        CheckConstraint(
            "(scope_kind IS NULL AND (contact_id IS NULL) <> (department_id IS NULL))"
            " OR (scope_kind IS NOT NULL AND contact_id IS NULL AND department_id IS NULL)",
            name="one_target",
        ),
        CheckConstraint("(scope_kind IS NULL) = (scope_value IS NULL)", name="whole_scope"),
        CheckConstraint(
            "scope_kind IN"
            " ('contact', 'department', 'subtree', 'company', 'legal_entity', 'region', 'kind', 'tag', 'assigned')",
            name="scope_kind",
        ),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    account_id: Mapped[UUID] = mapped_column(Id, index=True)
    contact_id: Mapped[UUID | None] = mapped_column(Id)
    department_id: Mapped[UUID | None] = mapped_column(Id)
    scope_kind: Mapped[str | None] = mapped_column(String(16))
    scope_value: Mapped[str | None] = mapped_column(String(128))
    fields: Mapped[Any] = mapped_column(Json)
    outcome: Mapped[str] = mapped_column(String(16))
    purpose: Mapped[str] = mapped_column(String(32))
    request_id: Mapped[UUID] = mapped_column(Id)
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    lifts: Mapped[bool] = mapped_column(Boolean, server_default=false())
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(Instant)


class StandingMark(Base):
    """A mark on a person: its reason is a code, so that the row holds nothing personal; set by a request or by an operator."""

    __tablename__ = "standing_mark"
    __table_args__ = (
        CheckConstraint("kind IN ('untrained', 'suspended', 'overdue_return')", name="kind"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("(request_id IS NULL) <> (operator IS NULL)", name="one_origin"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    account_id: Mapped[UUID] = mapped_column(Id, index=True)
    kind: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(32))
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime | None] = mapped_column(Instant)
    request_id: Mapped[UUID | None] = mapped_column(Id)
    operator: Mapped[str | None] = mapped_column(String(64))
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(Instant)


class PolicyVersion(Base):
    """One pack as it was uploaded: its canonical JSON, whose SHA-256 names it, and the text that its author wrote. Append-only."""

    __tablename__ = "policy_version"
    __table_args__ = (UniqueConstraint("profile", "version"),)
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    version: Mapped[str] = mapped_column(String(32))
    profile: Mapped[str] = mapped_column(String(16))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    canonical: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    author_type: Mapped[str] = mapped_column(String(16))
    author_id: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class PolicyActivation(Base):
    """From when which version is in force: the newest row decides. ``seq`` counts them under the lock of a counter. Append-only."""

    __tablename__ = "policy_activation"
    seq: Mapped[int] = mapped_column(_ROW_NUMBER, primary_key=True, autoincrement=False)
    id: Mapped[UUID] = mapped_column(Id, unique=True)
    version_id: Mapped[UUID] = mapped_column(Id, index=True)
    previous_id: Mapped[UUID | None] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(Instant)
    actor_type: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str] = mapped_column(String(64))
    request_id: Mapped[UUID | None] = mapped_column(Id)
    simulation_id: Mapped[UUID | None] = mapped_column(Id)
    reason: Mapped[str] = mapped_column(Text)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class RuleEvidence(Base):
    """When a rule of the policy last decided something; derived from looks, so it is neither signed nor kept for ever."""

    __tablename__ = "rule_evidence"
    rule_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    last_at: Mapped[datetime] = mapped_column(Instant)
