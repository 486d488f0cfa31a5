"""HTTP face of the collection forms."""

from fastapi import Response

from app.collection.access import TEXT_PROBLEMS, Desk, TextsRead
from app.collection.schemas import FormList
from app.kit.dependencies import IfNoneMatch
from app.kit.problems import responses
from app.kit.routing import GuardedRouter

router = GuardedRouter(prefix="/v1/collection-forms", tags=["collection"])


@router.get(
    "",
    summary="List the collection forms",
    response_model=None,
    responses={
        200: {
            "model": FormList,
            "description": "What each kind of contact may carry, and on which ground",
            "headers": {"ETag": {"schema": {"type": "string"}}},
        },
        304: {"description": "Unchanged"},
        **responses(*TEXT_PROBLEMS),
    },
)
async def list_forms(viewer: TextsRead, desk: Desk, if_none_match: IfNoneMatch = None) -> Response:
    """Tell for each kind of contact which fields its form asks for, which must be there, the legal ground of each, and how long it is kept.

    Everything else is refused when it is written (422 `not_collected`). A field whose basis is `consent` or `separate_consent` is taken
    only while that consent is live (422 `consent_required`): see `POST /v1/contacts/{id}/consents`.
    """
    del viewer
    return desk.forms.told(known=if_none_match)
