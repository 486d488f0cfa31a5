"""All queries on jobs, and the MAC that makes it believable who asked for what. Nothing here commits."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
import structlog
from sqlalchemy import Integer, String, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import Query, Source
from app.crypto.rowmac import RowSigner
from app.jobs.models import Job, JobRow
from app.kit.db import Row
from app.kit.models import Id
from app.permissions.jobs import RowOutcome

STALE: Final = timedelta(seconds=30)
"""A run that has said nothing for so long is dead, and another takes over."""
KEPT: Final = timedelta(days=30)
"""How long an ended job can be asked for."""
WAITING: Final = ("queued", "running")
_TABLE: Final = Job.__tablename__
_AT_ONCE: Final = 20

_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """A job as it stands."""

    id: UUID
    kind: str
    state: str
    payload: Mapping[str, Any]
    done: int
    total: int
    caller: str
    subject: Mapping[str, Any]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempts: int
    result: Mapping[str, Any] | None
    problem: Mapping[str, str] | None


_COLUMNS: Final[tuple[Any, ...]] = tuple(getattr(Job, name) for name in JobState.__slots__)
_JOB: Final = select(*_COLUMNS, Job.mac)
_OWN: Final = Query(
    _JOB.where(Job.caller == bindparam("caller", type_=String()), Job.id < bindparam("before", type_=Id()))
    .order_by(Job.id.desc())
    .limit(bindparam("page", type_=Integer()))
)
_BY_ID: Final = Query(_JOB.where(Job.id == bindparam("id", type_=Id())))
_ROWS: Final = Query(
    select(JobRow.number, JobRow.state, JobRow.detail)
    .where(JobRow.job_id == bindparam("job", type_=Id()), JobRow.number > bindparam("after", type_=Integer()))
    .order_by(JobRow.number)
    .limit(bindparam("page", type_=Integer()))
)


class JobRepository:
    """Rows of ``job`` and ``job_row``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of the table."""
        self._signer = signer

    async def add(self, session: AsyncSession, job: JobState) -> None:
        """Write a new job."""
        values = {name: getattr(job, name) for name in JobState.__slots__}
        await session.execute(insert(Job).values(**values, mac=self._signer.sign(_TABLE, _covered(job))))

    async def waiting(self, session: AsyncSession, caller: str) -> tuple[int, int]:
        """Count the jobs that are not ended: the caller's, and everybody's."""
        mine = func.count().filter(Job.caller == caller)
        row = (await session.execute(select(mine, func.count()).where(Job.state.in_(WAITING)))).one()
        return int(row[0]), int(row[1])

    async def by_id(self, source: Source, identity: UUID) -> JobState | None:
        """Find a job; one that was edited past us is none, and reported."""
        rows = await _BY_ID.rows(source, id=identity)
        return self._job(rows[0]) if rows else None

    async def page(self, source: Source, caller: str, *, before: UUID, limit: int) -> list[JobState]:
        """List a caller's jobs, newest first."""
        found = [self._job(row) for row in await _OWN.rows(source, caller=caller, before=before, page=limit)]
        return [job for job in found if job is not None]

    async def rows(self, source: Source, identity: UUID, *, after: int, limit: int) -> list[Row]:
        """List what became of a job's items: number, state, detail."""
        return list(await _ROWS.rows(source, job=identity, after=after, page=limit))

    async def claim(
        self, session: AsyncSession, *, owner: UUID, kinds: Collection[str], now: datetime
    ) -> JobState | None:
        """Take the oldest job that may run now, or that a dead run left; ``None`` when there is none.

        Two processes cannot have two jobs of one kind: the index refuses the second, with ``IntegrityError``.
        """
        dead = now - STALE
        left = and_(Job.state == "running", Job.heartbeat_at < dead)
        statement = (
            select(*_COLUMNS, Job.mac)
            .where(or_(Job.state == "queued", left), Job.kind.in_(sorted(kinds)))
            .order_by(Job.created_at, Job.id)
            .limit(_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        busy = set(await session.scalars(select(Job.kind).where(Job.state == "running", Job.heartbeat_at >= dead)))
        dying = set(await session.scalars(select(Job.kind).where(left)))
        for row in await session.execute(statement):
            if row.kind in busy or (row.state == "queued" and row.kind in dying):
                continue
            started = row.started_at or now
            taken = {"state": "running", "owner": owner, "heartbeat_at": now, "started_at": started}
            await session.execute(update(Job).where(Job.id == row.id).values(**taken, attempts=row.attempts + 1))
            job = self._job(tuple(row))
            if job is None:
                await self.finish(session, row.id, owner, state="failed", problem=_UNBELIEVED, now=now)
                return None
            return job
        return None

    async def beat(self, session: AsyncSession, identity: UUID, owner: UUID, *, now: datetime) -> bool:
        """Say that a run lives; tell whether the job is still its own."""
        return await self._mine(session, identity, owner, heartbeat_at=now)

    async def advance(
        self,
        session: AsyncSession,
        identity: UUID,
        owner: UUID,
        *,
        at: tuple[int, int],
        first: int,
        rows: Sequence[RowOutcome],
        now: datetime,
    ) -> bool:
        """Write progress and the rows from number ``first`` on; tell whether the job is still the run's own."""
        done, total = at
        if not await self._mine(session, identity, owner, done=done, total=total, heartbeat_at=now):
            return False
        if rows:
            values = [
                {"job_id": identity, "number": number, "state": row.state, "detail": dict(row.detail)}
                for number, row in enumerate(rows, start=first)
            ]
            await session.execute(insert(JobRow), values)
        return True

    async def finish(
        self,
        session: AsyncSession,
        identity: UUID,
        owner: UUID | None,
        *,
        state: str,
        now: datetime,
        result: Mapping[str, Any] | None = None,
        problem: Mapping[str, str] | None = None,
    ) -> bool:
        """End a job; with an ``owner`` only while it is that run's own. Tell whether it was ended."""
        values = {"state": state, "finished_at": now, "result": result, "problem": problem, "owner": None}
        if owner is not None:
            return await self._mine(session, identity, owner, **values)
        statement = update(Job).where(Job.id == identity, Job.state.in_(WAITING)).values(**values).returning(Job.id)
        return (await session.execute(statement)).first() is not None

    async def forget(self, session: AsyncSession, *, before: datetime) -> None:
        """Drop what ended before a time."""
        old = select(Job.id).where(Job.finished_at < before)
        await session.execute(delete(JobRow).where(JobRow.job_id.in_(old)))
        await session.execute(delete(Job).where(Job.finished_at < before))

    async def _mine(self, session: AsyncSession, identity: UUID, run: UUID, **values: Any) -> bool:  # noqa: ANN401 — columns
        statement = update(Job).where(Job.id == identity, Job.owner == run, Job.state == "running")
        return (await session.execute(statement.values(**values).returning(Job.id))).first() is not None

    def _job(self, row: Row) -> JobState | None:
        *values, mac = row
        job = JobState(**dict(zip(JobState.__slots__, values, strict=True)))
        if not self._signer.verify(_TABLE, _covered(job), mac):
            _log.error("row_mac_mismatch", table=_TABLE, row=str(job.id))
            return None
        return job


_UNBELIEVED: Final = {"code": "job_tampered", "title": "The job was edited", "title_zh": "任务记录被篡改"}


def _covered(job: JobState) -> tuple[Any, ...]:
    """Lay out what nobody may edit: who asked for what; progress and outcome are the runs' own."""
    return (job.id, job.kind, _canonical(job.payload), job.caller, _canonical(job.subject), job.created_at)


def _canonical(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
