"""HTTP face of who is appointed for emergencies."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.auth.errors import FreshSignInRequired
from app.disclosure.view import Disclosed, disclosed_response
from app.emergency.access import LOOK_PROBLEMS, REVIEW_PROBLEMS, WRITE_PROBLEMS, Desk, EmergencyRead, EmergencyWrite
from app.emergency.appointments import COLLECTION
from app.emergency.errors import KeyNotUsable, OwnPart
from app.emergency.schemas import AppointmentCreate, AppointmentList, AppointmentQuery, AppointmentView, CustodianKey
from app.kit.dependencies import Unit
from app.kit.errors import NotFound
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter
from app.permissions.errors import NotPermitted

router = GuardedRouter(prefix=COLLECTION, tags=["emergencies"])
_RECEIPT = {"model": AppointmentView, "description": "Receipt"}


@router.get(
    "",
    summary="List who is appointed for emergencies",
    response_model=None,
    responses={**disclosed_response(AppointmentList, "The appointments in force"), **responses(*LOOK_PROBLEMS)},
)
async def list_appointments(
    viewer: EmergencyRead, desk: Desk, query: Annotated[AppointmentQuery, Query()]
) -> Disclosed[AppointmentList]:
    """List who may open sessions and who keeps the nightly sheet: all of them for security, HR and audit, else one's own."""
    return await desk.appointments.listed(viewer, query)


@router.post(
    "",
    summary="Appoint somebody for emergencies",
    status_code=201,
    response_model=None,
    responses={201: _RECEIPT, **responses(*WRITE_PROBLEMS, NotPermitted, OwnPart)},
)
async def appoint(viewer: EmergencyWrite, desk: Desk, unit: Unit, body: AppointmentCreate) -> Response:
    """Let security name somebody else for at most 100 days, in place of what they were named before: a list looked at each quarter."""
    return receipt_response(await desk.appointments.appoint(viewer, unit, body), COLLECTION)


@router.delete(
    "/{id}",
    summary="End an appointment",
    status_code=204,
    response_model=None,
    responses={204: {"description": "Ended"}, **responses(*WRITE_PROBLEMS, NotPermitted, NotFound)},
)
async def end_appointment(viewer: EmergencyWrite, desk: Desk, unit: Unit, id: UUID) -> Response:
    """End an appointment, and the session that its holder has open: security, or the holder."""
    await desk.appointments.end(viewer, unit, id)
    return Response(status_code=204)


@router.post(
    "/{id}/confirmations",
    summary="Confirm a custodian",
    response_model=None,
    responses={200: _RECEIPT, **responses(*REVIEW_PROBLEMS)},
)
async def confirm_appointment(viewer: EmergencyWrite, desk: Desk, unit: Unit, id: UUID) -> Response:
    """Stand behind a custodian as the second person (security, HR or an executive): only then are executives on the sheet."""
    return receipt_response(await desk.appointments.confirm(viewer, unit, id), COLLECTION)


@router.post(
    "/{id}/keys",
    summary="Give a custodian's public key",
    response_model=None,
    responses={200: _RECEIPT, **responses(*WRITE_PROBLEMS, FreshSignInRequired, NotFound, KeyNotUsable)},
)
async def give_key(viewer: EmergencyWrite, desk: Desk, unit: Unit, id: UUID, body: CustodianKey) -> Response:
    """Take the public key of `duanhao emergency keygen` from the custodian, after a second proof; sheets are sealed to it from now on."""
    return receipt_response(await desk.appointments.give_key(viewer, unit, id, body.public_key), COLLECTION)
