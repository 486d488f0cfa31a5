"""A store as the doctor reads it: one statement at a time, on connections that cannot write, in whatever state the store is.

SQLite files are opened read-only, and those that nobody has open as immutable, so that not even the files that SQLite keeps beside a
database come into being. PostgreSQL is asked in a read-only session with short timeouts.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import asyncpg

from app.audit.sources import LogSource, PostgresSource, SqliteSource
from app.kit.db import Database
from app.kit.models import from_microseconds

_SECONDS: Final = 5.0
_READ_ONLY: Final = {
    "application_name": "duanhao-doctor",
    "default_transaction_read_only": "on",
    "statement_timeout": "5000",
    "lock_timeout": "1000",
}

Part = Literal["business", "log"]


class StoreSilent(Exception):
    """The store does not answer a question; the message is the engine's first line."""


class Store(Protocol):
    """Something to ask."""

    dialect: Literal["sqlite", "postgresql"]

    async def ask(self, statement: str, *values: object, part: Part = "business") -> list[tuple[Any, ...]]:
        """Run one statement, with ``{log}`` before tables of the log; raise ``StoreSilent`` when there is no answer."""
        ...

    def log_source(self) -> LogSource:
        """Give the log for verification."""
        ...


def store_of(database: Database) -> "SqliteStore | PostgresStore":
    """Give the configured store; nothing is opened."""
    if database.dsn is None:
        return SqliteStore(database.business_path, database.log_path)
    return PostgresStore(database.dsn)


def instant(value: datetime | int) -> datetime:
    """Read a stored time of either engine."""
    return value if isinstance(value, datetime) else from_microseconds(value)


def read_only(path: Path) -> sqlite3.Connection:
    """Open a SQLite file so that nothing is written, beside it neither."""
    alone = not path.with_name(f"{path.name}-wal").exists()
    address = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if alone else ''}"
    return sqlite3.connect(address, uri=True, timeout=_SECONDS, check_same_thread=False)


class _QuietSource(SqliteSource):
    """The log's file, left as it is."""

    def _connect(self) -> sqlite3.Connection:
        connection = read_only(self._path)
        connection.text_factory = partial(str, encoding="utf-8", errors="replace")
        return connection


class SqliteStore:
    """Two files."""

    dialect: Literal["sqlite", "postgresql"] = "sqlite"

    def __init__(self, business: Path, log: Path) -> None:
        """Take where they are."""
        self.files: dict[Part, Path] = {"business": business, "log": log}

    async def ask(self, statement: str, *values: object, part: Part = "business") -> list[tuple[Any, ...]]:
        """Run one statement on one of the files."""
        return await asyncio.to_thread(self._ask, statement.format(log=""), values, self.files[part])

    def _ask(self, statement: str, values: Sequence[Any], path: Path) -> list[tuple[Any, ...]]:
        if not path.is_file():
            message = f"there is no file {path}"
            raise StoreSilent(message)
        try:
            with closing(read_only(path)) as connection:
                connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
                return connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise StoreSilent(_first_line(error)) from error

    def log_source(self) -> LogSource:
        """Give the log's file."""
        return _QuietSource(self.files["log"])


class PostgresStore:
    """A database, asked through one connection per question."""

    dialect: Literal["sqlite", "postgresql"] = "postgresql"

    def __init__(self, dsn: str) -> None:
        """Take the address of the service role."""
        self._dsn = dsn

    async def ask(self, statement: str, *values: object, part: Part = "business") -> list[tuple[Any, ...]]:
        """Run one statement in a session that cannot write."""
        del part
        try:
            connection = await asyncpg.connect(
                self._dsn, timeout=_SECONDS, command_timeout=_SECONDS, server_settings=_READ_ONLY
            )
        except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StoreSilent(_first_line(error)) from error
        try:
            return [tuple(row) for row in await connection.fetch(statement.format(log="log."), *values)]
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StoreSilent(_first_line(error)) from error
        finally:
            connection.terminate()

    def log_source(self) -> LogSource:
        """Give the schema of the log."""
        return PostgresSource(self._dsn)


def _first_line(error: Exception) -> str:
    said = str(error).splitlines()
    return f"{type(error).__name__}: {said[0]}" if said else type(error).__name__
