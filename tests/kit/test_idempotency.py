"""Work under a key is done once: its receipt is part of its transaction, and is told again only to whoever may still be told."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.kit.db import Database, UnitOfWork
from app.kit.errors import Conflict, Forbidden
from app.kit.idempotency import (
    LIFETIME,
    Answer,
    Call,
    Idempotency,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    Receipt,
    forget_expired,
    forget_resource,
)
from app.kit.records import IdempotencyRecord
from tests.support.clock import FrozenClock
from tests.support.stores import TestStore

CALL = Call("person:1", "POST", "/v1/things", "key")
BODY = {"name": "x"}


class Bench:
    """An idempotency with work that counts itself."""

    def __init__(self, database: Database) -> None:
        """Take the store."""
        self.database, self.clock = database, FrozenClock()
        self.idempotency = Idempotency(database, b"k" * 32, self.clock)
        self.worked = 0
        self.asked = 0
        self.begun = asyncio.Event()

    async def run(
        self,
        call: Call = CALL,
        body: object = None,
        *,
        permitted: bool = True,
        hold: asyncio.Event | None = None,
        fails: bool = False,
    ) -> Answer:
        """Run once, in a transaction of its own."""

        def allowed() -> None:
            self.asked += 1
            if not permitted:
                raise Forbidden

        async def work() -> Receipt:
            self.worked += 1
            self.begun.set()
            if hold is not None:
                await hold.wait()
            if fails:
                raise Conflict
            return Receipt(UUID(int=self.worked), {"id": self.worked}, 201)

        async with self.database.unit_of_work() as unit:
            return await self.idempotency.run(unit, call, BODY if body is None else body, allowed=allowed, work=work)

    async def count(self) -> int:
        """Count the stored receipts."""
        async with self.database.session() as session:
            return int(await session.scalar(select(func.count()).select_from(IdempotencyRecord)) or 0)


@pytest.fixture
async def bench(store: TestStore) -> AsyncIterator[Bench]:
    """Give a bench on either engine."""
    database = Database(store.settings)
    yield Bench(database)
    await database.close()


async def test_a_repeated_call_tells_the_first_receipt(bench: Bench) -> None:
    first, second = await bench.run(), await bench.run()
    assert (first.replayed, second.replayed) == (False, True)
    assert second.receipt == first.receipt
    assert bench.worked == 1


async def test_without_a_key_every_call_works(bench: Bench) -> None:
    call = Call("person:1", "POST", "/v1/things", None)
    assert [(await bench.run(call)).replayed for _ in range(2)] == [False, False]
    assert (bench.worked, await bench.count()) == (2, 0)


@pytest.mark.parametrize(
    "other",
    [
        Call("person:2", "POST", "/v1/things", "key"),
        Call("service:1", "POST", "/v1/things", "key"),
        Call("person:1", "PUT", "/v1/things", "key"),
        Call("person:1", "POST", "/v1/others", "key"),
        Call("person:1", "POST", "/v1/things", "Key"),
    ],
)
async def test_caller_method_path_and_key_make_the_call(bench: Bench, other: Call) -> None:
    await bench.run()
    assert not (await bench.run(other)).replayed
    assert bench.worked == 2


async def test_another_body_is_refused_and_the_order_of_members_is_not(bench: Bench) -> None:
    await bench.run(body={"a": 1, "b": 2})
    assert (await bench.run(body={"b": 2, "a": 1})).replayed
    for other in ({"a": 1}, {"a": 1, "b": "2"}, {"a": 1, "b": 2, "c": None}):
        with pytest.raises(IdempotencyKeyReused):
            await bench.run(body=other)
    assert bench.worked == 1


async def test_the_right_is_asked_each_time_before_anything_is_told(bench: Bench) -> None:
    await bench.run()
    with pytest.raises(Forbidden):
        await bench.run(permitted=False)
    with pytest.raises(Forbidden):
        await bench.run(body={"other": 1}, permitted=False)
    assert bench.asked == 3


async def test_work_that_fails_leaves_the_key_free(bench: Bench) -> None:
    with pytest.raises(Conflict):
        await bench.run(fails=True)
    assert await bench.count() == 0
    assert not (await bench.run()).replayed


async def test_while_the_first_call_runs_the_second_is_told_so(bench: Bench) -> None:
    hold = asyncio.Event()
    first = asyncio.create_task(bench.run(hold=hold))
    await bench.begun.wait()
    with pytest.raises(IdempotencyInProgress):
        await asyncio.wait_for(bench.run(), 5)
    hold.set()
    assert not (await first).replayed
    assert (await bench.run()).replayed
    assert bench.worked == 1


async def test_a_cancelled_call_lets_go_of_its_key(bench: Bench) -> None:
    first = asyncio.create_task(bench.run(hold=asyncio.Event()))
    await bench.begun.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert not (await bench.run()).replayed


async def test_a_receipt_lives_a_day(bench: Bench) -> None:
    await bench.run()
    bench.clock.advance(seconds=LIFETIME.total_seconds() - 1)
    assert (await bench.run()).replayed
    bench.clock.advance(seconds=1)
    assert not (await bench.run(body={"another": "body"})).replayed
    assert await bench.count() == 1


async def test_what_is_past_its_day_is_swept_away(bench: Bench) -> None:
    await bench.run()
    bench.clock.advance(hours=25)
    await bench.run(Call("person:1", "POST", "/v1/things", "younger"))
    async with bench.database.unit_of_work() as unit:
        await forget_expired(unit, bench.clock)
    assert await bench.count() == 1


async def test_receipts_of_one_resource_are_forgotten_together(bench: Bench) -> None:
    first = await bench.run()
    await bench.run(Call("person:1", "POST", "/v1/things", "other"))
    assert first.receipt.resource_id is not None
    async with bench.database.unit_of_work() as unit:
        await forget_resource(unit, first.receipt.resource_id)
    assert await bench.count() == 1
    assert not (await bench.run()).replayed


async def test_neither_key_nor_caller_is_stored_in_clear(bench: Bench) -> None:
    await bench.run(Call("person:someone", "POST", "/v1/things", "a-telling-key"))
    async with bench.database.session() as session:
        row = await session.scalar(select(IdempotencyRecord))
    assert row is not None
    assert b"telling" not in row.key_hash
    assert len(row.key_hash) == len(row.body_hash) == 32


async def test_a_unit_without_work_is_not_opened(bench: Bench) -> None:
    async with bench.database.unit_of_work() as unit:
        with pytest.raises(Forbidden):
            await bench.idempotency.run(unit, CALL, BODY, allowed=_refuse, work=_never)
        assert not unit.is_open
        assert isinstance(unit, UnitOfWork)


def _refuse() -> None:
    raise Forbidden


async def _never() -> Receipt:
    raise AssertionError
