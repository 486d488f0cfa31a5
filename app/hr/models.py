"""The ledger of personnel events: which event of which source, what became of it, and nothing that names a person.

A personal value is never here in clear. The subject (an employee number) and the body are keyed hashes, by which a repeat is known from
a reuse; the body itself is sealed under the key of the contact that it is about, and goes when that key goes; of one that will never be
applied it goes at once. Somebody whom the directory does not know yet has a subject's row first, with the id and the key that their card
is to have; so what waits, or is due, can be kept.
Of an event about a department that was applied only the hashes and the outcome are kept.
Callers give ``source`` and ``event_id``; their form (``schemas``) leaves no room for a name, and the documentation asks for opaque ones.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from app.crypto.sealed import FIELD_CLASS, Sealed, SealedType
from app.kit.models import Base, Id, Instant, Json

EventState = Literal["applied", "scheduled", "waiting", "superseded", "failed"]


class HrEvent(Base):
    """One event of one source, once and for ever."""

    __tablename__ = "hr_event"
    __table_args__ = (
        UniqueConstraint("source", "event_id"),
        CheckConstraint("state IN ('applied','scheduled','waiting','superseded','failed')", name="state"),
        Index("ix_hr_event_subject_hash_at", "subject_hash", "at"),
        Index("ix_hr_event_event_id_client_id", "event_id", "client_id"),
        Index("ix_hr_event_client_id_id", "client_id", "id"),
        Index(
            "ix_hr_event_leavers",
            "client_id",
            "received_at",
            sqlite_where=text("type IN ('employee.leaving','employee.left')"),
            postgresql_where=text("type IN ('employee.leaving','employee.left')"),
        ),
        Index(
            "ix_hr_event_next_at",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    source: Mapped[str] = mapped_column(String(64))
    event_id: Mapped[str] = mapped_column(String(128))
    client_id: Mapped[str] = mapped_column(String(64))
    type: Mapped[str] = mapped_column(String(32))
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    subject_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    body_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    at: Mapped[datetime] = mapped_column(Instant)
    received_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[EventState] = mapped_column(String(16))
    contact_id: Mapped[UUID | None] = mapped_column(Id, index=True)
    problem: Mapped[Any] = mapped_column(Json, nullable=True)
    numbers: Mapped[Any] = mapped_column(Json, nullable=True)
    payload: Mapped[Sealed | None] = mapped_column(SealedType, nullable=True, info={FIELD_CLASS: "C5"})
    sealed_for: Mapped[UUID | None] = mapped_column(Id)
    """Under whose key the payload is: the contact's, or the one that the subject's card is to have."""
    placed_at: Mapped[datetime | None] = mapped_column(Instant)
    """When it takes effect: its time, or what it says itself where that is later."""
    next_at: Mapped[datetime | None] = mapped_column(Instant)
    """When the worker looks at it again, of one that waits or is scheduled."""
    wait_until: Mapped[datetime | None] = mapped_column(Instant)
    """When the wait for what is missing ends."""
    department_id: Mapped[UUID | None] = mapped_column(Id)
    """Of somebody who is to join or to come back, until the event has had its turn: where, if the directory knows the department."""
    holds: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether later events of the subject wait until this one, which failed, is replayed or skipped."""


class HrSubject(Base):
    """Somebody of whom a source has spoken, as far as the order of what it said matters: nothing that names them."""

    __tablename__ = "hr_subject"
    subject_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    id: Mapped[UUID] = mapped_column(Id, index=True)
    minted: Mapped[bool]
    sequences: Mapped[str] = mapped_column(Text)
    writers: Mapped[str] = mapped_column(Text)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
