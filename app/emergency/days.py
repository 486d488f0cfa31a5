"""The joint with the calendar of working days, and what stands in for it: Monday to Friday, said to be a prediction.

The calendar's own ``Calendars`` has these methods; a service without one counts weekdays, and says of every day that it is predicted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Protocol

from app.auth.repository import Source

CUT_OFF: Final = time(18)
UTC_OFFSET: Final = timedelta(hours=8)
_SATURDAY: Final = 5


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


@dataclass(frozen=True, slots=True)
class _Due:
    at: datetime
    predicted: bool


class Weekdays:
    """Monday to Friday, whatever the State Council says; both a calendar and where it is."""

    async def current(self, source: Source) -> WorkCalendar:
        """Give itself."""
        del source
        return self

    def due(self, start: datetime, days: int) -> DueDay:
        """Count weekdays from ``start``, or from the next one where the day is over or none."""
        local = start + UTC_OFFSET
        working = _weekdays(local.date() + timedelta(days=local.time() > CUT_OFF))
        day = next(working)
        for _ in range(days):
            day = next(working)
        return _Due(datetime.combine(day, CUT_OFF, UTC) - UTC_OFFSET, predicted=True)


def _weekdays(first: date) -> Iterator[date]:
    day = first
    while True:
        if day.weekday() < _SATURDAY:
            yield day
        day += timedelta(days=1)
