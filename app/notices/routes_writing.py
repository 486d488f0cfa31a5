"""HTTP face of keeping addresses outside. What is answered is a receipt."""

from uuid import UUID

from fastapi import Response

from app.kit.dependencies import IfMatch, OnceKey, Unit
from app.kit.errors import NotFound, PreconditionFailed, PreconditionRequired
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.notices.access import WRITE_PROBLEMS, Keeper, WebhooksWrite
from app.notices.errors import TooManyWebhooks, WebhookMembers, WebhookTargetRefused, WebhookUnfit
from app.notices.keeping import COLLECTION
from app.notices.schemas import SecretRotated, WebhookAmend, WebhookCreate, WebhookMade, WebhookView

router = GuardedRouter(prefix="/v1", tags=["webhooks"])
_CHANGES = (NotFound, PreconditionFailed, PreconditionRequired)


@router.post(
    "/webhooks",
    summary="Register a webhook",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": WebhookMade, "description": "Receipt, with the secret"},
        **responses(
            *WRITE_PROBLEMS,
            WebhookMembers,
            WebhookTargetRefused,
            TooManyWebhooks,
            IdempotencyKeyReused,
            IdempotencyInProgress,
        ),
    },
)
async def register_webhook(
    viewer: WebhooksWrite, keeper: Keeper, unit: Unit, body: WebhookCreate, idempotency_key: OnceKey = None
) -> Response:
    """Register an address that is told of what happens: ids, codes, states and links, signed as Standard Webhooks has it.

    The secret is in this answer and in no other. Addresses that are not public are refused unless the operator allows them.
    """
    return receipt_response(await keeper.register(viewer, unit, idempotency_key, body), COLLECTION)


@router.patch(
    "/webhooks/{id}",
    summary="Change a webhook",
    response_model=None,
    responses={
        200: {"model": WebhookView, "description": "Receipt"},
        **responses(*WRITE_PROBLEMS, *_CHANGES, WebhookMembers, WebhookTargetRefused),
    },
)
async def amend_webhook(
    viewer: WebhooksWrite, keeper: Keeper, unit: Unit, id: UUID, body: WebhookAmend, if_match: IfMatch
) -> Response:
    """Give it another address, other types, or another state; `active` takes up one that was disabled."""
    return receipt_response(await keeper.amend(viewer, unit, id, if_match, body), COLLECTION)


@router.delete(
    "/webhooks/{id}",
    summary="Remove a webhook",
    status_code=204,
    response_model=None,
    responses={204: {"description": "Removed"}, **responses(*WRITE_PROBLEMS, *_CHANGES)},
)
async def remove_webhook(viewer: WebhooksWrite, keeper: Keeper, unit: Unit, id: UUID, if_match: IfMatch) -> Response:
    """Forget it, its secrets and all that waits for it."""
    await keeper.remove(viewer, unit, id, if_match)
    return Response(status_code=204)


@router.post(
    "/webhooks/{id}/secret-rotations",
    summary="Rotate a webhook's secret",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": SecretRotated, "description": "The new secret"},
        **responses(*WRITE_PROBLEMS, NotFound, WebhookUnfit),
    },
)
async def rotate_webhook_secret(viewer: WebhooksWrite, keeper: Keeper, unit: Unit, id: UUID) -> Response:
    """Make a new secret. For 24 hours both sign, so that the receiver can change over at any moment; a second rotation ends the oldest."""
    return receipt_response(await keeper.rotate(viewer, unit, id), COLLECTION)
