"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta
from typing import Final

NOON: Final = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
"""A Friday at noon: what a frozen clock shows when a test does not care."""


class FrozenClock:
    """A ``Clock`` that shows the time it was given, so that a test can name the second in which something happens."""

    def __init__(self, moment: datetime = NOON) -> None:
        """Stop at ``moment``, which must be aware."""
        self._moment = _aware(moment)

    def now(self) -> datetime:
        """Tell the time it stands at."""
        return self._moment

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Move on by the given span, or back by a negative one, and tell the new time."""
        self._moment += timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        return self._moment

    def move_to(self, moment: datetime) -> datetime:
        """Move to ``moment`` and tell it."""
        self._moment = _aware(moment)
        return self._moment


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        message = "a clock needs an aware time"
        raise ValueError(message)
    return moment.astimezone(UTC)
