"""A log of its own for every test, on the engine that the test asks for."""

from pathlib import Path
from uuid import uuid4

import pytest

from tests.audit.places import Place, PostgresPlace, SqlitePlace
from tests.support.postgres import Cluster, in_thread


@pytest.fixture
def sqlite_place(tmp_path: Path) -> SqlitePlace:
    return SqlitePlace(tmp_path / "var")


@pytest.fixture(scope="session")
def audit_database(postgres_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> PostgresPlace:
    database = postgres_cluster.make(f"audit_{uuid4().hex[:12]}")
    place = PostgresPlace(postgres_cluster.dsn(database), tmp_path_factory.mktemp("audit"))
    in_thread(place.make())
    return place


@pytest.fixture
def postgres_place(audit_database: PostgresPlace) -> PostgresPlace:
    in_thread(audit_database.clear())
    return audit_database


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(f"{request.param}_place")
    return found
