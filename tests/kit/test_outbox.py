"""Promised work is done at least once, after the commit that promised it, in order, with growing pauses when it fails."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from structlog.testing import capture_logs

from app.kit.db import Database, UnitOfWork
from app.kit.errors import Conflict
from app.kit.outbox import Outbox, enqueue
from app.kit.records import OutboxRecord
from tests.support.clock import FrozenClock
from tests.support.stores import TestStore


@pytest.fixture
async def database(store: TestStore) -> AsyncIterator[Database]:
    """Give an open store."""
    database = Database(store.settings)
    yield database
    await database.close()


@pytest.fixture
def clock() -> FrozenClock:
    """Give a clock that stands still."""
    return FrozenClock()


class Work:
    """A handler that notes what it did, and fails while it is told to."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.done: list[str] = []
        self.failing: Callable[[str], bool] = lambda _: False

    async def __call__(self, unit: UnitOfWork, payload: Mapping[str, Any]) -> None:
        """Do one piece: a note and a row, so that a failure has something to roll back."""
        key = payload["key"]
        await unit.session.execute(text("INSERT INTO epoch (key, value) VALUES (:key, 1)"), {"key": key})
        if self.failing(key):
            message = f"secret 13800002101 in {key}"
            raise ValueError(message)
        self.done.append(key)


async def promise(database: Database, clock: FrozenClock, *keys: str, kind: str = "test", after: int = 0) -> None:
    async with database.unit_of_work() as unit:
        for key in keys:
            enqueue(unit, clock, kind, {"key": key}, after=timedelta(seconds=after))


async def records(database: Database) -> list[OutboxRecord]:
    async with database.session() as session:
        return list(await session.scalars(select(OutboxRecord).order_by(OutboxRecord.id)))


async def test_work_is_done_once_in_the_order_of_its_promise(database: Database, clock: FrozenClock) -> None:
    work = Work()
    outbox = Outbox(database, clock, {"test": work})
    await promise(database, clock, "a", "b", "c")
    assert await outbox.drain() == 3
    assert work.done == ["a", "b", "c"]
    assert await outbox.drain() == 0
    assert all(record.done_at == clock.now() for record in await records(database))


async def test_a_transaction_rolled_back_promises_nothing(database: Database, clock: FrozenClock) -> None:

    async def withdrawn() -> None:
        async with database.unit_of_work() as unit:
            enqueue(unit, clock, "test", {"key": "never"})
            raise Conflict

    with pytest.raises(Conflict):
        await withdrawn()
    assert await Outbox(database, clock, {"test": Work()}).drain() == 0
    assert await records(database) == []


async def test_work_for_later_waits_for_its_time(database: Database, clock: FrozenClock) -> None:
    work = Work()
    outbox = Outbox(database, clock, {"test": work})
    await promise(database, clock, "later", after=60)
    clock.advance(seconds=59.999999)
    assert await outbox.drain() == 0
    clock.advance(seconds=0.000001)
    assert await outbox.drain() == 1


async def test_a_failure_is_rolled_back_tried_again_and_waits_longer_each_time(
    database: Database, clock: FrozenClock
) -> None:
    work = Work()
    work.failing = lambda key: key == "bad"
    outbox = Outbox(database, clock, {"test": work})
    await promise(database, clock, "bad", "good")
    with capture_logs() as logged:
        assert await outbox.drain() == 1
    assert work.done == ["good"], "one that fails holds up nobody"
    (record, _) = await records(database)
    assert (record.attempts, record.last_error, record.done_at) == (1, "ValueError", None)
    assert "13800002101" not in str(logged) + str(record.last_error)
    pauses = []
    for _ in range(7):
        (record, _) = await records(database)
        pauses.append((record.available_at - clock.now()).total_seconds())
        clock.move_to(record.available_at)
        assert await outbox.drain() == 0
    assert pauses == [1, 10, 60, 600, 3600, 3600, 3600]
    work.failing = lambda _: False
    (record, _) = await records(database)
    clock.move_to(record.available_at)
    assert await outbox.drain() == 1
    assert work.done == ["good", "bad"]


async def test_a_crash_between_work_and_its_mark_does_neither(
    database: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work and mark are one transaction, so what dies in between is done anew as if never begun."""

    class KilledError(BaseException):
        """Not an exception that anybody handles."""

    work = Work()
    outbox = Outbox(database, clock, {"test": work})
    await promise(database, clock, "once")
    true_commit = UnitOfWork.commit

    async def dies(self: UnitOfWork) -> None:
        del self
        raise KilledError

    monkeypatch.setattr(UnitOfWork, "commit", dies)
    with pytest.raises(KilledError):
        await outbox.drain()
    monkeypatch.setattr(UnitOfWork, "commit", true_commit)
    (record,) = await records(database)
    assert (record.done_at, record.attempts) == (None, 0)
    assert await outbox.drain() == 1
    async with database.session() as session:
        assert await session.scalar(text("SELECT value FROM epoch WHERE key = 'once'")) == 1


async def test_work_of_an_unknown_kind_is_kept_and_reported(database: Database, clock: FrozenClock) -> None:
    await promise(database, clock, "x", kind="from.the.future")
    assert await Outbox(database, clock, {}).drain() == 0
    (record,) = await records(database)
    assert (record.attempts, record.last_error) == (1, "KeyError")


async def test_a_drain_stops_at_its_most(database: Database, clock: FrozenClock) -> None:
    work = Work()
    await promise(database, clock, *"abcdef")
    assert await Outbox(database, clock, {"test": work}).drain(most=4) == 4
    assert work.done == list("abcd")


async def test_two_workers_share_the_work(store: TestStore, clock: FrozenClock) -> None:
    first, second = Database(store.settings), Database(store.settings)
    works = [Work(), Work()]
    await promise(first, clock, *(f"k{at}" for at in range(20)))
    outboxes = [Outbox(database, clock, {"test": work}) for database, work in zip((first, second), works, strict=True)]
    done = await asyncio.gather(*(outbox.drain() for outbox in outboxes))
    assert sum(done) == 20
    assert sorted(works[0].done + works[1].done) == sorted(f"k{at}" for at in range(20))
    await first.close()
    await second.close()
