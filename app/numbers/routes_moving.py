"""HTTP face of passing numbers on: to another holder, in exchange, back to the last one, and confirmed by the exchange."""

from typing import Annotated

from fastapi import Query, Response

from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import NotFound
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.numbers.access import ONCE_PROBLEMS, Mover, NamedNumber, NumbersAllocate
from app.numbers.errors import (
    AllocationConflict,
    AmbiguousNumber,
    HolderNotFound,
    NumberNotAssigned,
    NumberNotAvailable,
    NumberNotProvisioning,
    SameHolder,
)
from app.numbers.keeping import NUMBERS
from app.numbers.move_schemas import (
    ConfirmationCreate,
    NumberStanding,
    PassedNumber,
    RestorationCreate,
    SwapCreate,
    SwapReceipt,
    TransferCreate,
)
from app.numbers.schemas import AllocationReceipt, DomainQuery
from app.numbers.values import Named

router = GuardedRouter(prefix="/v1", tags=["numbers"])

_NAMED = (*ONCE_PROBLEMS, NotFound, AmbiguousNumber)
_PARTIES = (NumberNotAssigned, HolderNotFound, SameHolder, AllocationConflict)
InDomain = Annotated[DomainQuery, Query()]


@router.post(
    "/numbers/{digits}/transfers",
    summary="Transfer a number",
    status_code=201,
    response_model=None,
    responses={201: {"model": PassedNumber, "description": "Who holds it now"}, **responses(*_NAMED, *_PARTIES)},
)
async def transfer_number(
    viewer: NumbersAllocate,
    mover: Mover,
    unit: Unit,
    digits: NamedNumber,
    body: TransferCreate,
    query: InDomain,
    idempotency_key: OnceKey = None,
) -> Response:
    """Let somebody else have a number at once: it does not rest, and keeps its role and its end. Its history tells of both."""
    named = Named(digits, query.domain)
    return receipt_response(await mover.transfer(viewer, unit, idempotency_key, named, body), NUMBERS)


@router.post(
    "/numbers/{digits}/swaps",
    summary="Swap two numbers",
    status_code=201,
    response_model=None,
    responses={201: {"model": SwapReceipt, "description": "Both numbers"}, **responses(*_NAMED, *_PARTIES)},
)
async def swap_numbers(
    viewer: NumbersAllocate,
    mover: Mover,
    unit: Unit,
    digits: NamedNumber,
    body: SwapCreate,
    query: InDomain,
    idempotency_key: OnceKey = None,
) -> Response:
    """Let two numbers of a domain change holders at once. Each holder keeps the role, each number its end."""
    named = Named(digits, query.domain)
    return receipt_response(await mover.swap(viewer, unit, idempotency_key, named, body), NUMBERS)


@router.post(
    "/numbers/{digits}/restorations",
    summary="Give a number back to its last holder",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": AllocationReceipt, "description": "What was given back"},
        **responses(*_NAMED, NumberNotAvailable, HolderNotFound, AllocationConflict),
    },
)
async def restore_number(
    viewer: NumbersAllocate,
    mover: Mover,
    unit: Unit,
    digits: NamedNumber,
    body: RestorationCreate,
    query: InDomain,
    idempotency_key: OnceKey = None,
) -> Response:
    """Undo a release: while the number rests, whoever had it last gets it again, in the same role."""
    named = Named(digits, query.domain)
    return receipt_response(await mover.restore(viewer, unit, idempotency_key, named, body), NUMBERS)


@router.post(
    "/numbers/{digits}/confirmations",
    summary="Confirm that a number works",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": NumberStanding, "description": "How it stands"},
        **responses(*_NAMED, NumberNotProvisioning),
    },
)
async def confirm_number(
    viewer: NumbersAllocate,
    mover: Mover,
    unit: Unit,
    digits: NamedNumber,
    body: ConfirmationCreate,
    query: InDomain,
    idempotency_key: OnceKey = None,
) -> Response:
    """Take the word of the exchange or the carrier: a number in `provisioning` is `assigned` from now on."""
    named = Named(digits, query.domain)
    return receipt_response(await mover.confirm(viewer, unit, idempotency_key, named, body), NUMBERS)
