"""HTTP face of type-ahead."""

from typing import Annotated

from fastapi import Query

from app.contacts.access import LOOK_PROBLEMS, ContactsRead, Suggestions
from app.contacts.suggestion_schemas import SuggestionList, SuggestionQuery
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.errors import Invalid
from app.kit.problems import responses
from app.kit.routing import GuardedRouter

router = GuardedRouter(prefix="/v1/suggestions", tags=["contacts"])


@router.get(
    "",
    summary="Suggest people while typing",
    response_model=None,
    responses={
        **disclosed_response(SuggestionList, "At most ten people, the likeliest first"),
        **responses(*LOOK_PROBLEMS, Invalid),
    },
)
async def list_suggestions(
    viewer: ContactsRead, suggestions: Suggestions, query: Annotated[SuggestionQuery, Query()]
) -> Disclosed[SuggestionList]:
    """List people who may be meant, by what is public in the house: name, department, title, short numbers. On record as one look."""
    return await suggestions.suggest(viewer, query)
