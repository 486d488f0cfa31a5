"""HTTP face of contacts."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.audit.errors import EpochMoved
from app.contacts.access import Contacts, ContactsRead, ContactsReveal, ContactsWrite, Keeper
from app.contacts.errors import (
    DuplicateEmployeeNumber,
    DuplicateUserName,
    NotCollected,
    UnknownContact,
    UnknownDepartment,
)
from app.contacts.schemas import (
    ContactAmend,
    ContactCreate,
    ContactPage,
    ContactReceipt,
    ContactView,
    HistoryPage,
    HistoryQuery,
    ListQuery,
    ReadQuery,
    RevealRequest,
    RevealView,
)
from app.disclosure.errors import ApprovalRequired, UnknownField
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import IfMatch, IfNoneMatch, OnceKey, Unit
from app.kit.errors import (
    InsufficientScope,
    Invalid,
    LogUnavailable,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Unauthenticated,
)
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted

_ALWAYS = (Unauthenticated, InsufficientScope, NoContact, AccountSuspended, LogUnavailable, EpochMoved)
_WRITES = (
    Invalid,
    NotCollected,
    UnknownDepartment,
    UnknownContact,
    DuplicateEmployeeNumber,
    DuplicateUserName,
    NotPermitted,
)
_VERSIONED = (NotFound, PreconditionFailed, PreconditionRequired)

router = GuardedRouter(prefix="/contacts", tags=["contacts"])


@router.get(
    "/{id}",
    summary="Read a card",
    response_model=None,
    responses={
        **disclosed_response(ContactView, "The card as this caller may see it"),
        304: {"description": "Unchanged"},
        **responses(*_ALWAYS, NotFound, Invalid),
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
    responses={**disclosed_response(ContactPage, "A page of cards"), **responses(*_ALWAYS, Invalid, BadCursor)},
)
async def list_contacts(
    viewer: ContactsRead, contacts: Contacts, query: Annotated[ListQuery, Query()]
) -> Disclosed[ContactPage]:
    """List the contacts that the caller may know of, cut before they are ordered, counted and paged."""
    return await contacts.search(viewer, query)


@router.post(
    "",
    summary="Create a contact",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": ContactReceipt, "description": "Receipt"},
        **responses(*_ALWAYS, *_WRITES, IdempotencyKeyReused, IdempotencyInProgress),
    },
)
async def create_contact(
    viewer: ContactsWrite, keeper: Keeper, unit: Unit, body: ContactCreate, idempotency_key: OnceKey = None
) -> Response:
    """Make a contact, seal its protected fields, bind its user name."""
    return receipt_response(await keeper.create(viewer, unit, idempotency_key, body), "/v1/contacts")


@router.patch(
    "/{id}",
    summary="Change a contact",
    response_model=None,
    responses={200: {"model": ContactReceipt, "description": "Receipt"}, **responses(*_ALWAYS, *_WRITES, *_VERSIONED)},
)
async def amend_contact(
    viewer: ContactsWrite,
    keeper: Keeper,
    unit: Unit,
    id: UUID,
    version: IfMatch,
    body: ContactAmend,
) -> Response:
    """Change members by JSON Merge Patch; `If-Match` names the card that the caller saw."""
    return receipt_response(await keeper.amend(viewer, unit, id, version, body), "/v1/contacts")


@router.delete(
    "/{id}",
    summary="Archive a contact",
    status_code=204,
    response_model=None,
    responses={204: {"description": "Archived"}, **responses(*_ALWAYS, NotPermitted, *_VERSIONED)},
)
async def archive_contact(viewer: ContactsWrite, keeper: Keeper, unit: Unit, id: UUID, version: IfMatch) -> Response:
    """Take a contact out of every view and seal its card."""
    await keeper.archive(viewer, unit, id, version)
    return Response(status_code=204)


@router.post(
    "/{id}/reveals",
    summary="Reveal protected fields",
    response_model=None,
    responses={
        **disclosed_response(RevealView, "The fields, clear"),
        **responses(*_ALWAYS, NotFound, Invalid, UnknownField, ApprovalRequired),
    },
)
async def reveal_contact(
    viewer: ContactsReveal, contacts: Contacts, id: UUID, body: RevealRequest
) -> Disclosed[RevealView]:
    """Show fields clear for a purpose and a reason: one look, on record with its sealed reason."""
    return await contacts.reveal(viewer, id, body)


@router.get(
    "/{id}/history",
    summary="List what was changed",
    response_model=None,
    responses={
        **disclosed_response(HistoryPage, "Changes, newest first"),
        **responses(*_ALWAYS, NotFound, Invalid, BadCursor),
    },
)
async def list_changes(
    viewer: ContactsRead,
    contacts: Contacts,
    id: UUID,
    query: Annotated[HistoryQuery, Query()],
) -> Disclosed[HistoryPage]:
    """List changes of the fields that the caller could be shown, each value as the card shows it."""
    return await contacts.history(viewer, id, limit=query.limit, cursor=query.cursor)
