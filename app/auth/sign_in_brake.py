"""How often one may fail before one waits: per name in the store, per name and address and per address in memory.

The count per name is kept in the store because it is what an account rests on: it outlives a restart and is one for all processes. It goes
by a keyed hash of whatever was typed, so a name that nobody has fails, waits and costs exactly as one that somebody has. One name is tried
one at a time in a process, so that a burst cannot overtake its own count.
"""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Integer, LargeBinary, bindparam, column, delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.models import SignInFailureRow
from app.auth.repository import Query, Source
from app.auth.throttle import Throttle
from app.kit.clock import Clock
from app.kit.errors import TooMany
from app.kit.models import Instant

_KEY_BYTES: Final = 16
_LONGEST_NAME: Final = 256
_COUNT: Final = Query(
    select(SignInFailureRow.count, SignInFailureRow.ends_at).where(SignInFailureRow.key == bindparam("key")),
    by_key=True,
)
_ADD: Final = (
    text(
        "INSERT INTO sign_in_failure (key, count, ends_at) VALUES (:key, 1, :ends) ON CONFLICT (key) DO UPDATE SET"
        " count = CASE WHEN sign_in_failure.ends_at <= :now THEN 1 ELSE sign_in_failure.count + 1 END,"
        " ends_at = CASE WHEN sign_in_failure.ends_at <= :now THEN excluded.ends_at ELSE sign_in_failure.ends_at END"
        " RETURNING count"
    )
    .bindparams(
        bindparam("key", type_=LargeBinary()), bindparam("now", type_=Instant()), bindparam("ends", type_=Instant())
    )
    .columns(column("count", Integer))
)


@dataclass(frozen=True, slots=True)
class BrakeLimits:
    """Failures of one name before it waits, and in how many seconds they count."""

    failures: int = 20
    window_seconds: int = 3600


class SignInBrake:
    """The brake of the sign-in page and of one-time codes."""

    def __init__(self, key: bytes, *, clock: Clock, limits: BrakeLimits) -> None:
        """Take the key under which names are hashed, and the limits."""
        self._key, self._clock, self._limits = key, clock, limits
        self._throttle = Throttle(clock)
        self._trying: set[bytes] = set()

    def key(self, kind: str, name: str) -> bytes:
        """Give what stands for a name; ``kind`` keeps the counts of passwords and of one-time codes apart."""
        typed = name[:_LONGEST_NAME].lower().encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, kind.encode() + b"\n" + typed, "sha256")[:_KEY_BYTES]

    @contextmanager
    def one_at_a_time(self, key: bytes) -> Iterator[None]:
        """Hold ``key`` for one attempt; raise ``TooMany`` while another one runs."""
        if key in self._trying:
            raise TooMany(headers={"Retry-After": "1"})
        self._trying.add(key)
        try:
            yield
        finally:
            self._trying.discard(key)

    async def check(self, source: Source, key: bytes, address: str | None) -> None:
        """Raise ``TooMany``, with how long to wait, when this name, or this address, has failed too often."""
        wait = self._throttle.wait(key.hex(), address)
        rows = await _COUNT.rows(source, key=key)
        now = self._clock.now()
        if rows and rows[0][0] >= self._limits.failures and now < rows[0][1]:
            wait = max(wait, round((rows[0][1] - now).total_seconds()), 1)
        if wait:
            raise TooMany(headers={"Retry-After": str(wait)})

    async def failed(self, session: AsyncSession, key: bytes, address: str | None) -> bool:
        """Count a failure; tell whether it was the last one before the name waits."""
        self._throttle.failed(key.hex(), address)
        now = self._clock.now()
        ends = now + timedelta(seconds=self._limits.window_seconds)
        count = (await session.execute(_ADD, {"key": key, "now": now, "ends": ends})).scalar_one()
        return int(count) == self._limits.failures

    async def succeeded(self, session: AsyncSession, key: bytes, address: str | None) -> None:
        """Forget the failures of this name."""
        self._throttle.succeeded(key.hex(), address)
        await session.execute(delete(SignInFailureRow).where(SignInFailureRow.key == key))


async def forget_failures(session: AsyncSession, *, before: datetime) -> None:
    """Delete counts whose time was over before ``before``."""
    await session.execute(delete(SignInFailureRow).where(SignInFailureRow.ends_at < before))
