"""Fixtures of the sign-in tests."""

from collections.abc import AsyncIterator

import pytest

from app.config import DatabaseSettings
from app.kit.db import Database
from tests.auth.world import World, build, make_tables, people
from tests.support.clock import FrozenClock
from tests.support.stores import SqliteTestStore, TestStore, settings_for


@pytest.fixture
async def database(empty_store: TestStore) -> AsyncIterator[Database]:
    """Open each engine in turn."""
    settings = empty_store.settings
    if empty_store.dialect == "postgresql":
        own = DatabaseSettings.model_validate({"url": empty_store.owner_dsn})
        settings = settings_for(settings.data_dir, database=own)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    opened = Database(settings)
    await make_tables(opened)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_database(empty_sqlite_store: SqliteTestStore) -> AsyncIterator[Database]:
    """Give the quick engine, for rules that do not depend on one."""
    empty_sqlite_store.settings.data_dir.mkdir(parents=True)
    opened = Database(empty_sqlite_store.settings)
    await make_tables(opened)
    yield opened
    await opened.close()


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """Wire sign-in on each engine, with ``intranet``, ``hr-system`` and ``demo-staff``."""
    built = await build(database, FrozenClock())
    await people(built)
    yield built
    await built.http.aclose()


@pytest.fixture
async def quick(sqlite_database: Database) -> AsyncIterator[World]:
    """Wire the same on SQLite alone."""
    built = await build(sqlite_database, FrozenClock())
    await people(built)
    yield built
    await built.http.aclose()
