"""Who asks for phonebooks and for the names of callers, and the problems that these can meet.

A phonebook is for a device alone. A caller's name is for a device too, or for a service account with the scope for just that: an exchange
has one line to us for all its telephones.
"""

from typing import Annotated, Final

from fastapi import Depends, Request

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.devices.errors import DeviceRefused
from app.devices.guard import DEVICE_PROBLEMS, DeviceGuard
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, Unauthenticated
from app.permissions.guard import LookGuard
from app.permissions.standing import Viewer
from app.phonebooks.callers import CallerNames
from app.phonebooks.service import PhonebookService

_BASIC: Final = "basic "
PHONEBOOK_PROBLEMS: Final = (*DEVICE_PROBLEMS, EpochMoved, Invalid)
CALLER_PROBLEMS: Final = (Unauthenticated, DeviceRefused, InsufficientScope, LogUnavailable, EpochMoved, Invalid)


class CallerNameGuard(LookGuard):
    """Lets in a device that shows its own secret, or a service account whose token carries the scope."""

    def __init__(self) -> None:
        """Ask tokens for the scope of caller names."""
        super().__init__(Scope.CALLER_NAMES_READ)
        self._devices = DeviceGuard()

    async def __call__(self, request: Request) -> Viewer:
        """Give the viewer; raise as the guard of devices does for Basic credentials, else as every guard of tokens."""
        if request.headers.get("authorization", "")[: len(_BASIC)].lower() == _BASIC:
            return await self._devices(request)
        return await super().__call__(request)


DeviceReads = Annotated[Viewer, Depends(DeviceGuard())]
NamesCallers = Annotated[Viewer, Depends(CallerNameGuard())]


async def _phonebooks(request: Request) -> PhonebookService:
    service: PhonebookService = request.app.state.application.phonebooks.service
    return service


async def _callers(request: Request) -> CallerNames:
    callers: CallerNames = request.app.state.application.phonebooks.callers
    return callers


Phonebooks = Annotated[PhonebookService, Depends(_phonebooks)]
Callers = Annotated[CallerNames, Depends(_callers)]
