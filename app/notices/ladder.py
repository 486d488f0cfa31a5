"""When something that could not be told is tried again, and when it no longer is. Pure."""

from datetime import timedelta
from typing import Final

PAUSES: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
"""How long to wait after the first failure, after the second, and so on; after the last there is nothing but a replay."""
MOST_ATTEMPTS: Final = len(PAUSES) + 1
SPREAD: Final = 0.2
"""By how much of itself a pause is lengthened at most, so that what failed together is not tried together."""
LONGEST_ASKED: Final = timedelta(hours=1)
"""Longest wait that an answer can ask for (``Retry-After``)."""
DEAD_AFTER: Final = timedelta(days=5)
"""How long an address may fail without one success before it is disabled."""

_UNTROUBLED: Final = 3
_FIRST_REST: Final = timedelta(seconds=10)
_LONGEST_REST: Final = timedelta(minutes=5)


def pause(attempts: int, chance: float, asked: timedelta | None = None) -> timedelta | None:
    """Give how long to wait after ``attempts`` (1 or more) have failed, ``None`` when that was the last.

    ``chance`` is between 0 and 1; ``asked`` is what the other side asked for, honoured up to an hour.
    """
    if attempts >= MOST_ATTEMPTS:
        return None
    ladder = PAUSES[attempts - 1] * (1 + SPREAD * chance)
    return max(ladder, min(asked, LONGEST_ASKED)) if asked is not None else ladder


def rest(failures: int) -> timedelta:
    """Give how long a whole queue rests after ``failures`` in a row: a dead address costs one attempt now and then, not one per notice."""
    if failures < _UNTROUBLED:
        return timedelta()
    doublings = min(failures - _UNTROUBLED, 10)
    return min(_FIRST_REST * (1 << doublings), _LONGEST_REST)
