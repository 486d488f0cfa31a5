"""Calendar quarters, by which history is sealed and purged. Pure.

A quarter is one number, year times ten plus 1 to 4, so that 20263 is the third quarter of 2026 and later ones are greater.
"""

from datetime import date, datetime, timedelta
from typing import Final

CHINA: Final = timedelta(hours=8)
_MONTHS: Final = 3
_QUARTERS: Final = 4
_TEN: Final = 10


def quarter_of(at: datetime, utc_offset: timedelta = CHINA) -> int:
    """Give the quarter in which ``at``, an aware moment, lies by the calendar of a place that is ``utc_offset`` ahead of UTC."""
    return quarter_on((at + utc_offset - (at.utcoffset() or timedelta())).date())


def quarter_on(day: date) -> int:
    """Give the quarter of a day."""
    return day.year * _TEN + (day.month - 1) // _MONTHS + 1


def begins(quarter: int) -> date:
    """Give the first day of a quarter; raise ``ValueError`` for a number that is none."""
    year, which = divmod(quarter, _TEN)
    if not 1 <= which <= _QUARTERS:
        message = f"{quarter} is no quarter"
        raise ValueError(message)
    return date(year, (which - 1) * _MONTHS + 1, 1)


def earlier(quarter: int, by: int) -> int:
    """Give the quarter that is ``by`` quarters before."""
    count = (quarter // _TEN) * _QUARTERS + quarter % _TEN - 1 - by
    return count // _QUARTERS * _TEN + count % _QUARTERS + 1


def name(quarter: int) -> str:
    """Write a quarter for people: ``2026-Q3``."""
    year, which = divmod(quarter, _TEN)
    return f"{year:04d}-Q{which}"
