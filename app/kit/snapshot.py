"""Reading a store as of one moment, however long it takes: what is compared with each other is from the same transaction.

A reader like any other, on a connection of its own that cannot write and that nobody waits for: SQLite keeps what it shows in the
write-ahead log, PostgreSQL in old row versions, both until the snapshot is let go.
"""

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import asyncpg
import orjson

from app.kit.db import Database, PostgresReader, Prepared, Reader, Row, SqliteReader
from app.kit.errors import Unavailable

_SETTINGS: Final = {
    "application_name": "duanhao-snapshot",
    "default_transaction_read_only": "on",
    "lock_timeout": "1000",
    "statement_timeout": "30000",
    "idle_in_transaction_session_timeout": "60000",
}
_BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_CONNECT_SECONDS: Final = 5.0
_LONGEST_SECONDS: Final = 30.0


class _SqliteSnapshot(SqliteReader):
    """One thread, one connection, one transaction, which begins with the first read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="duanhao-snapshot")
        self._begun = False

    def _run(self, sql: str, arguments: list[Any]) -> list[Row]:
        if not self._begun:
            super()._run("BEGIN", [])
            self._begun = True
        return super()._run(sql, arguments)

    async def fetch_points(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        """Run the statement where all the others run."""
        return await self.fetch_raw(prepared, values)


class _PostgresSnapshot(PostgresReader):
    """One connection in one transaction."""

    def __init__(self, dsn: str, connection: asyncpg.Connection) -> None:
        super().__init__(dsn, size=1, server_settings={}, patience=_LONGEST_SECONDS)
        self._connection = connection

    async def fetch_raw(self, prepared: Prepared, values: Mapping[str, Any] | None = None) -> list[Row]:
        """Run the statement in the transaction."""
        try:
            rows: Sequence[Any] = await self._connection.fetch(prepared.sql, *prepared.arguments(values or {}))
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise Unavailable from error
        return [tuple(row) for row in rows]

    async def close(self) -> None:
        """Let the connection and its transaction go."""
        self._connection.terminate()


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[Reader]:
    """Give a reader of the business store whose every read is as of one moment; raise ``Unavailable`` when the store does not answer."""
    reader: Reader
    if database.dsn is None:
        reader = _SqliteSnapshot(database.business_path)
    else:
        reader = await _postgres(database.dsn)
    try:
        yield reader
    except sqlite3.Error as error:
        raise Unavailable from error
    finally:
        await reader.close()


async def _postgres(dsn: str) -> PostgresReader:
    connection: asyncpg.Connection | None = None
    try:
        connection = await asyncpg.connect(
            dsn, timeout=_CONNECT_SECONDS, command_timeout=_LONGEST_SECONDS, server_settings=_SETTINGS
        )
        for name in ("json", "jsonb"):
            await connection.set_type_codec(
                name,
                schema="pg_catalog",
                format="text",
                encoder=lambda value: orjson.dumps(value).decode(),
                decoder=orjson.loads,
            )
        await connection.execute(_BEGIN)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if connection is not None:
            connection.terminate()
        raise Unavailable from error
    return _PostgresSnapshot(dsn, connection)
