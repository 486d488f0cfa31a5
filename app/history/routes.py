"""HTTP face of purges: certificates, and the keys that each names. Purging itself is a request of the kind ``purge.history``."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from app.disclosure.view import Disclosed, disclosed_response
from app.history.access import LOOK_PROBLEMS, Pages, PurgesRead
from app.history.schemas import DestroyedPage, PurgePage, PurgeQuery, PurgeRead
from app.kit.errors import NotFound
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.routing import GuardedRouter

router = GuardedRouter(prefix="/v1/history-purges", tags=["history purges"])


@router.get(
    "",
    summary="List purges of history",
    response_model=None,
    responses={
        **disclosed_response(PurgePage, "A page of purges, newest first"),
        **responses(*LOOK_PROBLEMS, BadCursor),
    },
)
async def list_purges(viewer: PurgesRead, pages: Pages, query: Annotated[PurgeQuery, Query()]) -> Disclosed[PurgePage]:
    """List what was erased from history for good, when, and how much; for the directory steward, security and auditors."""
    return await pages.page(viewer, query)


@router.get(
    "/{id}",
    summary="Read the certificate of a purge",
    response_model=None,
    responses={**disclosed_response(PurgeRead, "The certificate"), **responses(*LOOK_PROBLEMS, NotFound)},
)
async def read_purge(viewer: PurgesRead, pages: Pages, id: UUID) -> Disclosed[PurgeRead]:
    """Read the certificate of one purge, by the id of its request: what the key of the access log signed in the moment of destroying."""
    return await pages.one(viewer, id)


@router.get(
    "/{id}/keys",
    summary="List the keys that a purge destroyed",
    response_model=None,
    responses={
        **disclosed_response(DestroyedPage, "A page of keys, in the order of their handles"),
        **responses(*LOOK_PROBLEMS, NotFound, BadCursor),
    },
)
async def list_destroyed_keys(
    viewer: PurgesRead, pages: Pages, id: UUID, query: Annotated[PurgeQuery, Query()]
) -> Disclosed[DestroyedPage]:
    """List every key that a purge destroyed, so that anybody who may read this can compute the root of the certificate anew."""
    return await pages.keys(viewer, id, query)
