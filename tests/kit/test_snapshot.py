"""A snapshot shows the store as of its first read, whatever is written meanwhile, and writes nothing."""

from typing import Any, Final

import pytest
from sqlalchemy import Select, column, func, select, table, text

from app.config import DatabaseSettings
from app.kit.db import Database
from app.kit.errors import Unavailable
from app.kit.snapshot import snapshot
from tests.support.stores import TestStore, settings_for

NAMES: Final[Select[*tuple[Any, ...]]] = select(func.count(), func.max(column("name_en"))).select_from(
    table("number_reserved", column("name_en"))
)
RENAME: Final = text("UPDATE number_reserved SET name_en = 'renamed'")


async def test_what_is_written_meanwhile_is_not_seen(store: TestStore) -> None:
    database = Database(store.settings)
    try:
        async with snapshot(database) as source:
            names = source.prepare(NAMES)
            before = await source.fetch(names)
            async with database.unit_of_work() as unit:
                await unit.session.execute(RENAME)
            assert await source.fetch(names) == before
            assert await source.fetch_points(names, {}) == before
            assert (await database.reader.fetch(database.reader.prepare(NAMES)))[0][1] == "renamed"
            writing = source.prepare(NAMES)
            writing.sql = str(RENAME)
            with pytest.raises(Unavailable):
                await source.fetch(writing)
    finally:
        await database.close()


async def test_a_store_that_does_not_answer(store: TestStore) -> None:
    url = "postgresql://nobody@127.0.0.1:1/none"
    settings = settings_for(store.settings.data_dir, database=DatabaseSettings.model_validate({"url": url}))
    database = Database(settings)
    with pytest.raises(Unavailable):
        async with snapshot(database):
            pass
    await database.close()
