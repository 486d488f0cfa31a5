"""Named guards of devices, what routes call, and the problems that every look or write can meet."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Path, Request

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.devices.errors import DeviceNotFound, DeviceStateRefuses
from app.devices.keeping import DeviceKeeper
from app.devices.reading import DevicePages
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, Unauthenticated, Unavailable
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted
from app.permissions.guard import LookGuard, WriteGuard
from app.permissions.standing import Viewer

LOOK_PROBLEMS: Final = (
    Unauthenticated,
    InsufficientScope,
    NoContact,
    AccountSuspended,
    Invalid,
    LogUnavailable,
    EpochMoved,
)
WRITE_PROBLEMS: Final = (
    Unauthenticated,
    InsufficientScope,
    NoContact,
    AccountSuspended,
    NotPermitted,
    Invalid,
    Unavailable,
)
CHANGE_PROBLEMS: Final = (*WRITE_PROBLEMS, DeviceNotFound, DeviceStateRefuses)

DevicesRead = Annotated[Viewer, Depends(LookGuard(Scope.DEVICES_READ))]
DevicesWrite = Annotated[Viewer, Depends(WriteGuard(Scope.DEVICES_WRITE))]


async def _pages(request: Request) -> DevicePages:
    pages: DevicePages = request.app.state.application.devices.pages
    return pages


async def _keeper(request: Request) -> DeviceKeeper:
    keeper: DeviceKeeper = request.app.state.application.devices.keeper
    return keeper


Named = Annotated[UUID, Path(alias="id", description="Id of the device.")]
Pages = Annotated[DevicePages, Depends(_pages)]
Keeper = Annotated[DeviceKeeper, Depends(_keeper)]
