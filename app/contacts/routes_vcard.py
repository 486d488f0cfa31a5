"""HTTP face of vCards."""

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Query

from app.contacts.access import LOOK_PROBLEMS, ContactsRead
from app.contacts.access_own import Front
from app.contacts.photos import DISCLOSURE
from app.contacts.query_schemas import VCardPageQuery, VCardQuery
from app.contacts.vcards import MEDIA_TYPE, NEXT, VCards
from app.kit.dependencies import IfNoneMatch
from app.kit.errors import Invalid, NotFound
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted

_EXAMPLE: Final = "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:欧阳明\r\nN:欧阳;明;;;\r\nEND:VCARD\r\n"

router = GuardedRouter(prefix="/v1", tags=["contacts"])


def _file(description: str, *headers: str) -> dict[int | str, dict[str, Any]]:
    return {
        200: {
            "description": description,
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}, "example": _EXAMPLE}},
            "headers": {name: {"schema": {"type": "string"}} for name in (*headers, DISCLOSURE)},
        }
    }


@router.get(
    "/contacts/{id}/card.vcf",
    summary="Take a card along",
    response_model=None,
    response_class=VCards,
    responses={
        **_file(f"A vCard; `{DISCLOSURE}` holds the note of the disclosure", "ETag"),
        304: {"description": "Unchanged"},
        **responses(*LOOK_PROBLEMS, NotFound, NotPermitted, Invalid),
    },
)
async def read_vcard(
    viewer: ContactsRead,
    front: Front,
    id: UUID,
    query: Annotated[VCardQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> VCards:
    """Write one contact as a vCard (RFC 6350): of what the card shows clear, what the caller may export. Masks are left out.

    Whom the caller may see and not take along is 403 `not_permitted`.
    """
    return await front.vcards.one(viewer, id, query, known=if_none_match)


@router.get(
    "/vcards",
    summary="Take a search along",
    response_model=None,
    response_class=VCards,
    responses={
        **_file(f"A page of vCards; `{NEXT}` holds the cursor of the next one", NEXT),
        **responses(*LOOK_PROBLEMS, Invalid, BadCursor),
    },
)
async def list_vcards(viewer: ContactsRead, front: Front, query: Annotated[VCardPageQuery, Query()]) -> VCards:
    """Write a page of a search as one file of vCards: those whom the caller may export, and of each what they may.

    Asked as `GET /v1/contacts` is; whom the caller may not take along is not in the file, as if not found.
    """
    return await front.vcards.page(viewer, query)
