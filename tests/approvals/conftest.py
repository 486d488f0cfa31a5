"""A company with the kinds of requests that tests walk through."""

import pytest_asyncio

from tests.approvals.kinds import Office, office_in
from tests.support.application import World


@pytest_asyncio.fixture
async def office(world: World) -> Office:
    """Give the company, on either engine."""
    return office_in(world)
