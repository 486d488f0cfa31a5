"""Several selects as one statement give what each gives alone."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Date, Integer, LargeBinary, String, bindparam, literal, select, type_coerce

from app.auth.models import AccountRow
from app.contacts.models import Tag
from app.kit.db import Database
from app.kit.models import Id, Instant, WrittenId, new_id
from app.kit.query import Query
from app.kit.together import Together
from tests.support.stores import TestStore

AT = datetime(2026, 11, 22, 6, 30, 0, 123456, tzinfo=UTC)
IDENTITY = new_id()

TAGS = select(Tag.name, Tag.created_at, type_coerce(Tag.name, LargeBinary)).where(
    Tag.name == bindparam("name", type_=String())
)
NOBODY = select(AccountRow.id, AccountRow.roles, AccountRow.mac).where(AccountRow.user_name_key == bindparam("name"))
CONSTANTS = select(
    literal(7, Integer()),
    literal(None, String()),
    literal("text", String()),
    literal(IDENTITY, Id()),
    literal(AT, Instant()),
    literal(b"\x00\xff", LargeBinary()),
    literal(date(2026, 11, 22), Date()),
)
SAME = select(literal("one", String()), literal("two", String()), bindparam("name", type_=String()))


@pytest.fixture
async def database(store: TestStore) -> AsyncIterator[Database]:
    found = Database(store.settings)
    async with found.unit_of_work() as unit:
        unit.session.add(Tag(name="night", description=None, created_at=AT))
        unit.session.add(Tag(name="day", description=None, created_at=AT))
    yield found
    await found.close()


async def test_every_select_gets_its_own_rows_in_its_own_types(database: Database) -> None:
    together = Together(tags=TAGS, nobody=NOBODY, constants=CONSTANTS, all=select(Tag.name), same=SAME)
    reader = database.reader
    found = await together.rows(reader, name="night")
    assert list(found) == ["tags", "nobody", "constants", "all", "same"]
    assert found["tags"] == [("night", AT, "night")]
    assert found["nobody"] == []
    assert found["constants"] == await Query(CONSTANTS).rows(reader)
    (constants,) = found["constants"]
    assert constants[:5] == (7, None, "text", IDENTITY, AT)
    assert {"night", "day"} <= {name for (name,) in found["all"]}
    assert found["same"] == [("one", "two", "night")]
    assert (await together.rows(reader, name="no such"))["tags"] == []


async def test_an_id_is_written_as_python_writes_it(database: Database) -> None:
    rows = await Query(select(WrittenId(literal(IDENTITY, Id())))).rows(database.reader)
    assert list(rows) == [(str(IDENTITY),)]
