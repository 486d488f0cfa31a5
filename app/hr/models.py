"""The ledger of personnel events. An event's payload is sealed under the contact's key; its subject is kept as a keyed hash."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.crypto.sealed import FIELD_CLASS, Sealed, SealedType
from app.kit.models import Base, Id, Instant, Json


class HrEvent(Base):
    """One event of one source, once and for ever."""

    __tablename__ = "hr_event"
    __table_args__ = (
        UniqueConstraint("source", "event_id"),
        CheckConstraint("state IN ('applied','scheduled','waiting','superseded','failed')", name="state"),
        Index("ix_hr_event_subject_hash_at", "subject_hash", "at"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    source: Mapped[str] = mapped_column(String(64))
    event_id: Mapped[str] = mapped_column(String(128))
    type: Mapped[str] = mapped_column(String(32))
    subject_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    body_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    at: Mapped[datetime] = mapped_column(Instant)
    received_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(String(16))
    contact_id: Mapped[UUID | None] = mapped_column(Id, index=True)
    problem: Mapped[Any] = mapped_column(Json, nullable=True)
    payload: Mapped[Sealed | None] = mapped_column(SealedType, nullable=True, info={FIELD_CLASS: "C5"})
