"""What another transaction was in the way of, done anew at once.

Of two transactions that wait for each other PostgreSQL undoes one, whole. Nothing is wrong with it, and the other is on its way: the same
work is tried once more, from its beginning, and whoever asked need not know. A second collision is a failure like any other.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.kit.db import collided
from app.kit.errors import Unavailable

T = TypeVar("T")


async def once_more(attempt: Callable[[bool], Awaitable[T]]) -> T:
    """Give what ``attempt`` gives; tried again, and told ``True``, where another transaction was in the way of the first time.

    An attempt opens its own unit of work, and reads anew what the other transaction may have changed.
    """
    try:
        return await attempt(False)  # noqa: FBT003 — the first time
    except Unavailable as failure:
        if not collided(failure):
            raise
    return await attempt(True)  # noqa: FBT003 — the second, and the last
