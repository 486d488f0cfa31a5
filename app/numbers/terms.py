"""How long a number is somebody's: until when at most, when its holder is reminded, how long one can be held without being given out. Pure.

reference/directory-numbers.md (d), "Classes, temporary numbers, forecasting" and (b.2) "Expiring hold before assignment".
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.numbers.rules import PoolClass

REMINDERS: Final = (timedelta(days=7), timedelta(days=1))
"""How long before its end the holder of a number is reminded of it."""

LONGEST_TERM: Final[Mapping[PoolClass, timedelta]] = MappingProxyType(
    {
        **dict.fromkeys(PoolClass, timedelta(days=366)),
        PoolClass.TEMPORARY: timedelta(days=180),
    }
)
"""How far an end may lie in the future, by the class of the pool."""

MUST_END: Final = frozenset({PoolClass.TEMPORARY})
"""Classes of which no number is given out without an end."""

HOLD_MINUTES: Final = 30
HOLD_EXTENSIONS: Final = 3
LONGEST_RESERVATION: Final = timedelta(days=366)


class TermFault(StrEnum):
    """What is wrong with an end."""

    MISSING = "required"
    PAST = "in_the_past"
    TOO_FAR = "too_far"


def term_fault(pool_class: PoolClass, until: datetime | None, now: datetime) -> TermFault | None:
    """Tell what is wrong with giving a number of such a pool out until then; an end at this very moment is over."""
    if until is None:
        return TermFault.MISSING if pool_class in MUST_END else None
    if until <= now:
        return TermFault.PAST
    return TermFault.TOO_FAR if until - now > LONGEST_TERM[pool_class] else None


def next_due(until: datetime | None, now: datetime) -> datetime | None:
    """Give when what ends at ``until`` is to be looked at next: at the first reminder after ``now``, else at its end."""
    if until is None:
        return None
    return next((until - each for each in REMINDERS if until - each > now), until)


def reminder(until: datetime, now: datetime) -> int | None:
    """Give of which reminder it is time, by its days; ``None`` when there is none to give: too early, or over."""
    if until <= now:
        return None
    return next((each.days for each in reversed(REMINDERS) if until - each <= now), None)
