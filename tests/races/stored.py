"""Looking into a store from outside of the service: what is really there, whatever the service says."""

import sqlite3
from contextlib import closing
from typing import Any
from uuid import UUID

import asyncpg

from tests.support.postgres import in_thread
from tests.support.stores import TestStore


def rows(store: TestStore, sql: str, *, log: bool = False) -> list[tuple[Any, ...]]:
    """Run a query without parameters; ``log`` asks the log's file on SQLite (tables have no schema there)."""
    if store.dialect == "sqlite":
        path = store.log_path if log else store.business_path
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(sql.replace("log.", "")).fetchall()
    dsn = store.superuser_dsn

    async def fetch() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(dsn)
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    return in_thread(fetch())


def identity(value: object) -> str:
    """Write an id as either engine gives it as text."""
    return str(UUID(bytes=value)) if isinstance(value, bytes) else str(value)


def event_ids(store: TestStore) -> list[str]:
    """List the ids of all events, by index."""
    return [identity(row[0]) for row in rows(store, 'SELECT id FROM log.event ORDER BY "index"', log=True)]


def indexes(store: TestStore) -> list[int]:
    """List the indexes of all events, in order."""
    return [row[0] for row in rows(store, 'SELECT "index" FROM log.event ORDER BY "index"', log=True)]
