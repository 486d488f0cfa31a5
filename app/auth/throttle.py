"""A brake on guessing: failed sign-ins per client and address, and per address.

Counted in memory and bounded, because a table would let an attacker write to the database for free. A secret has 256
bits, so the brake is not what keeps it safe; it keeps guessing from costing us work and makes it stand out. Only
failures count: a client that knows its secret is never slowed, and one address cannot lock another one out.
"""

import hashlib
from collections import OrderedDict
from typing import Final

from app.kit.clock import Clock
from app.kit.limits import network_of

WINDOW_SECONDS: Final = 60
_PER_CLIENT: Final = 10
_PER_ADDRESS: Final = 50
_CAPACITY: Final = 10_000


class _Counter:
    """Failures by key in windows of a minute; the least recently touched key goes when the room is used up."""

    def __init__(self, limit: int, capacity: int) -> None:
        self._limit, self._capacity = limit, capacity
        self._counts: OrderedDict[bytes, tuple[float, int]] = OrderedDict()

    def wait(self, key: bytes, now: float) -> int:
        ends, count = self._counts.get(key, (0.0, 0))
        return max(1, round(ends - now)) if now < ends and count >= self._limit else 0

    def add(self, key: bytes, now: float) -> None:
        ends, count = self._counts.get(key, (0.0, 0))
        self._counts[key] = (ends, count + 1) if now < ends else (now + WINDOW_SECONDS, 1)
        self._counts.move_to_end(key)
        if len(self._counts) > self._capacity:
            self._counts.popitem(last=False)

    def clear(self, key: bytes) -> None:
        self._counts.pop(key, None)

    def __len__(self) -> int:
        return len(self._counts)


class Throttle:
    """The brake of the token endpoint."""

    def __init__(self, clock: Clock, *, capacity: int = _CAPACITY) -> None:
        """Remember at most ``capacity`` pairs and as many addresses."""
        self._clock = clock
        self._pairs, self._addresses = _Counter(_PER_CLIENT, capacity), _Counter(_PER_ADDRESS, capacity)

    def wait(self, client_id: str, address: str | None) -> int:
        """Tell how many seconds this client has to wait at this address; 0 means it may try."""
        now, pair, network = self._keys(client_id, address)
        return max(self._pairs.wait(pair, now), self._addresses.wait(network, now))

    def failed(self, client_id: str, address: str | None) -> None:
        """Count a failure."""
        now, pair, network = self._keys(client_id, address)
        self._pairs.add(pair, now)
        self._addresses.add(network, now)

    def succeeded(self, client_id: str, address: str | None) -> None:
        """Forget the failures of this client at this address."""
        _, pair, _ = self._keys(client_id, address)
        self._pairs.clear(pair)

    def __len__(self) -> int:
        """Tell how many counters are kept."""
        return len(self._pairs) + len(self._addresses)

    def _keys(self, client_id: str, address: str | None) -> tuple[float, bytes, bytes]:
        network = network_of(address).encode()
        pair = hashlib.sha256(network + b"\n" + client_id.encode("utf-8", "surrogatepass")).digest()
        return self._clock.now().timestamp(), pair, network
