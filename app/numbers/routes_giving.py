"""HTTP face of giving numbers out and taking them back. What is answered is a receipt."""

from typing import Annotated

from fastapi import Query, Response

from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import NotFound
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.numbers.access import (
    ONCE_PROBLEMS,
    Keeper,
    NamedNumber,
    NamedPool,
    NumbersAllocate,
)
from app.numbers.errors import (
    AllocationConflict,
    AmbiguousNumber,
    ConsumerRefReused,
    ConsumerRefSpent,
    HolderNotFound,
    HoldOver,
    NumberNotAssigned,
    NumberNotAvailable,
    NumberNotInPool,
    PoolExhausted,
    UnknownHold,
)
from app.numbers.keeping import NUMBERS
from app.numbers.plan_errors import NoRowOfNumbers, NumberKept
from app.numbers.pools import POOLS
from app.numbers.schemas import (
    AllocationCreate,
    AllocationReceipt,
    DomainQuery,
    ReleaseCreate,
    ReleaseReceipt,
)

router = GuardedRouter(prefix="/v1", tags=["numbers"])


@router.post(
    "/number-pools/{id}/allocations",
    summary="Allocate numbers",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": AllocationReceipt, "description": "All that were asked for"},
        **responses(
            *ONCE_PROBLEMS,
            NotFound,
            PoolExhausted,
            NumberNotAvailable,
            NumberNotInPool,
            HolderNotFound,
            ConsumerRefReused,
            ConsumerRefSpent,
            UnknownHold,
            HoldOver,
            AllocationConflict,
            NoRowOfNumbers,
            NumberKept,
        ),
    },
)
async def allocate_numbers(
    viewer: NumbersAllocate,
    keeper: Keeper,
    named: NamedPool,
    body: AllocationCreate,
    idempotency_key: OnceKey = None,
) -> Response:
    """Give a holder the next numbers of the pool, the given one, some that look so, some in a row, or those of a `hold`; all or none.

    A repeated `consumer_ref` tells the same numbers again. A nice number that its pool keeps back is 403 `number_kept`: it is asked for
    with a request of kind `number.allocate`.
    """
    return receipt_response(await keeper.allocate(viewer, idempotency_key, named, body), POOLS)


@router.post(
    "/numbers/{digits}/releases",
    summary="Release a number",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": ReleaseReceipt, "description": "What became of it"},
        **responses(*ONCE_PROBLEMS, NotFound, AmbiguousNumber, NumberNotAssigned, HolderNotFound, AllocationConflict),
    },
)
async def release_number(
    viewer: NumbersAllocate,
    keeper: Keeper,
    unit: Unit,
    digits: NamedNumber,
    body: ReleaseCreate,
    query: Annotated[DomainQuery, Query()],
    idempotency_key: OnceKey = None,
) -> Response:
    """End who holds a number; it rests as long as its pool and the reason say."""
    answer = await keeper.release(viewer, unit, idempotency_key, digits, query.domain, body)
    return receipt_response(answer, NUMBERS)
