"""Tables of the number plan. Digits are text, compared byte by byte; a number is one row for ever and who held it are further rows.

What may not happen is forbidden by the indexes: two live rows of the same digits in a domain, two open assignments of one number (but for
shared lines), two allocations under one reference of one caller. The free list is two partial indexes: numbers that are available in the
order of their pool's strategy, and numbers that are not yet, by the time at which they are: out of quarantine, or past the end of a hold.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant, Json

DIGITS: Final = String(15).with_variant(String(15, collation="C"), "postgresql")
ROW_NUMBER: Final = BigInteger().with_variant(Integer(), "sqlite")
_STATES: Final = "'planned','available','held','provisioning','assigned','quarantined','reserved','blocked','retired'"


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class NumberDomain(Base):
    """A numbering domain: inside it digits are unique. ``dialling`` says whether a number may begin another."""

    __tablename__ = "number_domain"
    __table_args__ = (CheckConstraint("dialling IN ('overlap','en_bloc')", name="dialling"),)
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    dialling: Mapped[str] = mapped_column(String(16))
    first_digits: Mapped[str] = mapped_column(String(10), default="2345678", server_default="2345678")
    shortest: Mapped[int] = mapped_column(Integer, default=2, server_default="2")
    longest: Mapped[int] = mapped_column(Integer, default=15, server_default="15")
    access_codes: Mapped[Any] = mapped_column(Json, default=list, server_default="[]")
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class NumberPool(Base):
    """Numbers that are given out by one rule. ``department_id`` names whose pool it is, none means the company's.

    ``pattern`` is how its numbers look that come first, where that is the strategy. ``confirms``: the exchange tells when it has set a
    number up, and before that it is not assigned but provisioning.
    """

    __tablename__ = "number_pool"
    __table_args__ = (
        CheckConstraint("class IN ('internal','partner','temporary','executive','service','nice')", name="class"),
        CheckConstraint("strategy IN ('lowest','longest_idle','random','pattern','mobile_tail')", name="strategy"),
        CheckConstraint("(strategy = 'pattern') = (pattern IS NOT NULL)", name="pattern"),
        CheckConstraint("quarantine_days BETWEEN 0 AND 3650", name="quarantine_days"),
        CheckConstraint("low_water IS NULL OR low_water >= 0", name="low_water"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    domain_id: Mapped[UUID] = mapped_column(Id, ForeignKey("number_domain.id"))
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    pool_class: Mapped[str] = mapped_column("class", String(16))
    strategy: Mapped[str] = mapped_column(String(16))
    pattern: Mapped[str | None] = mapped_column(String(16))
    quarantine_days: Mapped[int] = mapped_column(Integer)
    department_id: Mapped[UUID | None] = mapped_column(Id, ForeignKey("department.id"))
    joiners: Mapped[bool] = mapped_column(Boolean, default=False)
    confirms: Mapped[bool] = mapped_column(Boolean, server_default=false())
    low_water: Mapped[int | None] = mapped_column(Integer)
    lead_days: Mapped[int | None] = mapped_column(Integer)
    keeps_nice: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class NumberRange(Base):
    """A stretch of numbers of one length in a pool; ``materialised`` of its ``size`` numbers have their row."""

    __tablename__ = "number_range"
    __table_args__ = (
        CheckConstraint("step >= 1", name="step"),
        CheckConstraint("materialised BETWEEN 0 AND size", name="materialised"),
        Index("ix_number_range_domain_id_width_first", "domain_id", "width", "first"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    domain_id: Mapped[UUID] = mapped_column(Id, ForeignKey("number_domain.id"))
    pool_id: Mapped[UUID] = mapped_column(Id, ForeignKey("number_pool.id"), index=True)
    first: Mapped[str] = mapped_column(DIGITS)
    last: Mapped[str] = mapped_column(DIGITS)
    width: Mapped[int] = mapped_column(Integer)
    step: Mapped[int] = mapped_column(Integer)
    excluded: Mapped[Any] = mapped_column(Json)
    size: Mapped[int] = mapped_column(Integer)
    materialised: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(Instant)
    opens_at: Mapped[datetime | None] = mapped_column(Instant)


class NumberReserved(Base):
    """Digits that no number may be, begin with, or be the beginning of: emergency and public service numbers."""

    __tablename__ = "number_reserved"
    __table_args__ = (CheckConstraint("kind IN ('emergency','service')", name="kind"),)
    digits: Mapped[str] = mapped_column(DIGITS, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    name_zh: Mapped[str] = mapped_column(String(64))
    name_en: Mapped[str] = mapped_column(String(64))


class Number(Base):
    """One number. ``sort_key`` is its place in the free list; at ``available_from`` it is free without anybody doing anything.

    ``hold_id`` is the hold that it was last under; ``kept_for`` says why it is blocked or what it is reserved for.
    """

    __tablename__ = "number"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint("state <> 'quarantined' OR available_from IS NOT NULL", name="quarantine"),
        _partial("uq_number_domain_id_digits", "domain_id", "digits", where="state <> 'retired'", unique=True),
        _partial("ix_number_free", "pool_id", "sort_key", where="state = 'available'"),
        _partial("ix_number_nice", "pool_id", "nice", "sort_key", where="state = 'available' AND nice > 0"),
        _partial(
            "ix_number_aside", "pool_id", "state", "available_from", where="state NOT IN ('available','assigned')"
        ),
        _partial("ix_number_waiting", "pool_id", "available_from", "state", where="available_from IS NOT NULL"),
        Index("ix_number_pool_id_digits_id", "pool_id", "digits", "id"),
    )
    id: Mapped[int] = mapped_column(ROW_NUMBER, primary_key=True, autoincrement=True)
    domain_id: Mapped[UUID] = mapped_column(Id, ForeignKey("number_domain.id"))
    pool_id: Mapped[UUID] = mapped_column(Id, ForeignKey("number_pool.id"))
    range_id: Mapped[UUID] = mapped_column(Id, ForeignKey("number_range.id"))
    digits: Mapped[str] = mapped_column(DIGITS)
    state: Mapped[str] = mapped_column(String(12))
    sort_key: Mapped[int] = mapped_column(BigInteger)
    available_from: Mapped[datetime | None] = mapped_column(Instant)
    nice: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    nice_version: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    hold_id: Mapped[UUID | None] = mapped_column(Id)
    kept_for: Mapped[str | None] = mapped_column(String(100))


class NumberAssignment(Base):
    """Who holds or held a number, from when until when, by whom. Only the end of a row is ever written later; triggers see to it.

    ``due_at`` is when the worker is to look at an open one that has an end, and not part of history; ``holder_code`` is the code of a
    holder that is known by one, a room.
    """

    __tablename__ = "number_assignment"
    __table_args__ = (
        CheckConstraint(
            "holder_type IN ('contact','department','room','device','hotline','external')", name="holder_type"
        ),
        CheckConstraint("role IN ('short','extension','shared')", name="role"),
        CheckConstraint("(ended_at IS NULL) = (cause IS NULL)", name="ended"),
        _partial("uq_number_assignment_open", "number_id", where="ended_at IS NULL AND role <> 'shared'", unique=True),
        _partial(
            "uq_number_assignment_reference",
            "pool_id",
            "caller",
            "consumer_ref",
            "ordinal",
            where="consumer_ref IS NOT NULL",
            unique=True,
        ),
        Index("ix_number_assignment_number_id_started_at", "number_id", "started_at"),
        Index("ix_number_assignment_pool_id_started_at", "pool_id", "started_at"),
        _partial("ix_number_assignment_ended", "pool_id", "ended_at", where="ended_at IS NOT NULL"),
        _partial("ix_number_assignment_holder", "holder_id", where="ended_at IS NULL"),
        _partial("ix_number_assignment_former", "holder_id", "ended_at", where="ended_at IS NOT NULL"),
        _partial("ix_number_assignment_due", "due_at", where="ended_at IS NULL AND due_at IS NOT NULL"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    number_id: Mapped[int] = mapped_column(ROW_NUMBER, ForeignKey("number.id"))
    pool_id: Mapped[UUID] = mapped_column(Id)
    holder_type: Mapped[str] = mapped_column(String(16))
    holder_id: Mapped[UUID] = mapped_column(Id)
    role: Mapped[str] = mapped_column(String(16))
    started_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    cause: Mapped[str | None] = mapped_column(String(16))
    until: Mapped[datetime | None] = mapped_column(Instant)
    caller: Mapped[str] = mapped_column(String(96))
    consumer_ref: Mapped[str | None] = mapped_column(String(128))
    ordinal: Mapped[int] = mapped_column(Integer, default=0)
    actor_type: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(64))
    ended_by_type: Mapped[str | None] = mapped_column(String(16))
    ended_by_id: Mapped[str | None] = mapped_column(String(64))
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    holder_code: Mapped[str | None] = mapped_column(String(32))


class NumberHold(Base):
    """Numbers of a pool that are kept for one caller (``hold``) or, by an approved request, for a purpose (``reservation``).

    ``numbers`` are their row numbers, in the order in which they are given out. Until ``expires_at`` they are; the end is written when the
    hold is used or dropped, or when somebody notices that it is over.
    """

    __tablename__ = "number_hold"
    __table_args__ = (
        CheckConstraint("kind IN ('hold','reservation')", name="kind"),
        CheckConstraint("(ended_at IS NULL) = (cause IS NULL)", name="ended"),
        _partial("ix_number_hold_expires_at", "expires_at", where="ended_at IS NULL"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    pool_id: Mapped[UUID] = mapped_column(Id, ForeignKey("number_pool.id"))
    numbers: Mapped[Any] = mapped_column(Json)
    kind: Mapped[str] = mapped_column(String(12))
    owner: Mapped[str] = mapped_column(String(96))
    purpose: Mapped[str] = mapped_column(String(100))
    expires_at: Mapped[datetime] = mapped_column(Instant)
    extended: Mapped[int] = mapped_column(Integer, default=0)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    cause: Mapped[str | None] = mapped_column(String(12))
    row_version: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[datetime] = mapped_column(Instant)
