"""The sequencer: gives committed change sets their versions, one after the other, without a gap.

A sequence or a clock read by the writers would number what is not yet committed: a reader that is told version 8 while 7 is still open
misses 7 for ever. So writers number nothing. Here, under the lock of one row that no writer touches, every trace that is committed and has
no version gets the next ones; what commits later is not seen and comes later. A version that was told therefore never changes, and nothing
ever stands behind it. The order is that of the last trace of each set, in which two changes of one row stand as they happened.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import BigInteger, Select, Table, bindparam, exists, func, select, update

from app.kit.clock import Clock
from app.kit.db import Database, Row
from app.kit.models import Instant
from app.kit.query import Query
from app.traces.models import DirectoryChange, DirectoryHead

MOST_OF_ONE: Final = 500
"""Traces of one version; a larger change set gets several, one after the other."""
MOST_AT_ONCE: Final = 10_000
"""Traces that are numbered in one transaction."""
MOST_ROUNDS: Final = 10
"""Transactions of numbering for one call."""

_TRACES: Final = cast("Table", DirectoryChange.__table__)
_HEAD: Final = cast("Table", DirectoryHead.__table__)


@dataclass(frozen=True, slots=True)
class Place:
    """How far the directory is: newest version, newest version that is kept no longer, how far programs were told; is more to number."""

    version: int
    floor: int
    told: int
    waiting: bool


_PLACE: Final[Any] = Query(
    select(
        _HEAD.c.version,
        _HEAD.c.floor,
        _HEAD.c.told,
        exists(select(_TRACES.c.seq).where(_TRACES.c.version.is_(None))),
    )
)


def _numbered() -> Select[Any]:
    """Select which place each waiting trace has, by its ``seq``: sets by their last trace, and in a large set piece by piece."""
    waiting = (
        select(_TRACES.c.seq, _TRACES.c.change_set)
        .where(_TRACES.c.version.is_(None))
        .order_by(_TRACES.c.seq)
        .limit(MOST_AT_ONCE)
        .subquery()
    )
    at = func.row_number().over(partition_by=waiting.c.change_set, order_by=waiting.c.seq)
    pieces = select(
        waiting.c.seq,
        func.max(waiting.c.seq).over(partition_by=waiting.c.change_set).label("last"),
        ((at - 1) // MOST_OF_ONE).label("piece"),
    ).subquery()
    rank = func.dense_rank().over(order_by=(pieces.c.last, pieces.c.piece))
    return select(pieces.c.seq, rank.label("rank"))


_PLACED: Final = _numbered().subquery()
_NUMBER: Final = (
    update(_TRACES)
    .where(_TRACES.c.seq == _PLACED.c.seq)
    .values(version=bindparam("after", type_=BigInteger()) + _PLACED.c.rank, at=bindparam("now", type_=Instant()))
)


class Sequencer:
    """Numbers; any number of processes may run one."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Take the store and the clock."""
        self._database, self._clock = database, clock
        self._one_at_a_time = asyncio.Lock()

    async def place(self) -> Place:
        """Tell how far the directory is, after numbering what was committed before this call; one statement where nothing waits.

        What is more than ``MOST_ROUNDS`` transactions take is left to the next call. Raises ``Unavailable``.
        """
        place = await self._place()
        if not place.waiting:
            return place
        async with self._one_at_a_time:
            place = await self._place()
            for _ in range(MOST_ROUNDS):
                if not place.waiting:
                    break
                place = await self._number()
        return place

    async def _place(self) -> Place:
        (row,) = await _PLACE.rows(self._database.reader)
        return _place(row)

    async def _number(self) -> Place:
        """Give what is there its versions, in one transaction."""
        async with self._database.unit_of_work() as unit:
            session = unit.session
            before = await session.scalar(select(_HEAD.c.version).with_for_update())
            await session.execute(_NUMBER, {"after": before, "now": self._clock.now()})
            newest = await session.scalar(select(func.coalesce(func.max(_TRACES.c.version), before)))
            await session.execute(update(_HEAD).values(version=newest))
            (row,) = await _PLACE.rows(session)
            return _place(row)


def _place(row: Row) -> Place:
    version, floor, told, waiting = row
    return Place(version, floor, told, bool(waiting))
