"""A company with the kinds of requests that tests walk through."""

import pytest
import pytest_asyncio

from tests.approvals.kinds import CHAINS, Office, office_in
from tests.support.application import World


@pytest_asyncio.fixture
async def office(world: World) -> Office:
    """Give the company, on either engine."""
    return office_in(world)


@pytest.fixture
def filable(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let decisions on the kinds of the tests be given away in the shared company, whichever the company's own file enables."""
    monkeypatch.setattr(shared.application.delegations.keeper, "_chains", CHAINS)
