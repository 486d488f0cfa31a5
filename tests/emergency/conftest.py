"""The company of these tests, on either engine."""

from collections.abc import AsyncIterator

import pytest_asyncio

from app.composition import open_application
from app.main import create_app
from tests.emergency.crisis import Crisis
from tests.support.application import World, found_company, with_sensitive
from tests.support.clock import NOON, FrozenClock
from tests.support.stores import TestStore


@pytest_asyncio.fixture
async def crisis(store: TestStore) -> AsyncIterator[Crisis]:
    """Give the company on a Friday evening, with a frozen clock."""
    clock = FrozenClock(NOON)
    async with open_application(with_sensitive(store.settings), clock=clock) as application:
        world = World(application, create_app(application.settings, application))
        await found_company(world)
        try:
            yield Crisis(world, clock)
        finally:
            await world.close()
