"""A State Council notice as somebody types it in: which days of a year are off, which weekend days are worked; and what cannot be right.

Pure. A notice for a year may also speak of the December before: the one for 2012 made 2011-12-31 a working day. It always has the dates
off that the law fixes, and makes only Saturdays and Sundays working days. A list that does not is a slip, which every due date would show.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from app.calendar.rules import STATUTORY, Entry, Kind, is_weekend

LONGEST_DAYS: Final = 31
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Days off in a row, both ends included, and what they are called."""

    first: date
    last: date
    name_zh: str | None = None
    name_en: str | None = None

    def days(self) -> Iterator[date]:
        """List them."""
        return (self.first + each * _DAY for each in range((self.last - self.first).days + 1))


@dataclass(frozen=True, slots=True)
class Announcement:
    """What was announced for a year, and by what notice."""

    year: int
    source: str
    off: Sequence[Period]
    working: Sequence[date]

    def entries(self) -> Mapping[date, Entry]:
        """Write it day by day."""
        found = {
            day: Entry(Kind.OFF, self.source, period.name_zh, period.name_en)
            for period in self.off
            for day in period.days()
        }
        found.update((day, Entry(Kind.WORKING, self.source)) for day in self.working)
        return found


@dataclass(frozen=True, slots=True)
class Slip:
    """What cannot be right: where (a JSON pointer below the announcement), a stable code, and both languages."""

    pointer: str
    code: str
    en: str
    zh: str


def slips(told: Announcement) -> list[Slip]:
    """List everything that cannot be right in an announcement, in the order in which it was written."""
    found: list[Slip] = []
    named: set[date] = set()
    for at, period in enumerate(told.off):
        pointer = f"/off_days/{at}"
        if period.last < period.first:
            found.append(Slip(pointer, "reversed_range", "`to` lies before `from`.", "`to` 早于 `from`。"))
        elif (period.last - period.first).days >= LONGEST_DAYS:
            found.append(Slip(pointer, "too_long", "No holiday is as long as this.", "假期过长。"))
        else:
            found += _placed(pointer, list(period.days()), told.year, named)
    for at, day in enumerate(told.working):
        pointer = f"/working_days/{at}"
        found += _placed(pointer, [day], told.year, named)
        if not is_weekend(day):
            found.append(
                Slip(
                    pointer,
                    "not_a_weekend",
                    "Only Saturdays and Sundays become working days.",
                    "只有周六、周日可调为工作日。",
                )
            )
    off = {day for period in told.off if not found for day in period.days()}
    if not found and any(date(told.year, month, day) not in off for month, day in STATUTORY):
        found.append(
            Slip(
                "/off_days",
                "statutory_day_missing",
                "1 January, 1 and 2 May, and 1 to 3 October are off by law.",
                "元旦、5月1日至2日、10月1日至3日为法定节假日，不可缺少。",
            )
        )
    return found


def _placed(pointer: str, days: Sequence[date], year: int, named: set[date]) -> Iterator[Slip]:
    """Name days once each, all in the year or in the December before it."""
    if any(day.year != year and (day.year, day.month) != (year - 1, 12) for day in days):
        yield Slip(pointer, "other_year", "This is not a day of that year.", "日期不在该年度内。")
    if not named.isdisjoint(days):
        yield Slip(pointer, "named_twice", "A day is named twice.", "同一日期重复出现。")
    named.update(days)
