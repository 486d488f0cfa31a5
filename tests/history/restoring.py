"""A backup of a store, as an operator makes one while nothing runs, and a company in a store that was filled before."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from app.composition import open_application
from app.main import create_app
from tests.support.application import World, with_sensitive
from tests.support.postgres import Cluster
from tests.support.stores import PostgresTestStore, SqliteTestStore, TestStore, _postgres_store, settings_for


@asynccontextmanager
async def again(store: TestStore, before: World) -> AsyncIterator[World]:
    """Open a store that was filled in ``before``."""
    async with open_application(with_sensitive(store.settings)) as application:
        world = World(application, create_app(application.settings, application))
        world.people.update(before.people)
        try:
            yield world
        finally:
            await world.close()


def copied(store: TestStore, cluster: Cluster) -> TestStore:
    """Copy a store that nobody has open, with its data directory: root key and published checkpoints of that moment."""
    folder = store.settings.data_dir.with_name("backup")
    shutil.copytree(store.settings.data_dir, folder)
    if not isinstance(store, PostgresTestStore):
        return SqliteTestStore(settings=settings_for(folder))
    database = store.owner_dsn.partition("?")[0].rpartition("_")[2]
    return _postgres_store(cluster, cluster.make(uuid4().hex[:12], template=database), data_dir=folder)
