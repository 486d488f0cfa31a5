"""The table of who decides for whom, from when until when.

A row's MAC covers all of it, so nobody makes himself somebody's stand-in by SQL, widens what he was given, or takes an end back. ``kinds``
null means every kind of request. A row is never removed: who decided for whom is asked years later.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant, Json


class Delegation(Base):
    """One person decides for another; ``ended_at`` and ``cause`` are set when it ends before its time."""

    __tablename__ = "delegation"
    __table_args__ = (
        CheckConstraint("principal_id <> delegate_id", name="two_people"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("reason IN ('MANUAL','OUT_OF_OFFICE','ESCALATION','SELF_REVIEW')", name="reason"),
        CheckConstraint("(ended_at IS NULL) = (cause IS NULL)", name="whole_end"),
        Index("ix_delegation_delegate_id_ends_at", "delegate_id", "ends_at"),
        Index("ix_delegation_principal_id_ends_at", "principal_id", "ends_at"),
        Index("ix_delegation_ends_at", "ends_at"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    principal_id: Mapped[UUID] = mapped_column(Id)
    delegate_id: Mapped[UUID] = mapped_column(Id)
    kinds: Mapped[Any] = mapped_column(Json, nullable=True)
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    reason: Mapped[str] = mapped_column(String(16))
    filed_by: Mapped[UUID] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    cause: Mapped[str | None] = mapped_column(String(16))
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
