"""HTTP face of starting and cancelling reviews, and of answering what they ask."""

from uuid import UUID

import orjson
from fastapi import Response

from app.campaigns.access import ANSWER_PROBLEMS, START_PROBLEMS, WRITE_PROBLEMS, CampaignsAnswer, Keeper, Named
from app.campaigns.errors import CampaignOver, SlotTaken
from app.campaigns.keeping import COLLECTION
from app.campaigns.schemas import (
    CampaignReceipt,
    CampaignStart,
    CardConfirmation,
    Decision,
    DecisionReceipt,
    Decisions,
    DecisionsReceipt,
)
from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import NotFound
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter

router = GuardedRouter(prefix="/v1", tags=["campaigns"])


@router.post(
    "/campaigns",
    summary="Start a campaign",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": CampaignReceipt, "description": "Receipt"},
        **responses(*START_PROBLEMS, SlotTaken, IdempotencyKeyReused, IdempotencyInProgress),
    },
)
async def start_campaign(
    viewer: CampaignsAnswer, keeper: Keeper, unit: Unit, body: CampaignStart, idempotency_key: OnceKey = None
) -> Response:
    """Start a review now, beside those that begin every quarter. For administration, the directory steward, HR and security."""
    return receipt_response(await keeper.start(viewer, unit, idempotency_key, body), COLLECTION)


@router.delete(
    "/campaigns/{id}",
    summary="Cancel a campaign",
    status_code=204,
    response_model=None,
    responses={204: {"description": "Cancelled"}, **responses(*START_PROBLEMS, NotFound, CampaignOver)},
)
async def cancel_campaign(viewer: CampaignsAnswer, keeper: Keeper, unit: Unit, id: UUID) -> Response:
    """End a review without consequences for what nobody answered; what was answered stays as it is."""
    await keeper.cancel(viewer, unit, id)
    return Response(status_code=204)


@router.post(
    "/campaigns/{id}/items/{item}/decisions",
    summary="Answer for an item",
    status_code=201,
    response_model=None,
    responses={201: {"model": DecisionReceipt, "description": "Receipt"}, **responses(*ANSWER_PROBLEMS)},
)
async def decide_item(
    viewer: CampaignsAnswer, keeper: Keeper, unit: Unit, id: UUID, item: Named, body: Decision
) -> Response:
    """Keep, shorten or revoke a right, at once; or confirm or dispute a card or list. One answer counts, and nobody answers for themselves.

    A role or tier that was suspended because nobody answered can still be answered for: to keep it takes the mark off.
    """
    return _receipt(await keeper.answer(viewer, unit, (id, item), body), 201)


@router.post(
    "/campaigns/{id}/decisions",
    summary="Answer for several items",
    response_model=None,
    responses={
        200: {"model": DecisionsReceipt, "description": "What became of each"},
        **responses(*WRITE_PROBLEMS, NotFound),
    },
)
async def decide_items(viewer: CampaignsAnswer, keeper: Keeper, unit: Unit, id: UUID, body: Decisions) -> Response:
    """Answer for several items, each with its own verdict and refused by itself; or keep whatever is of low risk, and that alone."""
    return _receipt(await keeper.answer_all(viewer, unit, id, body), 200)


@router.post(
    "/me/card-confirmations",
    summary="Say that one's own card is right",
    status_code=201,
    response_model=None,
    responses={201: {"model": CardConfirmation, "description": "Receipt"}, **responses(*WRITE_PROBLEMS)},
)
async def confirm_card(viewer: CampaignsAnswer, keeper: Keeper, unit: Unit) -> Response:
    """Confirm one's own card: open questions of campaigns are answered by it, and `unconfirmed_since` goes from the card."""
    return _receipt(await keeper.confirm_own(viewer, unit), 201)


def _receipt(told: object, status: int) -> Response:
    body = orjson.dumps(told, option=orjson.OPT_UTC_Z)
    return Response(body, status_code=status, media_type="application/json", headers={"Cache-Control": "no-store"})
