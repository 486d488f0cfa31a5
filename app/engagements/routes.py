"""HTTP face of business facts about customers and partners: who is told of them."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from app.disclosure.view import Disclosed, disclosed_response
from app.engagements.access import LOOK_PROBLEMS, EngagementsRead, Named, Pages
from app.engagements.schemas import (
    EngagementListQuery,
    EngagementPage,
    EngagementQuery,
    EngagementRead,
    EngagementReadQuery,
)
from app.kit.errors import Invalid, NotFound
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.routing import GuardedRouter

router = GuardedRouter(prefix="/v1", tags=["engagements"])


@router.get(
    "/engagements",
    summary="List engagements",
    response_model=None,
    responses={
        **disclosed_response(EngagementPage, "A page of engagements"),
        **responses(*LOOK_PROBLEMS, Invalid, BadCursor),
    },
)
async def list_engagements(
    viewer: EngagementsRead, pages: Pages, query: Annotated[EngagementListQuery, Query()]
) -> Disclosed[EngagementPage]:
    """List the business facts of the contacts that the caller's departments own, newest first; the offices that keep the book see all.

    `assigned=me` lists what the caller works on, `unassigned=true` what nobody works on and needs a new owner.
    """
    return await pages.page(viewer, query)


@router.get(
    "/contacts/{id}/engagements",
    summary="List a contact's engagements",
    response_model=None,
    responses={
        **disclosed_response(EngagementPage, "A page of engagements"),
        **responses(*LOOK_PROBLEMS, NotFound, Invalid, BadCursor),
    },
)
async def list_contact_engagements(
    viewer: EngagementsRead, pages: Pages, id: UUID, query: Annotated[EngagementQuery, Query()]
) -> Disclosed[EngagementPage]:
    """List the accounts, orders and tickets of an external contact, and who works on them. Whom they do not concern, the list is empty."""
    return await pages.of_contact(viewer, id, query)


@router.get(
    "/contacts/{id}/engagements/{engagement}",
    summary="Read an engagement",
    response_model=None,
    responses={
        **disclosed_response(EngagementRead, "The engagement; its `ETag` is what a change names in `If-Match`"),
        **responses(*LOOK_PROBLEMS, NotFound, Invalid),
    },
)
async def read_engagement(
    viewer: EngagementsRead,
    pages: Pages,
    id: UUID,
    engagement: Named,
    query: Annotated[EngagementReadQuery, Query()],
) -> Disclosed[EngagementRead]:
    """Read one account, order or ticket, and who works on it. Whom it does not concern, it is not there."""
    return await pages.one(viewer, id, engagement, query)
