"""Fixtures of the crypto tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from app.crypto.bootstrap import init_keys
from app.crypto.models import DataKeyRow, HistoryKeyRow, Kek, SigningKeyRow
from app.kit.models import Base
from tests.crypto.material import Sessions, TurningProvider, Vault
from tests.support.clock import FrozenClock
from tests.support.stores import TestStore


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
async def sessions(empty_store: TestStore, tmp_path: Path) -> AsyncIterator[Sessions]:
    """Sessions on each engine in turn, with the key tables and nothing in them."""
    if empty_store.dialect == "postgresql":
        url = make_url(empty_store.owner_dsn).set(drivername="postgresql+asyncpg")
    else:
        url = make_url(f"sqlite+aiosqlite:///{tmp_path / 'keys.sqlite3'}")
    engine = create_async_engine(url)
    tables = [Base.metadata.tables[table.__tablename__] for table in (Kek, DataKeyRow, HistoryKeyRow, SigningKeyRow)]
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all, tables=tables)
    yield async_sessionmaker(engine, expire_on_commit=False)
    await engine.dispose()


@pytest.fixture
def provider() -> TurningProvider:
    return TurningProvider()


@pytest.fixture
async def ready(sessions: Sessions, provider: TurningProvider) -> Sessions:
    """Make the store as it is after a first start."""
    async with sessions.begin() as session:
        await init_keys(session, provider, clock=FrozenClock())
    return sessions
