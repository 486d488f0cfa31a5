"""When a pool runs out: the slope of its weekly net take-up with a band, and the day on which nothing would be free.

Pure. The slope is Theil and Sen's, the median of the slopes between all pairs of weeks, so that one large intake or one department that
left bends it little; its band is of 80 per cent, by Kendall's statistic (Sen 1968). Demand that is known is taken off the free numbers on
its day. What rests now and returns later is in the slope by what returned before, and is counted nowhere else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate, combinations
from math import ceil, floor, sqrt
from statistics import median
from typing import Final

FEWEST_WEEKS: Final = 4
"""With fewer weeks there is no slope worth telling."""

MOST_WEEKS: Final = 26
HORIZON: Final = 3650
"""Days: what lasts longer is not told a day."""

_QUANTILE: Final = 1.2816
"""Of the normal distribution, for a band of 80 per cent."""


@dataclass(frozen=True, slots=True)
class Slope:
    """Numbers a week, and the band in which it lies."""

    weekly: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Known:
    """Demand that is known: so many numbers on a day."""

    on: date
    count: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """When nothing will be free, by the slope, at the earliest and at the latest; ``None``: not within the horizon."""

    slope: Slope | None
    exhausted_on: date | None
    earliest: date | None
    latest: date | None


def theil_sen(values: Sequence[float]) -> Slope | None:
    """Fit a line through ``values``, one a week; ``None`` for fewer than ``FEWEST_WEEKS`` of them."""
    count = len(values)
    if count < FEWEST_WEEKS:
        return None
    slopes = sorted(
        (values[later] - values[earlier]) / (later - earlier) for earlier, later in combinations(range(count), 2)
    )
    spread = _QUANTILE * sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, floor((len(slopes) - spread) / 2) - 1)
    high = min(len(slopes) - 1, ceil((len(slopes) + spread) / 2))
    return Slope(median(slopes), slopes[low], slopes[high])


def forecast(*, free: int, net: Sequence[int], known: Sequence[Known], today: date) -> Forecast:
    """Tell when ``free`` numbers are used up, ``net`` being the take-up of the weeks until today, earliest first."""
    slope = theil_sen(list(accumulate(net)))
    rates = (0.0, 0.0, 0.0) if slope is None else (slope.weekly, slope.high, slope.low)
    found = [_used_up(free, rate, known, today) for rate in rates]
    return Forecast(slope, *found)


def _used_up(free: int, weekly: float, known: Sequence[Known], today: date) -> date | None:
    """Give the first day at whose end nothing is left; a pool that is empty is used up today."""
    demand = sorted(known, key=lambda each: each.on)
    taken, at = 0, 0
    for days in range(HORIZON + 1):
        day = today + timedelta(days=days)
        while at < len(demand) and demand[at].on <= day:
            taken += demand[at].count
            at += 1
        if free - taken - weekly * days / 7 <= 0:
            return day
        if weekly <= 0 and at == len(demand):
            return None
    return None
