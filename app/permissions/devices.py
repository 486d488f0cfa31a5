"""What a standing needs to know of a device, and who tells it: the package of devices, which stands above this one."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.kit.query import Source


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """A device that is in somebody's hands: what it is called, where it stands, and the counter that moves when it stops being trusted."""

    device_id: UUID
    name: str
    department_id: UUID | None
    epoch: int

    @property
    def epoch_key(self) -> str:
        """Name that counter."""
        return f"device:{self.device_id}"


class DeviceReader(Protocol):
    """Where devices are kept."""

    async def trusted(
        self, source: Source, device_id: UUID, other: str, third: str
    ) -> tuple[DeviceFacts | None, int, int]:
        """Give a device that may call, as it is at one moment with two other counters; ``None`` for every other one, whatever the cause."""
        ...
