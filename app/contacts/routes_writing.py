"""HTTP face of contacts: changing. What is answered is a receipt, never a protected value."""

from uuid import UUID

from fastapi import Response

from app.contacts.access import LOOK_PROBLEMS, WRITE_PROBLEMS, ContactsWrite, Keeper
from app.contacts.schemas import ContactAmend, ContactCreate, ContactReceipt
from app.kit.dependencies import IfMatch, OnceKey, Unit
from app.kit.errors import Invalid, NotFound, PreconditionFailed, PreconditionRequired
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted

_VERSIONED = (NotFound, PreconditionFailed, PreconditionRequired)

router = GuardedRouter(prefix="/v1/contacts", tags=["contacts"])


@router.post(
    "",
    summary="Create a contact",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": ContactReceipt, "description": "Receipt"},
        **responses(*LOOK_PROBLEMS, *WRITE_PROBLEMS, IdempotencyKeyReused, IdempotencyInProgress),
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
    responses={
        200: {"model": ContactReceipt, "description": "Receipt"},
        **responses(*LOOK_PROBLEMS, *WRITE_PROBLEMS, *_VERSIONED),
    },
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
    responses={204: {"description": "Archived"}, **responses(*LOOK_PROBLEMS, NotPermitted, Invalid, *_VERSIONED)},
)
async def archive_contact(viewer: ContactsWrite, keeper: Keeper, unit: Unit, id: UUID, version: IfMatch) -> Response:
    """Take a contact out of every view and seal its card."""
    await keeper.archive(viewer, unit, id, version)
    return Response(status_code=204)
