"""HTTP face of personnel events."""

from typing import Annotated, Final
from urllib.parse import quote

from fastapi import Body, Query, Response

from app.audit.errors import EpochMoved
from app.auth.errors import AccountRefused
from app.contacts.errors import NotCollected
from app.disclosure.view import Disclosed, disclosed_response
from app.hr.access import Batches, HrRead, HrWrite, Ledger, Personnel
from app.hr.data import EventId
from app.hr.errors import EventIdReused, FuseBlown
from app.hr.schemas import (
    EventListQuery,
    EventQuery,
    HrBatchIn,
    HrBatchReceipt,
    HrEventIn,
    HrEventPage,
    HrEventView,
    HrReceipt,
    openapi_examples,
)
from app.hr.service import receipt_of
from app.hr.source_errors import ForeignSource
from app.kit.context import current_request
from app.kit.errors import (
    BodyTooLarge,
    InsufficientScope,
    Invalid,
    LogUnavailable,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted

_ALWAYS: Final = (
    Unauthenticated,
    InsufficientScope,
    NoContact,
    AccountSuspended,
    AccountRefused,
    NotPermitted,
    Unavailable,
    Invalid,
)
_LOOKS: Final = (LogUnavailable, EpochMoved)
_REPLAYED: Final = {
    "Idempotency-Replayed": {"description": "`true` when this was told before", "schema": {"type": "string"}}
}

router = GuardedRouter(prefix="/v1/hr/events", tags=["hr"])


@router.post(
    "",
    summary="Take a personnel event",
    status_code=202,
    response_model=None,
    responses={
        202: {"model": HrReceipt, "description": "Taken; `state` says what became of it", "headers": _REPLAYED},
        **responses(*_ALWAYS, ForeignSource, NotFound, NotCollected, EventIdReused),
    },
)
async def take_event(
    viewer: HrWrite,
    personnel: Personnel,
    body: Annotated[HrEventIn, Body(openapi_examples=openapi_examples())],
) -> Response:
    """Take one event of one source, once and for ever.

    `employee.joined` makes the contact and gives it a short number from the pool of its department, `employee.moved` and
    `employee.updated` change what differs, `employee.left` hides the person and ends account, grants and numbers in one
    transaction, `employee.rehired` takes them back; `department.*` keeps the tree. Events about a person may come in any
    order: one whose members later events wrote is `superseded`, one before which something is missing is `waiting`, one
    whose `effective_at` is in the future `scheduled`. What cannot be applied is `failed`, with its problem, and holds up
    what comes after it about that person alone. A pool without a free number keeps nobody out: `applied` then says
    `pool_exhausted`. A repeat is told the state of now, with `Idempotency-Replayed: true`.
    """
    told = await personnel.take(viewer, body)
    headers = {
        "Location": f"/v1/hr/events/{quote(told.event_id, safe='')}",
        **({"Idempotency-Replayed": "true"} if told.replayed else {}),
    }
    return _told(receipt_of(told), **headers)


@router.post(
    "/batches",
    summary="Take many personnel events",
    status_code=202,
    response_model=None,
    responses={
        202: {"model": HrBatchReceipt, "description": "Taken, but for those that are `refused`"},
        **responses(*_ALWAYS, BodyTooLarge, FuseBlown),
    },
)
async def take_events(viewer: HrWrite, batches: Batches, body: HrBatchIn) -> Response:
    """Take up to 500 events in their order, each in a transaction of its own and as if sent alone: none is held up by another.

    Where more people would leave than a head-count may let go, nothing of it is taken (409 `fuse_blown`).
    One that cannot be read, or that the caller may not send, is `refused` and stores nothing. When the answer is a failure, send the whole
    batch again: what was done is told again, as `replayed`.
    """
    return _told(await batches.take(viewer, body.events))


@router.get(
    "",
    summary="List personnel events",
    response_model=None,
    responses={**disclosed_response(HrEventPage, "A page of the ledger"), **responses(*_ALWAYS, *_LOOKS, BadCursor)},
)
async def list_events(
    viewer: HrRead, ledger: Ledger, query: Annotated[EventListQuery, Query()]
) -> Disclosed[HrEventPage]:
    """List what the caller sent, for people of HR whatever was sent, newest first. What it said about people is not told again."""
    return await ledger.page(viewer, query)


@router.get(
    "/{id}",
    summary="Read what became of an event",
    response_model=None,
    responses={
        **disclosed_response(HrEventView, "State, contact, numbers and problem"),
        **responses(*_ALWAYS, *_LOOKS, NotFound),
    },
)
async def read_event(
    viewer: HrRead, ledger: Ledger, id: EventId, query: Annotated[EventQuery, Query()]
) -> Disclosed[HrEventView]:
    """Tell again what became of an event that the caller sent; people of HR, of any."""
    return await ledger.one(viewer, id, query.source)


def _told(receipt: HrReceipt | HrBatchReceipt, **headers: str) -> Response:
    context = current_request()
    language = "zh" if context is not None and context.language == "zh" else "en"
    every = {"Cache-Control": "no-store", "Content-Language": language, **headers}
    return Response(receipt.model_dump_json(), status_code=202, media_type="application/json", headers=every)
