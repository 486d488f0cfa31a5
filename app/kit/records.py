"""The two tables that belong to the plumbing: what was answered to a repeated POST, and what is to be done after commit."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant, Json


class IdempotencyRecord(Base):
    """A finished POST under its key: the receipt, never a protected value; kept 24 hours."""

    __tablename__ = "idempotency"
    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    status: Mapped[int] = mapped_column(Integer)
    resource_id: Mapped[UUID | None] = mapped_column(Id, index=True)
    receipt: Mapped[Any] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(Instant, index=True)


class OutboxRecord(Base):
    """One piece of work promised by a committed transaction. ``payload`` carries ids, never personal data."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_due",
            "available_at",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    payload: Mapped[Any] = mapped_column(Json)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    last_error: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(Instant)
    available_at: Mapped[datetime] = mapped_column(Instant)
    done_at: Mapped[datetime | None] = mapped_column(Instant)
