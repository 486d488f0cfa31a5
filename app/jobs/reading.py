"""Jobs as whoever asked for them is shown them. Somebody else's job and one that is not there are the same 404."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson

from app.audit.errors import EpochMoved
from app.disclosure.looks import Look
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.jobs.repository import JobRepository, JobState
from app.jobs.schemas import JobPage, JobQuery, JobView, RowPage, RowsQuery
from app.kit.errors import NotFound
from app.numbers.rules import NUMBER_KEEPERS
from app.permissions.jobs import RESOURCE
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer

_T = TypeVar("_T")
_LAST: Final = UUID(int=(1 << 128) - 1)
_SHAPE: Final = "jobs"


class JobReader:
    """Shows jobs."""

    def __init__(self, repository: JobRepository, showing: Showing) -> None:
        """Take the rows, and what shows them."""
        self._repository, self._gate, self._standings = repository, showing.gate, showing.standings
        self._cursors, self._reader = showing.cursors, showing.reader

    async def page(self, viewer: Viewer, query: JobQuery) -> Disclosed[JobPage]:
        """List the caller's own jobs, newest first."""
        before = _LAST if query.cursor is None else UUID(self._cursors.open(viewer.caller, _SHAPE, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[JobPage]:
            rows = await self._repository.page(self._reader, viewer.caller, before=before, limit=query.limit + 1)
            page, following = rows[: query.limit], None
            if len(rows) > query.limit:
                following = self._cursors.seal(viewer.caller, _SHAPE, str(page[-1].id))
            body = {"items": [_view(each) for each in page], "next": following}
            return Disclosed(await self._noted(viewer, "job.list", body, count=len(page)))

        return await self._with_current_rights(viewer, attempt)

    async def one(self, viewer: Viewer, identity: UUID) -> Disclosed[JobView]:
        """Show one job. Raises ``NotFound``."""

        async def attempt(viewer: Viewer) -> Disclosed[JobView]:
            job = await self._own(viewer, identity)
            return Disclosed(await self._noted(viewer, "job.read", _view(job), count=1, job=identity))

        return await self._with_current_rights(viewer, attempt)

    async def rows(self, viewer: Viewer, identity: UUID, query: RowsQuery) -> Disclosed[RowPage]:
        """List what became of a job's items. Raises ``NotFound``."""

        async def attempt(viewer: Viewer) -> Disclosed[RowPage]:
            await self._own(viewer, identity)
            rows = await self._repository.rows(self._reader, identity, after=query.after, limit=query.limit + 1)
            page = rows[: query.limit]
            items = [{"number": number, "state": state, "detail": detail} for number, state, detail in page]
            body = {"items": items, "next": page[-1][0] if len(rows) > query.limit else None}
            return Disclosed(await self._noted(viewer, "job.rows", body, count=len(page), job=identity))

        return await self._with_current_rights(viewer, attempt)

    async def _own(self, viewer: Viewer, identity: UUID) -> JobState:
        job = await self._repository.by_id(self._reader, identity)
        if job is None or not (job.caller == viewer.caller or _keeps(viewer, job)):
            raise NotFound
        return job

    async def _noted(
        self, viewer: Viewer, action: str, body: dict[str, Any], *, count: int, job: UUID | None = None
    ) -> bytes:
        look = Look(action=action, purpose=Purpose.WORK_CONTACT, query=None if job is None else {"job": str(job)})
        note = await self._gate.disclose_plain(viewer, look, count=count)
        return orjson.dumps({**body, "disclosure": orjson.Fragment(note)})

    async def _with_current_rights(self, viewer: Viewer, attempt: Callable[[Viewer], Awaitable[_T]]) -> _T:
        try:
            return await attempt(viewer)
        except (EpochMoved, NotFound):
            return await attempt(await self._standings.of(viewer.subject, fresh=True))


def _keeps(viewer: Viewer, job: JobState) -> bool:
    """Tell whether a job fills what ``viewer`` keeps: number administrators are shown how far each other's ranges are."""
    return RESOURCE in job.payload and not viewer.standing.roles.isdisjoint(NUMBER_KEEPERS)


def _view(job: JobState) -> dict[str, Any]:
    return {
        "id": str(job.id),
        "kind": job.kind,
        "resource": job.payload.get(RESOURCE),
        "state": job.state,
        "progress": {"done": job.done, "total": job.total},
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "result": job.result,
        "problem": job.problem,
    }
