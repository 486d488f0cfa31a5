"""No request to purge is left open behind a test."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest_asyncio

from tests.history.purges import raw
from tests.support.application import World

_OPEN = "SELECT id FROM approval_request WHERE kind = 'purge.history' AND state IN ('pending', 'needs_reapproval', 'amending')"


@pytest_asyncio.fixture(loop_scope="session")
async def closed(shared: World) -> AsyncIterator[None]:
    """Withdraw what the steward still asks for."""
    yield
    steward = await shared.as_("steward")
    for (identity,) in await raw(shared, _OPEN):
        path = identity if isinstance(identity, UUID) else UUID(bytes=bytes(identity))
        await steward.post(f"/v1/requests/{path}/withdrawals")
