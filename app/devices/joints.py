"""What devices ask of others: numbers to end, working days, notices, positions. Those do it; composition brings them together."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from app.audit.authors import Author
from app.kit.db import UnitOfWork


class HeldNumbers(Protocol):
    """Takes back what a device holds."""

    async def end_of_device(self, unit: UnitOfWork, author: Author, device_id: UUID) -> Sequence[str]:
        """Put every number of the device to rest, in the caller's transaction; give the digits."""
        ...
