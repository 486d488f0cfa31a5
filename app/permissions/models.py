"""Exceptions that approved requests made. A grant's row MAC covers all of it, so nobody grants himself one by SQL."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant, Json


class AccessGrant(Base):
    """Fields of one contact or one department, for one person and purpose, from a time until a time."""

    __tablename__ = "access_grant"
    __table_args__ = (
        CheckConstraint("(contact_id IS NULL) <> (department_id IS NULL)", name="one_target"),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    account_id: Mapped[UUID] = mapped_column(Id, index=True)
    contact_id: Mapped[UUID | None] = mapped_column(Id)
    department_id: Mapped[UUID | None] = mapped_column(Id)
    fields: Mapped[Any] = mapped_column(Json)
    outcome: Mapped[str] = mapped_column(String(16))
    purpose: Mapped[str] = mapped_column(String(32))
    request_id: Mapped[UUID] = mapped_column(Id)
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(Instant)
