"""Tables of postings: generations, the numbers that people have in one, and the sets themselves (docs/decisions/0062).

Nothing here is of its own: a generation is derived from the keys of contacts as they stood at one version of the directory, and is made
anew or left out without a search finding less or more.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, Integer, LargeBinary, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant

LONGEST_TERM: Final = 65


class PostingGeneration(Base):
    """Sets that were made together; ``version`` is the directory's when it was begun. Of use from ``ready_at`` on.

    ``alive_at`` tells when somebody last worked on it, so that what a process left behind that is gone is taken for that.
    """

    __tablename__ = "posting_generation"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    begun_at: Mapped[datetime] = mapped_column(Instant)
    alive_at: Mapped[datetime] = mapped_column(Instant)
    ready_at: Mapped[datetime | None] = mapped_column(Instant)


class PostingOrdinal(Base):
    """The number of a contact in a generation, in the order of names; sets hold these."""

    __tablename__ = "posting_ordinal"
    __table_args__ = (UniqueConstraint("generation", "contact_id"), {"sqlite_with_rowid": False})
    generation: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    ordinal: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    contact_id: Mapped[UUID] = mapped_column(Id)


class Posting(Base):
    """Whom the keys of one rank find that begin with ``term`` or, ``whole``, are it: ordinals, as a Roaring bitmap."""

    __tablename__ = "posting"
    generation: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    rank: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    whole: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    term: Mapped[str] = mapped_column(
        String(LONGEST_TERM).with_variant(String(LONGEST_TERM, collation="C"), "postgresql"), primary_key=True
    )
    members: Mapped[bytes] = mapped_column(LargeBinary)
