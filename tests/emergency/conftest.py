"""The company of these tests, on either engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.emergency.crisis import Crisis
from tests.support.application import opened_at_noon
from tests.support.clock import NOON, FrozenClock
from tests.support.stores import TestStore


@pytest_asyncio.fixture
async def crisis(founded_at_noon: Path, store: TestStore) -> AsyncIterator[Crisis]:
    """Give the company on a Friday evening, with a frozen clock."""
    clock = FrozenClock(NOON)
    async with opened_at_noon(founded_at_noon, store, clock) as world:
        yield Crisis(world, clock)
