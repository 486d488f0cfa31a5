"""HTTP face of tags."""

from typing import Annotated

from fastapi import Path, Query, Response

from app.contacts.access import LOOK_PROBLEMS, ContactsRead, ContactsWrite
from app.contacts.access_own import Front
from app.contacts.errors import DuplicateTag, TagInUse
from app.contacts.own_schemas import TagCreate, TagPage, TagQuery, TagReceipt
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import Invalid, NotFound
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted

router = GuardedRouter(prefix="/v1/tags", tags=["tags"])


@router.get(
    "",
    summary="List tags",
    response_model=None,
    responses={**disclosed_response(TagPage, "A page of tags"), **responses(*LOOK_PROBLEMS, Invalid, BadCursor)},
)
async def list_tags(viewer: ContactsRead, front: Front, query: Annotated[TagQuery, Query()]) -> Disclosed[TagPage]:
    """List the tags that the company offers and those that contacts carry, with counts; only contacts that the caller can see count.

    `GET /v1/contacts?tag=` finds who carries one; `PATCH /v1/contacts/{id}` with `tags` sets those of a contact.
    """
    return await front.tags.listed(viewer, query)


@router.post(
    "",
    summary="Offer a tag",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": TagReceipt, "description": "Receipt"},
        **responses(*LOOK_PROBLEMS, Invalid, NotPermitted, DuplicateTag, IdempotencyKeyReused, IdempotencyInProgress),
    },
)
async def offer_tag(
    viewer: ContactsWrite, front: Front, unit: Unit, body: TagCreate, idempotency_key: OnceKey = None
) -> Response:
    """Put a tag on the company's list, which everybody can read, before anybody carries it. It is no place for a person's name."""
    return receipt_response(await front.tags.offer(viewer, unit, idempotency_key, body), "/v1/tags")


@router.delete(
    "/{tag}",
    summary="Remove a tag from the list",
    status_code=204,
    response_model=None,
    responses={
        204: {"description": "Removed"},
        **responses(*LOOK_PROBLEMS, Invalid, NotPermitted, NotFound, TagInUse),
    },
)
async def remove_tag(
    viewer: ContactsWrite, front: Front, unit: Unit, tag: Annotated[str, Path(min_length=1, max_length=64)]
) -> Response:
    """Take a tag off the list; no card is changed.

    While contacts that the caller can see carry it, the answer is 409 `tag_in_use` with `contact_count`.
    """
    await front.tags.remove(viewer, unit, tag)
    return Response(status_code=204)
