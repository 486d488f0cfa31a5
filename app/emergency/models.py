"""Tables of emergencies: who is appointed, sessions, what their reviewers said, the nightly sheets, and when those were opened.

Every row is under a MAC. Reasons and comments are sealed under the key of the person whom they are about. What was said in a review, and
that a sheet was opened, is append-only.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.crypto.sealed import FIELD_CLASS, Sealed, SealedType
from app.kit.models import Base, Id, Instant, Json

_TEXT = {FIELD_CLASS: "C5"}


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class EmergencyAppointment(Base):
    """One person, appointed for one office until a day at most a hundred days off."""

    __tablename__ = "emergency_appointment"
    __table_args__ = (
        CheckConstraint("office IN ('opener','custodian')", name="office"),
        CheckConstraint("until > since", name="ends_after_start"),
        _partial("uq_emergency_appointment_live", "person_id", "office", where="ended_at IS NULL", unique=True),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(Id, ForeignKey("contact.id"))
    office: Mapped[str] = mapped_column(String(16))
    since: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime] = mapped_column(Instant)
    named_by: Mapped[UUID] = mapped_column(Id)
    confirmed_by: Mapped[UUID | None] = mapped_column(Id)
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    public_key: Mapped[bytes | None] = mapped_column(LargeBinary(64))
    keyed_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_by: Mapped[UUID | None] = mapped_column(Id)
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class EmergencySession(Base):
    """One session; ``next_at`` is when the sweep has something to do about it."""

    __tablename__ = "emergency_session"
    __table_args__ = (
        CheckConstraint(
            "scenario IN ('disaster','public_health','safety','communication_outage','life_at_risk')", name="scenario"
        ),
        CheckConstraint("cause IN ('ended','expired','revoked')", name="cause"),
        CheckConstraint("verdict IN ('justified','excessive','abuse')", name="verdict"),
        CheckConstraint("until > opened_at", name="ends_after_start"),
        CheckConstraint("confirmed_by <> actor_id", name="second_person"),
        Index("ix_emergency_session_actor_id_id", "actor_id", "id"),
        _partial("uq_emergency_session_open", "actor_id", where="ended_at IS NULL", unique=True),
        _partial("ix_emergency_session_next_at", "next_at", where="next_at IS NOT NULL"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    actor_id: Mapped[UUID] = mapped_column(Id, ForeignKey("contact.id"))
    scenario: Mapped[str] = mapped_column(String(32))
    reason: Mapped[Sealed] = mapped_column(SealedType, info=_TEXT)
    key_people: Mapped[bool] = mapped_column(Boolean)
    departments: Mapped[Any] = mapped_column(Json)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime] = mapped_column(Instant)
    digest_at: Mapped[datetime] = mapped_column(Instant)
    review_due: Mapped[datetime] = mapped_column(Instant)
    predicted: Mapped[bool] = mapped_column(Boolean)
    renewed_at: Mapped[datetime | None] = mapped_column(Instant)
    confirmed_by: Mapped[UUID | None] = mapped_column(Id)
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_by: Mapped[UUID | None] = mapped_column(Id)
    cause: Mapped[str | None] = mapped_column(String(16))
    digested_at: Mapped[datetime | None] = mapped_column(Instant)
    deferred_by: Mapped[UUID | None] = mapped_column(Id)
    deferral: Mapped[Sealed | None] = mapped_column(SealedType, nullable=True, info=_TEXT)
    overdue_at: Mapped[datetime | None] = mapped_column(Instant)
    reviewed_at: Mapped[datetime | None] = mapped_column(Instant)
    verdict: Mapped[str | None] = mapped_column(String(16))
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    next_at: Mapped[datetime | None] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class EmergencyReview(Base):
    """What one side said of a session. Append-only; nobody speaks for both sides."""

    __tablename__ = "emergency_review"
    __table_args__ = (
        CheckConstraint("side IN ('infosec','hr')", name="side"),
        CheckConstraint("verdict IN ('justified','excessive','abuse')", name="verdict"),
        UniqueConstraint("session_id", "reviewer_id"),
    )
    session_id: Mapped[UUID] = mapped_column(Id, ForeignKey("emergency_session.id"), primary_key=True)
    side: Mapped[str] = mapped_column(String(16), primary_key=True)
    reviewer_id: Mapped[UUID] = mapped_column(Id)
    verdict: Mapped[str] = mapped_column(String(16))
    comment: Mapped[Sealed] = mapped_column(SealedType, info=_TEXT)
    at: Mapped[datetime] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class EmergencySheet(Base):
    """One night's sheet for one custodian, sealed to their key; ``box`` is dropped when the next one is made, ``digest`` stays."""

    __tablename__ = "emergency_sheet"
    __table_args__ = (UniqueConstraint("custodian_id", "day"),)
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    appointment_id: Mapped[UUID] = mapped_column(Id, ForeignKey("emergency_appointment.id"))
    custodian_id: Mapped[UUID] = mapped_column(Id)
    day: Mapped[date] = mapped_column(Date)
    made_at: Mapped[datetime] = mapped_column(Instant)
    event_id: Mapped[UUID] = mapped_column(Id)
    people: Mapped[int] = mapped_column(Integer)
    public_key: Mapped[bytes] = mapped_column(LargeBinary(64))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    box: Mapped[bytes | None] = mapped_column(LargeBinary)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class EmergencyOpening(Base):
    """That a sheet was opened away from the service, as its custodian signed it. Append-only."""

    __tablename__ = "emergency_opening"
    __table_args__ = (Index("ix_emergency_opening_sheet_id", "sheet_id"),)
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    sheet_id: Mapped[UUID] = mapped_column(Id, ForeignKey("emergency_sheet.id"))
    custodian_id: Mapped[UUID] = mapped_column(Id)
    opened_at: Mapped[datetime] = mapped_column(Instant)
    reason: Mapped[Sealed] = mapped_column(SealedType, info=_TEXT)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    previous: Mapped[bytes] = mapped_column(LargeBinary(32))
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))
    uploaded_at: Mapped[datetime] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
