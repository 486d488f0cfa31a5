"""Who is known to come: joiners whom HR has announced, and the pool that would give each a number on their day.

Which pool that is stands here once, for those who join and for those who are expected. Of them nothing is known here but a department and
a day. Somebody who comes back counts as well, although they get their former number while it rests.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Protocol
from uuid import UUID

from app.departments.tree import Tree
from app.kit.query import Source
from app.numbers.forecasting import Known
from app.numbers.pool_repository import Pool, PoolRepository
from app.numbers.terms import MUST_END
from app.permissions.standing import Standings


@dataclass(frozen=True, slots=True)
class Joiner:
    """Somebody who is announced: for which department, ``None`` for one that the directory does not know, and from when on."""

    department_id: UUID | None
    at: datetime


class Announced(Protocol):
    """Knows who is announced; the ledger of personnel events does, and the assembly brings the two together."""

    async def joiners(self, source: Source) -> Sequence[Joiner]:
        """List everybody who is announced and has not joined yet."""
        ...


class Expecting:
    """Tells of each pool how many numbers those who are announced will take from it, and when."""

    def __init__(
        self, announced: Announced, *, pools: PoolRepository, standings: Standings, utc_offset: timedelta
    ) -> None:
        """Take who knows them, the pools, the department tree, and when the company's day begins (east of UTC)."""
        self._announced, self._pools, self._standings = announced, pools, standings
        self._zone = timezone(utc_offset)

    async def by_pool(self, source: Source) -> Mapping[UUID, Sequence[Known]]:
        """Count the numbers that will be taken, by pool and day; pools that nobody is expected in are left out."""
        joiners = await self._announced.joiners(source)
        if not joiners:
            return {}
        pools, tree = await self._pools.pools(source), await self._standings.tree()
        found: dict[UUID, Counter[date]] = {}
        for each in joiners:
            pool = pool_for(pools, tree, each.department_id)
            if pool is not None:
                found.setdefault(pool.id, Counter())[each.at.astimezone(self._zone).date()] += 1
        return {pool: [Known(day, count) for day, count in sorted(days.items())] for pool, days in found.items()}


def pool_for(pools: Sequence[Pool], tree: Tree, department_id: UUID | None) -> Pool | None:
    """Give the pool of the nearest department up the tree that takes joiners, else the company's.

    ``pools`` stand by code; of several of one department the first counts.
    """
    taking: Mapping[UUID | None, Pool] = {
        pool.department_id: pool for pool in reversed(pools) if pool.joiners and pool.pool_class not in MUST_END
    }
    if department_id is not None:
        for node in reversed(tree.ancestry(department_id)):
            if node.id in taking:
                return taking[node.id]
    return taking.get(None)
