"""Tables of long work: a job with its progress, and what became of each of its items. Ids and counts, never personal data.

A job runs with the rights of whoever asked for it, so who that is, and what was asked for, stand under a MAC.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant, Json


def _partial(name: str, column: str, *, where: str, unique: bool = False) -> Index:
    return Index(name, column, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


class Job(Base):
    """One piece of long work. ``owner`` is the run that has it now and says so by ``heartbeat_at``; booked work has no run."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("state IN ('queued','running','done','failed','cancelled')", name="state"),
        CheckConstraint("done >= 0 AND done <= total", name="progress"),
        _partial("uq_job_running", "kind", where="state = 'running' AND owner IS NOT NULL", unique=True),
        _partial("ix_job_waiting", "created_at", where="state IN ('queued','running')"),
        Index("ix_job_caller_id", "caller", "id"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(48))
    state: Mapped[str] = mapped_column(String(16))
    payload: Mapped[Any] = mapped_column(Json)
    done: Mapped[int] = mapped_column(Integer, default=0)
    total: Mapped[int] = mapped_column(Integer, default=0)
    caller: Mapped[str] = mapped_column(String(160))
    subject: Mapped[Any] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(Instant)
    started_at: Mapped[datetime | None] = mapped_column(Instant)
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    heartbeat_at: Mapped[datetime | None] = mapped_column(Instant)
    owner: Mapped[UUID | None] = mapped_column(Id)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    result: Mapped[Any | None] = mapped_column(Json)
    problem: Mapped[Any | None] = mapped_column(Json)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class JobRow(Base):
    """What became of one item of a job, by its number from 0."""

    __tablename__ = "job_row"
    job_id: Mapped[UUID] = mapped_column(Id, ForeignKey("job.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(16))
    detail: Mapped[Any] = mapped_column(Json)
