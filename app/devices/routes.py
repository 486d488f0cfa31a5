"""HTTP face of devices: what there is and who has it, registering, and what is said of one."""

from typing import Annotated

from fastapi import Query, Response

from app.devices.access import (
    CHANGE_PROBLEMS,
    LOOK_PROBLEMS,
    WRITE_PROBLEMS,
    DevicesRead,
    DevicesWrite,
    Keeper,
    Named,
    Pages,
)
from app.devices.errors import DeviceExists, DeviceNotFound, DevicePlaceUnknown
from app.devices.schemas import (
    DeviceAmend,
    DeviceCreate,
    DevicePage,
    DeviceQuery,
    DeviceRead,
    DeviceRegistered,
    DeviceView,
)
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import IfMatch, Unit
from app.kit.errors import PreconditionFailed, PreconditionRequired
from app.kit.pagination import BadCursor
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter

COLLECTION = "/v1/devices"

router = GuardedRouter(prefix=COLLECTION, tags=["devices"])


@router.get(
    "",
    summary="List devices",
    response_model=None,
    responses={**disclosed_response(DevicePage, "A page of devices"), **responses(*LOOK_PROBLEMS, BadCursor)},
)
async def list_devices(
    viewer: DevicesRead, pages: Pages, query: Annotated[DeviceQuery, Query()]
) -> Disclosed[DevicePage]:
    """List telephones and other devices, newest first: everybody their own, heads those that stand with whom they lead, IT all."""
    return await pages.page(viewer, query)


@router.post(
    "",
    summary="Register a device",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": DeviceRegistered, "description": "The device, and its secret this once"},
        **responses(*WRITE_PROBLEMS, DeviceExists, DevicePlaceUnknown),
    },
)
async def register_device(viewer: DevicesWrite, keeper: Keeper, unit: Unit, body: DeviceCreate) -> Response:
    """Put a device into stock. The secret is told in this answer and nowhere else; it opens nothing until somebody has the device."""
    return receipt_response(await keeper.register(viewer, unit, body), COLLECTION)


@router.get(
    "/{id}",
    summary="Read a device",
    response_model=None,
    responses={
        **disclosed_response(DeviceRead, "The device; its `ETag` is what a change names in `If-Match`"),
        **responses(*LOOK_PROBLEMS, DeviceNotFound),
    },
)
async def read_device(viewer: DevicesRead, pages: Pages, id: Named) -> Disclosed[DeviceRead]:
    """Read one. Whom it does not concern, it is not there."""
    return await pages.one(viewer, id)


@router.patch(
    "/{id}",
    summary="Change a device",
    response_model=None,
    responses={
        200: {"model": DeviceView, "description": "Receipt"},
        **responses(*CHANGE_PROBLEMS, DeviceExists, DevicePlaceUnknown, PreconditionFailed, PreconditionRequired),
    },
)
async def amend_device(
    viewer: DevicesWrite, keeper: Keeper, unit: Unit, id: Named, body: DeviceAmend, if_match: IfMatch
) -> Response:
    """Change what is said of a device, or with `suspended` refuse it at the door until it is let in again."""
    return receipt_response(await keeper.amend(viewer, unit, id, if_match, body), COLLECTION)


@router.delete(
    "/{id}",
    summary="Retire a device",
    status_code=204,
    response_model=None,
    responses={204: {"description": "Retired"}, **responses(*CHANGE_PROBLEMS)},
)
async def retire_device(viewer: DevicesWrite, keeper: Keeper, unit: Unit, id: Named) -> Response:
    """End a device for good: nobody has it, its secrets are dead, the numbers that it held rest. Retiring twice is retiring once."""
    await keeper.retire(viewer, unit, id)
    return Response(status_code=204)
