"""Calls on the number plan that tests share: a pool of one's own with digits that nobody else has."""

from dataclasses import dataclass
from itertools import count
from typing import Any, Final
from uuid import UUID

import httpx

from tests.support.application import World

_BLOCKS: Final = count(200)


@dataclass(frozen=True, slots=True)
class TestPool:
    """A pool in the default domain, and its first number."""

    __test__ = False

    code: str
    first: int

    def digits(self, place: int = 0) -> str:
        """Give the number at a place of the pool's block."""
        return f"{self.first + place}"

    @property
    def path(self) -> str:
        """Where it is."""
        return f"/v1/number-pools/{self.code}"


async def it_client(world: World) -> httpx.AsyncClient:
    """Give a client that calls as the IT scripts."""
    return await world.as_("it-scripts")


async def add_pool(world: World, size: int = 20, **members: Any) -> TestPool:  # noqa: ANN401 — members of a pool
    """Make a pool of ``size`` numbers; fails unless both calls are taken."""
    block = next(_BLOCKS)
    pool = TestPool(f"pool{block}", block * 1_000_000)
    it = await it_client(world)
    body = {"code": pool.code, "name": f"池{block}", "class": "internal", "strategy": "lowest", **members}
    made = await it.post("/v1/number-pools", json=body)
    assert made.status_code == 201, made.text
    if size:
        ranged = await it.post(f"{pool.path}/ranges", json={"start": pool.digits(), "end": pool.digits(size - 1)})
        assert ranged.status_code == 201, ranged.text
    return pool


def wanted(holder: UUID, count: int = 1, **members: Any) -> dict[str, Any]:  # noqa: ANN401 — members of an allocation
    """Write the body of an allocation."""
    return {"holder": {"type": "contact", "id": str(holder)}, "count": count, **members}


async def allocate(world: World, pool: TestPool, holder: UUID, count: int = 1, **members: Any) -> list[str]:  # noqa: ANN401 — members of an allocation
    """Give numbers to a contact; fails unless it is taken."""
    answer = await (await it_client(world)).post(f"{pool.path}/allocations", json=wanted(holder, count, **members))
    assert answer.status_code == 201, answer.text
    return [each["digits"] for each in answer.json()["numbers"]]


async def release(world: World, digits: str, reason: str = "released") -> dict[str, Any]:
    """End who holds a number; fails unless it is taken."""
    answer = await (await it_client(world)).post(f"/v1/numbers/{digits}/releases", json={"reason": reason})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told
