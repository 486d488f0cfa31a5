"""Long work that the outbox does, as jobs: booked with what promises it, and advanced in the transaction of each piece.

So the count never says more or less than what was done.

Such a job has no run that could die with it: each piece promises the next, and whoever finds the promise goes on. It asks for nobody's
rights any more either, for what it does was allowed, and put on record, when it was promised; so nobody can take it back.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, literal, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto.rowmac import RowSigner
from app.jobs.models import Job, JobRow
from app.jobs.repository import WAITING, JobRepository
from app.jobs.service import queued
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.models import Instant
from app.permissions.jobs import RESOURCE, Piece
from app.permissions.standing import Viewer


class JobBook:
    """Books jobs. Implements ``permissions.jobs.JobBooking``."""

    def __init__(self, signer: RowSigner, clock: Clock) -> None:
        """Take the signer of the table and the clock."""
        self._rows, self._clock = JobRepository(signer), clock

    async def begin(self, unit: UnitOfWork, viewer: Viewer, kind: str, *, resource: str, total: int) -> UUID:
        """Book a job of ``total`` items on what stands at ``resource`` (a path of ours); give its id."""
        job = queued(viewer, kind, {RESOURCE: resource}, total=total, at=self._clock.now())
        await self._rows.add(unit.session, job)
        return job.id


async def advanced(session: AsyncSession, identity: UUID, piece: Piece, *, now: datetime) -> None:
    """Write that a piece of a booked job is done, in the transaction in which it was; the last one ends the job."""
    ends = piece.done == piece.total
    values: dict[str, Any] = {
        "state": "done" if ends else "running",
        "done": piece.done,
        "total": piece.total,
        "attempts": Job.attempts + 1,
        "started_at": func.coalesce(Job.started_at, literal(now, Instant())),
        "finished_at": now if ends else None,
        "result": {"made": piece.done} if ends else None,
    }
    this = update(Job).where(Job.id == identity, Job.state.in_(WAITING)).values(**values).returning(Job.attempts)
    row = (await session.execute(this)).first()
    if row is not None:
        item = {"job_id": identity, "number": row[0] - 1, "state": "done", "detail": {"made": piece.made}}
        await session.execute(insert(JobRow), [item])
