"""HTTP face of consents."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.collection.access import LOOK_PROBLEMS, CollectionRead, Desk, OwnWord
from app.collection.errors import ConsentNotAsked, ProofRequired
from app.collection.schemas import ConsentCreate, ConsentPage, ConsentQuery, ConsentReceipt, WithdrawalCreate
from app.contacts.errors import NotCollected
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import NotFound
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted

_CONTACTS = "/v1/contacts"
_REFUSED = (*LOOK_PROBLEMS, NotFound, NotPermitted, ProofRequired)

router = GuardedRouter(prefix=f"{_CONTACTS}/{{id}}/consents", tags=["collection"])


@router.get(
    "",
    summary="List the consents of a contact",
    response_model=None,
    responses={
        **disclosed_response(ConsentPage, "What was given and withdrawn, and what stands now"),
        **responses(*LOOK_PROBLEMS, NotFound, BadCursor),
    },
)
async def list_consents(
    viewer: CollectionRead, desk: Desk, id: UUID, query: Annotated[ConsentQuery, Query()]
) -> Disclosed[ConsentPage]:
    """Tell the person, HR, the directory steward and security (tier T5, without proofs); for all others there is no such contact."""
    return await desk.consents.listed(viewer, id, query)


@router.post(
    "",
    summary="Consent",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": ConsentReceipt, "description": "Receipt"},
        **responses(*_REFUSED, NotCollected, ConsentNotAsked, IdempotencyKeyReused, IdempotencyInProgress),
    },
)
async def give_consent(
    viewer: OwnWord, desk: Desk, unit: Unit, id: UUID, body: ConsentCreate, idempotency_key: OnceKey = None
) -> Response:
    """Consent to the handling of some of one's own fields; HR and the steward put on record, with proof, what somebody consented to."""
    return receipt_response(await desk.consents.give(viewer, unit, idempotency_key, id, body), _CONTACTS)


@router.post(
    "/withdrawals",
    summary="Withdraw a consent",
    response_model=None,
    responses={200: {"model": ConsentReceipt, "description": "Receipt"}, **responses(*_REFUSED)},
)
async def withdraw_consent(viewer: OwnWord, desk: Desk, unit: Unit, id: UUID, body: WithdrawalCreate) -> Response:
    """Take consents back, at any time and without a reason. A value that rested on one is erased in the same moment.

    Its past is told to nobody but the person, and it is not written again without a new consent. What is not live stays as it is.
    """
    return receipt_response(await desk.consents.withdraw(viewer, unit, id, body), _CONTACTS)
