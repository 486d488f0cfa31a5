"""Tables of business facts about external contacts, and of the staff who work on them.

A fact is an account, an order or a ticket of one external contact, known by its source and its reference there. Who works on it is one row
per person, which says all that a standing needs, under a MAC of its own: so what somebody is assigned to is one range of one index. An
open end is ``rules.OPEN``, not null, which keeps it one range. Only ``until`` of a row, and who gave it, changes later.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant

_KINDS = "kind IN ('account','order','ticket')"


class Engagement(Base):
    """One business fact. ``body_hash`` is what it was pushed as, by which a repeat is known from another use of the reference."""

    __tablename__ = "engagement"
    __table_args__ = (
        UniqueConstraint("source", "kind", "reference"),
        CheckConstraint(_KINDS, name="kind"),
        CheckConstraint("until >= since", name="ends_after_start"),
        Index("ix_engagement_contact_id_id", "contact_id", "id"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(Id, ForeignKey("contact.id"))
    kind: Mapped[str] = mapped_column(String(16))
    reference: Mapped[str] = mapped_column(String(128))
    source: Mapped[str] = mapped_column(String(96))
    since: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime] = mapped_column(Instant)
    body_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class EngagementStaff(Base):
    """One person at work on one fact; ``cause`` says why it ended before the fact did."""

    __tablename__ = "engagement_staff"
    __table_args__ = (
        CheckConstraint(_KINDS, name="kind"),
        CheckConstraint("until >= since", name="ends_after_start"),
        Index("ix_engagement_staff_staff_id_until", "staff_id", "until"),
    )
    engagement_id: Mapped[UUID] = mapped_column(Id, ForeignKey("engagement.id"), primary_key=True)
    staff_id: Mapped[UUID] = mapped_column(Id, ForeignKey("contact.id"), primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(Id, ForeignKey("contact.id"))
    kind: Mapped[str] = mapped_column(String(16))
    since: Mapped[datetime] = mapped_column(Instant)
    until: Mapped[datetime] = mapped_column(Instant)
    cause: Mapped[str | None] = mapped_column(String(16))
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
