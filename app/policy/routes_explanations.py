"""HTTP face of explanations: why somebody sees what they see, and who could see somebody."""

from typing import Annotated

from fastapi import Depends, Request

from app.contacts.access import LOOK_PROBLEMS, ContactsRead
from app.disclosure.errors import UnknownField
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.errors import Invalid, NotFound
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted
from app.policy.explanation_schemas import ExplanationRequest, ExplanationView
from app.policy.explanations import Explanations

router = GuardedRouter(tags=["policy"])


async def _explanations(request: Request) -> Explanations:
    explanations: Explanations = request.app.state.application.policy.explanations
    return explanations


@router.post(
    "/v1/policy/explanations",
    summary="Explain a view",
    response_model=None,
    responses={
        **disclosed_response(
            ExplanationView, "Every rule that was tried, what decided, and the nearest change that would show more"
        ),
        **responses(*LOOK_PROBLEMS, NotFound, NotPermitted, Invalid, UnknownField),
    },
)
async def explain_view(
    viewer: ContactsRead, explanations: Annotated[Explanations, Depends(_explanations)], body: ExplanationRequest
) -> Disclosed[ExplanationView]:
    """Explain what the caller is shown of a contact; the security team (T5), what somebody else is. One look, on record."""
    return await explanations.explain(viewer, body)
