"""HTTP face of attachments: files of requests, and files that wait to be filed with."""

from fastapi import Request, Response

from app.approvals.access import ACT_PROBLEMS, LOOK_PROBLEMS, RequestsRead, RequestsWrite
from app.approvals.access import Named as RequestId
from app.approvals.desk import REQUESTS
from app.attachments.access import ATTACH_PROBLEMS, BODY, FILE, UPLOAD_PROBLEMS, Attachment, Desk, Named
from app.attachments.keeping import STAGING
from app.attachments.kinds import MOST_BYTES
from app.attachments.reading import File
from app.attachments.schemas import AttachmentList, AttachmentReceipt, StagedList, StagedReceipt
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import NotFound
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.kit.uploads import read_upload

router = GuardedRouter(prefix="/v1", tags=["approvals"])


@router.post(
    "/requests/{id}/attachments",
    summary="Attach a file to a request",
    status_code=201,
    response_model=None,
    openapi_extra={"requestBody": BODY},
    responses={201: {"model": AttachmentReceipt, "description": "Receipt"}, **responses(*ATTACH_PROBLEMS)},
)
async def attach_to_request(
    viewer: RequestsWrite, desk: Desk, unit: Unit, id: RequestId, request: Request, idempotency_key: OnceKey = None
) -> Response:
    """Put a file to a request that concerns the caller, as long as nobody has decided it, or while it is to be amended.

    One part `file` of at most 10 MiB with its name and media type: PDF, PNG, JPEG, WebP, UTF-8 text, docx or xlsx, told by content. Macros,
    scripts and what hides inside are refused. It is part of what decisions are signed over. At most ten for a request.
    """
    answer = await desk.keeper.attach(
        viewer, unit, id, idempotency_key, lambda: read_upload(request, "file", MOST_BYTES)
    )
    return receipt_response(answer, f"{REQUESTS}/{id}/attachments")


@router.get(
    "/requests/{id}/attachments",
    summary="List the files of a request",
    response_model=None,
    responses={
        **disclosed_response(AttachmentList, "The files, in the order in which they came"),
        **responses(*LOOK_PROBLEMS, NotFound),
    },
)
async def list_request_attachments(viewer: RequestsRead, desk: Desk, id: RequestId) -> Disclosed[AttachmentList]:
    """List the files of a request to those whom it concerns."""
    return await desk.reader.of_request(viewer, id)


@router.get(
    "/requests/{id}/attachments/{attachment}",
    summary="Read a file of a request",
    response_model=None,
    response_class=File,
    responses=FILE,
)
async def read_request_attachment(viewer: RequestsRead, desk: Desk, id: RequestId, attachment: Attachment) -> File:
    """Give a file to those whom the request concerns, on record before it leaves; to be saved, never to be shown in a page."""
    return await desk.reader.content(viewer, id, attachment)


@router.post(
    "/attachments",
    summary="Upload a file to file with",
    status_code=201,
    response_model=None,
    openapi_extra={"requestBody": BODY},
    responses={201: {"model": StagedReceipt, "description": "Receipt"}, **responses(*UPLOAD_PROBLEMS)},
)
async def stage_attachment(
    viewer: RequestsWrite, desk: Desk, unit: Unit, request: Request, idempotency_key: OnceKey = None
) -> Response:
    """Keep a file that a request is about to name: in its form, as `proof` of `contact.change`, or in `attachments`.

    What is taken is what a request takes. It is the caller's alone, at most ten of them, and gone after 24 hours unless it was filed with.
    """
    answer = await desk.keeper.stage(viewer, unit, idempotency_key, lambda: read_upload(request, "file", MOST_BYTES))
    return receipt_response(answer, STAGING)


@router.get(
    "/attachments",
    summary="List one's own files that wait",
    response_model=None,
    responses={
        **disclosed_response(StagedList, "Files that the caller may still file with"),
        **responses(*LOOK_PROBLEMS),
    },
)
async def list_staged_attachments(viewer: RequestsRead, desk: Desk) -> Disclosed[StagedList]:
    """List the files that the caller has uploaded and not yet filed with."""
    return await desk.reader.staged(viewer)


@router.get(
    "/attachments/{id}",
    summary="Read one's own file that waits",
    response_model=None,
    response_class=File,
    responses=FILE,
)
async def read_staged_attachment(viewer: RequestsRead, desk: Desk, id: Named) -> File:
    """Give a file back to who has uploaded it, until it is filed with; from then on it is read in the request."""
    return await desk.reader.staged_content(viewer, id)


@router.delete(
    "/attachments/{id}",
    summary="Discard one's own file that waits",
    status_code=204,
    response_model=None,
    responses={204: {"description": "The file is gone"}, **responses(*ACT_PROBLEMS[:7])},
)
async def discard_staged_attachment(viewer: RequestsWrite, desk: Desk, unit: Unit, id: Named) -> Response:
    """Delete a file that waits, and the key without which no copy of it opens."""
    await desk.keeper.discard(viewer, unit, id)
    return Response(status_code=204)
