"""Who waits for a batch is told in its order, pages in turns of the event loop, and the next batch sets out in between."""

import asyncio
from collections.abc import Sequence

from app.audit.stores import Appended, Entry, Outcome, Written, entry_of
from app.audit.waiting import Item, Teller
from app.audit.writer import AccessLog, Limits
from tests.audit.fakes import FakeStore
from tests.audit.places import BITS, OPENED, contact, draft

PAGE = [contact(number) for number in range(100)]
LIMITS = Limits(deadline=5, probe_interval=5)


class Waiting:
    """Waiters for one card or one page each, and in which order they are told."""

    def __init__(self, pages: Sequence[bool]) -> None:
        self.told: list[int] = []
        loop = asyncio.get_running_loop()
        self.outcomes: list[tuple[Item, Outcome]] = []
        for at, is_page in enumerate(pages):
            entry = entry_of(draft(*(PAGE if is_page else PAGE[:1])), BITS)
            item = Item(entry, loop.create_future(), loop.time() + 5)
            item.outcome.add_done_callback(lambda _, at=at: self.told.append(at))  # type: ignore[misc]  # its number at this turn
            self.outcomes.append((item, Written(at)))


async def test_cards_are_told_together_and_pages_two_in_a_turn() -> None:
    waiting = Waiting([False] * 50 + [True] * 3)
    Teller().tell(waiting.outcomes)
    seen = []
    for _ in range(4):
        await asyncio.sleep(0)
        seen.append(len(waiting.told))
    assert seen == [52, 53, 53, 53]
    assert waiting.told == sorted(waiting.told)


async def test_a_later_batch_is_told_behind_the_one_before() -> None:
    first, second = Waiting([True] * 4), Waiting([True])
    teller = Teller()
    teller.tell(first.outcomes)
    teller.tell(second.outcomes)
    for _ in range(2):
        assert second.told == []
        await asyncio.sleep(0)
    assert first.told == [0, 1, 2, 3]
    await asyncio.sleep(0)
    assert second.told == [0]


async def test_at_the_end_all_are_told_at_once() -> None:
    waiting = Waiting([True] * 5)
    teller = Teller()
    teller.tell(waiting.outcomes)
    teller.finish()
    assert [item.outcome.result() for item, _ in waiting.outcomes] == [Written(at) for at in range(5)]
    await asyncio.sleep(0)
    assert waiting.told == [0, 1, 2, 3, 4]


async def test_who_no_longer_waits_is_passed_over() -> None:
    waiting = Waiting([True] * 3)
    waiting.outcomes[1][0].outcome.cancel()
    Teller().tell(waiting.outcomes)
    for _ in range(3):
        await asyncio.sleep(0)
    assert [item.outcome.cancelled() for item, _ in waiting.outcomes] == [False, True, False]
    assert waiting.outcomes[2][0].outcome.result() == Written(2)


async def test_the_next_batch_sets_out_before_the_last_page_of_one_is_written() -> None:
    seen: list[str] = []

    class Store(FakeStore):
        async def append(self, entries: Sequence[Entry]) -> Appended:
            seen.append(f"{len(entries)} set out")
            return await super().append(entries)

    store = Store()
    log = AccessLog(store, bits=BITS, limits=LIMITS)
    await log.start()

    async def look(name: str) -> None:
        await log.permit(draft(*PAGE), scope=dict.fromkeys(PAGE, OPENED))
        seen.append(name)

    store.gate.clear()
    first = [asyncio.create_task(look(f"page {at}")) for at in range(4)]
    await store.entered.wait()
    second = asyncio.create_task(look("page 4"))
    await asyncio.sleep(0)
    store.gate.set()
    await asyncio.gather(*first, second)
    await log.stop()
    assert seen[0] == "4 set out"
    assert seen.index("1 set out") < seen.index("page 2")
    assert [each for each in seen if each.startswith("page")] == [f"page {at}" for at in range(5)]
