"""Long work as it is asked for, looked at and cancelled by whoever asked. Nothing here commits."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.audit.authors import written
from app.audit.intents import add_intent
from app.auth.subject import Person
from app.jobs.errors import JobFinished, JobGoesOn
from app.jobs.repository import WAITING, JobRepository, JobState
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.kit.models import new_id
from app.permissions.jobs import RESOURCE, TooManyJobs
from app.permissions.standing import Viewer, author_of

MOST_OF_ONE: Final = 5
MOST_OF_ALL: Final = 200


class JobService:
    """Takes jobs in and cancels them."""

    def __init__(self, *, repository: JobRepository, clock: Clock) -> None:
        """Take the rows and the clock."""
        self.repository, self._clock = repository, clock

    async def submit(
        self, unit: UnitOfWork, viewer: Viewer, kind: str, payload: Mapping[str, Any], *, total: int = 0
    ) -> UUID:
        """Promise a job that runs with the rights of ``viewer``; ``payload`` is JSON with ids only. Raises ``TooManyJobs``."""
        mine, all_of_them = await self.repository.waiting(unit.session, viewer.caller)
        if mine >= MOST_OF_ONE or all_of_them >= MOST_OF_ALL:
            raise TooManyJobs
        job = queued(viewer, kind, payload, total=total, at=self._clock.now())
        await self.repository.add(unit.session, job)
        await self._announce(unit, viewer, "job.create", job)
        return job.id

    async def cancel(self, unit: UnitOfWork, viewer: Viewer, identity: UUID) -> None:
        """End a job of the caller's; a run of it stops at its next step. Raises ``NotFound``, ``JobFinished`` and ``JobGoesOn``."""
        job = await self.repository.by_id(unit.session, identity)
        if job is None or job.caller != viewer.caller:
            raise NotFound
        if job.state in WAITING and RESOURCE in job.payload:
            raise JobGoesOn
        if job.state not in WAITING or not await self.repository.finish(
            unit.session, identity, None, state="cancelled", now=self._clock.now()
        ):
            raise JobFinished
        await self._announce(unit, viewer, "job.cancel", job)

    async def _announce(self, unit: UnitOfWork, viewer: Viewer, action: str, job: JobState) -> None:
        detail = {"job": str(job.id), "kind": job.kind}
        await add_intent(unit.session, written(author_of(viewer), action, self._clock.now(), query=detail))


def queued(viewer: Viewer, kind: str, payload: Mapping[str, Any], *, total: int, at: datetime) -> JobState:
    """Make a job of ``viewer``'s that waits."""
    return JobState(
        id=new_id(),
        kind=kind,
        state="queued",
        payload=dict(payload),
        done=0,
        total=total,
        caller=viewer.caller,
        subject=subject_of(viewer),
        created_at=at,
        started_at=None,
        finished_at=None,
        attempts=0,
        result=None,
        problem=None,
    )


def subject_of(viewer: Viewer) -> dict[str, Any]:
    """Write down who asked, so that their rights can be read again later: ids and scopes, and no second proof, which does not last."""
    subject, standing = viewer.subject, viewer.standing
    found = {"client": subject.client_id, "scopes": sorted(subject.scopes)}
    if isinstance(subject, Person):
        found["contact"] = str(standing.contact_id)
    return found
