"""Where keys rest, each wrapped by the one above it.

``data_key`` is a table of its own, with a short backup life of its own: deleting its row is what erases a person.
A KEK is ``next`` (every process may unwrap with it, none wraps), then ``current`` (wraps), then ``previous`` (unwraps
what is not rewrapped yet), then ``retired`` (not loaded). A signing key goes the same way: published, signing,
published, gone.
"""

from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant

Purpose: TypeAlias = Literal["field", "index", "sign"]
KeyState: TypeAlias = Literal["next", "current", "previous", "retired"]
SigningUse: TypeAlias = Literal["log", "token"]

_LIVE = text("wrapped IS NOT NULL")
_STATES = "state IN ('next', 'current', 'previous', 'retired')"


class Kek(Base):
    """A key-encryption key of one purpose and version, wrapped by the root named ``root_id``."""

    __tablename__ = "kek"
    __table_args__ = (
        CheckConstraint("purpose IN ('field', 'index', 'sign')", name="purpose"),
        CheckConstraint(_STATES, name="state"),
        CheckConstraint("version > 0", name="version"),
        Index(
            "uq_kek_current",
            "purpose",
            unique=True,
            sqlite_where=text("state = 'current'"),
            postgresql_where=text("state = 'current'"),
        ),
    )

    purpose: Mapped[Purpose] = mapped_column(String(8), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root_id: Mapped[str] = mapped_column(String(64))
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[KeyState] = mapped_column(String(8))


class DataKeyRow(Base):
    """One person's data key, wrapped by the ``field`` KEK of ``kek_version``."""

    __tablename__ = "data_key"
    __table_args__ = (
        CheckConstraint("version BETWEEN 1 AND 65535", name="version"),
        CheckConstraint("length(handle) = 8", name="handle"),
        Index(None, "kek_version", "subject_id"),
    )

    subject_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    handle: Mapped[bytes] = mapped_column(LargeBinary(8), unique=True)
    version: Mapped[int]
    kek_version: Mapped[int]
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)


class HistoryKeyRow(Base):
    """The key of one person's history of one quarter, wrapped by the ``field`` KEK; destroyed once, by a purge, and never again there.

    Two keys of one person and quarter do no harm: a box names its key by handle. The row of one that is destroyed stays and says when.
    """

    __tablename__ = "history_key"
    __table_args__ = (
        CheckConstraint("length(handle) = 8", name="handle"),
        CheckConstraint("quarter % 10 BETWEEN 1 AND 4", name="quarter"),
        CheckConstraint(
            "(wrapped IS NULL) = (destroyed_at IS NOT NULL) AND (wrapped IS NULL) = (purge_id IS NOT NULL)",
            name="destroyed",
        ),
        Index("ix_history_key_subject_id_quarter", "subject_id", "quarter"),
        Index("ix_history_key_live", "quarter", "handle", sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index("ix_history_key_purge_id_handle", "purge_id", "handle"),
        {"sqlite_with_rowid": False},
    )

    handle: Mapped[bytes] = mapped_column(LargeBinary(8), primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(Id)
    quarter: Mapped[int]
    kek_version: Mapped[int]
    wrapped: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)
    destroyed_at: Mapped[datetime | None] = mapped_column(Instant)
    purge_id: Mapped[UUID | None] = mapped_column(Id)


class SigningKeyRow(Base):
    """A key pair of the access log or of the token issuer; ``public`` is DER SubjectPublicKeyInfo.

    ``since``: when it came into its state; none means when it was made.
    """

    __tablename__ = "signing_key"
    __table_args__ = (
        CheckConstraint("use IN ('log', 'token')", name="use"),
        CheckConstraint(_STATES, name="state"),
        Index(
            "uq_signing_key_current",
            "use",
            unique=True,
            sqlite_where=text("state = 'current'"),
            postgresql_where=text("state = 'current'"),
        ),
    )

    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    use: Mapped[SigningUse] = mapped_column(String(8))
    algorithm: Mapped[str] = mapped_column(String(8))
    public: Mapped[bytes] = mapped_column(LargeBinary)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    kek_version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[KeyState] = mapped_column(String(8))
    since: Mapped[datetime | None] = mapped_column(Instant)
