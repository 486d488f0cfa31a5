"""HTTP face of what people do with requests. What is answered is a receipt."""

from typing import Annotated, Any, Final

import orjson
from fastapi import Header, Response

from app.approvals.access import (
    ACT_PROBLEMS,
    AMEND_PROBLEMS,
    DECIDE_PROBLEMS,
    END_PROBLEMS,
    PASS_PROBLEMS,
    Desk,
    Named,
    RequestsWrite,
)
from app.approvals.desk import REQUESTS, receipt
from app.approvals.schemas import (
    BatchReceipt,
    CommentCreate,
    DecisionBatch,
    DecisionCreate,
    RequestAmend,
    RequestReceipt,
    RevocationCreate,
    TransferCreate,
)
from app.kit.dependencies import Unit
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter

router = GuardedRouter(prefix="/v1", tags=["approvals"])
_RECEIPT: Final[dict[int | str, dict[str, Any]]] = {200: {"model": RequestReceipt, "description": "Receipt"}}
Seen = Annotated[
    str | None, Header(alias="If-Match", description="`ETag` of the request as the caller saw it.", max_length=512)
]


@router.post(
    "/requests/{id}/decisions",
    summary="Decide a request",
    response_model=None,
    responses={**_RECEIPT, **responses(*DECIDE_PROBLEMS)},
)
async def decide_request(
    viewer: RequestsWrite, desk: Desk, unit: Unit, id: Named, body: DecisionCreate, if_match: Seen = None
) -> Response:
    """Answer the step that awaits the caller: not whoever asks, gains, or has said yes before. The last yes has the effect at once.

    `return` sends it back to be amended, which voids everything said before. With `If-Match` the answer counts for that version alone.
    """
    return receipt_response(receipt(await desk.deciding.decide(viewer, unit, id, body, if_match), viewer), REQUESTS)


@router.post(
    "/request-decisions",
    summary="Decide many requests",
    response_model=None,
    responses={200: {"model": BatchReceipt, "description": "What became of each"}, **responses(*DECIDE_PROBLEMS)},
)
async def decide_requests(viewer: RequestsWrite, desk: Desk, unit: Unit, body: DecisionBatch) -> Response:
    """Answer up to 100 requests, each on its own verdict: one that is refused keeps none of the others out."""
    told = orjson.dumps(await desk.decide_all(viewer, unit, body))
    return Response(told, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.post(
    "/requests/{id}/transfers",
    summary="Pass a request on",
    response_model=None,
    responses={**_RECEIPT, **responses(*PASS_PROBLEMS)},
)
async def transfer_request(viewer: RequestsWrite, desk: Desk, unit: Unit, id: Named, body: TransferCreate) -> Response:
    """Let somebody else answer instead of the caller (转交). They see the request, and nothing else that the caller may see."""
    return receipt_response(receipt(await desk.deciding.transfer(viewer, unit, id, body), viewer), REQUESTS)


@router.post(
    "/requests/{id}/additions",
    summary="Ask somebody beside",
    response_model=None,
    responses={**_RECEIPT, **responses(*PASS_PROBLEMS)},
)
async def add_to_request(viewer: RequestsWrite, desk: Desk, unit: Unit, id: Named, body: TransferCreate) -> Response:
    """Ask somebody beside those who are asked (加签): the step is not done without them."""
    return receipt_response(receipt(await desk.deciding.add(viewer, unit, id, body), viewer), REQUESTS)


@router.post(
    "/requests/{id}/comments",
    summary="Comment on a request",
    response_model=None,
    responses={**_RECEIPT, **responses(*ACT_PROBLEMS)},
)
async def comment_request(viewer: RequestsWrite, desk: Desk, unit: Unit, id: Named, body: CommentCreate) -> Response:
    """Write beside a request, for all whom it concerns."""
    return receipt_response(receipt(await desk.deciding.comment(viewer, unit, id, body), viewer), REQUESTS)


@router.post(
    "/requests/{id}/withdrawals",
    summary="Withdraw a request",
    response_model=None,
    responses={**_RECEIPT, **responses(*ACT_PROBLEMS)},
)
async def withdraw_request(viewer: RequestsWrite, desk: Desk, unit: Unit, id: Named) -> Response:
    """Take one's own request back, as long as it has had no effect."""
    return receipt_response(receipt(await desk.deciding.withdraw(viewer, unit, id), viewer), REQUESTS)


@router.post(
    "/requests/{id}/amendments",
    summary="Amend a request",
    response_model=None,
    responses={
        **_RECEIPT,
        **responses(*AMEND_PROBLEMS),
    },
)
async def amend_request(viewer: RequestsWrite, desk: Desk, unit: Unit, id: Named, body: RequestAmend) -> Response:
    """File a request anew that was returned, or that must be approved again because what it rests on has changed."""
    return receipt_response(receipt(await desk.filing.amend(viewer, unit, id, body), viewer), REQUESTS)


@router.post(
    "/requests/{id}/returns",
    summary="Give back",
    response_model=None,
    responses={**_RECEIPT, **responses(*END_PROBLEMS)},
)
async def return_request(viewer: RequestsWrite, desk: Desk, unit: Unit, id: Named) -> Response:
    """Give back what the request gave (归还), before its time or after it."""
    return receipt_response(receipt(await desk.ending.give_back(viewer, unit, id), viewer), REQUESTS)


@router.post(
    "/requests/{id}/revocations",
    summary="Take back",
    response_model=None,
    responses={**_RECEIPT, **responses(*END_PROBLEMS)},
)
async def revoke_request(viewer: RequestsWrite, desk: Desk, unit: Unit, id: Named, body: RevocationCreate) -> Response:
    """Take back what the request gave: whoever consented or approved may, and who oversees. It ends at once."""
    return receipt_response(receipt(await desk.ending.revoke(viewer, unit, id, body), viewer), REQUESTS)
