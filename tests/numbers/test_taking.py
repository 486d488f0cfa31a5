"""What taking the next number costs a store that is almost full, and what happens when the only free ones are in somebody else's hands."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from sqlalchemy import event, select
from sqlalchemy.dialects.postgresql import asyncpg as driver
from sqlalchemy.dialects.sqlite import aiosqlite

from app.kit.db import Prepared
from app.numbers import counting
from app.numbers.choosing import Choice
from app.numbers.models import Number
from app.numbers.nice import Level
from app.numbers.taking import TAKE, TAKE_AND_TELL
from tests.numbers.calls import TestPool, add_pool, it_client, wanted
from tests.support.application import World
from tests.support.plans import explained, sqlite_plan, sqlite_steps
from tests.support.shared import Company, add_person
from tests.support.stores import PostgresTestStore, SqliteTestStore

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIZE = 10_000
IN = 100
"""One of so many is free: 99 % are used, all over the pool."""
FEW_PAGES = 80
FEW_STEPS = 400

_OF_POOL = "number.pool_id = (SELECT id FROM number_pool WHERE code = {})"
_BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"


def _asking_for(choice: Choice) -> Any:  # noqa: ANN401 — a select
    columns: tuple[Any, ...] = (Number.digits, Number.sort_key)
    return select(*columns).where(choice.open, *choice.conditions()).order_by(Number.sort_key).limit(20)


USING = {
    "ix_number_aside": counting._COUNTED,
    "ix_number_nice": _asking_for(Choice(least=Level.NICE)),
    "ix_number_waiting": _asking_for(Choice(exactly=Level.RARE)),
}
"""An index that nothing asked would only cost those who write."""


@asynccontextmanager
async def _in_other_hands(store: PostgresTestStore, pool: TestPool) -> AsyncIterator[asyncpg.Connection]:
    """Have every number of a pool locked by somebody who has not decided yet."""
    connection = await asyncpg.connect(store.owner_dsn)
    try:
        await connection.execute("BEGIN")
        await connection.fetch(f"SELECT id FROM number WHERE {_OF_POOL.format('$1')} FOR UPDATE", pool.code)
        yield connection
    finally:
        await connection.close()


@contextmanager
def _takes(world: World) -> Iterator[list[str]]:
    """Note how the statements that take numbers lock."""
    engine, noted = world.application.database.engine.sync_engine, list[str]()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("WITH free AS"):
            noted.append("skips" if "SKIP LOCKED" in statement else "waits")

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def _asked(world: World, pool: TestPool, people: list[UUID], held: asyncpg.Connection) -> list[Any]:
    """Ask for a number for each of these people at once; give the calls when one of them waits for ``held``."""
    it = await it_client(world)
    calls = [asyncio.ensure_future(it.post(f"{pool.path}/allocations", json=wanted(each))) for each in people]
    while not await held.fetchval(_BLOCKED):
        assert not any(each.done() for each in calls), "refused, though nothing was decided"
        await asyncio.sleep(0.01)
    return calls


@pytest.mark.parametrize("callers", [1, 3])
async def test_what_others_let_go_is_had_by_asking_once_more_and_waiting(company: Company, callers: int) -> None:
    world, store = company.world, company.store
    if store.dialect == "sqlite":
        pytest.skip("one writer: there are no rows to pass over")
    pool, people = await add_pool(world, callers), [(await add_person(world)).id for _ in range(callers)]
    with _takes(world) as takes:
        async with _in_other_hands(store, pool) as held:
            calls = await _asked(world, pool, people, held)
            await held.execute("ROLLBACK")
            answers: list[httpx.Response] = await asyncio.gather(*calls)
    assert [each.status_code for each in answers] == [201] * callers, [each.text for each in answers]
    given = [number["digits"] for each in answers for number in each.json()["numbers"]]
    assert sorted(given) == [pool.digits(at) for at in range(callers)]
    how = Counter(takes)
    assert callers <= how["skips"] < 2 * callers or callers == how["skips"], "alone, after groups that found nothing"
    assert 1 <= how["waits"] <= callers, "who passed over them all waits, once"


async def test_what_others_keep_is_refused_after_asking_once_more(company: Company) -> None:
    world, store = company.world, company.store
    if store.dialect == "sqlite":
        pytest.skip("one writer: there are no rows to pass over")
    pool, person = await add_pool(world, 2), await add_person(world)
    with _takes(world) as takes:
        async with _in_other_hands(store, pool) as held:
            (call,) = await _asked(world, pool, [person.id], held)
            await held.execute(f"UPDATE number SET state = 'retired' WHERE {_OF_POOL.format('$1')}", pool.code)
            await held.execute("COMMIT")
            answer: httpx.Response = await call
    assert (answer.status_code, answer.json()["code"]) == (409, "pool_exhausted")
    assert takes == ["skips", "waits"]


async def test_the_next_number_of_an_almost_full_pool_is_a_few_rows_of_two_indexes(company: Company) -> None:
    world, store = company.world, company.store
    pool, person = await add_pool(world, 1), await add_person(world)
    asked = {"wanted": 1, "now": datetime.now(UTC), "holder": person.id, "kind": "contact"}
    if store.dialect == "sqlite":
        _read_on_sqlite(store, pool, asked)
    else:
        await _read_on_postgresql(store, pool, asked)


def _read_on_sqlite(store: SqliteTestStore, pool: TestPool, asked: dict[str, Any]) -> None:
    with closing(sqlite3.connect(store.business_path, isolation_level=None, timeout=10)) as connection:
        identity = UUID(
            bytes=connection.execute("SELECT id FROM number_pool WHERE code = ?", [pool.code]).fetchone()[0]
        )
        compiled = TAKE.compiled_for(aiosqlite.dialect())
        arguments = compiled.arguments({**asked, "pool": identity})
        alone = sqlite_steps(connection, compiled.sql, arguments)
        connection.execute(
            "INSERT INTO number (domain_id, pool_id, range_id, digits, state, sort_key, available_from, row_version) "
            "WITH RECURSIVE at(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM at WHERE n < ?) "
            "SELECT domain_id, pool_id, range_id, digits + n, "
            "CASE WHEN n % ? = 0 THEN 'available' WHEN n % 3 = 0 THEN 'quarantined' ELSE 'assigned' END, "
            "sort_key + n, CASE WHEN n % ? > 0 AND n % 3 = 0 THEN 8000000000000000 END, 1 "
            f"FROM number, at WHERE {_OF_POOL.format('?')}",
            [SIZE, IN, IN, pool.code],
        )
        connection.execute("UPDATE number SET state = 'assigned' WHERE digits = ?", [pool.digits()])
        plan = sqlite_plan(connection, compiled.sql, arguments)
        assert "SCAN number" not in plan
        assert "ix_number_free (pool_id=? AND sort_key>?)" in plan
        assert "ix_number_waiting (pool_id=? AND available_from<?)" in plan
        assert sqlite_steps(connection, compiled.sql, arguments) < alone + FEW_STEPS
        for name, statement in USING.items():
            prepared = Prepared(statement, aiosqlite.dialect())
            plan = sqlite_plan(connection, prepared.sql, prepared.arguments({**asked, "pool": identity}))
            assert name in plan, plan
            assert "SCAN number" not in plan
        connection.execute("DELETE FROM number WHERE digits > ? AND digits <= ?", [pool.digits(), pool.digits(SIZE)])


async def _read_on_postgresql(store: PostgresTestStore, pool: TestPool, asked: dict[str, Any]) -> None:
    connection = await asyncpg.connect(store.owner_dsn)
    try:
        identity = await connection.fetchval("SELECT id FROM number_pool WHERE code = $1", pool.code)
        await connection.execute(
            "INSERT INTO number (domain_id, pool_id, range_id, digits, state, sort_key, available_from, row_version) "
            "SELECT domain_id, pool_id, range_id, (digits::bigint + n)::text, "
            "CASE WHEN n % $3 = 0 THEN 'available' WHEN n % 3 = 0 THEN 'quarantined' ELSE 'assigned' END, "
            "sort_key + n, CASE WHEN n % $3 > 0 AND n % 3 = 0 THEN now() + interval '9 days' END, 1 "
            "FROM number, generate_series(1::bigint, $2::bigint) AS n WHERE pool_id = $1",
            identity,
            SIZE,
            IN,
        )
        await connection.execute("UPDATE number SET state = 'assigned' WHERE digits = $1", pool.digits())
        await connection.execute("ANALYZE number")
        for taking in TAKE_AND_TELL.values():
            compiled = taking.compiled_for(driver.dialect())  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
            found = await explained(connection, compiled.sql, compiled.arguments({**asked, "pool": identity}))
            assert not found.read_whole & {"number", "number_assignment"}, found.plan
            assert {"ix_number_free", "ix_number_waiting"} <= found.indexes
            assert found.rows("number") <= 4, found.plan
            assert found.pages <= FEW_PAGES, found.pages
        for name, statement in USING.items():
            prepared = Prepared(statement, driver.dialect())  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
            found = await explained(connection, prepared.sql, prepared.arguments({**asked, "pool": identity}))
            assert name in found.indexes, found.plan
        one = TAKE_AND_TELL[True, False].compiled_for(driver.dialect())  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
        for _ in range(12):
            await connection.fetch(one.sql, *one.arguments({**asked, "pool": UUID(int=0)}))
        (kept,) = await connection.fetch(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement = $1", one.sql
        )
        assert kept["generic_plans"] > kept["custom_plans"], "planned anew for every call"
    finally:
        await connection.close()
