"""HTTP face of holding numbers of a pool for a while."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Response

from app.kit.dependencies import IfMatch, OnceKey, Unit
from app.kit.errors import Invalid, NotFound, PreconditionFailed, PreconditionRequired
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.numbers.access import LOOK_PROBLEMS, ONCE_PROBLEMS, Holds, NumbersAllocate
from app.numbers.errors import HoldNotExtendable, HoldOver, NumberNotAvailable, NumberNotInPool, PoolExhausted
from app.numbers.holds import HOLDS
from app.numbers.move_schemas import HoldAmend, HoldCreate, HoldReceipt
from app.numbers.plan_errors import NumberKept
from app.permissions.errors import NotPermitted

router = GuardedRouter(prefix="/v1", tags=["numbers"])

HoldId = Annotated[UUID, Path(alias="id", description="Id of a hold of the caller's.")]
_CHANGES = (*LOOK_PROBLEMS, NotPermitted, Invalid, NotFound, PreconditionFailed, PreconditionRequired, HoldOver)


@router.post(
    "/number-holds",
    summary="Hold numbers",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": HoldReceipt, "description": "The hold"},
        **responses(*ONCE_PROBLEMS, NotFound, PoolExhausted, NumberNotAvailable, NumberNotInPool, NumberKept),
    },
)
async def hold_numbers(
    viewer: NumbersAllocate, holds: Holds, unit: Unit, body: HoldCreate, idempotency_key: OnceKey = None
) -> Response:
    """Keep numbers of a pool for the caller: all that are asked for, or none. When the time is over they are free again."""
    return receipt_response(await holds.hold(viewer, unit, idempotency_key, body), HOLDS)


@router.patch(
    "/number-holds/{id}",
    summary="Extend a hold",
    response_model=None,
    responses={
        200: {"model": HoldReceipt, "description": "The hold"},
        **responses(*_CHANGES, HoldNotExtendable),
    },
)
async def extend_hold(
    viewer: NumbersAllocate, holds: Holds, unit: Unit, identity: HoldId, body: HoldAmend, if_match: IfMatch
) -> Response:
    """Keep the numbers for so long from now on, three times at most; `If-Match` is the `version` of the hold."""
    return receipt_response(await holds.extend(viewer, unit, identity, if_match, body), HOLDS)


@router.delete(
    "/number-holds/{id}",
    summary="Drop a hold",
    status_code=204,
    response_model=None,
    responses=responses(*_CHANGES),
)
async def drop_hold(viewer: NumbersAllocate, holds: Holds, unit: Unit, identity: HoldId, if_match: IfMatch) -> Response:
    """Let the numbers go before the time is over."""
    await holds.drop(viewer, unit, identity, if_match)
    return Response(status_code=204, headers={"Cache-Control": "no-store"})
