"""Tables of imports: what was handed in, its content in boxes until the last row is settled, and what became of each row.

Who asked for what stands under a MAC, because it runs with their rights; how far it is stands beside it. Rows of results hold identifiers
and codes.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant, Json


class ImportRun(Base):
    """One file. ``done`` of its ``total`` rows are settled; that number is written in the transaction that settles them."""

    __tablename__ = "import_run"
    __table_args__ = (
        CheckConstraint("state IN ('queued','running','done','failed')", name="state"),
        CheckConstraint("size BETWEEN 1 AND 67108864", name="size"),
        CheckConstraint("done >= 0 AND (total IS NULL OR done <= total)", name="progress"),
        Index("ix_import_run_kind_id", "kind", "id"),
        Index("ix_import_run_digest", "digest"),
        Index(
            "ix_import_run_open",
            "created_at",
            sqlite_where=text("finished_at IS NULL"),
            postgresql_where=text("finished_at IS NULL"),
        ),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    format: Mapped[str] = mapped_column(String(16))
    place: Mapped[str] = mapped_column(String(32))
    dry_run: Mapped[bool] = mapped_column(Boolean)
    overrules: Mapped[bool] = mapped_column(Boolean)
    size: Mapped[int] = mapped_column(Integer)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    caller: Mapped[str] = mapped_column(String(160))
    contact_id: Mapped[UUID | None] = mapped_column(Id)
    job_id: Mapped[UUID] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    state: Mapped[str] = mapped_column(String(8))
    done: Mapped[int] = mapped_column(Integer, default=0)
    total: Mapped[int | None] = mapped_column(Integer)
    counts: Mapped[Any] = mapped_column(Json)
    proposals: Mapped[Any | None] = mapped_column(Json)
    problem: Mapped[str | None] = mapped_column(String(64))
    finished_at: Mapped[datetime | None] = mapped_column(Instant)


class ImportPiece(Base):
    """A piece of a file, boxed for its place; gone when the file is done with."""

    __tablename__ = "import_piece"
    import_id: Mapped[UUID] = mapped_column(Id, ForeignKey("import_run.id"), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    box: Mapped[bytes] = mapped_column(LargeBinary)


class ImportRow(Base):
    """What became of a row, by its number from 0: first what could not be read, then the rows in the order of the file."""

    __tablename__ = "import_row"
    __table_args__ = (
        CheckConstraint("outcome IN ('adopted','unchanged','conflict','problem')", name="outcome"),
        Index("ix_import_row_import_id_outcome_number", "import_id", "outcome", "number"),
    )
    import_id: Mapped[UUID] = mapped_column(Id, ForeignKey("import_run.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    line: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str] = mapped_column(String(9))
    code: Mapped[str] = mapped_column(String(32))
    column: Mapped[str | None] = mapped_column("column_name", String(40))
    item: Mapped[str | None] = mapped_column(String(64))
    notes: Mapped[Any] = mapped_column(Json)
