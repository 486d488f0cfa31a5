"""What is appended stays: every way of changing or removing a row is tried on every append-only table and refused.

On SQLite by a plain connection, as somebody with a shell would have it. On PostgreSQL as the service role, which lacks
the right, and as the owner and the superuser, who have it and meet the trigger.
"""

import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import Column, Dialect, PrimaryKeyConstraint, Table, UniqueConstraint, make_url
from sqlalchemy.types import TypeEngine

from app.kit.models import Id, Instant
from app.tables import metadata
from tests.support.postgres import SERVICE
from tests.support.stores import PostgresTestStore, SqliteTestStore

APPEND_ONLY: Final = (
    "log.leaf",
    "log.event",
    "log.subject_entry",
    "log.batch",
    "contact_change",
    "calendar_revision",
    "policy_version",
    "policy_activation",
    "consent",
    "privacy_notice",
    "privacy_acknowledgement",
    "undertaking_text",
    "person_link",
    "campaign_decision",
    "campaign_opening",
)

WORDS: Final = {"event": "given", "source": "person", "basis": "consent"}
"""Values of columns that take only some."""
MOMENT: Final = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
SUBJECT: Final = UUID("01936b00-0000-7000-8000-000000000001")


def sample(column: Column[Any], *, other: bool) -> Any:  # noqa: ANN401 — whatever the column holds
    """Make one of two values that fit the column."""
    kind: TypeEngine[Any] = column.type
    if column.nullable:
        return None
    if column.table.name == "consent" and column.name in WORDS:
        return WORDS[column.name]
    if isinstance(kind, Id):
        return UUID(int=SUBJECT.int + other)
    if isinstance(kind, Instant):
        return MOMENT + timedelta(days=other)
    length = getattr(kind, "length", None) or 16
    word = "xy"[other]
    values = {bytes: bytes([1 + other]) * length, int: 1 + other, bool: not other, str: word, object: [word]}
    return values[kind.python_type]


def row_for(table: Table, dialect: Dialect, *, sharing: Collection[str] | None = None) -> dict[str, Any]:
    """Make one row of values for the driver; with ``sharing``, one that equals it in those columns only."""
    row: dict[str, Any] = {}
    for column in table.columns:
        value = sample(column, other=sharing is not None and column.name not in sharing)
        bind = column.type.dialect_impl(dialect).bind_processor(dialect)
        row[column.name] = bind(value) if bind is not None else value
    return row


def unique_keys(table: Table) -> list[tuple[str, ...]]:
    """List the column sets of which the table allows each value once; a replacing insert may collide on any of them."""
    constraints = [found for found in table.constraints if isinstance(found, PrimaryKeyConstraint | UniqueConstraint)]
    indexes = [found for found in table.indexes if found.unique]
    return sorted({tuple(column.name for column in found.columns) for found in (*constraints, *indexes)})


def quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


@pytest.mark.parametrize("name", APPEND_ONLY)
def test_sqlite_refuses(sqlite_store: SqliteTestStore, name: str) -> None:
    table, dialect = metadata.tables[name], make_url("sqlite://").get_dialect()()
    path = sqlite_store.log_path if table.schema else sqlite_store.business_path
    row = row_for(table, dialect)
    first = next(iter(row))
    into = f'INTO "{table.name}" ({quoted(row)}) VALUES ({", ".join("?" * len(row))})'
    tries: list[tuple[str, list[Any]]] = [
        (f'UPDATE "{table.name}" SET "{first}" = "{first}"', []),
        (f'UPDATE OR REPLACE "{table.name}" SET "{first}" = "{first}"', []),
        (f'DELETE FROM "{table.name}"', []),
    ]
    for key in unique_keys(table):
        colliding = list(row_for(table, dialect, sharing=key).values())
        upsert = f'ON CONFLICT ({quoted(key)}) DO UPDATE SET "{first}" = excluded."{first}"'
        tries.extend(
            (statement, colliding)
            for statement in (f"INSERT OR REPLACE {into}", f"REPLACE {into}", f"INSERT {into} {upsert}")
        )
    columns = quoted(row)
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute(f"INSERT {into}", list(row.values()))
        before = file.execute(f'SELECT {columns} FROM "{table.name}"').fetchall()
        for recursive in ("OFF", "ON"):
            file.execute(f"PRAGMA recursive_triggers = {recursive}")
            for statement, parameters in tries:
                with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                    file.execute(statement, parameters)
        assert file.execute(f'SELECT {columns} FROM "{table.name}"').fetchall() == before
        assert len(before) == 1


@pytest.mark.parametrize("name", APPEND_ONLY)
async def test_postgresql_refuses(postgres_store: PostgresTestStore, name: str) -> None:
    table = metadata.tables[name]
    row = row_for(table, make_url("postgresql+asyncpg://").get_dialect()())
    first = next(iter(row))
    insert = f"INSERT INTO {name} ({quoted(row)}) VALUES ({', '.join(f'${at + 1}' for at in range(len(row)))})"
    upserts = [
        f'ON CONFLICT ({quoted(key)}) DO UPDATE SET "{first}" = excluded."{first}"' for key in unique_keys(table)
    ]
    tries: list[tuple[str, list[Any]]] = [
        (f'UPDATE {name} SET "{first}" = "{first}"', []),
        (f"DELETE FROM {name}", []),
        (f"TRUNCATE {name}", []),
        *((f"{insert} {upsert}", list(row.values())) for upsert in upserts),
    ]
    superuser = await asyncpg.connect(postgres_store.superuser_dsn)
    await superuser.execute("SET session_replication_role = replica")  # the row needs no parents
    await superuser.execute(insert, *row.values())
    await superuser.execute("RESET session_replication_role")
    before = await superuser.fetch(f"SELECT * FROM {name}")

    service = await asyncpg.connect(postgres_store.service_dsn)
    for statement, parameters in tries:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.execute(statement, *parameters)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.execute(f"ALTER TABLE {name} DISABLE TRIGGER ALL")
    await service.close()

    owner = await asyncpg.connect(postgres_store.owner_dsn)
    for connection in (owner, superuser):
        for statement, parameters in tries:
            with pytest.raises(asyncpg.PostgresError, match="append-only"):
                await connection.execute(statement, *parameters)
    await owner.close()

    assert await superuser.fetch(f"SELECT * FROM {name}") == before
    assert len(before) == 1
    await superuser.close()


@pytest.mark.parametrize("name", APPEND_ONLY)
async def test_the_service_role_may_read_and_append_and_nothing_else(
    postgres_store: PostgresTestStore, name: str
) -> None:
    connection = await asyncpg.connect(postgres_store.superuser_dsn)
    held = {
        right: await connection.fetchval("SELECT has_table_privilege($1, $2, $3)", SERVICE, name, right)
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
    }
    await connection.close()
    assert {right for right, has in held.items() if has} == {"SELECT", "INSERT"}
