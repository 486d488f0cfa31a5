"""Devices as the composition root sees them: the door that lets them in, and what routes and personnel events call."""

from app.devices.principal import DeviceDoor, DeviceSecrets
from app.devices.repository import DeviceRepository
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.limits import Limiter


class DeviceDesk:
    """Admits, shows, registers, assigns and retires."""

    def __init__(
        self, *, rows: DeviceRepository, key: bytes, reader: Reader, clock: Clock, limiter: Limiter | None
    ) -> None:
        """Take the rows that standings read too, the key of secrets, the store, the clock, and how often one device may call."""
        self.rows, self.kept = rows, DeviceSecrets(key)
        self.door = DeviceDoor(rows=rows, kept=self.kept, reader=reader, clock=clock, limiter=limiter)
