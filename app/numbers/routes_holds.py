"""HTTP face of holding numbers of a pool for a while."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response

from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import IfMatch, OnceKey, Unit
from app.kit.errors import Invalid, NotFound, PreconditionFailed, PreconditionRequired
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.numbers.access import LOOK_PROBLEMS, ONCE_PROBLEMS, HeldPages, Holds, NumbersAllocate, NumbersRead
from app.numbers.errors import HoldNotExtendable, HoldOver, NumberNotAvailable, NumberNotInPool, PoolExhausted
from app.numbers.hold_schemas import HoldPage, HoldQuery, HoldView
from app.numbers.holds import HOLDS
from app.numbers.move_schemas import HoldAmend, HoldCreate, HoldReceipt
from app.numbers.plan_errors import NumberKept
from app.permissions.errors import NotPermitted

router = GuardedRouter(prefix="/v1", tags=["numbers"])

HoldId = Annotated[UUID, Path(alias="id", description="Id of a hold.")]
_CHANGES = (*LOOK_PROBLEMS, NotPermitted, Invalid, NotFound, PreconditionFailed, PreconditionRequired, HoldOver)


@router.get(
    "/number-holds",
    summary="List holds",
    response_model=None,
    responses={**disclosed_response(HoldPage, "One page, latest first"), **responses(*LOOK_PROBLEMS, Invalid)},
)
async def list_holds(
    viewer: NumbersRead, pages: HeldPages, query: Annotated[HoldQuery, Query()]
) -> Disclosed[HoldPage]:
    """List holds that are not over: one's own, and everybody's to those who keep the plan."""
    return await pages.page(viewer, query)


@router.get(
    "/number-holds/{id}",
    summary="Read a hold",
    response_model=None,
    responses={**disclosed_response(HoldView, "The hold"), **responses(*LOOK_PROBLEMS, NotFound, Invalid)},
)
async def read_hold(viewer: NumbersRead, pages: HeldPages, identity: HoldId) -> Disclosed[HoldView]:
    """Show a hold, also how it ended. Its `version` is what `If-Match` of a change names; somebody else's is not found."""
    return await pages.one(viewer, identity)


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
