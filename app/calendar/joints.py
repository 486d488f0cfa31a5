"""What others need of the calendar, which they do not build themselves: the end of a working day."""

from datetime import datetime
from typing import Protocol

from app.kit.query import Source


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
