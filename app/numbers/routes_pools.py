"""HTTP face of pools."""

from typing import Final

from fastapi import Response

from app.contacts.errors import UnknownDepartment
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import IfMatch, IfNoneMatch, OnceKey, Unit
from app.kit.errors import Invalid, NotFound, PreconditionFailed, PreconditionRequired
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.numbers.access import LOOK_PROBLEMS, ONCE_PROBLEMS, NamedPool, NumbersAdmin, NumbersRead, Plan, Pools
from app.numbers.errors import DuplicatePoolCode, UnknownDomain
from app.numbers.plan_schemas import PoolAmend, PoolCreate, PoolPage, PoolReceipt, PoolView
from app.numbers.pools import POOLS
from app.permissions.errors import NotPermitted

_READ: Final = responses(*LOOK_PROBLEMS, NotFound, Invalid)

router = GuardedRouter(prefix="/v1", tags=["number plan"])


@router.get(
    "/number-pools",
    summary="List pools",
    response_model=None,
    responses={**disclosed_response(PoolPage, "All pools"), **responses(*LOOK_PROBLEMS, Invalid)},
)
async def list_pools(viewer: NumbersRead, plan: Plan) -> Disclosed[PoolPage]:
    """List all pools by code."""
    return await plan.pools(viewer)


@router.post(
    "/number-pools",
    summary="Create a pool",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": PoolReceipt, "description": "Receipt"},
        **responses(*ONCE_PROBLEMS, DuplicatePoolCode, UnknownDomain, UnknownDepartment),
    },
)
async def create_pool(
    viewer: NumbersAdmin, pools: Pools, unit: Unit, body: PoolCreate, idempotency_key: OnceKey = None
) -> Response:
    """Add a pool: numbers of one purpose, given out by one rule."""
    return receipt_response(await pools.add_pool(viewer, unit, idempotency_key, body), POOLS)


@router.get(
    "/number-pools/{id}",
    summary="Read a pool",
    response_model=None,
    responses={**disclosed_response(PoolView, "The pool"), 304: {"description": "Unchanged"}, **_READ},
)
async def read_pool(
    viewer: NumbersRead, plan: Plan, named: NamedPool, if_none_match: IfNoneMatch = None
) -> Disclosed[PoolView]:
    """Show one pool."""
    return await plan.pool(viewer, named, known=if_none_match)


@router.patch(
    "/number-pools/{id}",
    summary="Change a pool",
    response_model=None,
    responses={
        200: {"model": PoolReceipt, "description": "Receipt"},
        **responses(
            *LOOK_PROBLEMS, NotPermitted, Invalid, UnknownDepartment, NotFound, PreconditionFailed, PreconditionRequired
        ),
    },
)
async def amend_pool(
    viewer: NumbersAdmin, pools: Pools, unit: Unit, named: NamedPool, version: IfMatch, body: PoolAmend
) -> Response:
    """Change members by JSON Merge Patch; `If-Match` names the pool as the caller saw it."""
    return receipt_response(await pools.amend_pool(viewer, unit, named, version, body), POOLS)
