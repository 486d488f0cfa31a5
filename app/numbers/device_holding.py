"""Numbers that a device holds, and how they end when the device does."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from app.audit.authors import Author
from app.kit.db import UnitOfWork
from app.numbers.repository import Holder, NumberRepository
from app.numbers.rules import Cause
from app.numbers.service import NumberService

DEVICE: Final = "device"


class DeviceNumbers:
    """Takes numbers back from devices."""

    def __init__(self, service: NumberService) -> None:
        """Take who takes numbers back."""
        self._service, self._numbers = service, NumberRepository()

    async def end_of_device(self, unit: UnitOfWork, author: Author, device_id: UUID) -> Sequence[str]:
        """Put every number of a device to rest, in the caller's transaction; give the digits."""
        holder = Holder(DEVICE, device_id)
        held = await self._numbers.open_of_holder(unit.session, holder)
        numbers = await self._numbers.locked(unit.session, sorted({each.number_id for each, _ in held}))
        for number in numbers.values():
            await self._service.release(
                unit, author, number.digits, domain=number.domain, cause=Cause.RELEASED, holder=holder
            )
        return [digits for _, digits in held]
