"""Fixtures of the crypto tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from app.crypto.models import DataKeyRow, HistoryKeyRow, Kek, SigningKeyRow
from app.kit.models import Base
from tests.crypto.material import Vault
from tests.support.stores import TestStore


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
async def sessions(empty_store: TestStore, tmp_path: Path) -> AsyncIterator[async_sessionmaker[AsyncSession]]:
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
