"""HTTP face of the plan: domains, pools, their ranges, what is free and how full they are."""

from typing import Final

from fastapi import Response

from app.contacts.errors import UnknownDepartment
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import IfMatch, IfNoneMatch, OnceKey, Unit
from app.kit.errors import Invalid, NotFound, PreconditionFailed, PreconditionRequired
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.numbers.access import LOOK_PROBLEMS, ONCE_PROBLEMS, NamedPool, NumbersAdmin, NumbersRead, Pools, Reader
from app.numbers.errors import (
    DuplicateDomainCode,
    DuplicatePoolCode,
    UnknownDomain,
)
from app.numbers.pools import DOMAINS, POOLS
from app.numbers.schemas import (
    DomainCreate,
    DomainPage,
    DomainReceipt,
    PoolAmend,
    PoolCreate,
    PoolPage,
    PoolReceipt,
    PoolView,
)
from app.permissions.errors import NotPermitted

_READ: Final = responses(*LOOK_PROBLEMS, NotFound, Invalid)
_LATER: Final = "More than 10,000 numbers: made by the worker; the range's `materialised` tells the progress"

router = GuardedRouter(prefix="/v1", tags=["number plan"])


@router.get(
    "/number-domains",
    summary="List numbering domains",
    response_model=None,
    responses={**disclosed_response(DomainPage, "All domains"), **responses(*LOOK_PROBLEMS, Invalid)},
)
async def list_domains(viewer: NumbersRead, reader: Reader) -> Disclosed[DomainPage]:
    """List the domains inside which digits are unique."""
    return await reader.domains(viewer)


@router.post(
    "/number-domains",
    summary="Create a numbering domain",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": DomainReceipt, "description": "Receipt"},
        **responses(*ONCE_PROBLEMS, DuplicateDomainCode),
    },
)
async def create_domain(
    viewer: NumbersAdmin, pools: Pools, unit: Unit, body: DomainCreate, idempotency_key: OnceKey = None
) -> Response:
    """Add a domain: another site, where the same digits may be somebody else's."""
    return receipt_response(await pools.add_domain(viewer, unit, idempotency_key, body), DOMAINS)


@router.get(
    "/number-pools",
    summary="List pools",
    response_model=None,
    responses={**disclosed_response(PoolPage, "All pools"), **responses(*LOOK_PROBLEMS, Invalid)},
)
async def list_pools(viewer: NumbersRead, reader: Reader) -> Disclosed[PoolPage]:
    """List all pools by code."""
    return await reader.pools(viewer)


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
    viewer: NumbersRead, reader: Reader, named: NamedPool, if_none_match: IfNoneMatch = None
) -> Disclosed[PoolView]:
    """Show one pool."""
    return await reader.pool(viewer, named, known=if_none_match)


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
