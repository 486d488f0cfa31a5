"""HTTP face of pushing, changing and ending business facts. What is answered is a receipt."""

from uuid import UUID

import orjson
from fastapi import Response

from app.engagements.access import PUSH_PROBLEMS, WRITE_PROBLEMS, EngagementsWrite, Keeper, Named
from app.engagements.errors import TooManyEngagements, UnknownStaff
from app.engagements.keeping import collection
from app.engagements.schemas import (
    BatchReceipt,
    EngagementAmend,
    EngagementBatch,
    EngagementCreate,
    EngagementView,
)
from app.kit.dependencies import IfMatch, OnceKey, Unit
from app.kit.errors import NotFound, PreconditionFailed, PreconditionRequired
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter

router = GuardedRouter(prefix="/v1", tags=["engagements"])


@router.post(
    "/contacts/{id}/engagements",
    summary="Push an engagement",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": EngagementView, "description": "Receipt"},
        **responses(*PUSH_PROBLEMS, IdempotencyKeyReused, IdempotencyInProgress),
    },
)
async def push_engagement(
    viewer: EngagementsWrite,
    keeper: Keeper,
    unit: Unit,
    id: UUID,
    body: EngagementCreate,
    idempotency_key: OnceKey = None,
) -> Response:
    """Say that an external contact has an account, an order or a ticket, and who works on it: they see more of the contact while it lasts.

    The reference names the fact for its source: pushed again it is the same fact, told as it is by then with `Idempotency-Replayed: true`.
    """
    return receipt_response(await keeper.push(viewer, unit, idempotency_key, id, body), collection(id))


@router.post(
    "/engagements/batches",
    summary="Push many engagements",
    response_model=None,
    responses={200: {"model": BatchReceipt, "description": "What became of each"}, **responses(*WRITE_PROBLEMS)},
)
async def push_engagements(viewer: EngagementsWrite, keeper: Keeper, unit: Unit, body: EngagementBatch) -> Response:
    """Take up to 100 facts in one transaction, each as a single push would: one that is refused keeps none of the others out."""
    told = orjson.dumps(await keeper.push_all(viewer, unit, body))
    return Response(told, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.patch(
    "/contacts/{id}/engagements/{engagement}",
    summary="Change an engagement",
    response_model=None,
    responses={
        200: {"model": EngagementView, "description": "Receipt"},
        **responses(
            *WRITE_PROBLEMS, NotFound, UnknownStaff, TooManyEngagements, PreconditionFailed, PreconditionRequired
        ),
    },
)
async def amend_engagement(
    viewer: EngagementsWrite,
    keeper: Keeper,
    unit: Unit,
    id: UUID,
    engagement: Named,
    body: EngagementAmend,
    if_match: IfMatch,
) -> Response:
    """Give it other staff or another end. Staff who are not in the list any more lose what it gave them at once."""
    receipt = await keeper.amend(viewer, unit, (id, engagement), if_match, body)
    return receipt_response(receipt, collection(id))


@router.delete(
    "/contacts/{id}/engagements/{engagement}",
    summary="End an engagement",
    status_code=204,
    response_model=None,
    responses={204: {"description": "Ended"}, **responses(*WRITE_PROBLEMS, NotFound)},
)
async def end_engagement(viewer: EngagementsWrite, keeper: Keeper, unit: Unit, id: UUID, engagement: Named) -> Response:
    """End it now, and with it what it lets its staff see. It stays in the list of those that ended; ending twice is ending once."""
    await keeper.end(viewer, unit, id, engagement)
    return Response(status_code=204)
