"""A calendar of Mondays to Fridays: every day of it is a prediction."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

CUT_OFF: Final = time(18, 0)
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Deadline:
    """The end of a working day."""

    at: datetime
    predicted: bool = True


class WeekDays:
    """A calendar without holidays, by clocks that are ``utc_offset`` ahead of UTC."""

    def __init__(self, utc_offset: timedelta = timedelta(hours=8)) -> None:
        """Take how the clocks here go."""
        self._utc_offset = utc_offset

    def is_working(self, day: date, /) -> bool:
        """Tell whether a day is none of the weekend."""
        return day.weekday() < _SATURDAY

    def due(self, start: datetime, days: int, /) -> Deadline:
        """Give the end of the ``days``-th working day after ``start``; what comes after the cut-off begins on the next working day."""
        here = start + self._utc_offset
        day = here.date()
        if here.time() >= CUT_OFF or not self.is_working(day):
            day = self._next(day)
        for _ in range(days):
            day = self._next(day)
        return Deadline(datetime.combine(day, CUT_OFF, tzinfo=UTC) - self._utc_offset)

    def _next(self, day: date) -> date:
        day += timedelta(days=1)
        while not self.is_working(day):
            day += timedelta(days=1)
        return day
