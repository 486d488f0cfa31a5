"""HTTP face of what is decided about personnel events that failed or wait."""

from typing import Annotated, Final

from fastapi import Query, Response

from app.auth.errors import AccountRefused
from app.hr.access import HrSettle, Keeper
from app.hr.data import EventId
from app.hr.deciding import Decision
from app.hr.errors import EventSettled
from app.hr.schemas import EventQuery, HrReceipt, ReplayCreate
from app.hr.service import Told, receipt_of
from app.kit.context import current_request
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, NotFound, Unauthenticated, Unavailable
from app.kit.problems import responses
from app.kit.routing import GuardedRouter
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted

_PROBLEMS: Final = (
    Unauthenticated,
    InsufficientScope,
    NoContact,
    AccountSuspended,
    AccountRefused,
    NotPermitted,
    NotFound,
    EventSettled,
    Invalid,
    Unavailable,
    LogUnavailable,
)

router = GuardedRouter(prefix="/v1/hr/events/{id}", tags=["hr"])


@router.post(
    "/replays",
    summary="Try a personnel event again",
    status_code=202,
    response_model=None,
    responses={
        202: {"model": HrReceipt, "description": "Tried; `state` says what became of it"},
        **responses(*_PROBLEMS),
    },
)
async def replay_event(
    viewer: HrSettle, keeper: Keeper, id: EventId, query: Annotated[EventQuery, Query()], body: ReplayCreate
) -> Response:
    """Try an event again that is `failed`, or look now at one that is `waiting`; with the rights that its sender has by now.

    Once it is applied, what it held up goes on in the same transaction. A source replays what it sent; a person of HR whatever was sent
    about others, and is told the state and the problem alone: whom it is about is a look (`GET`).
    """
    return _told(await keeper.replay(viewer, Decision(id, query.source, body.reason)))


@router.post(
    "/skips",
    summary="Give a personnel event up",
    status_code=202,
    response_model=None,
    responses={202: {"model": HrReceipt, "description": "Given up: `superseded`"}, **responses(*_PROBLEMS)},
)
async def skip_event(
    viewer: HrSettle, keeper: Keeper, id: EventId, query: Annotated[EventQuery, Query()], body: ReplayCreate
) -> Response:
    """Give up an event that is `failed`, `waiting` or `scheduled`: it stays in the ledger without effect, and what it held up goes on.

    Who may is as for replays.
    """
    return _told(await keeper.skip(viewer, Decision(id, query.source, body.reason)))


def _told(told: Told) -> Response:
    context = current_request()
    language = "zh" if context is not None and context.language == "zh" else "en"
    headers = {"Cache-Control": "no-store", "Content-Language": language}
    return Response(receipt_of(told).model_dump_json(), status_code=202, media_type="application/json", headers=headers)
