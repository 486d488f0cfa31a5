"""What is told of devices: what happened, to which, and by when something is due; never whose it is."""

from uuid import UUID

from app.devices.rules import Device
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.models import new_id
from app.notices.notice import Audience, Notice
from app.notices.teller import Teller


class DeviceNotices:
    """Tells people and offices."""

    def __init__(self, teller: Teller, clock: Clock) -> None:
        """Take who tells, and the clock."""
        self._teller, self._clock = teller, clock

    async def tell(
        self, unit: UnitOfWork, kind: str, device: Device, *, person: UUID | None, roles: tuple[str, ...] = ()
    ) -> None:
        """Tell a person, where there is one, and offices, in the transaction of what happened."""
        due = {} if device.due_at is None else {"due_at": device.due_at}
        notice = Notice(
            id=new_id(),
            type=kind,
            occurred_at=self._clock.now(),
            body={"device": {"id": device.id, "version": device.row_version}, **due},
            audience=Audience(people=() if person is None else (person,), roles=roles),
        )
        await self._teller.tell(unit, notice)
