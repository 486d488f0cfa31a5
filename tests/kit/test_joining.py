"""Work that is done once for several: who joins what, and what becomes of those who go away or of whom it fails."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app.kit.joining import Afresh


class _Work:
    """Pieces of work that end when they are told to; each gives which one it is."""

    def __init__(self) -> None:
        self.ends: list[asyncio.Future[None]] = []

    async def __call__(self) -> int:
        self.ends.append(asyncio.get_running_loop().create_future())
        at = len(self.ends)
        await self.ends[-1]
        return at


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def _asking(afresh: Afresh[str, int], key: str, work: Callable[[], Awaitable[int]]) -> "asyncio.Task[int]":
    return asyncio.create_task(afresh.of(key, work))  # type: ignore[arg-type]  # a coroutine function by its call


async def test_who_asks_while_it_is_done_is_given_what_begins_later_together_with_the_others() -> None:
    work, afresh = _Work(), Afresh[str, int]()
    early = [_asking(afresh, "a", work) for _ in range(2)]
    await _turns()
    late = [_asking(afresh, "a", work) for _ in range(3)]
    await _turns()
    assert len(work.ends) == 1, "no two at once for one key"
    work.ends[0].set_result(None)
    assert await asyncio.gather(*early) == [1, 1]
    await _turns()
    latest = _asking(afresh, "a", work)
    work.ends[1].set_result(None)
    assert await asyncio.gather(*late) == [2, 2, 2]
    await _turns()
    work.ends[2].set_result(None)
    assert await latest == 3
    await _turns()
    assert len(afresh) == 0


async def test_keys_wait_for_themselves_alone() -> None:
    work, afresh = _Work(), Afresh[str, int]()
    asked = [_asking(afresh, key, work) for key in "ab"]
    await _turns()
    assert len(work.ends) == len(afresh) == 2
    for end in work.ends:
        end.set_result(None)
    assert await asyncio.gather(*asked) == [1, 2]


async def test_a_failure_is_told_to_those_who_asked_for_it_and_to_nobody_later() -> None:
    work, afresh = _Work(), Afresh[str, int]()
    early = [_asking(afresh, "a", work) for _ in range(2)]
    await _turns()
    late = _asking(afresh, "a", work)
    await _turns()
    work.ends[0].set_exception(ValueError("gone"))
    for each in early:
        with pytest.raises(ValueError, match="gone"):
            await each
    await _turns()
    work.ends[1].set_result(None)
    assert await late == 2


async def test_who_goes_away_takes_nothing_from_those_who_wait() -> None:
    work, afresh = _Work(), Afresh[str, int]()
    first = _asking(afresh, "a", work)
    await _turns()
    gone, stays = (_asking(afresh, "a", work) for _ in range(2))
    await _turns()
    first.cancel()
    gone.cancel()
    await _turns()
    work.ends[0].set_result(None)
    await _turns()
    work.ends[1].set_result(None)
    assert await stays == 2
