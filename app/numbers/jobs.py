"""Work that follows a new range or another setting, a chunk of numbers at a time, so that no transaction is long and a crash loses one."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.kit.clock import SystemClock
from app.kit.db import UnitOfWork
from app.kit.outbox import enqueue
from app.numbers.classifying import reclassify
from app.numbers.nice import place
from app.numbers.pool_repository import Held, Pool, PoolRepository
from app.numbers.rules import first_key
from app.permissions.jobs import Piece

MATERIALISE: Final = "number.materialise"
CLASSIFY: Final = "number.classify"
RESCHEDULE: Final = "number.reschedule"
CHUNK: Final = 10_000
"""reference/directory-numbers.md (d), "Pool growth"."""

_PLAN: Final = PoolRepository()


async def fill(unit: UnitOfWork, plan: PoolRepository, held: Held, pool: Pool) -> int:
    """Add the next chunk of a range's numbers; give how many."""
    digits, order = held.stretch.chunk(held.materialised, CHUNK), pool.order
    keyed = ((each, place(first_key(order, each, _draw), each, keeps_nice=pool.keeps_nice)) for each in digits)
    await plan.materialise(unit.session, held, keyed)
    return len(digits)


async def materialise(unit: UnitOfWork, payload: Mapping[str, Any]) -> Piece | None:
    """Add the next chunk of the range ``range_id`` and promise the one after it; done twice, it goes on where it stands.

    Gives how far the range is then, for the job that was booked for it; ``None`` when it was complete.
    """
    held = await _PLAN.range(unit.session, UUID(payload["range_id"]))
    if held is not None:
        await _PLAN.lock_domain(unit.session, held.domain_id)
    pool = await _PLAN.pool(unit.session, payload["pool_id"])
    if held is None or pool is None or held.materialised >= held.stretch.size:
        return None
    added = await fill(unit, _PLAN, held, pool)
    piece = Piece(made=added, done=held.materialised + added, total=held.stretch.size)
    if piece.done < piece.total:
        enqueue(unit, SystemClock(), MATERIALISE, payload, after=timedelta())
    return piece


async def reschedule(unit: UnitOfWork, payload: Mapping[str, Any]) -> None:
    """Let the next chunk of a planned range's numbers be free when it opens now, and promise the next chunk.

    The range says when that is, so of two that follow one another both write what was said last.
    """
    held = await _PLAN.range(unit.session, UUID(payload["range_id"]))
    if held is None:
        return
    last = await _PLAN.reschedule(unit.session, held, after=payload.get("after", ""), limit=CHUNK)
    if last is not None:
        enqueue(unit, SystemClock(), RESCHEDULE, {**payload, "after": last}, after=timedelta())


async def classify(unit: UnitOfWork, payload: Mapping[str, Any]) -> None:
    """Classify the next chunk of the numbers of the pool ``pool_id``, keep back or open what the pool says, and promise the next chunk.

    Done twice, it changes nothing. What somebody takes at the same time is taken: only looks and places are written.
    """
    pool = await _PLAN.pool(unit.session, payload["pool_id"])
    if pool is None:
        return
    digits, row = payload.get("after", ("", 0))
    last = await reclassify(unit.session, pool, after=(digits, row), limit=CHUNK)
    if last is not None:
        enqueue(unit, SystemClock(), CLASSIFY, {**payload, "after": list(last)}, after=timedelta())


def _draw() -> int:
    return secrets.randbits(62)
