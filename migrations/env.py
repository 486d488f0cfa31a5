"""Run the one history on whichever store is configured.

SQLite: the business file is the connection and the log file is attached as schema ``log``, so a revision speaks of
``log.event`` on both engines. Both files leave WAL while a revision runs, because only a rollback journal commits two
files together: after a crash either both are migrated or neither is. That needs the store for itself, which is what
the service's lock file promises.

PostgreSQL: the owner role migrates, under an advisory lock so that two deployments queue, and with timeouts so that a
waiting ``ALTER`` does not hold up the readers behind it.

A caller hands over ``config.attributes["settings"]`` (an ``app.config.Settings``), or
``config.attributes["connection"]`` (a synchronous SQLAlchemy connection; on SQLite with the log already attached, on
PostgreSQL outside a transaction). With neither, as from the plain ``alembic`` command, the settings of the
environment are read.
"""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.util import CommandError
from sqlalchemy import Connection, TypeDecorator, event, make_url, text
from sqlalchemy.engine import create_engine
from sqlalchemy.pool import NullPool

from app.config import Settings
from app.kit import models as kit_models
from app.kit.db import Database
from app.kit.engines import owned, postgres_engine
from app.kit.models import LOG_SCHEMA
from app.tables import metadata

ADVISORY_LOCK: Final = 0x6475616E68616F
"""Key of the PostgreSQL advisory lock that one migration holds: the bytes of "duanhao"."""


def include_name(name: str | None, kind: str, parents: object) -> bool:
    """Look only at the schemas that are ours; everything inside them is compared."""
    del parents
    return kind != "schema" or name in (None, LOG_SCHEMA)


def render_item(kind: str, item: object, autogenerate: AutogenContext) -> str | Literal[False]:
    """Write our column types by their short names, and those of other packages as what they are stored as."""
    if kind != "type" or not isinstance(item, TypeDecorator):
        return False
    if type(item).__module__ == kit_models.__name__:
        autogenerate.imports.add(f"from {kit_models.__name__} import {type(item).__name__}")
        return f"{type(item).__name__}()"
    return f"sa.{item.impl_instance!r}"


def applies_revisions() -> bool:
    """Tell a command that changes the schema (upgrade, downgrade, stamp) from one that only looks (check, current)."""
    try:
        context.get_revision_argument()
    except KeyError:
        return False
    return True


def prepare_postgresql(connection: Connection) -> None:
    """Queue behind another migration for a minute, then wait no more than seconds for any table.

    Runs inside the migration's transaction, so everything set here ends with it.
    """
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SET LOCAL lock_timeout = '60s'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
    connection.execute(text("SET LOCAL lock_timeout = '5s'"))
    connection.execute(text("SET LOCAL statement_timeout = '15min'"))
    if applies_revisions():
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {LOG_SCHEMA}"))


def require_attached_log(connection: Connection) -> None:
    """Refuse a SQLite connection without the log file: half a history would be worse than none."""
    attached = {row[1] for row in connection.exec_driver_sql("PRAGMA database_list")}
    if LOG_SCHEMA not in attached:
        message = f"attach the log file as schema {LOG_SCHEMA!r} before migrating SQLite"
        raise CommandError(message)


def migrate(connection: Connection) -> None:
    """Run what Alembic was asked for, all revisions in one transaction."""
    on_postgresql = connection.dialect.name == "postgresql"
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_schemas=True,
        include_name=include_name,
        render_item=render_item,
        render_as_batch=not on_postgresql,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        if on_postgresql:
            prepare_postgresql(connection)
        else:
            require_attached_log(connection)
        context.run_migrations()


def set_journal(path: Path, mode: Literal["DELETE", "WAL"]) -> None:
    """Put a file into the given journal mode, making it for its owner alone; refuse while it is open elsewhere."""
    owned(path)
    with closing(sqlite3.connect(path, timeout=5)) as file:
        try:
            answer = file.execute(f"PRAGMA journal_mode = {mode}").fetchone()[0]
        except sqlite3.OperationalError as error:
            message = f"{path} is open in another connection: stop the service before migrating"
            raise CommandError(message) from error
    if answer != mode.lower():
        message = f"{path} stays in journal mode {answer}"
        raise CommandError(message)


def migrate_sqlite(settings: Settings) -> None:
    """Migrate both files of the data directory, making them if they are not there."""
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = Database(settings)
    files = (store.business_path, store.log_path)
    engine = create_engine(f"sqlite:///{store.business_path}", poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def on_connect(driver: sqlite3.Connection, _record: object) -> None:
        driver.isolation_level = None
        driver.execute(f"ATTACH DATABASE ? AS {LOG_SCHEMA}", (str(store.log_path),))
        driver.execute("PRAGMA busy_timeout = 5000")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    changes = applies_revisions()
    if changes:
        for path in files:
            set_journal(path, "DELETE")
    try:
        with engine.connect() as connection:
            migrate(connection)
    finally:
        if changes:
            for path in files:
                set_journal(path, "WAL")


async def migrate_postgresql(settings: Settings) -> None:
    """Migrate as the owner role, or as the service role where no owner is configured.

    Revisions find the role to grant to in ``context.config.attributes["service_role"]``; ``None`` where both are one.
    """
    secret = settings.database.owner_url or settings.database.url
    if secret is None:
        message = "DUANHAO_DATABASE__URL is not set"
        raise CommandError(message)
    url = make_url(secret.get_secret_value()).set(drivername="postgresql")
    service = settings.database.service_role or (
        settings.database.url and make_url(settings.database.url.get_secret_value()).username
    )
    context.config.attributes["service_role"] = None if service == url.username else service
    engine = postgres_engine(url.render_as_string(hide_password=False), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(migrate)
    finally:
        await engine.dispose()


def run() -> None:
    """Choose the connection and migrate; PostgreSQL gets a thread, because the caller may be inside an event loop."""
    if context.is_offline_mode():
        message = "there is no offline mode: triggers and grants need the engine they are written for"
        raise CommandError(message)
    connection: Connection | None = context.config.attributes.get("connection")
    if connection is not None:
        migrate(connection)
        return
    settings: Settings = context.config.attributes.get("settings") or Settings()
    if settings.on_postgresql:
        with ThreadPoolExecutor(max_workers=1) as thread:
            thread.submit(lambda: asyncio.run(migrate_postgresql(settings))).result()
    else:
        migrate_sqlite(settings)


run()
