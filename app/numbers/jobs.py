"""Work that follows a new range: its numbers, a chunk at a time, so that no transaction is long and progress can be read off the range."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.kit.clock import SystemClock
from app.kit.db import UnitOfWork
from app.kit.outbox import enqueue
from app.numbers.pool_repository import Held, Pool, PoolRepository
from app.numbers.rules import first_key

MATERIALISE: Final = "number.materialise"
CHUNK: Final = 10_000
"""reference/directory-numbers.md (d), "Pool growth"."""

_PLAN: Final = PoolRepository()


async def fill(unit: UnitOfWork, plan: PoolRepository, held: Held, pool: Pool) -> int:
    """Add the next chunk of a range's numbers; give how many."""
    digits = held.stretch.chunk(held.materialised, CHUNK)
    keyed = ((each, first_key(pool.strategy, each, lambda: secrets.randbits(62))) for each in digits)
    await plan.materialise(unit.session, held, keyed)
    return len(digits)


async def materialise(unit: UnitOfWork, payload: Mapping[str, Any]) -> None:
    """Add the next chunk of the range ``range_id`` and promise the one after it; done twice, it goes on where it stands."""
    held = await _PLAN.range(unit.session, UUID(payload["range_id"]))
    pool = await _PLAN.pool(unit.session, payload["pool_id"])
    if held is None or pool is None or held.materialised >= held.stretch.size:
        return
    added = await fill(unit, _PLAN, held, pool)
    if held.materialised + added < held.stretch.size:
        enqueue(unit, SystemClock(), MATERIALISE, payload, after=timedelta())
