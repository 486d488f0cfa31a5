"""The one history runs up, down and up again on both engines, and its end is what the models say."""

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import create_engine

from app.config import Settings
from app.kit.migrate import upgrade
from app.tables import metadata
from tests.support.postgres import SERVICE, in_thread
from tests.support.stores import PostgresTestStore, SqliteTestStore, TestStore
from tests.support.tree import ROOT

CATALOGUE: Final = """
WITH ours AS (SELECT oid FROM pg_namespace WHERE nspname IN ('public', 'log'))
SELECT 'column', table_schema::text, table_name::text, column_name::text,
       concat_ws(' ', data_type, is_nullable, column_default)
  FROM information_schema.columns WHERE table_schema IN ('public', 'log')
UNION ALL
SELECT 'index', schemaname, tablename, indexname, indexdef FROM pg_indexes WHERE schemaname IN ('public', 'log')
UNION ALL
SELECT 'constraint', conrelid::regclass::text, '', conname, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace IN (SELECT oid FROM ours)
UNION ALL
SELECT 'trigger', tgrelid::regclass::text, '', tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function', pronamespace::regnamespace::text, '', proname, pg_get_functiondef(oid)
  FROM pg_proc WHERE pronamespace IN (SELECT oid FROM ours)
UNION ALL
SELECT 'grant', table_schema, table_name, grantee, privilege_type
  FROM information_schema.table_privileges WHERE table_schema IN ('public', 'log')
"""


def configuration(settings: Settings) -> Config:
    config = Config(ROOT / "alembic.ini")
    config.attributes["settings"] = settings
    return config


def catalogue(store: TestStore) -> set[tuple[Any, ...]]:
    """Describe everything that a store holds besides rows and the version table."""
    if store.dialect == "sqlite":
        found: set[tuple[Any, ...]] = set()
        for path in (store.business_path, store.log_path):
            with closing(sqlite3.connect(path)) as file:
                rows = file.execute(
                    "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"
                )
                found.update((path.name, *row) for row in rows)
    else:
        found = in_thread(postgres_catalogue(store.superuser_dsn))
    return {row for row in found if not any("alembic_version" in str(value) for value in row)}


async def postgres_catalogue(dsn: str) -> set[tuple[Any, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return {tuple(row) for row in await connection.fetch(CATALOGUE)}
    finally:
        await connection.close()


def test_up_check_down_up(empty_store: TestStore) -> None:
    config = configuration(empty_store.settings)
    command.upgrade(config, "head")
    command.check(config)
    first = catalogue(empty_store)
    assert first
    command.downgrade(config, "base")
    assert catalogue(empty_store) == set()
    command.upgrade(config, "head")
    command.check(config)
    assert catalogue(empty_store) == first


@pytest.mark.slow
def test_every_step_can_be_taken_back(empty_store: TestStore) -> None:
    config = configuration(empty_store.settings)
    revisions = list(ScriptDirectory.from_config(config).walk_revisions())
    for revision in reversed(revisions):
        before = (
            catalogue(empty_store)
            if empty_store.dialect == "postgresql" or empty_store.business_path.exists()
            else set()
        )
        command.upgrade(config, revision.revision)
        command.downgrade(config, "-1")
        assert catalogue(empty_store) == before
        command.upgrade(config, revision.revision)


def test_upgrading_what_is_current_changes_nothing(store: TestStore) -> None:
    before = catalogue(store)
    upgrade(store.settings)
    assert catalogue(store) == before


def test_the_history_is_one_line_of_dated_files() -> None:
    script = ScriptDirectory.from_config(Config(ROOT / "alembic.ini"))
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1
    names = sorted(path.name for path in (ROOT / "migrations" / "versions").glob("*.py"))
    assert all(re.fullmatch(r"\d{4}-\d{2}-\d{2}-\d{4}_[a-z0-9_]+\.py", name) for name in names), names
    in_order = [Path(revision.path).name for revision in reversed(list(script.walk_revisions()))]
    assert in_order == names


def test_sqlite_keeps_each_table_in_its_file(sqlite_store: SqliteTestStore) -> None:
    for path, schema in ((sqlite_store.business_path, None), (sqlite_store.log_path, "log")):
        with closing(sqlite3.connect(path)) as file:
            found = {name for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
            assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        named = {table.name for table in metadata.tables.values() if table.schema == schema}
        assert named
        assert found - {"alembic_version", "sqlite_sequence"} == named
        assert path.stat().st_mode & 0o077 == 0


def test_sqlite_is_not_migrated_while_somebody_has_it_open(empty_sqlite_store: SqliteTestStore) -> None:
    upgrade(empty_sqlite_store.settings)
    with closing(sqlite3.connect(empty_sqlite_store.log_path)) as other:
        other.execute("SELECT count(*) FROM head").fetchone()
        with pytest.raises(CommandError, match="open in another connection"):
            command.downgrade(configuration(empty_sqlite_store.settings), "base")
    assert catalogue(empty_sqlite_store)


def test_half_a_store_is_not_migrated(tmp_path: Path) -> None:
    config = Config(ROOT / "alembic.ini")
    with create_engine(f"sqlite:///{tmp_path / 'lonely.sqlite3'}").connect() as connection:
        config.attributes["connection"] = connection
        with pytest.raises(CommandError, match="attach the log file"):
            command.upgrade(config, "head")


def test_two_deployments_at_once_queue(empty_postgres_store: PostgresTestStore) -> None:
    code = (
        "import sys; from pathlib import Path; from app.config import Settings; from app.kit.migrate import upgrade;"
        " upgrade(Settings(data_dir=Path(sys.argv[1]), database={'url': sys.argv[2], 'owner_url': sys.argv[3]}))"
    )
    arguments = [
        str(empty_postgres_store.settings.data_dir),
        empty_postgres_store.service_dsn,
        empty_postgres_store.owner_dsn,
    ]
    both = [subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=ROOT) for _ in range(2)]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    command.check(configuration(empty_postgres_store.settings))


def test_the_service_role_owns_nothing_and_may_not_change_the_schema(postgres_store: PostgresTestStore) -> None:
    async def ask() -> None:
        connection = await asyncpg.connect(postgres_store.superuser_dsn)
        owned = await connection.fetchval(
            "SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = $1)",
            SERVICE,
        )
        assert owned == 0
        for schema in ("public", "log"):
            assert not await connection.fetchval("SELECT has_schema_privilege($1, $2, 'CREATE')", SERVICE, schema)
            assert await connection.fetchval("SELECT has_schema_privilege($1, $2, 'USAGE')", SERVICE, schema)
        await connection.close()

    in_thread(ask())
