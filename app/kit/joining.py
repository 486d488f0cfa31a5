"""Work that is done once for all who ask for it at the same time. Who goes away takes nothing from those who still wait.

Who may be given what is of a moment ago joins what is under way (``Joining``). Who needs what is true now may not: what is under way has
read before they asked. They wait for it to end, all together, and the next is done once for them (``Afresh``).
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from functools import partial
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Joining(Generic[K, V]):
    """Pieces of work under way, by key."""

    __slots__ = ("_under_way",)

    def __init__(self) -> None:
        """Begin nothing yet."""
        self._under_way: dict[K, asyncio.Task[V]] = {}

    def __len__(self) -> int:
        """Count what is under way."""
        return len(self._under_way)

    async def of(self, key: K, work: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Give what the work of this key gives, begun with ``work`` unless it is under way; what it raises, everybody gets."""
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(work())

            def ended(task: asyncio.Task[V]) -> None:
                if self._under_way.get(key) is task:
                    del self._under_way[key]
                if not task.cancelled():
                    task.exception()

            task.add_done_callback(ended)
        return await asyncio.shield(task)

    def forget(self) -> None:
        """Let nobody join what has begun; who waits for it gets it."""
        self._under_way.clear()


class Afresh(Generic[K, V]):
    """Pieces of work by key, one after the other, each for all who asked before it began."""

    __slots__ = ("_latest", "_waiting")

    def __init__(self) -> None:
        """Begin nothing yet."""
        self._latest: dict[K, asyncio.Task[V]] = {}
        self._waiting: dict[K, asyncio.Task[V]] = {}

    def __len__(self) -> int:
        """Count the keys for which something is under way."""
        return len(self._latest)

    async def of(self, key: K, work: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Give what work of this key gives that begins later than this call; what it raises, everybody gets who asked before it began."""
        task = self._waiting.get(key)
        if task is None:
            task = asyncio.create_task(self._done(key, work, self._latest.get(key)))
            self._latest[key] = self._waiting[key] = task
            task.add_done_callback(partial(self._ended, key))
        return await asyncio.shield(task)

    async def _done(self, key: K, work: Callable[[], Coroutine[Any, Any, V]], before: asyncio.Task[V] | None) -> V:
        if before is not None:
            await asyncio.wait([before])
        del self._waiting[key]
        return await work()

    def _ended(self, key: K, task: asyncio.Task[V]) -> None:
        if self._waiting.get(key) is task:
            del self._waiting[key]
        if self._latest.get(key) is task:
            del self._latest[key]
        if not task.cancelled():
            task.exception()
