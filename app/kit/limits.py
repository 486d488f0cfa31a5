"""A brake on how often somebody calls: token buckets in memory of bounded size.

A bucket is one number, the time at which it will be full again (GCRA), so that a call costs one look into a dictionary and one entry.
Buckets are kept in two generations: when the younger one has grown to its capacity it becomes the older one, and the older one is dropped;
who calls all the time is carried over. So memory is bounded whoever calls, and nothing ever walks over all buckets. What is counted is
counted in this process; several processes allow several times as much, which the operator is told.
"""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from math import ceil
from time import monotonic
from typing import Final

from app.kit.errors import TooMany

_CAPACITY: Final = 20_000
_TOLD_AGAIN: Final = 60.0
_ROUNDING: Final = 1e-6


class RateLimited(TooMany):
    """An account or an address calls more often than this process answers; ``Retry-After`` says when it may again."""

    code, title, title_zh = "rate_limited", "Too many requests in a short time", "请求过于频繁"

    def __init__(self, wait: int) -> None:
        """Take how long to wait, in whole seconds."""
        super().__init__(headers={"Retry-After": str(wait)})


@dataclass(frozen=True, slots=True)
class Rate:
    """How often: calls a second in the long run, and how many at once."""

    per_second: float
    at_once: int


class Limiter:
    """Buckets of one kind: of addresses, of people, or of clients."""

    __slots__ = ("_capacity", "_clock", "_interval", "_older", "_room", "_told", "_younger")

    def __init__(self, rate: Rate, *, clock: Callable[[], float] = monotonic, capacity: int = _CAPACITY) -> None:
        """Take the rate, a clock in seconds that never goes back, and how many buckets a generation holds."""
        self._interval = 1.0 / rate.per_second
        self._room = (rate.at_once - 1) * self._interval + _ROUNDING
        self._clock, self._capacity = clock, capacity
        self._younger: dict[str, float] = {}
        self._older: dict[str, float] = {}
        self._told: dict[str, float] = {}

    def wait(self, key: str) -> int:
        """Count one call of ``key`` and give 0; or count nothing and give the whole seconds after which one would be let through."""
        now = self._clock()
        full = self._younger.get(key)
        if full is None:
            full = self._older.get(key, now)
            if len(self._younger) >= self._capacity:
                self._older, self._younger = self._younger, {}
        full = max(full, now)
        excess = full - now - self._room
        if excess > 0:
            self._younger[key] = full
            return max(1, ceil(excess))
        self._younger[key] = full + self._interval
        return 0

    def is_news(self, key: str) -> bool:
        """Tell whether a refusal of ``key`` is worth a line: the first one in a minute. A flood must not become a flood of lines."""
        now = self._clock()
        if now - self._told.get(key, now - _TOLD_AGAIN) < _TOLD_AGAIN:
            return False
        if len(self._told) >= self._capacity:
            self._told.clear()
        self._told[key] = now
        return True

    def __len__(self) -> int:
        """Tell how many buckets are kept."""
        return len(self._younger) + len(self._older)


def network_of(address: str | None) -> str:
    """Give what counts as one address: IPv4 as it is, IPv6 by its /64, which is what one subscriber gets."""
    if address is None:
        return "unknown"
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)
