"""One company per engine whose clock stands still until a test moves it on; tests that use it add people of their own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.composition import open_application
from app.main import create_app
from tests.provisions.agency import Agency
from tests.support.application import World, found_company, with_sensitive
from tests.support.clock import NOON, FrozenClock
from tests.support.shared import add_person, kept_store


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=["sqlite", "postgresql"])
async def opened_agency(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Agency]:
    """Open the company on each engine in turn."""
    clock = FrozenClock(NOON)
    with kept_store(request, tmp_path_factory) as store:
        async with open_application(with_sensitive(store.settings), clock=clock) as application:
            world = World(application, create_app(application.settings, application))
            await found_company(world)
            try:
                yield Agency(world, clock)
            finally:
                await world.close()


@pytest_asyncio.fixture(loop_scope="session")
async def agency(opened_agency: Agency) -> Agency:
    """Give the company, and somebody in it who asks: what others left overdue marks nobody who is needed."""
    opened_agency.asker = (await add_person(opened_agency.world, department="RD")).name
    return opened_agency
