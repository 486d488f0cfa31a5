"""HTTP face of long work: one's own jobs, their progress, what became of each item; and giving one up."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.disclosure.view import Disclosed, disclosed_response
from app.jobs.access import LOOK_PROBLEMS, ONE_PROBLEMS, PROBLEMS, Desk, JobsCancel, JobsRead
from app.jobs.errors import JobFinished, JobGoesOn
from app.jobs.schemas import JobPage, JobQuery, JobView, RowPage, RowsQuery
from app.kit.dependencies import Unit
from app.kit.errors import NotFound
from app.kit.problems import responses
from app.kit.routing import GuardedRouter

router = GuardedRouter(prefix="/v1/jobs", tags=["jobs"])


@router.get(
    "",
    summary="List one's own jobs",
    response_model=None,
    responses={**disclosed_response(JobPage, "One page, newest first"), **responses(*LOOK_PROBLEMS)},
)
async def list_jobs(viewer: JobsRead, desk: Desk, query: Annotated[JobQuery, Query()]) -> Disclosed[JobPage]:
    """List what the caller asked for; an ended job can be asked for during 30 days."""
    return await desk.reader.page(viewer, query)


@router.get(
    "/{id}",
    summary="Read a job",
    response_model=None,
    responses={**disclosed_response(JobView, "The job"), **responses(*ONE_PROBLEMS)},
)
async def read_job(viewer: JobsRead, desk: Desk, id: UUID) -> Disclosed[JobView]:
    """Show how far a job is, and its result once it is done.

    Somebody else's job is not found; how far a range is, number administrators see of each other.
    """
    return await desk.reader.one(viewer, id)


@router.get(
    "/{id}/rows",
    summary="List what became of a job's items",
    response_model=None,
    responses={**disclosed_response(RowPage, "One page, by number"), **responses(*ONE_PROBLEMS)},
)
async def list_job_rows(
    viewer: JobsRead, desk: Desk, id: UUID, query: Annotated[RowsQuery, Query()]
) -> Disclosed[RowPage]:
    """List items that are finished; `next` is the number to go on after."""
    return await desk.reader.rows(viewer, id, query)


@router.delete(
    "/{id}",
    summary="Cancel a job",
    status_code=204,
    response_model=None,
    responses={204: {"description": "It is cancelled"}, **responses(*PROBLEMS, NotFound, JobFinished, JobGoesOn)},
)
async def cancel_job(viewer: JobsCancel, desk: Desk, unit: Unit, id: UUID) -> Response:
    """Give a job up: one that waits does not begin, one that runs stops at its next step; what it did until then stays done.

    One that fills a range goes on, as the range is there already.
    """
    await desk.service.cancel(unit, viewer, id)
    return Response(status_code=204)
