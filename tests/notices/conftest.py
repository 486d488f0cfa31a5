"""The office over the shared company."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.notices.office import Office, opened_office
from tests.support.application import World


@pytest_asyncio.fixture(loop_scope="session")
async def office(shared: World) -> AsyncIterator[Office]:
    """Give the office without a mail server."""
    async with opened_office(shared) as found:
        yield found
