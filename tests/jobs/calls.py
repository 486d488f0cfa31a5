"""Jobs of a test: a runner with handlers of its own, and what was promised by a caller."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.jobs.running import JobRunner
from app.kit.clock import Clock
from app.permissions.jobs import JobHandler
from tests.support.application import World


def runner(world: World, handlers: Mapping[str, JobHandler], *, clock: Clock | None = None) -> JobRunner:
    """Make a process's runner of jobs."""
    return world.application.jobs.runner(world.application.database, handlers, clock=clock)


async def submit(world: World, caller: str, kind: str, payload: Mapping[str, Any] | None = None) -> UUID:
    """Promise a job as a caller's request does."""
    viewer = await world.viewer(caller)
    async with world.application.database.unit_of_work() as unit:
        return await world.application.jobs.service.submit(unit, viewer, kind, payload or {})


async def job(world: World, caller: str, identity: UUID) -> dict[str, Any]:
    """Read a job over HTTP."""
    answer = await (await world.as_(caller)).get(f"/v1/jobs/{identity}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def until(condition: "asyncio.Event") -> None:
    """Wait for something, not for ever."""
    await asyncio.wait_for(condition.wait(), 10)
