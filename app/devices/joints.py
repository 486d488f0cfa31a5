"""What devices ask of others: numbers to end, working days, notices, positions. Those do it; composition brings them together."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from app.audit.authors import Author
from app.kit.db import UnitOfWork
from app.kit.query import Source
from app.notices.notice import Notice


class HeldNumbers(Protocol):
    """Takes back what a device holds."""

    async def end_of_device(self, unit: UnitOfWork, author: Author, device_id: UUID) -> Sequence[str]:
        """Put every number of the device to rest, in the caller's transaction; give the digits."""
        ...


class Due(Protocol):
    """A moment on a working day."""

    @property
    def at(self) -> datetime:
        """The moment, UTC."""
        ...


class WorkDays(Protocol):
    """A calendar of working days."""

    def due(self, start: datetime, days: int, /) -> Due:
        """Give the end of the ``days``-th working day after ``start``."""
        ...


class Calendar(Protocol):
    """Where the calendar of now is read."""

    async def current(self, source: Source) -> WorkDays:
        """Give the calendar."""
        ...


class Teller(Protocol):
    """Takes notices."""

    async def tell(self, unit: UnitOfWork, notice: Notice) -> None:
        """Put a notice into the transaction of ``unit``."""
        ...


class Engaged(Protocol):
    """Ends what somebody works on."""

    async def end_all(self, unit: UnitOfWork, author: Author, *, contact_id: UUID, cause: str) -> int:
        """End it, ``cause`` being ``left`` or ``moved``; give how much that was."""
        ...
