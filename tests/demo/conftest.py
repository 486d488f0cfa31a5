"""The demo company cut down, loaded once per engine and run, for tests that leave it as they found it."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from app.composition import open_application
from app.config import Settings
from app.demo.loader import DemoReport, load
from app.main import create_app
from tests.demo.small import small
from tests.support.application import World
from tests.support.postgres import Cluster
from tests.support.stores import _postgres_store, settings_for


@dataclass(frozen=True, slots=True)
class Loaded:
    """An open application with the demo in it, and what the loader said. ``world.people`` names everybody by user name."""

    world: World
    report: DemoReport


@pytest.fixture(autouse=True)
def a_small_company(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every load in these tests be of the small company, but in those that are marked slow."""
    if request.node.get_closest_marker("slow") is None:
        monkeypatch.setattr("app.demo.loader.company", small)


@asynccontextmanager
async def _loaded(settings: Settings) -> AsyncIterator[Loaded]:
    async with open_application(settings) as application:
        world = World(application, create_app(settings, application))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("app.demo.loader.company", small)
            report = await load(application)
        tree = await application.standings.tree()
        world.departments.update({node.code: node.id for node in tree.nodes.values()})
        try:
            yield Loaded(world, report)
        finally:
            await world.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["sqlite", "postgresql"])
async def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Loaded]:
    """Give the demo on each engine in turn; a test that uses it runs in the session's loop."""
    folder = tmp_path_factory.mktemp(f"demo-{request.param}") / "var"
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        shutil.copytree(template, folder)
        folder.chmod(0o700)
        async with _loaded(settings_for(folder)) as found:
            yield found
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    database = cluster.make(uuid4().hex[:12], template=request.getfixturevalue("postgres_template"))
    async with _loaded(_postgres_store(cluster, database, data_dir=folder).settings) as found:
        yield found
    cluster.drop(database)
