"""The table of deadlines: one row for each personnel event that gives the directory time, for good.

A row names people by id and by the keyed hash of their number, events by the ids that their sources gave, and holds no personal value. What
it says of a breach is written once; all of it stands under a MAC, because whoever could take a breach back would have kept the deadline.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant

_RUNNING: Final = text("met_at IS NULL AND ended_at IS NULL")


class DeadlineRow(Base):
    """One deadline."""

    __tablename__ = "deadline"
    __table_args__ = (
        UniqueConstraint("source", "event_id"),
        CheckConstraint("kind IN ('joiner','mover','leaver')", name="kind"),
        CheckConstraint("(ended_at IS NULL) = (cause IS NULL)", name="ended"),
        CheckConstraint("met_at IS NULL OR ended_at IS NULL", name="one_end"),
        Index("ix_deadline_next_at", "next_at"),
        Index("ix_deadline_running", "id", sqlite_where=_RUNNING, postgresql_where=_RUNNING),
        Index("ix_deadline_subject", "subject"),
        Index("ix_deadline_due_at", "due_at"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    source: Mapped[str] = mapped_column(String(64))
    event_id: Mapped[str] = mapped_column(String(128))
    subject: Mapped[bytes] = mapped_column(LargeBinary(32))
    contact_id: Mapped[UUID | None] = mapped_column(Id)
    department_id: Mapped[UUID | None] = mapped_column(Id)
    began_at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    days: Mapped[int] = mapped_column(Integer)
    due_at: Mapped[datetime] = mapped_column(Instant)
    first_due_at: Mapped[datetime] = mapped_column(Instant)
    predicted: Mapped[bool] = mapped_column(Boolean)
    counted_at: Mapped[datetime] = mapped_column(Instant)
    calendar: Mapped[int] = mapped_column(Integer)
    next_at: Mapped[datetime | None] = mapped_column(Instant)
    reminded_at: Mapped[datetime | None] = mapped_column(Instant)
    escalated_at: Mapped[datetime | None] = mapped_column(Instant)
    breached_at: Mapped[datetime | None] = mapped_column(Instant)
    met_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    cause: Mapped[str | None] = mapped_column(String(12))
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
