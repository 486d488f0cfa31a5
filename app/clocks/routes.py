"""HTTP face of deadlines. Personnel events begin them; nobody sets or moves one here."""

from typing import Annotated

from fastapi import Query

from app.clocks.access import LOOK_PROBLEMS, DeadlinesRead, Named, Pages
from app.clocks.errors import PeriodUnfit
from app.clocks.schemas import DeadlinePage, DeadlineQuery, DeadlineRead, DeadlineSummary, SummaryQuery
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.errors import NotFound
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted

router = GuardedRouter(prefix="/v1/deadlines", tags=["hr"])


@router.get(
    "",
    summary="List deadlines",
    response_model=None,
    responses={
        **disclosed_response(DeadlinePage, "A page of deadlines"),
        **responses(*LOOK_PROBLEMS, NotPermitted, PeriodUnfit, BadCursor),
    },
)
async def list_deadlines(
    viewer: DeadlinesRead, pages: Pages, query: Annotated[DeadlineQuery, Query()]
) -> Disclosed[DeadlinePage]:
    """List in how many working days the directory has to follow who joins, moves and leaves, and whether it did.

    HR and auditors are told of all, heads of the departments that they head, nobody else of any.
    """
    return await pages.page(viewer, query)


@router.get(
    "/summary",
    summary="Count deadlines",
    response_model=None,
    responses={
        **disclosed_response(DeadlineSummary, "Deadlines met, late and open"),
        **responses(*LOOK_PROBLEMS, NotPermitted, PeriodUnfit),
    },
)
async def count_deadlines(
    viewer: DeadlinesRead, pages: Pages, query: Annotated[SummaryQuery, Query()]
) -> Disclosed[DeadlineSummary]:
    """Count deadlines that were met, late and open, by the month in which they are due, kind and department."""
    return await pages.summary(viewer, query)


@router.get(
    "/{id}",
    summary="Read a deadline",
    response_model=None,
    responses={
        **disclosed_response(DeadlineRead, "The deadline"),
        **responses(*LOOK_PROBLEMS, NotFound),
    },
)
async def read_deadline(viewer: DeadlinesRead, pages: Pages, id: Named) -> Disclosed[DeadlineRead]:
    """Read one. Whom it is not told, it is not there."""
    return await pages.one(viewer, id)
