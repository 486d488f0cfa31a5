"""A PostgreSQL that stopped answering, its connections still open: readers are told when a statement's time is over, not a minute later."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import literal, select

from app.kit.db import Database
from app.kit.errors import Unavailable
from tests.support.stores import PostgresTestStore

ONE = select(literal(1).label("one"))
SLOWEST_MS = 300


@pytest_asyncio.fixture
async def hasty(postgres_store: PostgresTestStore) -> AsyncIterator[Database]:
    """Give a database of one connection that waits for a statement no longer than ``SLOWEST_MS``; it has answered once."""
    given = {"statement_timeout_ms": SLOWEST_MS, "pool_size": 1}
    settings = postgres_store.settings
    database = Database(settings.model_copy(update={"database": settings.database.model_copy(update=given)}))
    try:
        await answered(database)
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def frozen(store: PostgresTestStore) -> AsyncIterator[list[int]]:
    """Stop every process that serves the store's database now; let them go on at the end."""
    watching = await asyncpg.connect(store.superuser_dsn)
    try:
        rows = await watching.fetch(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        processes = [row["pid"] for row in rows]
        for each in processes:
            os.kill(each, signal.SIGSTOP)
        try:
            yield processes
        finally:
            for each in processes:
                os.kill(each, signal.SIGCONT)
    finally:
        await watching.close()


async def answered(database: Database) -> None:
    """Read until there is an answer: on a busy machine a new connection may take longer than these readers wait."""
    async with asyncio.timeout(60):
        while True:
            try:
                assert await database.reader.fetch(database.reader.prepare(ONE)) == [(1,)]
            except Unavailable:
                continue
            return


async def test_a_server_that_does_not_answer_is_waited_for_no_longer_than_a_statement_may_take(
    postgres_store: PostgresTestStore, hasty: Database
) -> None:
    async with frozen(postgres_store) as processes:
        assert processes
        with pytest.raises(Unavailable):
            await asyncio.wait_for(hasty.reader.fetch(hasty.reader.prepare(ONE)), 30)
        await answered(hasty)
    await answered(hasty)


async def test_a_reader_who_waits_for_a_connection_waits_no_longer_either(
    postgres_store: PostgresTestStore, hasty: Database
) -> None:
    one = hasty.reader.prepare(ONE)
    async with frozen(postgres_store):
        reads = [hasty.reader.fetch(one) for _ in range(3)]
        told = await asyncio.wait_for(asyncio.gather(*reads, return_exceptions=True), 30)
        assert type(told[0]) is Unavailable
        assert all(type(each) is Unavailable or each == [(1,)] for each in told)
    await answered(hasty)
