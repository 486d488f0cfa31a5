"""HTTP face of asking for working days: rules that hold for everybody, so no look at anybody."""

from typing import Annotated, ClassVar, Final
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from app.api.calendar_desk import CalendarDesk
from app.api.calendar_questions import CalendarQuery, DueDateQuery, RevisionsQuery
from app.api.calendar_views import CalendarView, DueDateView, RevisionPage, RevisionView
from app.auth.scopes import Scope
from app.kit.dependencies import IfNoneMatch
from app.kit.errors import InsufficientScope, Invalid, NotFound, Unauthenticated, Unavailable
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.permissions.errors import AccountSuspended, NoContact
from app.permissions.guard import ViewerGuard
from app.permissions.standing import Viewer


class CalendarGuard(ViewerGuard):
    """For routes that tell which days are worked, which is nobody's data: no permit, and a standing that is read afresh."""

    discloses: ClassVar[bool] = False
    fresh: ClassVar[bool] = True


CalendarRead = Annotated[Viewer, Depends(CalendarGuard(Scope.CONTACTS_READ))]

CALENDAR_PROBLEMS: Final = (Unauthenticated, InsufficientScope, NoContact, AccountSuspended, Invalid, Unavailable)
_UNCHANGED: Final = {"description": "Unchanged"}


async def calendar_desk(request: Request) -> CalendarDesk:
    """Give the desk of the application that serves the request."""
    desk: CalendarDesk = request.app.state.application.calendar
    return desk


Desk = Annotated[CalendarDesk, Depends(calendar_desk)]

router = GuardedRouter(prefix="/v1/calendar", tags=["calendar"])


@router.get(
    "",
    summary="List days and which of them are worked",
    response_model=None,
    responses={
        200: {"model": CalendarView, "description": "The days, and how many of them are worked"},
        304: _UNCHANGED,
        **responses(*CALENDAR_PROBLEMS),
    },
)
async def list_days(
    viewer: CalendarRead, desk: Desk, query: Annotated[CalendarQuery, Query()], if_none_match: IfNoneMatch = None
) -> Response:
    """Tell of every day whether it is worked, by whose word, and whether its year was announced yet. Up to 366 days, both ends included."""
    del viewer
    return await desk.pages.days(query, known=if_none_match)


@router.get(
    "/due-dates",
    summary="Count working days from a time on",
    response_model=None,
    responses={
        200: {"model": DueDateView, "description": "When it is due"},
        304: _UNCHANGED,
        **responses(*CALENDAR_PROBLEMS),
    },
)
async def read_due_date(
    viewer: CalendarRead, desk: Desk, query: Annotated[DueDateQuery, Query()], if_none_match: IfNoneMatch = None
) -> Response:
    """Tell when something that begins at `from` and may take `days` working days is due, as approvals count.

    What begins at the cut-off or later, or on a day off, counts from the next working day; it is due at the end of the last day.
    """
    del viewer
    return await desk.pages.due(query, known=if_none_match)


@router.get(
    "/revisions",
    summary="List changes of the calendar",
    response_model=None,
    responses={200: {"model": RevisionPage, "description": "A page"}, **responses(*CALENDAR_PROBLEMS, BadCursor)},
)
async def list_revisions(viewer: CalendarRead, desk: Desk, query: Annotated[RevisionsQuery, Query()]) -> Response:
    """Tell how the calendar came to be as it is, newest first: each changed day as it was and as it is."""
    return await desk.pages.revisions(viewer, query)


@router.get(
    "/revisions/{id}",
    summary="Read a change of the calendar",
    response_model=None,
    responses={
        200: {"model": RevisionView, "description": "The revision"},
        304: _UNCHANGED,
        **responses(*CALENDAR_PROBLEMS, NotFound),
    },
)
async def read_revision(viewer: CalendarRead, desk: Desk, id: UUID, if_none_match: IfNoneMatch = None) -> Response:  # noqa: A002 — the name of the path member
    """Tell one change of the calendar."""
    del viewer
    return await desk.pages.revision(id, known=if_none_match)
