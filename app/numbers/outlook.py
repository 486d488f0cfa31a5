"""What lies ahead of a pool: its take-up of the last half year, read, and the forecast that follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from app.kit.query import Source
from app.numbers.counting import Counted, counted, first_start, taken_up
from app.numbers.forecasting import MOST_WEEKS, Forecast, Known, forecast
from app.numbers.pool_repository import Pool

_WEEK: Final = timedelta(days=7)
SOON: Final = 30
"""Days: how far ahead low water looks for joiners in a pool that does not say how long more numbers take."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """How a pool stands, when its weeks began with what each took, what is known to be needed, and when nothing will be free."""

    counted: Counted
    weeks: tuple[tuple[datetime, int], ...]
    forecast: Forecast
    known: tuple[Known, ...] = ()

    @property
    def to_give(self) -> int:
        """How many numbers are free for whoever comes, kept ones left out."""
        return self.counted.free - self.counted.kept

    def is_low(self, pool: Pool, today: date) -> bool:
        """Tell whether less than the pool's low water is left once everybody has a number who is known to come soon."""
        if pool.low_water is None:
            return False
        soon = today + timedelta(days=SOON if pool.lead_days is None else pool.lead_days)
        return self.to_give - sum(each.count for each in self.known if each.on <= soon) < pool.low_water

    def runs_short(self, pool: Pool, today: date) -> bool:
        """Tell whether the pool lasts no longer than it takes to get more numbers."""
        end = self.forecast.exhausted_on
        return pool.lead_days is not None and end is not None and end <= today + timedelta(days=pool.lead_days)


async def outlook(source: Source, pool: Pool, *, now: datetime, today: date, known: Sequence[Known] = ()) -> Outlook:
    """Look ahead from ``now``, by the whole weeks, ``MOST_WEEKS`` at most, in which numbers of the pool have been given out."""
    found = await counted(source, pool.id, now)
    first = await first_start(source, pool.id)
    count = 0 if first is None else min(MOST_WEEKS, (now - first) // _WEEK)
    bounds = [now - each * _WEEK for each in range(count, -1, -1)]
    net = await taken_up(source, pool.id, quarantine_days=pool.quarantine_days, bounds=bounds) if count else []
    ahead = forecast(free=found.free - found.kept, net=net, known=known, today=today)
    return Outlook(found, tuple(zip(bounds, net, strict=False)), ahead, tuple(known))
