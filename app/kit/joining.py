"""Work that is done once for all who ask for it at the same time. Who goes away takes nothing from those who still wait."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
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
