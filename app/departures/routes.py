"""HTTP face of departures."""

from typing import Annotated

from fastapi import Query

from app.departures.access import LOOK_PROBLEMS, DeparturesRead, Desk, Named
from app.departures.schemas import DeparturePage, DepartureQuery, DepartureView
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.errors import NotFound
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.routing import GuardedRouter

router = GuardedRouter(prefix="/v1/departures", tags=["departures"])


@router.get(
    "",
    summary="List departures",
    response_model=None,
    responses={**disclosed_response(DeparturePage, "A page"), **responses(*LOOK_PROBLEMS, BadCursor)},
)
async def list_departures(
    viewer: DeparturesRead, desk: Desk, query: Annotated[DepartureQuery, Query()]
) -> Disclosed[DeparturePage]:
    """List who left, newest first: all of them to HR, the steward, IT, security and audit, else those whose place the caller takes over."""
    return await desk.pages.page(viewer, query)


@router.get(
    "/{id}",
    summary="Read a departure",
    response_model=None,
    responses={**disclosed_response(DepartureView, "One leaving"), **responses(*LOOK_PROBLEMS, NotFound)},
)
async def read_departure(viewer: DeparturesRead, desk: Desk, identity: Named) -> Disclosed[DepartureView]:
    """Show what a leaving found and ended, to whom it was handed on, what is owed, and by when the card is in the sealed archive."""
    return await desk.pages.one(viewer, identity)
