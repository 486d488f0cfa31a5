"""HTTP face of privacy notices."""

from typing import Annotated
from uuid import UUID

import orjson
from fastapi import Query, Response

from app.collection.access import LOOK_PROBLEMS, TEXT_PROBLEMS, CollectionRead, Desk, NoticesWrite, OwnWord, TextsRead
from app.collection.errors import NoticeNotCurrent, NoticeRaced
from app.collection.notices import COLLECTION
from app.collection.schemas import (
    AcknowledgementPage,
    AcknowledgementQuery,
    AcknowledgementReceipt,
    NoticeCreate,
    NoticePage,
    NoticeQuery,
    NoticeReceipt,
)
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import NotFound
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted

router = GuardedRouter(prefix=COLLECTION, tags=["collection"])


@router.get(
    "",
    summary="List privacy notices",
    response_model=None,
    responses={200: {"model": NoticePage, "description": "A page"}, **responses(*TEXT_PROBLEMS, BadCursor)},
)
async def list_notices(viewer: TextsRead, desk: Desk, query: Annotated[NoticeQuery, Query()]) -> Response:
    """Tell the versions of the privacy notice in both languages, newest first; with `current=true` the one in force alone."""
    told = orjson.dumps(await desk.notices.listed(viewer, query), option=orjson.OPT_UTC_Z)
    return Response(told, media_type="application/json", headers={"Cache-Control": "private, no-cache"})


@router.post(
    "",
    summary="Publish a privacy notice",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": NoticeReceipt, "description": "Receipt"},
        **responses(*LOOK_PROBLEMS, NotPermitted, NoticeRaced, IdempotencyKeyReused, IdempotencyInProgress),
    },
)
async def publish_notice(
    viewer: NoticesWrite, desk: Desk, unit: Unit, body: NoticeCreate, idempotency_key: OnceKey = None
) -> Response:
    """Publish the next version; HR and the directory steward do. A version is never changed: what follows it replaces it."""
    return receipt_response(await desk.notices.publish(viewer, unit, idempotency_key, body), COLLECTION)


@router.get(
    "/{id}/acknowledgements",
    summary="List who has seen a privacy notice",
    response_model=None,
    responses={
        **disclosed_response(AcknowledgementPage, "Counts, and a page of people"),
        **responses(*LOOK_PROBLEMS, NotPermitted, NotFound, BadCursor),
    },
)
async def list_acknowledgements(
    viewer: CollectionRead, desk: Desk, id: UUID, query: Annotated[AcknowledgementQuery, Query()]
) -> Disclosed[AcknowledgementPage]:
    """Tell HR and the directory steward how many people with an account have seen a version, and who has not yet (or who has)."""
    return await desk.notices.acknowledgements(viewer, id, query)


@router.post(
    "/{id}/acknowledgements",
    summary="Acknowledge a privacy notice",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": AcknowledgementReceipt, "description": "Noted"},
        200: {"model": AcknowledgementReceipt, "description": "It was noted before"},
        **responses(*TEXT_PROBLEMS, NotFound, NoticeNotCurrent),
    },
)
async def acknowledge_notice(viewer: OwnWord, desk: Desk, unit: Unit, id: UUID) -> Response:
    """Note that the caller has seen the version in force. A repeat changes nothing and tells when it was."""
    return receipt_response(await desk.notices.acknowledge(viewer, unit, id), COLLECTION)
