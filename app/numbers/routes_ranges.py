"""HTTP face of a pool's contents: its ranges, what is free, how full it is."""

from typing import Annotated, Final

from fastapi import Query, Response

from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import Invalid, NotFound
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.numbers.access import (
    LOOK_PROBLEMS,
    ONCE_PROBLEMS,
    NamedPool,
    NamedRange,
    NumbersAdmin,
    NumbersRead,
    Plan,
    Ranges,
)
from app.numbers.errors import RangeOverlaps, RangeRefused, RangeReserved, RangeTooLarge
from app.numbers.plan_errors import RangeConflicts, RangeIsOpen, RangeOutsideDomain
from app.numbers.plan_schemas import (
    AvailablePage,
    PreviewQuery,
    RangeAmend,
    RangeCreate,
    RangePage,
    RangeReceipt,
    RangeView,
)
from app.numbers.pools import POOLS
from app.numbers.usage_schemas import ForecastQuery, ForecastView, UtilisationView

_READ: Final = responses(*LOOK_PROBLEMS, NotFound, Invalid)
_LATER: Final = "More than 10,000 numbers: made by the worker; the `job` tells the progress, and so does `Location`"

_RANGE_PROBLEMS: Final = (
    RangeRefused,
    RangeTooLarge,
    RangeReserved,
    RangeOutsideDomain,
    RangeOverlaps,
    RangeConflicts,
)

router = GuardedRouter(prefix="/v1", tags=["number plan"])


@router.get(
    "/number-pools/{id}/ranges",
    summary="List a pool's ranges",
    response_model=None,
    responses={**disclosed_response(RangePage, "All ranges"), **_READ},
)
async def list_ranges(viewer: NumbersRead, plan: Plan, named: NamedPool) -> Disclosed[RangePage]:
    """List the ranges of a pool, and how much of each is there yet."""
    return await plan.ranges(viewer, named)


@router.post(
    "/number-pools/{id}/ranges",
    summary="Add a range to a pool",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": RangeReceipt, "description": "All its numbers are there"},
        202: {"model": RangeReceipt, "description": _LATER},
        **responses(*ONCE_PROBLEMS, NotFound, *_RANGE_PROBLEMS),
    },
)
async def create_range(
    viewer: NumbersAdmin,
    ranges: Ranges,
    unit: Unit,
    named: NamedPool,
    body: RangeCreate,
    idempotency_key: OnceKey = None,
) -> Response:
    """Add numbers to a pool; none of them may be reserved or in another range of the domain.

    That one begins another is refused in a domain that is dialled digit by digit (`overlap`), and elsewhere told in `warnings`.
    """
    answer = await ranges.add(viewer, unit, idempotency_key, named, body)
    response = receipt_response(answer, f"{POOLS}/{named}/ranges")
    if job := answer.receipt.body.get("job"):
        response.headers["Location"] = job
    return response


@router.patch(
    "/number-pools/{id}/ranges/{range}",
    summary="Say when a planned range opens",
    response_model=None,
    responses={
        200: {"model": RangeView, "description": "Receipt"},
        **responses(*ONCE_PROBLEMS[:-2], NotFound, RangeIsOpen),
    },
)
async def amend_range(
    viewer: NumbersAdmin, ranges: Ranges, unit: Unit, named: NamedPool, identity: NamedRange, body: RangeAmend
) -> Response:
    """Let the numbers of a planned range be free later, earlier or at once; of a large range most follow within minutes."""
    return receipt_response(await ranges.amend(viewer, unit, named, identity, body), f"{POOLS}/{named}/ranges")


@router.get(
    "/number-pools/{id}/available",
    summary="Preview free numbers",
    response_model=None,
    responses={**disclosed_response(AvailablePage, "Free numbers"), **_READ},
)
async def list_available(
    viewer: NumbersRead, plan: Plan, named: NamedPool, query: Annotated[PreviewQuery, Query()]
) -> Disclosed[AvailablePage]:
    """List what would be given out next, or what is free and looks so; nothing is held by looking.

    Looking by `pattern` or `nice` reads the free list as far as it must.
    """
    return await plan.available(viewer, named, query)


@router.get(
    "/number-pools/{id}/utilisation",
    summary="Tell how full a pool is",
    response_model=None,
    responses={**disclosed_response(UtilisationView, "Counts by state"), **_READ},
)
async def read_utilisation(viewer: NumbersRead, plan: Plan, named: NamedPool) -> Disclosed[UtilisationView]:
    """Count a pool's numbers by where they stand now."""
    return await plan.utilisation(viewer, named)


@router.get(
    "/number-pools/{id}/forecast",
    summary="Tell when a pool runs out",
    response_model=None,
    responses={**disclosed_response(ForecastView, "Take-up and the day on which nothing is free"), **_READ},
)
async def read_forecast(
    viewer: NumbersRead, plan: Plan, named: NamedPool, query: Annotated[ForecastQuery, Query()]
) -> Disclosed[ForecastView]:
    """Draw a line through the net take-up of the weeks before, with a band, and tell the day on which the free numbers are used up."""
    return await plan.forecast(viewer, named, query)
