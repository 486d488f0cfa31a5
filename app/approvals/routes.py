"""HTTP face of requests: their kinds, what one would go through, filing, lists and one whole."""

from typing import Annotated

from fastapi import Query, Response

from app.approvals.access import (
    FILE_PROBLEMS,
    KIND_PROBLEMS,
    LOOK_PROBLEMS,
    Desk,
    KindsRead,
    Named,
    RequestsRead,
    RequestsWrite,
)
from app.approvals.desk import REQUESTS
from app.approvals.schemas import (
    KindList,
    PreviewRead,
    RequestCreate,
    RequestListQuery,
    RequestPage,
    RequestRead,
    RequestReceipt,
)
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import NotFound
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter

router = GuardedRouter(prefix="/v1", tags=["approvals"])


@router.get(
    "/request-kinds",
    summary="List the kinds of requests",
    responses=responses(*KIND_PROBLEMS),
)
async def list_request_kinds(viewer: KindsRead, desk: Desk) -> KindList:
    """List what can be requested, with the form of each kind as a JSON Schema. Kinds that are not enabled are not listed."""
    return desk.reader.kinds(viewer)


@router.post(
    "/request-previews",
    summary="Preview a request",
    response_model=None,
    responses={
        **disclosed_response(PreviewRead, "Who would be asked, in which order, by when"),
        **responses(*FILE_PROBLEMS, *LOOK_PROBLEMS),
    },
)
async def preview_request(viewer: RequestsRead, desk: Desk, body: RequestCreate) -> Disclosed[PreviewRead]:
    """Show the whole chain before filing. Nothing is kept and nobody is asked; what could not be filed is refused as filing would."""
    return await desk.reader.preview(viewer, body)


@router.post(
    "/requests",
    summary="File a request",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": RequestReceipt, "description": "Receipt"},
        **responses(*FILE_PROBLEMS, IdempotencyKeyReused, IdempotencyInProgress),
    },
)
async def file_request(
    viewer: RequestsWrite, desk: Desk, unit: Unit, body: RequestCreate, idempotency_key: OnceKey = None
) -> Response:
    """Ask for something that needs a decision. The form is checked against its kind; who is asked stands in the request itself."""
    return receipt_response(await desk.file(viewer, unit, idempotency_key, body), REQUESTS)


@router.get(
    "/requests",
    summary="List requests",
    response_model=None,
    responses={
        **disclosed_response(RequestPage, "A page of requests"),
        **responses(*LOOK_PROBLEMS, BadCursor),
    },
)
async def list_requests(
    viewer: RequestsRead, desk: Desk, query: Annotated[RequestListQuery, Query()]
) -> Disclosed[RequestPage]:
    """List the requests that concern the caller, newest first; with `inbox=true` what awaits their answer, the most urgent first.

    The inbox holds what awaits people for whom the caller stands in as well, for as long as they do.
    """
    return await desk.reader.page(viewer, query)


@router.get(
    "/requests/{id}",
    summary="Read a request",
    response_model=None,
    responses={
        **disclosed_response(RequestRead, "The request; its `ETag` is what a decision may name in `If-Match`"),
        **responses(*LOOK_PROBLEMS, NotFound),
    },
)
async def read_request(viewer: RequestsRead, desk: Desk, id: Named) -> Disclosed[RequestRead]:
    """Read a request with its steps, what was said and what it did. Whom it does not concern, it is not there."""
    return await desk.reader.one(viewer, id)
