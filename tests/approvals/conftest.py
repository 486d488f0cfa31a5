"""A company with the kinds of requests that tests walk through."""

import pytest
import pytest_asyncio

from tests.approvals.kinds import CHAINS, Office, office_in
from tests.support.application import World


class LeftToTheSweep:
    """Requests that a leaving does not touch, as beyond the first hundreds: what happens then the sweep does."""

    async def hold(self, *_: object) -> None:
        """Lock nothing."""

    async def reroute(self, *_: object) -> int:
        """Ask nobody else."""
        return 0

    withdraw = close = end = reroute


@pytest_asyncio.fixture
async def office(world: World, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Give the company, on either engine."""
    monkeypatch.setattr(world.application.departures.departing, "_requests", LeftToTheSweep())
    return office_in(world)


@pytest.fixture
def filable(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let decisions on the kinds of the tests be given away in the shared company, whichever the company's own file enables."""
    monkeypatch.setattr(shared.application.delegations.keeper, "_chains", CHAINS)
