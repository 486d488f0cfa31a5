"""HTTP face of what callers ask of themselves: their card and standing, who looked at them, and what the fields mean to them."""

from typing import Annotated

from fastapi import Query, Response

from app.contacts.access import LOOK_PROBLEMS, ContactsRead
from app.contacts.access_own import Front, Guided
from app.contacts.own_schemas import FieldGuideList, MeQuery, MeView, ViewedByPage, ViewedByQuery
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import IfNoneMatch
from app.kit.errors import InsufficientScope, Invalid, NotFound, Unauthenticated, Unavailable
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.permissions.errors import AccountSuspended, NoContact

router = GuardedRouter(prefix="/v1", tags=["me"])


@router.get(
    "/me",
    summary="Read one's own card and standing",
    response_model=None,
    responses={
        **disclosed_response(MeView, "The caller's own card, and what is decided from"),
        304: {"description": "Unchanged"},
        **responses(*LOOK_PROBLEMS, NotFound, Invalid),
    },
)
async def read_me(
    viewer: ContactsRead, front: Front, query: Annotated[MeQuery, Query()], if_none_match: IfNoneMatch = None
) -> Disclosed[MeView]:
    """Show callers themselves: everything of their own that policy shows, and tier, roles, scopes and grants.

    Service accounts are nobody in the directory: 403 `no_contact`. The look is on record like any other.
    """
    return await front.me.read(viewer, query.purpose, known=if_none_match)


@router.get(
    "/me/viewed-by",
    summary="List who looked at one",
    response_model=None,
    responses={
        **disclosed_response(ViewedByPage, "Looks, newest first"),
        **responses(*LOOK_PROBLEMS, Invalid, BadCursor),
    },
)
async def list_viewed_by(
    viewer: ContactsRead, front: Front, query: Annotated[ViewedByQuery, Query()]
) -> Disclosed[ViewedByPage]:
    """List the looks at the caller, lists and searches included: when, who, through what, for which purpose, and how each field was told.

    Somebody whom the caller may not know of is "a colleague" (`一位同事` with `Accept-Language: zh`). One's own looks are left out unless
    `own=true`. One page leads through a thousand events at most: as long as `next` is set there is more.
    """
    return await front.viewed_by.listed(viewer, query)


@router.get(
    "/fields",
    summary="List the fields of a contact",
    response_model=None,
    responses={
        200: {
            "model": FieldGuideList,
            "description": "All fields, and what the caller is shown of each",
            "headers": {"ETag": {"schema": {"type": "string"}}},
        },
        304: {"description": "Unchanged"},
        **responses(Unauthenticated, InsufficientScope, NoContact, AccountSuspended, Invalid, Unavailable),
    },
)
async def list_fields(viewer: Guided, front: Front, if_none_match: IfNoneMatch = None) -> Response:
    """Name every field in both languages, how it is protected and masked, who may carry it, and what policy gives the caller of it.

    `sight` speaks of nobody: it is what an ordinary contact in one's own department, in one that one heads, or elsewhere would show.
    """
    return front.fields.told(viewer, known=if_none_match)
