"""The guard of what a telephone may ask: the device itself calls, and sees what the pack lets a device see, C1 at the most.

In the shape of ``app.permissions.guard``: it gives a ``Viewer``, so that what answers a telephone goes through the gate and the log like
every other look. The door reads the device's row each time; the standing is remembered, and the log compares its counters.
"""

from typing import Final, Protocol

from fastapi import Request

from app.auth.errors import AccountRefused
from app.devices.errors import DeviceRefused
from app.devices.principal import DeviceDoor
from app.kit.context import current_request
from app.kit.errors import LogUnavailable, Unavailable
from app.kit.routing import Guard
from app.permissions.standing import Standings, Viewer

_LONGEST_ACTION: Final = 64
DEVICE_PROBLEMS: Final = (DeviceRefused, LogUnavailable, Unavailable)
"""What an operation behind this guard can answer besides its own problems."""


class _Desk(Protocol):
    door: DeviceDoor


class Admits(Protocol):
    """What the guard needs of the application."""

    devices: _Desk
    standings: Standings


class DeviceGuard(Guard):
    """Lets in a device that shows its own secret; its route discloses."""

    async def __call__(self, request: Request) -> Viewer:
        """Give the device as a viewer; raise 401 ``device_refused``, alike whatever is wrong, and 429.

        Asked a second time for one request it gives what it gave.
        """
        context = current_request()
        if context is not None and context.guard is self and isinstance(context.viewer, Viewer):
            return context.viewer
        application: Admits = request.app.state.application
        principal = await application.devices.door.admit(request.scope["headers"])
        if context is not None:
            context.client_id = principal.subject.client_id
            context.disclosing = self.discloses
            context.subject = principal.subject
            context.actor = str(principal.device.id)
            context.action = f"{request.method} {getattr(request.scope.get('route'), 'path', '')}"[:_LONGEST_ACTION]
        try:
            viewer = await application.standings.of(principal.subject)
        except AccountRefused as refused:
            raise DeviceRefused from refused
        if context is not None:
            context.viewer, context.guard = viewer, self
        return viewer
