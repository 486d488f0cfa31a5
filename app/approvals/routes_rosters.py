"""HTTP face of rosters: who is on call for a role, putting somebody on call, taking it back."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Path, Query, Request, Response

from app.approvals.delegation_access import LOOK_PROBLEMS, WRITE_PROBLEMS, DelegationsRead, DelegationsWrite
from app.approvals.roster_errors import NotAHolder, ShiftOverlaps, UnfitShift, UnfitWindow
from app.approvals.roster_schemas import RosterQuery, RosterRead, ShiftCreate, ShiftReceipt
from app.approvals.rosters import COLLECTION, RosterDesk
from app.auth.roles import Role
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import OnceKey, Unit
from app.kit.errors import NotFound
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted

router = GuardedRouter(prefix=COLLECTION, tags=["approvals"])
_SET_PROBLEMS: Final = (
    *WRITE_PROBLEMS,
    NotPermitted,
    NotAHolder,
    UnfitShift,
    ShiftOverlaps,
    IdempotencyKeyReused,
    IdempotencyInProgress,
)


async def _desk(request: Request) -> RosterDesk:
    desk: RosterDesk = request.app.state.application.rosters
    return desk


Desk = Annotated[RosterDesk, Depends(_desk)]
Named = Annotated[Role, Path(alias="role", description="For which role somebody is on call.")]
Identity = Annotated[UUID, Path(alias="id", description="Id of the shift.")]


@router.get(
    "/{role}",
    summary="Read a roster",
    response_model=None,
    responses={
        **disclosed_response(RosterRead, "The roster, by time, and what it leaves open"),
        **responses(*LOOK_PROBLEMS, NotPermitted, UnfitWindow),
    },
)
async def read_roster(
    viewer: DelegationsRead, desk: Desk, role: Named, query: Annotated[RosterQuery, Query()]
) -> Disclosed[RosterRead]:
    """Read who is on call for a role, and when nobody is: for who holds it, who writes its roster, security and audit."""
    return await desk.read(viewer, role, query)


@router.post(
    "/{role}/shifts",
    summary="Put somebody on call",
    status_code=201,
    response_model=None,
    responses={201: {"model": ShiftReceipt, "description": "Receipt"}, **responses(*_SET_PROBLEMS)},
)
async def put_on_call(
    viewer: DelegationsWrite, desk: Desk, unit: Unit, role: Named, body: ShiftCreate, idempotency_key: OnceKey = None
) -> Response:
    """Put a holder of the role on call, from a day or moment to just before another. One person is on call for a role at a time.

    IT's roster is written by the system administrator, security's and audit's by security, every other by 行政. Steps that ask who is on
    call ask that person; where the roster says nobody who can, all who hold the role.
    """
    return receipt_response(
        await desk.put(viewer, unit, idempotency_key, role, body), f"{COLLECTION}/{role.value}/shifts"
    )


@router.delete(
    "/{role}/shifts/{id}",
    summary="Take somebody off call",
    status_code=204,
    response_model=None,
    responses={204: {"description": "Not on call any more"}, **responses(*WRITE_PROBLEMS, NotPermitted, NotFound)},
)
async def take_off_call(viewer: DelegationsWrite, desk: Desk, unit: Unit, role: Named, identity: Identity) -> Response:
    """Take a shift back from now on; twice is once. What the person was asked already stays with them."""
    await desk.end(viewer, unit, role, identity)
    return Response(status_code=204)
