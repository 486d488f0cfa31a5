"""HTTP face of who has a device: its secrets, giving it to somebody, taking it back, and losing it."""

import orjson
from fastapi import Response

from app.devices.access import CHANGE_PROBLEMS, DevicesWrite, Keeper, Named
from app.devices.errors import DeviceHolderUnknown
from app.devices.routes import COLLECTION
from app.devices.schemas import AssignmentCreate, DeviceSecretView, DeviceView, SecretCreate
from app.kit.dependencies import Unit
from app.kit.problems import responses
from app.kit.receipts import receipt_response
from app.kit.routing import GuardedRouter

router = GuardedRouter(prefix=COLLECTION, tags=["devices"])


@router.post(
    "/{id}/secrets",
    summary="Get another secret for a device",
    status_code=201,
    response_model=None,
    responses={201: {"model": DeviceSecretView, "description": "The secret, this once"}, **responses(*CHANGE_PROBLEMS)},
)
async def create_device_secret(
    viewer: DevicesWrite, keeper: Keeper, unit: Unit, id: Named, body: SecretCreate
) -> Response:
    """Make a secret and tell it, this once. The one before it stays good for some hours, so that the device can be set up anew."""
    told = orjson.dumps(await keeper.rotate(viewer, unit, id, body))
    return Response(told, 201, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.post(
    "/{id}/assignments",
    summary="Give a device to somebody",
    status_code=201,
    response_model=None,
    responses={
        201: {"model": DeviceView, "description": "Receipt"},
        **responses(*CHANGE_PROBLEMS, DeviceHolderUnknown),
    },
)
async def assign_device(
    viewer: DevicesWrite, keeper: Keeper, unit: Unit, id: Named, body: AssignmentCreate
) -> Response:
    """Give it to a person, a department or a room; whoever had it has it no more. This is also what confirms a hand-over."""
    return receipt_response(await keeper.assign(viewer, unit, id, body), COLLECTION)


@router.post(
    "/{id}/returns",
    summary="Take a device back",
    response_model=None,
    responses={200: {"model": DeviceView, "description": "Receipt"}, **responses(*CHANGE_PROBLEMS)},
)
async def return_device(viewer: DevicesWrite, keeper: Keeper, unit: Unit, id: Named) -> Response:
    """Put it into stock: nobody has it, and its secrets are dead. Its holder may, and whoever hands it over."""
    return receipt_response(await keeper.give_back(viewer, unit, id), COLLECTION)


@router.post(
    "/{id}/losses",
    summary="Report a device lost",
    response_model=None,
    responses={200: {"model": DeviceView, "description": "Receipt"}, **responses(*CHANGE_PROBLEMS)},
)
async def lose_device(viewer: DevicesWrite, keeper: Keeper, unit: Unit, id: Named) -> Response:
    """Shut it out at once and tell security. Its holder may. One that is found is taken back or given to somebody, with a new secret."""
    return receipt_response(await keeper.lose(viewer, unit, id), COLLECTION)
