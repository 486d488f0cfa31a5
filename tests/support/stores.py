"""Stores to test on: SQLite and PostgreSQL, migrated by Alembic, fresh for each test.

The migrations run once per run into a template; a test gets a copy (files copied, ``CREATE DATABASE …
TEMPLATE``), which costs milliseconds. A test that asks for the small company, by any fixture that asks for
``founded``, gets a copy of a store that has it already: writing its people anew took longer than most tests.
On PostgreSQL the tables belong to the owner role and the service role has
exactly what the migrations grant.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias
from uuid import uuid4

import pytest

from app.config import DatabaseSettings, Settings
from app.kit.db import Database
from app.kit.migrate import upgrade
from tests.support.postgres import OWNER, SERVICE, Cluster, LocalPostgres
from tests.support.session import FOLDER, SessionFolder


@dataclass(frozen=True, slots=True, kw_only=True)
class SqliteTestStore:
    """Two files in a fresh data directory."""

    __test__: ClassVar[bool] = False

    dialect: Literal["sqlite"] = "sqlite"
    settings: Settings

    @property
    def business_path(self) -> Path:
        """The file with the business tables."""
        return Database(self.settings).business_path

    @property
    def log_path(self) -> Path:
        """The file with the access log."""
        return Database(self.settings).log_path


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresTestStore:
    """A database of its own, with addresses for the three kinds of caller."""

    __test__: ClassVar[bool] = False

    dialect: Literal["postgresql"] = "postgresql"
    settings: Settings
    owner_dsn: str
    service_dsn: str
    superuser_dsn: str
    server: LocalPostgres | None = None
    """The server, where it is this test's alone and may be stopped."""


TestStore: TypeAlias = SqliteTestStore | PostgresTestStore
"""Either store; ``store.dialect == "sqlite"`` tells the type checker which."""


def settings_for(data_dir: Path, *, database: DatabaseSettings | None = None) -> Settings:
    """Build development settings for one store; keys are made in the data directory when first used."""
    return Settings(data_dir=data_dir, database=database or DatabaseSettings())


@pytest.fixture(scope="session")
def session_folder(pytestconfig: pytest.Config) -> SessionFolder:
    """Find the folder that all processes of this run share."""
    return pytestconfig.stash[FOLDER]


@pytest.fixture(scope="session")
def postgres_cluster(session_folder: SessionFolder) -> Cluster:
    """Start the PostgreSQL of this run, with both roles and no database of ours."""
    return session_folder.cluster()


@pytest.fixture(scope="session")
def sqlite_template(session_folder: SessionFolder) -> Path:
    """Migrate a data directory to the newest revision, once per run."""
    template = session_folder.root / "sqlite-template"
    with session_folder.locked():
        if not template.exists():
            building = session_folder.root / "sqlite-building"
            upgrade(settings_for(building))
            building.rename(template)
    return template


@pytest.fixture(scope="session")
def postgres_template(session_folder: SessionFolder, postgres_cluster: Cluster) -> str:
    """Migrate a database to the newest revision, once per run; give the name to copy it by."""
    ready = session_folder.root / "template.ready"
    with session_folder.locked():
        if not ready.exists():
            database = postgres_cluster.make("template")
            upgrade(
                _postgres_store(postgres_cluster, database, data_dir=session_folder.root / "postgres-template").settings
            )
            ready.touch()
    return "template"


@pytest.fixture
def founded(session_folder: SessionFolder) -> Path:
    """Ask that the store of this test have the small company in it from the start; give the folder that tells who is in it."""
    return session_folder.root


@pytest.fixture
def founded_at_noon(session_folder: SessionFolder) -> Path:
    """Ask for the company as a clock that stood at ``NOON`` had it founded, for a test under such a clock; give the folder as above."""
    return session_folder.root


def _company(request: pytest.FixtureRequest) -> str | None:
    """Name the template that a test asks for, if any."""
    return next((each for each in ("founded", "founded_at_noon") if each in request.fixturenames), None)


@pytest.fixture
def sqlite_store(request: pytest.FixtureRequest, tmp_path: Path) -> SqliteTestStore:
    """Give SQLite at the newest revision."""
    template: Path = request.getfixturevalue(f"sqlite_{_company(request) or 'template'}")
    data_dir = tmp_path / "var"
    shutil.copytree(template, data_dir)
    data_dir.chmod(0o700)
    return SqliteTestStore(settings=settings_for(data_dir))


@pytest.fixture
def empty_sqlite_store(tmp_path: Path) -> SqliteTestStore:
    """Give SQLite with nothing in it, not even the files."""
    return SqliteTestStore(settings=settings_for(tmp_path / "var"))


@pytest.fixture
def postgres_store(
    request: pytest.FixtureRequest, postgres_cluster: Cluster, tmp_path: Path
) -> Iterator[PostgresTestStore]:
    """Give PostgreSQL at the newest revision."""
    data_dir = tmp_path / "var"
    company = _company(request)
    if company is not None:
        keys, template = request.getfixturevalue(f"postgres_{company}")
        shutil.copytree(keys, data_dir)
        data_dir.chmod(0o700)
    else:
        template = request.getfixturevalue("postgres_template")
    database = postgres_cluster.make(uuid4().hex[:12], template=template)
    yield _postgres_store(postgres_cluster, database, data_dir=data_dir)
    postgres_cluster.drop(database)


@pytest.fixture
def empty_postgres_store(postgres_cluster: Cluster, tmp_path: Path) -> Iterator[PostgresTestStore]:
    """Make a PostgreSQL database with nothing in it."""
    database = postgres_cluster.make(uuid4().hex[:12])
    yield _postgres_store(postgres_cluster, database, data_dir=tmp_path / "var")
    postgres_cluster.drop(database)


@pytest.fixture
def private_postgres_store(session_folder: SessionFolder, tmp_path: Path) -> Iterator[PostgresTestStore]:
    """Give PostgreSQL at the newest revision on a server of its own (``.server``) to stop, crash and start."""
    name = uuid4().hex[:8]
    server = LocalPostgres(session_folder.root / f"pg-{name}")
    server.start()
    cluster = Cluster(server.url, prefix="duanhao")
    cluster.make_roles()
    store = _postgres_store(cluster, cluster.make(name), data_dir=tmp_path / "var", server=server)
    upgrade(store.settings)
    yield store
    server.stop("immediate")


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> TestStore:
    """Give each engine in turn, at the newest revision."""
    found: TestStore = request.getfixturevalue("sqlite_store" if request.param == "sqlite" else "postgres_store")
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_store(request: pytest.FixtureRequest) -> TestStore:
    """Give each engine in turn, with nothing in it."""
    found: TestStore = request.getfixturevalue(
        "empty_sqlite_store" if request.param == "sqlite" else "empty_postgres_store"
    )
    return found


def _postgres_store(
    cluster: Cluster, database: str, *, data_dir: Path, server: LocalPostgres | None = None
) -> PostgresTestStore:
    data_dir.mkdir(mode=0o700, exist_ok=True)
    owner, service = cluster.dsn(database, OWNER), cluster.dsn(database, SERVICE)
    addresses = DatabaseSettings.model_validate({"url": service, "owner_url": owner})
    return PostgresTestStore(
        settings=settings_for(data_dir, database=addresses),
        owner_dsn=owner,
        service_dsn=service,
        superuser_dsn=cluster.dsn(database),
        server=server,
    )
