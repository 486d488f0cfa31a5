"""The access log over HTTP: its events, one by one, and the checkpoint that binds us to them.

Reading the log is a look: each answer here needs a permit and is an event itself. The checkpoint names nobody, but its size tells how
much the directory is used from one hour to the next, so it is guarded and logged like the rest; whoever must be able to hold us to the
log without asking us has the copies that leave the machine (``audit.publication``).
"""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request

from app.api.audit_access import LOG_PROBLEMS, LogRead
from app.disclosure.log_queries import EventQuery, EventReadQuery
from app.disclosure.log_reader import AccessLogReader, CheckpointText
from app.disclosure.log_views import EventPage, EventView
from app.disclosure.view import Disclosed
from app.kit.errors import Invalid, NotFound
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.routing import GuardedRouter


async def _reader(request: Request) -> AccessLogReader:
    reader: AccessLogReader = request.app.state.application.log_reader
    return reader


Reader = Annotated[AccessLogReader, Depends(_reader)]

router = GuardedRouter(prefix="/v1", tags=["access log"])


@router.get(
    "/access-events",
    summary="Search the access log",
    response_model=None,
    responses={
        200: {"model": EventPage, "description": "A page of events"},
        **responses(*LOG_PROBLEMS, Invalid, BadCursor),
    },
)
async def list_events(viewer: LogRead, log: Reader, query: Annotated[EventQuery, Query()]) -> Disclosed[EventPage]:
    """List looks, writes and refusals, newest first unless `sort` says otherwise: who, whom, which fields and in which state.

    All filters that are given must hold. A contact or an actor that there is not is an empty list.
    The search is itself an event, and stands in the next page that is asked for; `action=access_event.*` finds every read of the log.
    A question with `from` or `to` and neither `contact` nor `actor` is answered in the order of time, any other in the order of the log.
    `contact`, else `actor`, else the time are looked up in an index; all other filters are applied on the way.
    One page looks at 20,000 events at most, so it may be short or even empty: as long as `next` is set there is more to look at.
    """
    return await log.search(viewer, query)


@router.get(
    "/access-events/{id}",
    summary="Read one event",
    response_model=None,
    responses={200: {"model": EventView, "description": "The event"}, **responses(*LOG_PROBLEMS, NotFound, Invalid)},
)
async def read_event(
    viewer: LogRead,
    log: Reader,
    id: UUID,  # noqa: A002 — name of the path member
    query: Annotated[EventReadQuery, Query()],
) -> Disclosed[EventView]:
    """Show one event with the shape of what was asked."""
    return await log.read(viewer, id, query.purpose)


@router.get(
    "/access-log/checkpoint",
    summary="Give the newest signed checkpoint",
    response_model=None,
    response_class=CheckpointText,
    responses={
        200: {
            "description": "A C2SP signed note: origin, size, root, signature",
            "content": {
                "text/plain": {
                    "schema": {"type": "string"},
                    "example": "duanhao.local/access-log\n42\n<root>\n\n— <signature>\n",
                }
            },
        },
        **responses(*LOG_PROBLEMS, NotFound),
    },
)
async def read_checkpoint(viewer: LogRead, log: Reader) -> CheckpointText:
    """Give what the log signed last. It covers the event of this very request."""
    return await log.checkpoint(viewer)
