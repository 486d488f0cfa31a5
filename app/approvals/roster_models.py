"""The table of who is on call for a role, from when until when.

A row's MAC covers all of it, so nobody puts himself on call by SQL. A row is never removed: who was on call is asked later.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant


class OnCallShift(Base):
    """One person is on call for a role; ``ended_at`` is set when it was taken back."""

    __tablename__ = "on_call_shift"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        Index("ix_on_call_shift_role_ends_at", "role", "ends_at"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    role: Mapped[str] = mapped_column(String(32))
    person_id: Mapped[UUID] = mapped_column(Id)
    starts_at: Mapped[datetime] = mapped_column(Instant)
    ends_at: Mapped[datetime] = mapped_column(Instant)
    filed_by: Mapped[UUID] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
