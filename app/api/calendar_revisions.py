"""HTTP face of revising working days. What is answered is a receipt."""

from datetime import date
from typing import Annotated, Any, Final

from fastapi import Body, Depends, Path, Response

from app.api.calendar import CALENDAR_PROBLEMS, Desk
from app.api.calendar_keeping import COLLECTION
from app.api.calendar_questions import RevisionCreate
from app.api.calendar_views import RevisionView
from app.auth.scopes import Scope
from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import NotFound
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted
from app.permissions.guard import WriteGuard
from app.permissions.standing import Viewer

CalendarWrite = Annotated[Viewer, Depends(WriteGuard(Scope.APPROVALS_USE))]
"""What every person's token can do; the keeper asks for the role."""

_EXAMPLES: Final[dict[str, Any]] = {
    "a year's notice": {
        "value": {
            "source": "国务院办公厅关于2027年部分节假日安排的通知",
            "year": {
                "year": 2027,
                "off_days": [
                    {"from": "2027-01-01", "to": "2027-01-03", "name_zh": "元旦", "name_en": "New Year's Day"},
                    {"from": "2027-05-01", "to": "2027-05-05", "name_zh": "劳动节", "name_en": "Labour Day"},
                    {"from": "2027-10-01", "to": "2027-10-07", "name_zh": "国庆节", "name_en": "National Day"},
                ],
                "working_days": ["2027-05-08", "2027-10-09"],
            },
        }
    },
    "a day of the company's own": {
        "value": {"source": "行政部通知", "days": [{"date": "2026-09-11", "kind": "off", "name_zh": "厂庆日"}]}
    },
}

router = GuardedRouter(prefix="/v1/calendar", tags=["calendar"])


@router.post(
    "/revisions",
    summary="Confirm a year, or set days of the company's own",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": RevisionView, "description": "Receipt"},
        **responses(*CALENDAR_PROBLEMS, NotPermitted, IdempotencyKeyReused, IdempotencyInProgress),
    },
)
async def revise_calendar(
    viewer: CalendarWrite,
    desk: Desk,
    unit: Unit,
    body: Annotated[RevisionCreate, Body(openapi_examples=_EXAMPLES)],
    idempotency_key: OnceKey = None,
) -> Response:
    """Take the State Council's notice for a year, or have days worked or off in this company whatever was announced; all of it or nothing.

    HR, administration and the directory steward may. What is due already is worked out again, and what was told before is kept.
    """
    return receipt_response(await desk.keeper.revise(viewer, unit, idempotency_key, body), COLLECTION)


@router.delete(
    "/days/{day}",
    summary="Take back a day of the company's own",
    status_code=204,
    response_model=None,
    responses={204: {"description": "As announced again"}, **responses(*CALENDAR_PROBLEMS, NotPermitted, NotFound)},
)
async def take_day_back(
    viewer: CalendarWrite, desk: Desk, unit: Unit, day: Annotated[date, Path(examples=["2026-09-11"])]
) -> Response:
    """Let a day that the company had set be again what was announced or is expected of it."""
    await desk.keeper.take_back(viewer, unit, day)
    return Response(status_code=204)
