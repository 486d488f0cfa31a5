"""HTTP face of tellings: how they stand, a test, and telling again."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import NotFound
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.notices.access import LOOK_PROBLEMS, WRITE_PROBLEMS, Pages, Replays, WebhooksRead, WebhooksWrite
from app.notices.errors import WebhookUnfit
from app.notices.replaying import DELIVERIES
from app.notices.schemas import DeliveriesQuery, DeliveryPage, DeliveryRead, DeliveryView

router = GuardedRouter(prefix="/v1", tags=["webhooks"])
_AGAIN = (NotFound, WebhookUnfit, IdempotencyKeyReused, IdempotencyInProgress)


@router.get(
    "/webhooks/{id}/deliveries",
    summary="List a webhook's deliveries",
    response_model=None,
    responses={**disclosed_response(DeliveryPage, "A page"), **responses(*LOOK_PROBLEMS, NotFound, BadCursor)},
)
async def list_deliveries(
    viewer: WebhooksRead, pages: Pages, id: UUID, query: Annotated[DeliveriesQuery, Query()]
) -> Disclosed[DeliveryPage]:
    """List what it was told or is to be told, newest first; `state=dead` are those that were given up. Kept for 30 days."""
    return await pages.deliveries(viewer, id, query)


@router.post(
    "/webhooks/{id}/pings",
    summary="Test a webhook",
    status_code=202,
    response_model=None,
    responses={202: {"model": DeliveryView, "description": "On its way"}, **responses(*WRITE_PROBLEMS, *_AGAIN)},
)
async def ping_webhook(
    viewer: WebhooksWrite, replays: Replays, unit: Unit, id: UUID, idempotency_key: OnceKey = None
) -> Response:
    """Send it a notice of the type `webhook.ping`, and nobody else; `Location` tells what came of it."""
    return receipt_response(await replays.ping(viewer, unit, idempotency_key, id), DELIVERIES)


@router.get(
    "/webhook-deliveries/{id}",
    summary="Read a delivery",
    response_model=None,
    responses={**disclosed_response(DeliveryRead, "The delivery"), **responses(*LOOK_PROBLEMS, NotFound)},
)
async def read_delivery(viewer: WebhooksRead, pages: Pages, id: UUID) -> Disclosed[DeliveryRead]:
    """Read how one telling stands."""
    return await pages.delivery(viewer, id)


@router.post(
    "/webhook-deliveries/{id}/replays",
    summary="Replay a delivery",
    status_code=202,
    response_model=None,
    responses={202: {"model": DeliveryView, "description": "On its way"}, **responses(*WRITE_PROBLEMS, *_AGAIN)},
)
async def replay_delivery(
    viewer: WebhooksWrite, replays: Replays, unit: Unit, id: UUID, idempotency_key: OnceKey = None
) -> Response:
    """Tell it again, now, under the same `webhook-id`; its attempts begin anew."""
    return receipt_response(await replays.replay(viewer, unit, idempotency_key, id), DELIVERIES)
