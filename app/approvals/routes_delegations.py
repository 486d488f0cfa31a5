"""HTTP face of delegations: who decides for whom, giving decisions away, taking them back."""

from typing import Annotated

from fastapi import Query, Response

from app.approvals.delegation_access import (
    GIVE_PROBLEMS,
    LOOK_PROBLEMS,
    WRITE_PROBLEMS,
    DelegationsRead,
    DelegationsWrite,
    Desk,
    Named,
)
from app.approvals.delegation_keeping import COLLECTION
from app.approvals.delegation_schemas import (
    DelegationCreate,
    DelegationPage,
    DelegationQuery,
    DelegationRead,
    DelegationReadQuery,
    DelegationReceipt,
)
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import NotFound
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted

router = GuardedRouter(prefix="/v1", tags=["approvals"])


@router.get(
    "/delegations",
    summary="List delegations",
    response_model=None,
    responses={
        **disclosed_response(DelegationPage, "A page of delegations, newest first"),
        **responses(*LOOK_PROBLEMS, NotPermitted, BadCursor),
    },
)
async def list_delegations(
    viewer: DelegationsRead, desk: Desk, query: Annotated[DelegationQuery, Query()]
) -> Disclosed[DelegationPage]:
    """List who decides for the caller, for whom the caller decides, and what the caller filed; security and audit are told everybody's."""
    return await desk.pages.page(viewer, query)


@router.post(
    "/delegations",
    summary="Give decisions away",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": DelegationReceipt, "description": "Receipt"},
        **responses(*GIVE_PROBLEMS, IdempotencyKeyReused, IdempotencyInProgress),
    },
)
async def give_delegation(
    viewer: DelegationsWrite, desk: Desk, unit: Unit, body: DelegationCreate, idempotency_key: OnceKey = None
) -> Response:
    """Let a colleague decide requests for the caller, or, as a superior, for somebody who is absent, from a time to just before another.

    What is pending counts too, and what the colleague did not decide is the principal's again at the end. The colleague sees no more than
    before. Decisions can be handed on once, and never come back round.
    """
    return receipt_response(await desk.keeper.give(viewer, unit, idempotency_key, body), COLLECTION)


@router.get(
    "/delegations/{id}",
    summary="Read a delegation",
    response_model=None,
    responses={
        **disclosed_response(DelegationRead, "The delegation"),
        **responses(*LOOK_PROBLEMS, NotFound),
    },
)
async def read_delegation(
    viewer: DelegationsRead, desk: Desk, identity: Named, query: Annotated[DelegationReadQuery, Query()]
) -> Disclosed[DelegationRead]:
    """Read one that the caller gave, was given or filed; security and audit read any. To everybody else it is not there."""
    return await desk.pages.one(viewer, identity, query)


@router.delete(
    "/delegations/{id}",
    summary="End a delegation",
    status_code=204,
    response_model=None,
    responses={204: {"description": "Not in force any more"}, **responses(*WRITE_PROBLEMS, NotFound)},
)
async def end_delegation(viewer: DelegationsWrite, desk: Desk, unit: Unit, identity: Named) -> Response:
    """End it now: by either side, by who filed it, or by security. It stays in the list of those that ended; twice is once."""
    await desk.keeper.end(viewer, unit, identity)
    return Response(status_code=204)
