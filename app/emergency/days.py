"""The joint with the calendar of working days, whose own ``Calendars`` has these methods."""

from datetime import datetime
from typing import Protocol

from app.auth.repository import Source


class DueDay(Protocol):
    """When something is due, and whether a calendar that is still predicted said so."""

    @property
    def at(self) -> datetime:
        """The moment, UTC."""
        ...

    @property
    def predicted(self) -> bool:
        """Whether that may still change."""
        ...


class WorkCalendar(Protocol):
    """Counts working days."""

    def due(self, start: datetime, days: int) -> DueDay:
        """Say when ``days`` working days after ``start`` are over; 0: the end of the working day at hand."""
        ...


class Calendars(Protocol):
    """Where the calendar in force is."""

    async def current(self, source: Source) -> WorkCalendar:
        """Give it."""
        ...

    async def epoch(self, source: Source) -> int:
        """Give the number that moves with every revision."""
        ...
