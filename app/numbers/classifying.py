"""Writing down which numbers of a pool are nice, and keeping them back or opening them, after the pool or the classifier has changed."""

from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.numbers.models import Number
from app.numbers.nice import OPEN_FROM, VERSION, Level, looks
from app.numbers.pool_repository import Pool
from app.numbers.repository import QUEUE


async def reclassify(
    session: AsyncSession, pool: Pool, *, after: tuple[str, int], limit: int
) -> tuple[str, int] | None:
    """Go through ``limit`` numbers of a pool after ``after`` (digits and row); give the last one, ``None`` when there are no more.

    Whoever takes several numbers of the pool queues behind this, so that no two wait for each other's rows.
    """
    if session.get_bind().dialect.name == "postgresql":
        await QUEUE.rows(session, {"material": f"{pool.id}"})
    columns: tuple[Any, ...] = (Number.id, Number.digits, Number.nice, Number.nice_version, Number.sort_key)
    digits, row = after
    statement = (
        select(*columns)
        .where(Number.pool_id == pool.id, Number.digits >= digits, or_(Number.digits > digits, Number.id > row))
        .order_by(Number.digits, Number.id)
        .limit(limit)
    )
    rows = [tuple(row) for row in await session.execute(statement)]
    looked: dict[Level, list[int]] = {}
    moved: list[int] = []
    for identity, digits, nice, version, key in rows:
        level = looks(digits).level
        if (nice, version) != (int(level), VERSION):
            looked.setdefault(level, []).append(identity)
        if (key < OPEN_FROM) != (pool.keeps_nice and level >= Level.NICE):
            moved.append(identity)
    for level, identities in looked.items():
        await _write(session, identities, {"nice": int(level), "nice_version": VERSION})
    await _write(session, moved, {"sort_key": -1 - Number.sort_key})
    return (rows[-1][1], rows[-1][0]) if len(rows) == limit else None


async def _write(session: AsyncSession, identities: list[int], given: dict[str, Any]) -> None:
    if identities:
        statement = update(Number).where(Number.id.in_(identities)).values(given)
        await session.execute(statement.execution_options(synchronize_session=False))
