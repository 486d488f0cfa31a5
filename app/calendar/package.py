"""What the package ``chinesecalendar`` knows, as a source of the calendar table: read when a process starts, never to answer a question.

A year counts as known when the package has its National Day, which no notice leaves out; what it says of a December whose next year it
does not know yet is part of the year that the December belongs to.
"""

from collections.abc import Mapping
from datetime import date
from importlib.metadata import version
from typing import Final

from app.calendar.rules import Entry, Kind

_PACKAGE: Final = "chinesecalendar"
_NATIONAL_DAY: Final = (10, 1)


def source() -> str:
    """Name the package and its version, as the source of the days taken from it."""
    return f"{_PACKAGE} {version(_PACKAGE)}"


def announced() -> Mapping[int, Mapping[date, Entry]]:
    """Give the days off and the weekend days worked of every year that the package knows."""
    from chinese_calendar.constants import (  # type: ignore[import-untyped]  # noqa: PLC0415 — a start that has them must not pay for it
        Holiday,
        holidays,
        workdays,
    )

    told = source()
    found: dict[int, dict[date, Entry]] = {
        day.year: {} for day in sorted(holidays) if (day.month, day.day) == _NATIONAL_DAY
    }
    for days, kind in ((holidays, Kind.OFF), (workdays, Kind.WORKING)):
        for day, name in days.items():
            if day.year not in found:
                continue
            english, chinese = str(name), str(Holiday(name).chinese)
            if kind is Kind.WORKING:
                english, chinese = f"Worked in exchange for {english}", f"{chinese}调休"
            found[day.year][day] = Entry(kind, told, chinese, english)
    return found
