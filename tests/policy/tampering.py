"""Somebody with the database in hand: edits rows past the service, and takes the edit back when the test is over."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg

from tests.support.stores import SqliteTestStore, TestStore


class Intruder:
    """A superuser's connection, or the file itself."""

    def __init__(self, store: TestStore) -> None:
        """Take the store."""
        self._store = store
        self._checked = True

    async def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 — driver values
        """Run one statement; ``?`` stands for a value, and names of tables need no schema."""
        if isinstance(self._store, SqliteTestStore):
            connection = sqlite3.connect(self._store.business_path, timeout=5, isolation_level=None)
            try:
                if not self._checked:
                    connection.execute("PRAGMA ignore_check_constraints = ON")
                given = [value.bytes if isinstance(value, UUID) else value for value in values]
                return connection.execute(statement, given).fetchall()
            finally:
                connection.close()
        for at in range(len(values)):
            statement = statement.replace("?", f"${at + 1}", 1)
        session = await asyncpg.connect(self._store.superuser_dsn, timeout=10)
        try:
            return [tuple(row) for row in await session.fetch(statement, *values)]
        finally:
            await session.close()

    @asynccontextmanager
    async def unconstrained(self, table: str) -> AsyncIterator[None]:
        """Do without the table's check constraints; put them back."""
        if isinstance(self._store, SqliteTestStore):
            self._checked = False
            try:
                yield
            finally:
                self._checked = True
            return
        found = await self.run(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c' AND conrelid = ?::regclass",
            table,
        )
        for name, _ in found:
            await self.run(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        try:
            yield
        finally:
            for name, definition in found:
                await self.run(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')

    @asynccontextmanager
    async def edited(self, table: str, key: str, identity: Any, **columns: Any) -> AsyncIterator[None]:  # noqa: ANN401 — driver values
        """Write ``columns`` into a row; put back what stood there."""
        names = ", ".join(columns)
        (before,) = await self.run(f"SELECT {names} FROM {table} WHERE {key} = ?", identity)
        assignments = ", ".join(f"{name} = ?" for name in columns)
        await self.run(f"UPDATE {table} SET {assignments} WHERE {key} = ?", *columns.values(), identity)
        try:
            yield
        finally:
            await self.run(f"UPDATE {table} SET {assignments} WHERE {key} = ?", *before, identity)

    async def column(self, table: str, key: str, identity: Any, name: str) -> Any:  # noqa: ANN401 — driver value
        """Read one column as it is stored."""
        ((value,),) = await self.run(f"SELECT {name} FROM {table} WHERE {key} = ?", identity)
        return value
