"""Tables of departures: one row for each leaving, with what it found and when the card is to be taken away; and undertakings.

A departure's row is under a MAC: whoever moved ``remove_by`` by SQL would keep a card in the directory. It is written again as check-list,
archiving and return happen, and never removed. What a company has its leavers confirm, version by version, and who confirmed which, is only
ever added to.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant, Json

_WAITS: Final = text("archived_at IS NULL AND returned_at IS NULL")


class DepartureRow(Base):
    """One leaving. ``ended`` says of each part how much there was, as ``part:count``; ``tag`` is a keyed hash of the employee number."""

    __tablename__ = "departure"
    __table_args__ = (
        Index("uq_departure_open", "contact_id", unique=True, sqlite_where=_WAITS, postgresql_where=_WAITS),
        Index("ix_departure_remove_by", "remove_by", sqlite_where=_WAITS, postgresql_where=_WAITS),
        Index("ix_departure_contact_id_id", "contact_id", "id"),
        Index("ix_departure_tag", "tag"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(Id, ForeignKey("contact.id"))
    department_id: Mapped[UUID | None] = mapped_column(Id)
    to_id: Mapped[UUID | None] = mapped_column(Id)
    tag: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    ended: Mapped[Any] = mapped_column(Json)
    left_at: Mapped[datetime] = mapped_column(Instant)
    remove_by: Mapped[datetime] = mapped_column(Instant)
    checked_at: Mapped[datetime | None] = mapped_column(Instant)
    archived_at: Mapped[datetime | None] = mapped_column(Instant)
    returned_at: Mapped[datetime | None] = mapped_column(Instant)
    row_version: Mapped[int] = mapped_column(Integer)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class ErasureRow(Base):
    """Somebody whose retention was over and whose keys were destroyed, with the signed certificate of that. Append-only; names nobody."""

    __tablename__ = "erasure"
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(Id, ForeignKey("contact.id"), unique=True)
    at: Mapped[datetime] = mapped_column(Instant)
    note: Mapped[str] = mapped_column(Text)


class UndertakingText(Base):
    """A version of the confidentiality undertaking, in both languages; ``digest`` is the SHA-256 of what it says."""

    __tablename__ = "undertaking_text"
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, unique=True)
    title_zh: Mapped[str] = mapped_column(String(200))
    title_en: Mapped[str] = mapped_column(String(200))
    text_zh: Mapped[str] = mapped_column(Text)
    text_en: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    published_at: Mapped[datetime] = mapped_column(Instant)
    actor_type: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str] = mapped_column(String(64))
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class UndertakingRow(Base):
    """Somebody confirmed a version; ``means``: by their own call, or on paper as HR put on record."""

    __tablename__ = "undertaking"
    __table_args__ = (
        CheckConstraint("means IN ('own','recorded')", name="means"),
        Index("ix_undertaking_contact_id_at", "contact_id", "at"),
    )
    text_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(Id, ForeignKey("contact.id"), primary_key=True)
    means: Mapped[str] = mapped_column(String(8))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    at: Mapped[datetime] = mapped_column(Instant)
    actor_type: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str] = mapped_column(String(64))
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
