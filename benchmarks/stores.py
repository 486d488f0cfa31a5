"""A store to measure on, in a temporary folder: SQLite, or PostgreSQL with a server of its own, filled through the services.

PostgreSQL waits for the disk here (``fsync`` on), unlike in the tests, and runs on the core of the load generator: in earnest it is another
machine, and on the server's core it would take from what is measured.
"""

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

import asyncpg
import structlog

from app.application import Application
from app.assembly import BITS
from app.audit.authors import Author
from app.audit.note import Verifier
from app.audit.sources import LogSource, PostgresSource, SqliteSource
from app.audit.verification import Report, verify
from app.auth.clients import NewClient
from app.composition import open_application
from app.config import DatabaseSettings, QuotasSettings, Settings
from app.departments.schemas import DepartmentCreate
from app.kit.db import Database
from app.kit.migrate import upgrade
from tests.support.postgres import Cluster, LocalPostgres

Engine = Literal["sqlite", "postgresql"]
ENGINES: Final[tuple[Engine, ...]] = ("sqlite", "postgresql")
CONTACTS: Final = 300
CALLERS: Final = 20

_DEPARTMENT: Final = "RD"
_FRONT_END: Final = NewClient("intranet", "Intranet", confidential=False)
AUTHOR: Final = Author(type="operator", id="os:benchmark")
_SURNAMES: Final = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN: Final = "明静东海远丽军敏杰娜强艳涛芳超霞平刚玲辉"
_PLENTY: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """An open place with a company in it."""

    engine: Engine
    settings: Settings
    contacts: tuple[UUID, ...]
    tokens: tuple[str, ...]
    """Of the callers, all of them staff of the department."""
    verifier: Verifier

    @property
    def environment(self) -> dict[str, str]:
        """Give the settings as the environment of a server process; quotas are counted, and never spent."""
        found = {"DUANHAO_DATA_DIR": str(self.settings.data_dir), "DUANHAO_QUOTAS__CONTACTS": str(_PLENTY)}
        if self.settings.database.url is not None:
            found["DUANHAO_DATABASE__URL"] = self.settings.database.url.get_secret_value()
        return found

    async def events(self, action: str) -> int:
        """Count the looks of one kind that are on record."""
        database = Database(self.settings)
        statement = "SELECT count(*) FROM {}event WHERE action = '{}' AND decision = 'allowed'"
        if database.dsn is None:
            with closing(sqlite3.connect(f"{database.log_path.absolute().as_uri()}?mode=ro", uri=True)) as log:
                return int(log.execute(statement.format("", action)).fetchone()[0])
        connection = await asyncpg.connect(database.dsn)
        try:
            return int(await connection.fetchval(statement.format("log.", action)))
        finally:
            await connection.close()

    async def verified(self) -> Report:
        """Do what ``duanhao audit verify`` does."""
        database = Database(self.settings)
        source: LogSource = SqliteSource(database.log_path) if database.dsn is None else PostgresSource(database.dsn)
        return await verify(source, verifier=self.verifier, bits=BITS)


@contextmanager
def opened(engine: Engine, *, contacts: int = CONTACTS) -> Iterator[Store]:
    """Make a store with ``contacts`` people in it; remove everything when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="duanhao-bench-"))
    server = LocalPostgres(folder / "pg") if engine == "postgresql" else None
    try:
        addresses = DatabaseSettings() if server is None else _on_postgresql(server)
        settings = Settings(
            data_dir=folder / "var", database=addresses, log_level="warning", quotas=QuotasSettings(contacts=_PLENTY)
        )
        upgrade(settings)
        yield asyncio.run(_filled(engine, settings, contacts))
    finally:
        if server is not None:
            server.stop("immediate")
        shutil.rmtree(folder)


def _on_postgresql(server: LocalPostgres) -> DatabaseSettings:
    folder = Path(server.url.rpartition("=")[2]).parents[1]
    folder.chmod(0o755)
    server.start()
    cluster = Cluster(server.url, prefix="duanhao")
    cluster.make_roles()
    database = cluster.make("benchmark")
    asyncio.run(_wait_for_disk(cluster.dsn(database)))
    return DatabaseSettings.model_validate(
        {"url": cluster.dsn(database, "duanhao_service"), "owner_url": cluster.dsn(database, "duanhao_owner")}
    )


async def _wait_for_disk(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for setting in ("fsync", "full_page_writes"):
            await connection.execute(f"ALTER SYSTEM SET {setting} = on")
        await connection.execute("SELECT pg_reload_conf()")
    finally:
        await connection.close()
    connection = await asyncpg.connect(dsn)
    try:
        assert await connection.fetchval("SHOW fsync") == "on"
    finally:
        await connection.close()


async def _filled(engine: Engine, settings: Settings, contacts: int) -> Store:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    async with open_application(settings) as application:
        made = await _people(application, contacts)
        await application.lookups.retagger.run()
        await application.mover.move_all()
        reader = application.database.reader
        tokens = [(await application.tokens.mint(reader, f"u{at}")).text for at in range(min(CALLERS, contacts))]
        return Store(
            engine=engine,
            settings=settings,
            contacts=tuple(made),
            tokens=tuple(tokens),
            verifier=application.log_signer.verifier(),
        )


async def _people(application: Application, contacts: int) -> list[UUID]:
    async with application.database.unit_of_work() as unit:
        await application.departments.create(unit, AUTHOR, DepartmentCreate(code=_DEPARTMENT, name="研发部"))
        await application.clients.add(unit.session, _FRONT_END)
    tree = await application.standings.tree()
    made = []
    for start in range(0, contacts, 100):
        async with application.database.unit_of_work() as unit:
            for number in range(start, min(start + 100, contacts)):
                given = _members(number)
                written = await application.contact_writer.create(unit, AUTHOR, tree, "employee", given)
                made.append(written.record.subject)
    return made


def _members(number: int) -> dict[str, str]:
    """Invent a person; all are of one department, so that a caller's every card opens seven fields and masks five of them."""
    return {
        "name": f"{_SURNAMES[number % 20]}{_GIVEN[number // 20 % 20]}{_GIVEN[number * 7 % 20]}",
        "department": _DEPARTMENT,
        "worker_kind": "regular" if number < CALLERS else ("regular", "part_time", "intern")[number % 3],
        "user_name": f"u{number}",
        "employee_no": f"E{number}",
        "title": "工程师",
        "office_phone": f"010-8888{number:04d}",
        "email": f"person{number:04d}@example.com",
        "mobile": f"1380000{number:04d}",
        "wecom_id": f"wecom-{number:04d}",
        "personal_mobile": f"1390000{number:04d}",
        "wechat": f"wx_{number:04d}_x",
        "plate": f"京A{number:05d}",
    }
