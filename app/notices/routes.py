"""HTTP face of addresses outside: which there are."""

from uuid import UUID

from app.disclosure.view import Disclosed, disclosed_response
from app.kit.errors import NotFound
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.notices.access import LOOK_PROBLEMS, Pages, WebhooksRead
from app.notices.schemas import WebhookPage, WebhookRead

router = GuardedRouter(prefix="/v1", tags=["webhooks"])


@router.get(
    "/webhooks",
    summary="List webhooks",
    response_model=None,
    responses={**disclosed_response(WebhookPage, "All of them"), **responses(*LOOK_PROBLEMS)},
)
async def list_webhooks(viewer: WebhooksRead, pages: Pages) -> Disclosed[WebhookPage]:
    """List the addresses outside that are told of what happens, oldest first. For the roles `it` and `system_admin`."""
    return await pages.all(viewer)


@router.get(
    "/webhooks/{id}",
    summary="Read a webhook",
    response_model=None,
    responses={
        **disclosed_response(WebhookRead, "The webhook; its `ETag` is what a change names in `If-Match`"),
        **responses(*LOOK_PROBLEMS, NotFound),
    },
)
async def read_webhook(viewer: WebhooksRead, pages: Pages, id: UUID) -> Disclosed[WebhookRead]:
    """Read one. Its secrets are never told; of a robot's URL only the host is."""
    return await pages.one(viewer, id)
