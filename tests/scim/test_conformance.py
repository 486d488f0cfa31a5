"""``scim2-tester`` against the whole application, through the guard, the gate and the log: every check passes.

It makes values up. What a directory reads more strictly (whether a department exists, whether a number is one, how long an employee number
is) it is told by examples on the models that it discovered; everything else it has from ``/Schemas``.
"""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from scim2_models import Path
from scim2_tester import Status, check_server

from tests.scim.clients import BridgedClient
from tests.support.application import World

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
EXAMPLES = {
    "phoneNumbers.value": [f"1380000{at:04d}" for at in range(9000, 9900)],
    f"{ENTERPRISE}:department": ["RD", "SALES", "HR"],
    f"{ENTERPRISE}:employeeNumber": [f"T{at}" for at in range(10_000, 99_999)],
    "active": [True],
}
"""``active``: of who has left a client reads C1 alone, so what it writes after that it does not read back (tests/scim/test_users)."""


@contextmanager
def parking(world: World, department: str | None) -> Iterator[None]:
    """Let who joins without a department join this one; before the first request of the application."""
    desk = getattr(world.app.state, "scim", None)
    if desk is not None:
        before, desk._writer._parking = desk._writer._parking, department
    else:
        settings = world.application.settings
        before = settings.scim.department
        object.__setattr__(settings, "scim", settings.scim.model_copy(update={"department": department}))
    yield
    if desk is not None:
        desk._writer._parking = before


def instructed(client: BridgedClient) -> None:
    """Discover the service, and give the models that were found examples of what it takes."""
    client.discover()
    (user,) = [client.provider.model_for(each) for each in client.provider.resource_types if each.id == "User"]
    typed: Any = Path
    for name, examples in EXAMPLES.items():
        binding = typed[user](name).resolve()
        binding.target_model.model_fields[binding.target_field_name].examples = examples


async def checked(world: World, **options: Any) -> dict[Status, list[str]]:  # noqa: ANN401 — of the tester
    """Run the tester; name what it found by status."""
    client = BridgedClient(await world.as_("hr-system"), asyncio.get_running_loop())
    random.seed(7)

    def run() -> list[Any]:
        instructed(client)
        return list(check_server(client, **options))

    with parking(world, "ADMIN"):
        found = await asyncio.to_thread(run)
    told: dict[Status, list[str]] = {}
    for each in found:
        told.setdefault(each.status, []).append(f"{each.resource_type} {each.title}: {each.reason}")
    return told


@pytest.mark.asyncio
@pytest.mark.slow
async def test_every_check_passes(world: World) -> None:
    told = await checked(world)
    assert [name for status, names in told.items() for name in names if status is not Status.SUCCESS] == []
    assert len(told[Status.SUCCESS]) > 80


@pytest.mark.asyncio
async def test_discovery_and_the_life_of_a_group_pass(sqlite_world: World) -> None:
    told = await checked(
        sqlite_world, include_tags={"discovery", "misc", "crud:create", "crud:delete"}, resource_types=["Group"]
    )
    assert Status.ERROR not in told
    assert len(told[Status.SUCCESS]) > 15
