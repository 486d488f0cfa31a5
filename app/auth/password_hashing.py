"""Argon2id in a pool of two threads: a password costs a guesser as much as it costs us, and costs nobody else their answer.

Two slots bound what a flood of guesses takes of memory and processors; whoever comes when too many wait is told to come back. A check
against nothing works as long as one against a hash, so that the time of an answer does not tell whether there is an account.
"""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from secrets import token_bytes
from typing import Any, Final, TypeVar

from passlib.hash import argon2

from app.auth.password_rules import MAX_LENGTH, normal
from app.kit.errors import TooMany

T = TypeVar("T")

_SLOTS: Final = 2
_MOST_WAITING: Final = 64
_RETRY_SECONDS: Final = 2
_SALT_BYTES: Final = 16
_DIGEST_BYTES: Final = 32


class PasswordHasher:
    """Hashes and compares. ``computed`` counts the work done, for a test to hold equal."""

    def __init__(self, *, memory_kib: int, rounds: int) -> None:
        """Take what one hash costs: memory in KiB, and passes over it."""
        self._scheme: Any = argon2.using(  # type: ignore[no-untyped-call]  # passlib leaves it untyped
            type="ID", memory_cost=memory_kib, time_cost=rounds, parallelism=1, salt_size=_SALT_BYTES
        )
        self._decoy = "$argon2id$v=19$m={},t={},p=1${}${}".format(
            memory_kib, rounds, *(_unpadded(token_bytes(size)) for size in (_SALT_BYTES, _DIGEST_BYTES))
        )
        self._threads = ThreadPoolExecutor(_SLOTS, thread_name_prefix="duanhao-password")
        self._waiting = 0
        self.computed = 0

    async def hash(self, password: str) -> str:
        """Hash a password under a salt of its own; raise ``TooMany`` when too many wait already."""
        made: str = await self._in_pool(lambda: self._scheme.hash(_bytes(normal(password))))
        return made

    async def matches(self, password: str, stored: str | None) -> bool:
        """Tell whether ``password`` is the stored one; without one the work is the same. Raises as ``hash`` does."""
        text = normal(password)
        real = stored is not None and len(text) <= MAX_LENGTH
        expected = stored if real else self._decoy
        found: bool = await self._in_pool(lambda: self._scheme.verify(_bytes(text[:MAX_LENGTH]), expected))
        return found and real

    async def _in_pool(self, work: Callable[[], T]) -> T:
        if self._waiting >= _MOST_WAITING:
            raise TooMany(headers={"Retry-After": str(_RETRY_SECONDS)})
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
            self.computed += 1

    def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


def _unpadded(data: bytes) -> str:
    return b64encode(data).decode().rstrip("=")
