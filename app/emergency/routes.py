"""HTTP face of emergency sessions."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.audit.errors import QuotaSpent
from app.auth.errors import FreshSignInRequired
from app.contacts.schemas import ContactPage
from app.disclosure.view import Disclosed, disclosed_response
from app.emergency import errors
from app.emergency.access import (
    LOOK_PROBLEMS,
    WRITE_PROBLEMS,
    Desk,
    EmergencyRead,
    EmergencyWrite,
)
from app.emergency.schemas import (
    CallListQuery,
    SessionOpen,
    SessionPage,
    SessionQuery,
    SessionRead,
    SessionView,
)
from app.emergency.sessions import COLLECTION
from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import NotFound
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter

router = GuardedRouter(prefix=COLLECTION, tags=["emergencies"])
_OPENED = (errors.NotEligible, errors.ReviewOverdue, errors.SessionOpen, FreshSignInRequired)


@router.get(
    "",
    summary="List emergency sessions",
    response_model=None,
    responses={**disclosed_response(SessionPage, "A page of sessions"), **responses(*LOOK_PROBLEMS, BadCursor)},
)
async def list_sessions(
    viewer: EmergencyRead, desk: Desk, query: Annotated[SessionQuery, Query()]
) -> Disclosed[SessionPage]:
    """List sessions, newest first: all of them for security, HR and audit, else one's own.

    Who is appointed is told of the open ones, too, that wait for a second person.
    """
    return await desk.pages.page(viewer, query)


@router.post(
    "",
    summary="Open an emergency session",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": SessionView, "description": "Receipt"},
        **responses(*WRITE_PROBLEMS, *_OPENED, IdempotencyKeyReused, IdempotencyInProgress),
    },
)
async def open_session(
    viewer: EmergencyWrite, desk: Desk, unit: Unit, body: SessionOpen, idempotency_key: OnceKey = None
) -> Response:
    """Break the glass: for an hour, looks with the purpose `emergency` show C1 to C3 of the session's people clear.

    For who is appointed, after a second proof of identity (RFC 9470). Security and the heads concerned are told at once, the people who
    were looked at within a working day; two people judge it within three. Refused while a review of the caller's is overdue.
    """
    return receipt_response(await desk.sessions.open(viewer, unit, idempotency_key, body), COLLECTION)


@router.get(
    "/{id}",
    summary="Read an emergency session",
    response_model=None,
    responses={**disclosed_response(SessionRead, "The session"), **responses(*LOOK_PROBLEMS, NotFound)},
)
async def read_session(viewer: EmergencyRead, desk: Desk, id: UUID) -> Disclosed[SessionRead]:
    """Read a session; its reason is for those who judge it and for who gave it."""
    return await desk.pages.one(viewer, id)


@router.delete(
    "/{id}",
    summary="End an emergency session",
    status_code=204,
    response_model=None,
    responses={204: {"description": "Ended"}, **responses(*WRITE_PROBLEMS, NotFound)},
)
async def end_session(viewer: EmergencyWrite, desk: Desk, unit: Unit, id: UUID) -> Response:
    """End it now: its actor, or security. Nothing that was decided under it is shown any more; ending twice is ending once."""
    await desk.sessions.end(viewer, unit, id)
    return Response(status_code=204)


@router.get(
    "/{id}/call-list",
    summary="Read the call list of an emergency session",
    response_model=None,
    responses={
        **disclosed_response(ContactPage, "A page of people to call"),
        **responses(*LOOK_PROBLEMS, NotFound, BadCursor, QuotaSpent, errors.SessionOver),
    },
)
async def read_call_list(
    viewer: EmergencyRead, desk: Desk, id: UUID, query: Annotated[CallListQuery, Query()]
) -> Disclosed[ContactPage]:
    """List whom one's own open session is about, at most 50 at a time: each page is a look, is charged, and carries the watermark."""
    return await desk.pages.call_list(viewer, id, query)
