"""HTTP face of reviews: which there are, how far they are, what a caller is asked."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from app.campaigns.access import LOOK_PROBLEMS, CampaignsRead, Named, Pages
from app.campaigns.schemas import CampaignPage, CampaignQuery, CampaignRead, ItemPage, ItemQuery, ItemRead
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.errors import Invalid, NotFound
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted

router = GuardedRouter(prefix="/v1", tags=["campaigns"])


@router.get(
    "/campaigns",
    summary="List campaigns",
    response_model=None,
    responses={
        **disclosed_response(CampaignPage, "A page of campaigns"),
        **responses(*LOOK_PROBLEMS, Invalid, BadCursor),
    },
)
async def list_campaigns(
    viewer: CampaignsRead, pages: Pages, query: Annotated[CampaignQuery, Query()]
) -> Disclosed[CampaignPage]:
    """List the reviews of rights and of cards, newest first, with their dates and what the caller is still asked in each.

    How far a whole campaign is, is told to administration, the directory steward, HR, security and auditors.
    """
    return await pages.campaigns(viewer, query)


@router.get(
    "/campaigns/{id}",
    summary="Read a campaign",
    response_model=None,
    responses={
        **disclosed_response(CampaignRead, "The campaign"),
        **responses(*LOOK_PROBLEMS, NotFound, Invalid),
    },
)
async def read_campaign(viewer: CampaignsRead, pages: Pages, id: UUID) -> Disclosed[CampaignRead]:
    """Read one campaign and how far it is."""
    return await pages.campaign(viewer, id)


@router.get(
    "/campaigns/{id}/items",
    summary="List a campaign's items",
    response_model=None,
    responses={
        **disclosed_response(ItemPage, "A page of items"),
        **responses(*LOOK_PROBLEMS, NotPermitted, NotFound, Invalid, BadCursor),
    },
)
async def list_items(
    viewer: CampaignsRead, pages: Pages, id: UUID, query: Annotated[ItemQuery, Query()]
) -> Disclosed[ItemPage]:
    """List what the caller is asked in a campaign: rights of their people with what our own data hints at, or cards and lists.

    Hints come from the access log and from rows: whether a right was ever used, when last, moves since, refusals, unusual hours. They are
    counts and codes; no event is shown.
    """
    return await pages.items(viewer, id, query)


@router.get(
    "/campaigns/{id}/items/{item}",
    summary="Read one item",
    response_model=None,
    responses={**disclosed_response(ItemRead, "The item"), **responses(*LOOK_PROBLEMS, NotFound, Invalid)},
)
async def read_item(viewer: CampaignsRead, pages: Pages, id: UUID, item: Named) -> Disclosed[ItemRead]:
    """Read one item by itself. A right of high risk can be kept only by a reviewer who has; the look is on record."""
    return await pages.item(viewer, id, item)
