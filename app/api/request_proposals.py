"""HTTP face of what requests propose for cards: a look at a card, so it stands above the requests themselves."""

from typing import Annotated

from fastapi import Depends, Request

from app.application import Application
from app.approvals.access import LOOK_PROBLEMS, Named, RequestsRead
from app.approvals.errors import NotOpen
from app.audit.errors import QuotaSpent
from app.auth.errors import FreshSignInRequired
from app.contacts.access import ContactsReveal
from app.contacts.errors import ProposalUnreadable
from app.contacts.proposal_schemas import ProposalView
from app.contacts.proposing import ProposalReader
from app.contacts.rights import CurrentRights
from app.contacts.schemas import RevealRequest, RevealView
from app.disclosure.errors import ApprovalRequired, UnknownField
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.errors import NotFound
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted

router = GuardedRouter(prefix="/v1", tags=["approvals"])


async def _reader(request: Request) -> ProposalReader:
    application: Application = request.app.state.application
    return ProposalReader(
        requests=application.approvals.requests,
        sight=application.approvals.sight,
        contacts=application.contact_rows,
        sealer=application.sealer,
        gate=application.gate,
        rights=CurrentRights(application.standings),
        reader=application.database.reader,
    )


Proposals = Annotated[ProposalReader, Depends(_reader)]


@router.get(
    "/requests/{id}/proposal",
    summary="Read what a request proposes",
    response_model=None,
    responses={
        **disclosed_response(
            ProposalView, "The proposed values, each as the caller's card of the contact would show it"
        ),
        **responses(*LOOK_PROBLEMS, NotFound, ProposalUnreadable, QuotaSpent),
    },
)
async def read_request_proposal(viewer: RequestsRead, proposals: Proposals, id: Named) -> Disclosed[ProposalView]:  # noqa: A002 — the path's name
    """Show the protected values that a request would put on a card, to those whom it concerns; the card's present values are not told."""
    return await proposals.read(viewer, id)


@router.post(
    "/requests/{id}/reveals",
    summary="Reveal what a request proposes",
    response_model=None,
    responses={
        **disclosed_response(RevealView, "The proposed values, as far as a reveal of these fields goes"),
        **responses(
            *LOOK_PROBLEMS,
            NotFound,
            NotOpen,
            UnknownField,
            ApprovalRequired,
            NotPermitted,
            FreshSignInRequired,
            ProposalUnreadable,
            QuotaSpent,
        ),
    },
)
async def reveal_request_proposal(
    viewer: ContactsReveal,
    proposals: Proposals,
    id: Named,  # noqa: A002 — the path's name
    body: RevealRequest,
) -> Disclosed[RevealView]:
    """Show proposed values to whoever could reveal these fields of the person, for a purpose and a reason; one look, on record.

    For those whom the request concerns, as long as it is not decided. The card's present values are not told.
    """
    return await proposals.reveal(viewer, id, body)
