"""Tables of traces. A trace has no version until its transaction is committed and the sequencer has come by (docs/decisions/0054).

``change_set`` is what the traces of one transaction have in common. Nothing here is evidence, which is what the log is for: traces are
deleted when the feed keeps them no longer, and whoever needs them then reads the directory anew.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant

_BIG: Final = BigInteger().with_variant(Integer(), "sqlite")
_WAITING: Final = text("version IS NULL")
_CLOSED: Final = text("before IS NOT NULL")


class DirectoryChange(Base):
    """A trace; ``version`` and ``at`` are given by the sequencer."""

    __tablename__ = "directory_change"
    __table_args__ = (
        CheckConstraint("(version IS NULL) = (at IS NULL)", name="numbered"),
        Index("ix_directory_change_version_seq", "version", "seq"),
        Index("ix_directory_change_waiting", "seq", sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_directory_change_before", "subject_id", "seq", sqlite_where=_CLOSED, postgresql_where=_CLOSED),
        {"sqlite_autoincrement": True},
    )
    seq: Mapped[int] = mapped_column(_BIG, primary_key=True, autoincrement=True)
    change_set: Mapped[UUID] = mapped_column(Id)
    subject_type: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[UUID] = mapped_column(Id)
    sort: Mapped[str] = mapped_column(String(16))
    groups: Mapped[str] = mapped_column(String(120))
    before: Mapped[bytes | None] = mapped_column(LargeBinary)
    about: Mapped[UUID | None] = mapped_column(Id)
    version: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[datetime | None] = mapped_column(Instant)


class DirectoryHead(Base):
    """How far the directory is: the newest version, the newest of those that are kept no longer, and how far programs were told."""

    __tablename__ = "directory_head"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger)
    floor: Mapped[int] = mapped_column(BigInteger)
    told: Mapped[int] = mapped_column(BigInteger)
