"""HTTP face of taking numbers aside: blocked, reserved, retired; and of what ends a block or a reservation."""

from typing import Annotated

from fastapi import Query, Response

from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import Invalid, NotFound
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.numbers.access import LOOK_PROBLEMS, ONCE_PROBLEMS, Mover, NamedNumber, NumbersAdmin, NumbersAllocate
from app.numbers.errors import AllocationConflict, AmbiguousNumber, NumberNotAvailable
from app.numbers.keeping import NUMBERS
from app.numbers.move_schemas import AsideReceipt, BlockCreate, ReservationCreate
from app.numbers.rules import Verb
from app.numbers.schemas import DomainQuery
from app.numbers.values import Named
from app.permissions.errors import NotPermitted

router = GuardedRouter(prefix="/v1", tags=["numbers"])

_NAMED = (NotFound, AmbiguousNumber, NumberNotAvailable, AllocationConflict)
_TAKEN = {201: {"model": AsideReceipt, "description": "How it stands"}, **responses(*ONCE_PROBLEMS, *_NAMED)}
InDomain = Annotated[DomainQuery, Query()]


@router.post(
    "/numbers/{digits}/blocks", summary="Block a number", status_code=201, response_model=None, responses=_TAKEN
)
async def block_number(
    viewer: NumbersAllocate,
    mover: Mover,
    unit: Unit,
    digits: NamedNumber,
    body: BlockCreate,
    query: InDomain,
    idempotency_key: OnceKey = None,
) -> Response:
    """Let nobody have a number, until a date or until it is unblocked. Whoever holds it loses it."""
    named = Named(digits, query.domain)
    return receipt_response(await mover.block(viewer, unit, idempotency_key, named, body), NUMBERS)


@router.delete(
    "/numbers/{digits}/blocks",
    summary="Unblock a number",
    status_code=204,
    response_model=None,
    responses=responses(*LOOK_PROBLEMS, NotPermitted, Invalid, *_NAMED),
)
async def unblock_number(
    viewer: NumbersAdmin, mover: Mover, unit: Unit, digits: NamedNumber, query: InDomain
) -> Response:
    """End a block after a review. What is left of the rest since somebody last had the number is waited for."""
    return await _undone(viewer, mover, unit, Named(digits, query.domain), Verb.UNBLOCK)


@router.post(
    "/numbers/{digits}/reservations",
    summary="Reserve a number",
    status_code=201,
    response_model=None,
    responses=_TAKEN,
)
async def reserve_number(
    viewer: NumbersAdmin,
    mover: Mover,
    unit: Unit,
    digits: NamedNumber,
    body: ReservationCreate,
    query: InDomain,
    idempotency_key: OnceKey = None,
) -> Response:
    """Keep a free number for a purpose, until a date or until the reservation is ended."""
    named = Named(digits, query.domain)
    return receipt_response(await mover.reserve(viewer, unit, idempotency_key, named, body), NUMBERS)


@router.delete(
    "/numbers/{digits}/reservations",
    summary="End a reservation",
    status_code=204,
    response_model=None,
    responses=responses(*LOOK_PROBLEMS, NotPermitted, Invalid, *_NAMED),
)
async def open_number(viewer: NumbersAdmin, mover: Mover, unit: Unit, digits: NamedNumber, query: InDomain) -> Response:
    """Let a reserved number be given out again."""
    return await _undone(viewer, mover, unit, Named(digits, query.domain), Verb.OPEN)


@router.post(
    "/numbers/{digits}/retirements",
    summary="Retire a number",
    status_code=201,
    response_model=None,
    responses=_TAKEN,
)
async def retire_number(
    viewer: NumbersAdmin,
    mover: Mover,
    unit: Unit,
    digits: NamedNumber,
    query: InDomain,
    idempotency_key: OnceKey = None,
) -> Response:
    """Give a number up for ever. A number that somebody holds cannot be."""
    named = Named(digits, query.domain)
    return receipt_response(await mover.retire(viewer, unit, idempotency_key, named), NUMBERS)


async def _undone(viewer: NumbersAdmin, mover: Mover, unit: Unit, named: Named, verb: Verb) -> Response:
    await mover.undo(viewer, unit, named, verb)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})
