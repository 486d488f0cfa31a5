"""HTTP face of confidentiality undertakings."""

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import Path, Query, Response

from app.departures.access import LOOK_PROBLEMS, TEXT_PROBLEMS, Desk, OwnWord, TextsRead, TextsWrite
from app.departures.errors import TextNotCurrent, TextRaced
from app.departures.schemas import (
    ConfirmationCreate,
    ConfirmationReceipt,
    TextCreate,
    TextPage,
    TextQuery,
    TextReceipt,
)
from app.departures.undertakings import COLLECTION
from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import NotFound
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted

router = GuardedRouter(prefix=COLLECTION, tags=["departures"])


@router.get(
    "",
    summary="List confidentiality undertakings",
    response_model=None,
    responses={200: {"model": TextPage, "description": "A page"}, **responses(*TEXT_PROBLEMS, BadCursor)},
)
async def list_undertakings(viewer: TextsRead, desk: Desk, query: Annotated[TextQuery, Query()]) -> Response:
    """Tell the versions of what leavers confirm, in both languages, newest first; the newest is in force."""
    told = orjson.dumps(await desk.undertakings.listed(viewer, query), option=orjson.OPT_UTC_Z)
    return Response(told, media_type="application/json", headers={"Cache-Control": "private, no-cache"})


@router.post(
    "",
    summary="Publish a confidentiality undertaking",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": TextReceipt, "description": "Receipt"},
        **responses(*LOOK_PROBLEMS, NotPermitted, TextRaced, IdempotencyKeyReused, IdempotencyInProgress),
    },
)
async def publish_undertaking(
    viewer: TextsWrite, desk: Desk, unit: Unit, body: TextCreate, idempotency_key: OnceKey = None
) -> Response:
    """Publish the next version; HR and the directory steward do. A version is never changed: what follows it replaces it."""
    return receipt_response(await desk.undertakings.publish(viewer, unit, idempotency_key, body), COLLECTION)


@router.post(
    "/{id}/confirmations",
    summary="Confirm a confidentiality undertaking",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": ConfirmationReceipt, "description": "Noted"},
        200: {"model": ConfirmationReceipt, "description": "It was noted before"},
        **responses(*TEXT_PROBLEMS, NotPermitted, NotFound, TextNotCurrent),
    },
)
async def confirm_undertaking(
    viewer: OwnWord,
    desk: Desk,
    unit: Unit,
    body: ConfirmationCreate,
    identity: Annotated[UUID, Path(alias="id", description="Id of the version in force.")],
) -> Response:
    """Note that the caller confirms the version in force, or, with `contact`, that somebody signed it on paper: HR puts that on record.

    A repeat changes nothing and tells when it was.
    """
    return receipt_response(await desk.undertakings.confirm(viewer, unit, identity, body), COLLECTION)
