"""Tables of the access log (schema ``log``) and the two business tables that feed it.

Append-only, enforced by triggers of the migration: ``leaf``, ``event``, ``subject_entry``, ``batch``. The head is one
row that changes with every batch; quotas are counters. ``audit_intent`` and ``epoch`` live beside the business
tables, because they are written in business transactions.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import LOG_SCHEMA, Base, Id, Instant

_BIG: Final = BigInteger().with_variant(Integer(), "sqlite")
"""Eight bytes everywhere; on SQLite the spelling that makes a single key column the row's own number."""


class Head(Base):
    """The one row that every batch locks: how far the tree has grown, its frontier, the newest signed checkpoint."""

    __tablename__ = "head"
    __table_args__ = (CheckConstraint("id = 1", name="single"), {"schema": LOG_SCHEMA})
    id: Mapped[int] = mapped_column(
        SmallInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=False
    )
    size: Mapped[int] = mapped_column(_BIG)
    frontier: Mapped[bytes] = mapped_column(LargeBinary)
    root: Mapped[bytes] = mapped_column(LargeBinary)
    note: Mapped[str] = mapped_column(Text)


class Leaf(Base):
    """The hash of one event, for ever: it outlives the event's payload."""

    __tablename__ = "leaf"
    __table_args__ = {"schema": LOG_SCHEMA}  # noqa: RUF012 — SQLAlchemy reads a plain attribute
    index: Mapped[int] = mapped_column(_BIG, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class Event(Base):
    """One event: the evidence in ``payload``, and the columns derived from it for searching."""

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("id"),
        Index(None, "actor_id", "index"),
        Index(None, "at", "index"),
        {"schema": LOG_SCHEMA},
    )
    index: Mapped[int] = mapped_column(_BIG, primary_key=True, autoincrement=False)
    id: Mapped[UUID] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(Instant)
    actor_type: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str | None] = mapped_column(Text)
    action: Mapped[str] = mapped_column(String(64))
    decision: Mapped[str] = mapped_column(String(16))
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class SubjectEntry(Base):
    """Who saw this person: one row per contact and event, so that the question is one range of the key."""

    __tablename__ = "subject_entry"
    __table_args__ = {"schema": LOG_SCHEMA, "sqlite_with_rowid": False}  # noqa: RUF012 — SQLAlchemy reads a plain attribute
    contact_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    index: Mapped[int] = mapped_column(_BIG, primary_key=True, autoincrement=False)
    bits: Mapped[int] = mapped_column(_BIG)


class SubjectPage(Base):
    """Index rows of one event, packed: 16 bytes for each contact of whom the same ``bits`` were shown.

    Written with the event, and unpacked into ``subject_entry`` soon after; a contact is in one of the two, never in both.
    """

    __tablename__ = "subject_page"
    __table_args__ = {"schema": LOG_SCHEMA, "sqlite_with_rowid": False}  # noqa: RUF012 — SQLAlchemy reads a plain attribute
    index: Mapped[int] = mapped_column(_BIG, primary_key=True, autoincrement=False)
    part: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    bits: Mapped[int] = mapped_column(_BIG)
    contacts: Mapped[bytes] = mapped_column(LargeBinary)


class Batch(Base):
    """One committed batch: the tree after it, and the signed checkpoint of it. ``first`` is the size before it."""

    __tablename__ = "batch"
    __table_args__ = {"schema": LOG_SCHEMA}  # noqa: RUF012 — SQLAlchemy reads a plain attribute
    size: Mapped[int] = mapped_column(_BIG, primary_key=True, autoincrement=False)
    first: Mapped[int] = mapped_column(_BIG)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    note: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)


class Quota(Base):
    """How much of a daily allowance an actor has used; ``day`` is an ISO date."""

    __tablename__ = "quota"
    __table_args__ = {"schema": LOG_SCHEMA}  # noqa: RUF012 — SQLAlchemy reads a plain attribute
    actor_id: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    used: Mapped[int] = mapped_column(_BIG)


class AuditIntent(Base):
    """The event of a write, kept in the write's own transaction until the mover has brought it into the log."""

    __tablename__ = "audit_intent"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 — SQLAlchemy reads a plain attribute
    seq: Mapped[int] = mapped_column(_BIG, primary_key=True, autoincrement=True)
    id: Mapped[UUID] = mapped_column(Id, unique=True)
    at: Mapped[datetime] = mapped_column(Instant)
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class Epoch(Base):
    """A counter that moves when a viewer's standing, a role or the policy changes; a missing key counts as zero."""

    __tablename__ = "epoch"
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[int] = mapped_column(_BIG)
