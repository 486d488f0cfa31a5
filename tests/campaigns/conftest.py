"""A company of its own for every test of reviews, on either engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.campaigns.reviews import Reviews, opened
from tests.support.clock import FrozenClock
from tests.support.stores import TestStore


@pytest_asyncio.fixture(loop_scope="session")
async def reviews(founded_at_noon: Path, store: TestStore) -> AsyncIterator[Reviews]:
    """Give it, at noon (UTC) of a Friday."""
    async with opened(founded_at_noon, store, FrozenClock()) as found:
        yield found
