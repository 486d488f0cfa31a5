"""HTTP face of contacts: looking. Changing stands in ``routes_writing``."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from app.auth.errors import FreshSignInRequired
from app.contacts.access import LOOK_PROBLEMS, Contacts, ContactsRead, ContactsReveal
from app.contacts.query_schemas import HistoryQuery, ListQuery, ReadQuery
from app.contacts.schemas import ContactPage, ContactView, HistoryPage, RevealRequest, RevealView
from app.disclosure.errors import ApprovalRequired, UnknownField
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import IfNoneMatch
from app.kit.errors import Invalid, NotFound
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted

router = GuardedRouter(prefix="/v1/contacts", tags=["contacts"])


@router.get(
    "/{id}",
    summary="Read a card",
    response_model=None,
    responses={
        **disclosed_response(ContactView, "The card as this caller may see it"),
        304: {"description": "Unchanged"},
        **responses(*LOOK_PROBLEMS, NotFound, Invalid),
    },
)
async def read_contact(
    viewer: ContactsRead,
    contacts: Contacts,
    id: UUID,
    query: Annotated[ReadQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Disclosed[ContactView]:
    """Show one contact. Every protected field is in one of four states; the look is on record before anything is opened."""
    return await contacts.read(viewer, id, query.purpose, known=if_none_match)


@router.get(
    "",
    summary="Search and list cards",
    response_model=None,
    responses={**disclosed_response(ContactPage, "A page of cards"), **responses(*LOOK_PROBLEMS, Invalid, BadCursor)},
)
async def list_contacts(
    viewer: ContactsRead, contacts: Contacts, query: Annotated[ListQuery, Query()]
) -> Disclosed[ContactPage]:
    """List the contacts that the caller may know of, cut before they are ordered, counted and paged."""
    return await contacts.search(viewer, query)


@router.post(
    "/{id}/reveals",
    summary="Reveal protected fields",
    response_model=None,
    responses={
        **disclosed_response(RevealView, "The fields, as far as a reveal goes"),
        **responses(
            *LOOK_PROBLEMS, NotFound, Invalid, UnknownField, ApprovalRequired, NotPermitted, FreshSignInRequired
        ),
    },
)
async def reveal_contact(
    viewer: ContactsReveal, contacts: Contacts, id: UUID, body: RevealRequest
) -> Disclosed[RevealView]:
    """Show fields clear for a purpose and a reason: one look, on record with its sealed reason.

    Where the policy has a reveal show no more than a mask, that is what is shown; where it asks for the number of a case as well (`reason`
    of an explanation says so), the look names it in `case`, and `GET /v1/access-events?case=` finds it.
    Where a second proof of identity is all that is missing, 401 with the challenge of RFC 9470: sign in again with one of `acr_values`, not
    longer ago than `max_age`, and ask again.
    """
    return await contacts.reveal(viewer, id, body)


@router.get(
    "/{id}/history",
    summary="List what was changed",
    response_model=None,
    responses={
        **disclosed_response(HistoryPage, "Changes, newest first"),
        **responses(*LOOK_PROBLEMS, NotFound, Invalid, BadCursor),
    },
)
async def list_changes(
    viewer: ContactsRead,
    contacts: Contacts,
    id: UUID,
    query: Annotated[HistoryQuery, Query()],
) -> Disclosed[HistoryPage]:
    """List changes of the fields that the caller could be shown, each value as the card shows it."""
    return await contacts.history(viewer, id, query)
