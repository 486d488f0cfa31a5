"""Statements that go straight to the driver are part of the session's transaction, and fail as SQLAlchemy would have it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from sqlalchemy import String, bindparam, delete, event, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from app.contacts.models import Tag
from app.kit.db import Database
from app.kit.errors import Unavailable
from app.kit.models import Instant
from app.kit.straight import Straight, Writes
from tests.support.stores import PostgresTestStore, TestStore

WANTED: Final = bindparam("wanted", type_=String())
NAMED: Final = Straight(select(Tag.name, Tag.description, Tag.created_at).where(Tag.name == WANTED))
ADD: Final = Straight(insert(Tag), columns=("name", "description", "created_at"))
SAY: Final = Straight(
    update(Tag).where(Tag.name == WANTED).values(description=bindparam("said", type_=String())).returning(Tag.name)
)
REMOVE: Final = Straight(delete(Tag).where(Tag.name == WANTED))
CHANGE: Final = Straight(
    update(Tag)
    .where(Tag.name == WANTED)
    .values(description=bindparam("said", type_=String()), created_at=bindparam("at", type_=Instant()))
)
ADD_NEW: Final = Straight(
    insert(Tag).from_select(
        ["name", "created_at"],
        select(WANTED, bindparam("at", type_=Instant())).where(~select(Tag.name).where(Tag.name == WANTED).exists()),
    )
)
AT: Final = datetime(2026, 11, 21, 12, 30, 15, 123456, tzinfo=UTC)


def tag(name: str) -> dict[str, Any]:
    return {"name": name, "description": None, "created_at": AT}


@pytest.fixture
async def database(store: TestStore) -> AsyncIterator[Database]:
    found = Database(store.settings)
    yield found
    await found.close()


@contextmanager
def heard(database: Database) -> Iterator[list[str]]:
    """Listen to what SQLAlchemy sends."""
    sent: list[str] = []

    def note(_: object, __: object, sql: str, *___: object) -> None:
        sent.append(sql)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


@contextmanager
def unheard(database: Database) -> Iterator[list[str]]:
    """Listen to nothing."""
    del database
    yield []


async def names(database: Database) -> list[str]:
    async with database.session() as session:
        return sorted((await session.scalars(select(Tag.name))).all())


@pytest.mark.parametrize("listening", [heard, unheard])
async def test_values_and_rows_are_those_of_sqlalchemy(database: Database, listening: Any) -> None:  # noqa: ANN401 — either of the two
    with listening(database):
        async with database.unit_of_work() as unit:
            await ADD.each(unit.session, [tag("一"), tag("二")])
            await ADD.each(unit.session, [tag("三")])
            await ADD.each(unit.session, [])
            assert await SAY.rows(unit.session, {"wanted": "二", "said": "说明"}) == [("二",)]
            assert await NAMED.rows(unit.session, {"wanted": "二"}) == [("二", "说明", AT)]
            assert await NAMED.rows(unit.session, {"wanted": "四"}) == []
            assert await REMOVE.rows(unit.session, {"wanted": "一"}) == []
            mapped = (await unit.session.execute(select(Tag.name, Tag.description, Tag.created_at))).all()
            assert sorted(map(tuple, mapped)) == [("三", None, AT), ("二", "说明", AT)]
    assert await names(database) == ["三", "二"]


@pytest.mark.parametrize("listening", [heard, unheard])
async def test_writes_that_go_together_are_all_there_or_none(database: Database, listening: Any) -> None:  # noqa: ANN401 — either of the two
    with listening(database):
        async with database.unit_of_work() as unit:
            writes = Writes()
            await writes.run(unit.session)
            assert not unit.is_open, "nothing gathered, nothing sent"
            await ADD.each(unit.session, [tag("a"), tag("b")])
            writes.add(SAY, {"wanted": "a", "said": "x"})
            writes.add(REMOVE, {"wanted": "b"})
            writes.add(ADD)
            writes.add(ADD, *(tag(f"n{at}") for at in range(40)))
            writes.add(ADD, tag("c"))
            await writes.run(unit.session)
            await writes.run(unit.session)
            assert await NAMED.rows(unit.session, {"wanted": "a"}) == [("a", "x", AT)]
        before = await names(database)
        assert before == sorted(["a", "c", *(f"n{at}" for at in range(40))])
        with pytest.raises(IntegrityError):  # noqa: PT012 — the unit's end is part of it
            async with database.unit_of_work() as unit:
                writes = Writes()
                for name in ("d", "e", "c"):
                    writes.add(ADD, tag(name))
                await writes.run(unit.session)
    assert await names(database) == before


@pytest.mark.parametrize("listening", [heard, unheard])
async def test_writes_of_rows_apart_are_what_each_would_have_written(database: Database, listening: Any) -> None:  # noqa: ANN401 — either of the two
    later = AT.replace(year=2027)
    async with database.unit_of_work() as unit:
        await ADD.each(unit.session, [tag(name) for name in ("a", "b", "c", "d", "e")])
    with listening(database):
        async with database.unit_of_work() as unit:
            writes = Writes()
            await writes.run(unit.session, apart=True)
            assert not unit.is_open, "nothing gathered, nothing sent"
            writes.add(
                CHANGE, *({"wanted": name, "said": said, "at": later} for name, said in (("a", "x"), ("b", None)))
            )
            writes.add(REMOVE, {"wanted": "c"}, {"wanted": "nobody"})
            writes.add(ADD, *(tag(f"n{at}") for at in range(3)))
            writes.add(ADD_NEW, *({"wanted": name, "at": later} for name in ("d", "new")))
            writes.add(SAY, {"wanted": "e", "said": "by itself, since it tells something"})
            await writes.run(unit.session, apart=True)
            await writes.run(unit.session, apart=True)
    async with database.session() as session:
        found = {name: rest for name, *rest in await session.execute(select(Tag.name, Tag.description, Tag.created_at))}
    assert found == {
        "a": ["x", later],
        "b": [None, later],
        "d": [None, AT],
        "e": ["by itself, since it tells something", AT],
        "n0": [None, AT],
        "n1": [None, AT],
        "n2": [None, AT],
        "new": [None, later],
    }
    with listening(database), pytest.raises(IntegrityError):  # noqa: PT012 — the unit's end is part of it
        async with database.unit_of_work() as unit:
            writes.add(ADD, tag("f"), tag("a"))
            writes.add(REMOVE, {"wanted": "b"})
            await writes.run(unit.session, apart=True)
    assert await names(database) == sorted(found)


async def test_only_the_first_statement_takes_the_long_way(database: Database) -> None:
    """As SQLAlchemy tells it: what it does not send itself, it does not count."""
    counted: list[str] = []
    async with database.unit_of_work() as unit:
        await ADD.each(unit.session, [tag("a")])
        connection = await unit.session.connection()
        event.listen(connection.sync_connection, "before_cursor_execute", lambda *given: counted.append(given[2]))
        await NAMED.rows(unit.session, {"wanted": "a"})
        await ADD.each(unit.session, [tag("b")])
        assert counted == []
        await unit.session.execute(select(Tag.name))
        assert len(counted) == 1
    assert await names(database) == ["a", "b"]


async def test_what_is_pending_is_written_first(database: Database) -> None:
    async with database.unit_of_work() as unit:
        unit.session.add(Tag(**tag("a")))
        assert await NAMED.rows(unit.session, {"wanted": "a"}) == [("a", None, AT)]


async def test_nothing_stays_of_a_transaction_that_is_rolled_back(database: Database) -> None:
    class PulledPlug(Exception):
        pass

    with pytest.raises(PulledPlug):  # noqa: PT012 — the unit's end is part of it
        async with database.unit_of_work() as unit:
            await ADD.each(unit.session, [tag("a")])
            await ADD.each(unit.session, [tag("b")])
            raise PulledPlug
    assert await names(database) == []


async def test_a_savepoint_takes_back_what_was_written_in_it(database: Database) -> None:
    async with database.unit_of_work() as unit:
        await ADD.each(unit.session, [tag("a")])
        with pytest.raises(IntegrityError):  # noqa: PT012 — the savepoint's end is part of it
            async with unit.session.begin_nested():
                await ADD.each(unit.session, [tag("b")])
                await ADD.each(unit.session, [tag("a")])
        await ADD.each(unit.session, [tag("c")])
        async with unit.session.begin_nested():
            await ADD.each(unit.session, [tag("d")])
        undone = await unit.session.begin_nested()
        await ADD.each(unit.session, [tag("e")])
        await undone.rollback()
        await ADD.each(unit.session, [tag("f")])
    assert await names(database) == ["a", "c", "d", "f"]


async def test_two_transactions_of_one_session_are_two(database: Database) -> None:
    async with database.session() as session:
        await ADD.each(session, [tag("a")])
        await session.commit()
        await ADD.each(session, [tag("b")])
        await session.rollback()
    assert await names(database) == ["a"]


async def test_a_lock_that_is_not_given_in_time_is_unavailable(store: TestStore) -> None:
    settings = store.settings
    brief = settings.model_copy(update={"database": settings.database.model_copy(update={"lock_timeout_ms": 200})})
    one, two = Database(brief), Database(brief)
    try:
        async with one.unit_of_work() as unit:
            await ADD.each(unit.session, [tag("a")])
        async with one.unit_of_work() as holder:
            await SAY.rows(holder.session, {"wanted": "a", "said": "x"})
            with pytest.raises(Unavailable):  # noqa: PT012 — the unit's end is part of it
                async with two.unit_of_work() as waiting:
                    await NAMED.rows(waiting.session, {"wanted": "a"})
                    await SAY.rows(waiting.session, {"wanted": "a", "said": "y"})
    finally:
        await one.close()
        await two.close()


async def test_a_connection_that_ends_in_between_is_unavailable_and_not_used_again(
    postgres_store: PostgresTestStore,
) -> None:
    database = Database(postgres_store.settings)
    try:
        with pytest.raises(Unavailable):  # noqa: PT012 — the unit's end is part of it
            async with database.unit_of_work() as unit:
                await ADD.each(unit.session, [tag("a")])
                await _end(postgres_store)
                await ADD.each(unit.session, [tag("b")])
        async with database.unit_of_work() as unit:
            await ADD.each(unit.session, [tag("c")])
            await ADD.each(unit.session, [tag("d")])
        await _end(postgres_store)
        async with database.unit_of_work() as unit:
            await ADD.each(unit.session, [tag("e")])
        assert await names(database) == ["c", "d", "e"]
    finally:
        await database.close()


_UNTIL_TOLD: Final = 0.3
"""Seconds for the loop to read that its connections have ended; a pool that has not been told gives one of them out again."""


async def _end(store: PostgresTestStore) -> None:
    """End every connection of the service, as an administrator would."""
    other = Database(store.settings.model_copy(update={"database": store.settings.database}))
    try:
        async with other.session() as session:
            await session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
                )
            )
    finally:
        await other.close()
    await asyncio.sleep(_UNTIL_TOLD)
