"""How connections are opened: PostgreSQL by the driver's own address, SQLite with the promises of its file set on each."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import asyncpg
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.kit.alive import only_alive

SQLITE_BUSY_MS: Final = 1500
POOL_WAIT_SECONDS: Final = 10.0


def postgres_engine(dsn: str, *, server_settings: Mapping[str, str] | None = None, **options: Any) -> AsyncEngine:  # noqa: ANN401 — of SQLAlchemy
    """Make an engine whose connections the driver opens by ``dsn``: ``sslmode`` and its like mean the same everywhere."""

    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(dsn, server_settings=dict(server_settings or {}), timeout=5)

    return only_alive(
        create_async_engine("postgresql+asyncpg://", async_creator=connect, hide_parameters=True, **options)
    )


def owned(path: Path) -> None:
    """Make a file that is not there for its owner alone, whatever the umask; what SQLite puts beside it has its mode.

    A file that is there is never opened: to close it again would drop the locks that this process holds on it.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def sqlite_engine(path: Path) -> AsyncEngine:
    """Make the engine of a SQLite file: one writing connection, every transaction of which takes the lock at once."""
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}",
        pool_size=1,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        hide_parameters=True,
        connect_args={"timeout": SQLITE_BUSY_MS / 1000},
    )

    @event.listens_for(engine.sync_engine, "do_connect")
    def _make(*_: object) -> None:
        owned(path)

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, record: object) -> None:  # noqa: ANN401 — driver connection
        del record
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "recursive_triggers = ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin_immediate(connection: Any) -> None:  # noqa: ANN401 — SQLAlchemy connection
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
