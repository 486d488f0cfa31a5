"""HTTP face of numbers: who holds which, who held it, how full a pool is and what would be next.."""

from typing import Annotated

from fastapi import Query

from app.disclosure.view import Disclosed, disclosed_response
from app.kit.errors import Invalid, NotFound
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.numbers.access import (
    LOOK_PROBLEMS,
    NamedNumber,
    NumbersRead,
    Reader,
)
from app.numbers.errors import (
    AmbiguousNumber,
)
from app.numbers.schemas import (
    DomainQuery,
    NumberHistoryPage,
    NumberHistoryQuery,
    NumberPage,
    NumbersQuery,
    NumberView,
)

router = GuardedRouter(prefix="/v1", tags=["numbers"])


@router.get(
    "/numbers",
    summary="List numbers",
    response_model=None,
    responses={
        **disclosed_response(NumberPage, "A page of numbers"),
        **responses(*LOOK_PROBLEMS, Invalid, BadCursor),
    },
)
async def list_numbers(
    viewer: NumbersRead, reader: Reader, query: Annotated[NumbersQuery, Query()]
) -> Disclosed[NumberPage]:
    """List numbers by pool and digits, with who holds them as far as the caller may know of them."""
    return await reader.page(viewer, query)


@router.get(
    "/numbers/{digits}",
    summary="Read a number",
    response_model=None,
    responses={
        **disclosed_response(NumberView, "The number"),
        **responses(*LOOK_PROBLEMS, NotFound, Invalid, AmbiguousNumber),
    },
)
async def read_number(
    viewer: NumbersRead, reader: Reader, digits: NamedNumber, query: Annotated[DomainQuery, Query()]
) -> Disclosed[NumberView]:
    """Show where a number stands and who holds it."""
    return await reader.number(viewer, digits, query.domain)


@router.get(
    "/numbers/{digits}/history",
    summary="List who held a number",
    response_model=None,
    responses={
        **disclosed_response(NumberHistoryPage, "Assignments, latest first"),
        **responses(*LOOK_PROBLEMS, NotFound, Invalid, AmbiguousNumber, BadCursor),
    },
)
async def list_holdings(
    viewer: NumbersRead, reader: Reader, digits: NamedNumber, query: Annotated[NumberHistoryQuery, Query()]
) -> Disclosed[NumberHistoryPage]:
    """List who held a number; with `at`, who held it on that day or at that moment."""
    return await reader.history(viewer, digits, query)
