"""The access log over HTTP: its events, and the checkpoint that binds us to them.

Reading the log is a look: each answer here needs a permit and is an event itself. The checkpoint names nobody, but its size tells how
much the directory is used from one hour to the next, so it is guarded and logged like the rest; whoever must be able to hold us to the
log without asking us has the copies that leave the machine (``audit.publication``).
"""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.disclosure.log_reader import AccessLogReader, CheckpointText
from app.disclosure.log_views import EventPage, EventQuery, EventReadQuery, EventView
from app.disclosure.view import Disclosed
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, NotFound, Unauthenticated
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted
from app.permissions.guard import LookGuard
from app.permissions.standing import Viewer

_ALWAYS = (Unauthenticated, InsufficientScope, NoContact, AccountSuspended, NotPermitted, LogUnavailable, EpochMoved)

LogRead = Annotated[Viewer, Depends(LookGuard(Scope.ACCESS_LOG_READ))]


async def _reader(request: Request) -> AccessLogReader:
    reader: AccessLogReader = request.app.state.application.log_reader
    return reader


Reader = Annotated[AccessLogReader, Depends(_reader)]

router = GuardedRouter(prefix="/v1", tags=["access log"])


@router.get(
    "/access-events",
    summary="Search the access log",
    response_model=None,
    responses={200: {"model": EventPage, "description": "A page of events"}, **responses(*_ALWAYS, Invalid, BadCursor)},
)
async def list_events(viewer: LogRead, log: Reader, query: Annotated[EventQuery, Query()]) -> Disclosed[EventPage]:
    """List looks, writes and refusals, newest first: who, whom, which fields and in which state.

    The search is itself an event, and stands in the next page that is asked for.
    A question with `from` or `to` and neither `contact` nor `actor` is answered in the order of time, any other in the order of the log.
    """
    return await log.search(viewer, query)


@router.get(
    "/access-events/{id}",
    summary="Read one event",
    response_model=None,
    responses={200: {"model": EventView, "description": "The event"}, **responses(*_ALWAYS, NotFound, Invalid)},
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
        **responses(*_ALWAYS, NotFound),
    },
)
async def read_checkpoint(viewer: LogRead, log: Reader) -> CheckpointText:
    """Give what the log signed last. It covers the event of this very request."""
    return await log.checkpoint(viewer)
