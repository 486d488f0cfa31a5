"""Tables of reconciliations: what was handed in, its file in boxes until it is compared, the differences, and who let a blown fuse pass.

What is asked, what was found and what was allowed stand under a MAC, the diff under its digest in there. A difference says names of
members; what the file says of it stands in a box of its own until it is applied.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant, Json


class ReconciliationRun(Base):
    """One head-count; ``done`` of ``total`` rows of the file are compared, or of the diff applied."""

    __tablename__ = "reconciliation"
    __table_args__ = (
        CheckConstraint("state IN ('queued','comparing','compared','applying','applied','failed')", name="state"),
        CheckConstraint("size BETWEEN 1 AND 67108864", name="size"),
        Index("ix_reconciliation_caller_id", "caller", "id"),
        Index("ix_reconciliation_begun_at", "begun_at"),
        Index("ix_reconciliation_state_created_at", "state", "created_at"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    source: Mapped[str] = mapped_column(String(54))
    format: Mapped[str] = mapped_column(String(8))
    department_id: Mapped[UUID | None] = mapped_column(Id)
    as_of: Mapped[datetime] = mapped_column(Instant)
    size: Mapped[int] = mapped_column(Integer)
    content: Mapped[bytes] = mapped_column(LargeBinary(32))
    caller: Mapped[str] = mapped_column(String(160))
    client_id: Mapped[str] = mapped_column(String(64))
    job_id: Mapped[UUID] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(Instant)
    compared_at: Mapped[datetime | None] = mapped_column(Instant)
    digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    rows: Mapped[int] = mapped_column(Integer)
    leavers: Mapped[int] = mapped_column(Integer)
    people: Mapped[int] = mapped_column(Integer)
    nameless: Mapped[int] = mapped_column(Integer)
    begun_at: Mapped[datetime | None] = mapped_column(Instant)
    apply_job_id: Mapped[UUID | None] = mapped_column(Id)
    released_by: Mapped[UUID | None] = mapped_column(Id)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    state: Mapped[str] = mapped_column(String(9))
    done: Mapped[int] = mapped_column(Integer)
    total: Mapped[int | None] = mapped_column(Integer)
    counts: Mapped[Any] = mapped_column(Json)
    outcomes: Mapped[Any] = mapped_column(Json)
    notes: Mapped[Any] = mapped_column(Json)
    problem: Mapped[str | None] = mapped_column(String(64))
    finished_at: Mapped[datetime | None] = mapped_column(Instant)


class ReconciliationPiece(Base):
    """A piece of a file, boxed for its place; gone when it is compared."""

    __tablename__ = "reconciliation_piece"
    reconciliation_id: Mapped[UUID] = mapped_column(Id, ForeignKey("reconciliation.id"), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    box: Mapped[bytes] = mapped_column(LargeBinary)


class ReconciliationRow(Base):
    """A difference, by its number from 0; applied in the order of waves, and of numbers in a wave."""

    __tablename__ = "reconciliation_row"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('joiner','returned','changed','leaver','newer','unknown_department','unreadable')", name="kind"
        ),
        Index("ix_reconciliation_row_reconciliation_id_kind_number", "reconciliation_id", "kind", "number"),
        Index("ix_reconciliation_row_reconciliation_id_wave_number", "reconciliation_id", "wave", "number"),
    )
    reconciliation_id: Mapped[UUID] = mapped_column(Id, ForeignKey("reconciliation.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    wave: Mapped[int | None] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(18))
    line: Mapped[int | None] = mapped_column(Integer)
    employee_no: Mapped[str | None] = mapped_column(String(32))
    contact_id: Mapped[UUID | None] = mapped_column(Id)
    department_id: Mapped[UUID | None] = mapped_column(Id)
    version: Mapped[int | None] = mapped_column(Integer)
    members: Mapped[Any] = mapped_column(Json)
    column: Mapped[str | None] = mapped_column("column_name", String(40))
    code: Mapped[str | None] = mapped_column(String(64))
    box: Mapped[bytes | None] = mapped_column(LargeBinary)
    outcome: Mapped[str | None] = mapped_column(String(10))
    result: Mapped[str | None] = mapped_column(String(64))


class ReconciliationRelease(Base):
    """The word of an approved request: this diff may let so many people go."""

    __tablename__ = "reconciliation_release"
    __table_args__ = (Index(None, "reconciliation_id"),)
    request_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    reconciliation_id: Mapped[UUID] = mapped_column(Id)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    leavers: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
