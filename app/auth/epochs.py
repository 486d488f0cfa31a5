"""Counters that tell caches, here and in other processes, that something they rely on has moved.

``user:<id>`` and ``client:<id>`` move with one subject, ``tokens`` with every change that may end a token. The table
belongs to ``audit``, whose writer compares a viewer's counters in the transaction that records the look; here it is
named, not imported. A key that is missing counts as zero.
"""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import BigInteger, String, bindparam, column, select, table, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import Query, Source
from app.kit.db import Statement

TOKENS: Final = "tokens"

_TABLE: Final = table("epoch", column("key", String), column("value", BigInteger))
_VALUE: Final = Query(select(_TABLE.c.value).where(_TABLE.c.key == bindparam("key")), by_key=True)
_BOTH: Final = Query(
    select(_TABLE.c.key, _TABLE.c.value).where(_TABLE.c.key.in_((bindparam("one"), bindparam("other")))), by_key=True
)
_BUMP: Final = text(
    "INSERT INTO epoch (key, value) VALUES (:key, 1) ON CONFLICT (key) DO UPDATE SET value = epoch.value + 1"
)


async def bump(session: AsyncSession, *keys: str) -> None:
    """Move the counters.

    ``tokens`` first, so that transactions which move several queue there instead of waiting in a circle.
    """
    for key in sorted(keys, key=lambda name: (name != TOKENS, name)):
        await session.execute(_BUMP, {"key": key})


async def value(source: Source, key: str) -> int:
    """Read one counter."""
    rows = await _VALUE.rows(source, key=key)
    return int(rows[0][0]) if rows else 0


async def both(source: Source, one: str, other: str) -> tuple[int, int]:
    """Read two counters as they are at one moment."""
    found = {key: int(value) for key, value in await _BOTH.rows(source, one=one, other=other)}
    return found.get(one, 0), found.get(other, 0)


def of(keys: Iterable[Any]) -> Statement:
    """Select the counters of these keys, each an expression: pairs of key and value."""
    return select(_TABLE.c.key, _TABLE.c.value).where(_TABLE.c.key.in_(list(keys)))
