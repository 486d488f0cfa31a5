"""HTTP face of personnel events."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Query, Response

from app.auth.errors import AccountRefused
from app.contacts.errors import NotCollected
from app.hr.access import HrWrite, Personnel
from app.hr.errors import EventIdReused
from app.hr.schemas import EventId, EventQuery, HrEventIn, HrReceipt
from app.hr.service import Told
from app.kit.context import current_request
from app.kit.dependencies import Unit
from app.kit.errors import InsufficientScope, Invalid, NotFound, Unauthenticated, Unavailable
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted

_ALWAYS = (
    Unauthenticated,
    InsufficientScope,
    NoContact,
    AccountSuspended,
    AccountRefused,
    NotPermitted,
    Unavailable,
    Invalid,
)
_REPLAYED = {"Idempotency-Replayed": {"description": "`true` when this was told before", "schema": {"type": "string"}}}

router = GuardedRouter(prefix="/v1/hr/events", tags=["hr"])


@router.post(
    "",
    summary="Take a personnel event",
    status_code=202,
    response_model=None,
    responses={
        202: {"model": HrReceipt, "description": "Taken; `state` says what became of it", "headers": _REPLAYED},
        **responses(*_ALWAYS, NotFound, NotCollected, EventIdReused),
    },
)
async def take_event(viewer: HrWrite, personnel: Personnel, unit: Unit, body: HrEventIn) -> Response:
    """Take one event of one source, once and for ever.

    `employee.joined` makes the contact, `employee.left` hides it and ends the account; the other types are taken and answered `failed`
    (`event_type_not_supported`), and so is an `effective_at` of the future (`effective_at_not_supported`): nothing is applied early.
    A repeat is told the same, with `Idempotency-Replayed: true`.
    """
    return _answer(await personnel.take(viewer, unit, body), status=202)


@router.get(
    "/{id}",
    summary="Read what became of an event",
    response_model=None,
    responses={200: {"model": HrReceipt, "description": "State, contact and problem"}, **responses(*_ALWAYS, NotFound)},
)
async def read_event(
    viewer: HrWrite, personnel: Personnel, id: EventId, query: Annotated[EventQuery, Query()]
) -> Response:
    """Tell again what became of an event that the caller sent."""
    return _answer(await personnel.outcome(viewer, id, query.source), status=200)


def _answer(told: Told, *, status: int) -> Response:
    context = current_request()
    chinese = context is not None and context.language == "zh"
    receipt = HrReceipt.of(told.event_id, told.state, told.contact_id, told.problem, chinese=chinese)
    headers = {"Cache-Control": "no-store", "Content-Language": "zh" if chinese else "en"}
    if status == 202:  # noqa: PLR2004 — Accepted
        headers["Location"] = f"/v1/hr/events/{quote(told.event_id, safe='')}"
    if told.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(receipt.model_dump_json(), status_code=status, media_type="application/json", headers=headers)
