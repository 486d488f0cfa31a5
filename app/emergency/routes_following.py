"""HTTP face of what follows the opening of an emergency session: a second person, more time, and the reviews."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import Response

from app.emergency import errors
from app.emergency.access import REVIEW_PROBLEMS, SESSION_PROBLEMS, Desk, EmergencyWrite
from app.emergency.schemas import DigestDeferral, SessionRenewal, SessionReview, SessionView
from app.emergency.sessions import COLLECTION
from app.kit.dependencies import Unit
from app.kit.errors import Problem
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter

router = GuardedRouter(prefix=COLLECTION, tags=["emergencies"])


def _receipt(status: int, *problems: type[Problem]) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": SessionView, "description": "Receipt"}, **responses(*problems)}


@router.post(
    "/{id}/confirmations",
    summary="Confirm an emergency session",
    response_model=None,
    responses=_receipt(200, *SESSION_PROBLEMS, errors.OwnPart),
)
async def confirm_session(viewer: EmergencyWrite, desk: Desk, unit: Unit, id: UUID) -> Response:
    """Stand behind an open session as its second person: another who is appointed. Only then are executives and core staff shown."""
    return receipt_response(await desk.sessions.confirm(viewer, unit, id), COLLECTION)


@router.post(
    "/{id}/renewals",
    summary="Renew an emergency session",
    response_model=None,
    responses=_receipt(200, *SESSION_PROBLEMS, errors.BeyondHardStop),
)
async def renew_session(viewer: EmergencyWrite, desk: Desk, unit: Unit, id: UUID, body: SessionRenewal) -> Response:
    """Lengthen one's own open session, once, and never beyond four hours after it began."""
    length = timedelta(minutes=body.minutes)
    return receipt_response(await desk.sessions.renew(viewer, unit, id, length), COLLECTION)


@router.post(
    "/{id}/reviews",
    summary="Review an emergency session",
    status_code=201,
    response_model=None,
    responses=_receipt(201, *REVIEW_PROBLEMS, errors.SessionOpen),
)
async def review_session(viewer: EmergencyWrite, desk: Desk, unit: Unit, id: UUID, body: SessionReview) -> Response:
    """Judge a session that is over, for security or for HR; both have to, and nobody who had a part in it may.

    The harsher verdict stands. Abuse is told to security as an incident.
    """
    return receipt_response(await desk.reviews.review(viewer, unit, id, body), COLLECTION)


@router.post(
    "/{id}/deferrals",
    summary="Put off telling the people looked at",
    response_model=None,
    responses=_receipt(200, *REVIEW_PROBLEMS),
)
async def defer_digest(viewer: EmergencyWrite, desk: Desk, unit: Unit, id: UUID, body: DigestDeferral) -> Response:
    """Let security put off, with a reason, that the people who were looked at are told within a working day."""
    return receipt_response(await desk.reviews.defer(viewer, unit, id, body), COLLECTION)
