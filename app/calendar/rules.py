"""Counting in working days, over days that somebody announced and days that can only be expected.

Pure. In mainland China a year's days off, and the weekend days that are worked instead (调休), are announced by the State Council in the
autumn before. A year that was announced is confirmed. Of any other year only this can be said, and it is said as predicted: Monday to
Friday are worked, but for the dates that 全国年节及纪念日放假办法 (as amended 2024-11-10) fixes by the Gregorian calendar. Spring Festival,
Qingming, Dragon Boat and Mid-Autumn follow the moon and the sun, and the days given instead of a weekend follow the notice: none of them
is guessed. So what is predicted comes out too early rather than too late, and is worked out again when the year is confirmed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import StrEnum
from typing import Final

CUT_OFF: Final = time(18)
UTC_OFFSET: Final = timedelta(hours=8)
LAW: Final = "全国年节及纪念日放假办法 (2024-11-10)"
STATUTORY: Final[Mapping[tuple[int, int], tuple[str, str]]] = {
    (1, 1): ("元旦", "New Year's Day"),
    (5, 1): ("劳动节", "Labour Day"),
    (5, 2): ("劳动节", "Labour Day"),
    (10, 1): ("国庆节", "National Day"),
    (10, 2): ("国庆节", "National Day"),
    (10, 3): ("国庆节", "National Day"),
}
"""Days off whose Gregorian date the law itself fixes (article 2), by month and day, with their names."""

_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


class Kind(StrEnum):
    """What a day is."""

    WORKING = "working"
    OFF = "off"


class Status(StrEnum):
    """How sure it is: the day's year was announced, or was not yet."""

    CONFIRMED = "confirmed"
    PREDICTED = "predicted"


@dataclass(frozen=True, slots=True)
class Entry:
    """What was said of one day: that it is worked or off, by whom, and what the day is called."""

    kind: Kind
    source: str
    name_zh: str | None = None
    name_en: str | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """One day as the calendar knows it."""

    date: date
    kind: Kind
    status: Status
    source: str
    name_zh: str | None
    name_en: str | None


@dataclass(frozen=True, slots=True)
class Due:
    """When something is due (UTC). ``predicted``: a day that was counted over lies in a year that was not announced yet."""

    at: datetime
    predicted: bool


class WorkCalendar:
    """The days as they were known at one moment, ``epoch``, by which a later one is told apart."""

    __slots__ = ("_cut_off", "_days", "_utc_offset", "_years", "epoch")

    def __init__(
        self,
        days: Mapping[date, Entry] | None = None,
        years: Mapping[int, str] | None = None,
        *,
        epoch: int = 0,
        cut_off: time = CUT_OFF,
        utc_offset: timedelta = UTC_OFFSET,
    ) -> None:
        """Take what was said of single days, which years were announced (and by what), and how the clocks here go.

        ``cut_off`` ends a working day, by clocks that are ``utc_offset`` ahead of UTC.
        """
        self._days, self._years = dict(days or {}), dict(years or {})
        self.epoch = epoch
        self._cut_off, self._utc_offset = cut_off, utc_offset

    @property
    def cut_off(self) -> time:
        """When a working day ends here."""
        return self._cut_off

    @property
    def utc_offset(self) -> timedelta:
        """How far the clocks here are ahead of UTC."""
        return self._utc_offset

    @property
    def years(self) -> Mapping[int, str]:
        """The years that were announced, and by what."""
        return self._years

    def day(self, day: date) -> Day:
        """Tell all that is known of a day."""
        found = self._days.get(day) or self._expected(day)
        status = Status.CONFIRMED if self.is_confirmed(day) else Status.PREDICTED
        return Day(day, found.kind, status, found.source, found.name_zh, found.name_en)

    def is_working(self, day: date) -> bool:
        """Tell whether a day is worked."""
        found = self._days.get(day)
        if found is not None:
            return found.kind is Kind.WORKING
        return not is_weekend(day) and (day.year in self._years or (day.month, day.day) not in STATUTORY)

    def is_confirmed(self, day: date) -> bool:
        """Tell whether the year of a day was announced; a day that the company set for itself is no announcement of its year."""
        return day.year in self._years

    def next_working_day(self, day: date) -> date:
        """Give the first working day after ``day``."""
        return next(each for each in _after(day) if self.is_working(each))

    def add(self, day: date, days: int) -> date:
        """Go ``days`` working days on from ``day``, which counts as the first working day that is not before it.

        So ``add(day, 0)`` is ``day`` itself or, of a day off, the next working day. Raises ``ValueError`` for a negative number.
        """
        if days < 0:
            message = "working days are counted forwards"
            raise ValueError(message)
        found = day if self.is_working(day) else self.next_working_day(day)
        for _ in range(days):
            found = self.next_working_day(found)
        return found

    def between(self, first: date, last: date) -> int:
        """Count the working days from ``first`` to ``last``, both included; none when ``last`` lies before ``first``."""
        return sum(self.is_working(first + each * _DAY) for each in range((last - first).days + 1))

    def counted_from(
        self, start: datetime, *, cut_off: time | None = None, utc_offset: timedelta | None = None
    ) -> date:
        """Give the working day as whose beginning ``start`` counts.

        That is the day itself until a moment before the cut-off. At the cut-off to the microsecond the working day is over: what begins
        at 17:59:59 counts from this day, what begins at 18:00:00 from the next working day, as does what begins on a day off.
        Raises ``ValueError`` for a naive time.
        """
        local = self._local(start, utc_offset)
        is_over = local.time() >= (cut_off or self._cut_off)
        return self.next_working_day(local.date()) if is_over else self.add(local.date(), 0)

    def due(
        self, start: datetime, days: int, *, cut_off: time | None = None, utc_offset: timedelta | None = None
    ) -> Due:
        """Tell when something that begins at ``start`` and may take ``days`` working days is due: at the end of the last of them.

        The day that ``start`` counts from is day 0, so that 0 is the end of the same working day and 1 the end of the next. ``cut_off``
        and ``utc_offset`` are those of the calendar unless they are given. Raises ``ValueError`` for a naive time or a negative number.
        """
        ends, ahead = cut_off or self._cut_off, self._utc_offset if utc_offset is None else utc_offset
        first = self._local(start, utc_offset).date()
        last = self.add(self.counted_from(start, cut_off=ends, utc_offset=ahead), days)
        at = datetime.combine(last, ends, timezone(ahead)).astimezone(UTC)
        return Due(at, predicted=any(year not in self._years for year in range(first.year, last.year + 1)))

    def _local(self, moment: datetime, utc_offset: timedelta | None) -> datetime:
        if moment.tzinfo is None:
            message = "a time without its offset is another hour on another machine"
            raise ValueError(message)
        return moment.astimezone(timezone(self._utc_offset if utc_offset is None else utc_offset))

    def _expected(self, day: date) -> Entry:
        """Give what a day is of which nobody said anything: as its weekday, and in a year that was not announced as the law has it."""
        weekday = Kind.OFF if day.weekday() >= _SATURDAY else Kind.WORKING
        announced = self._years.get(day.year)
        if announced is not None:
            return Entry(weekday, announced)
        names = STATUTORY.get((day.month, day.day))
        return Entry(weekday, LAW) if names is None else Entry(Kind.OFF, LAW, *names)


def is_weekend(day: date) -> bool:
    """Tell Saturdays and Sundays."""
    return day.weekday() >= _SATURDAY


def _after(day: date) -> Iterator[date]:
    while True:
        day += _DAY
        yield day
