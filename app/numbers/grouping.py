"""Plain allocations that are asked for at one moment, given out in one transaction.

What one allocation costs is mostly the way to the store and back, six times (benchmarks, P3). So calls that want any one number of a pool
for a contact, and name neither a key nor a reference to be known again by, wait for each other while the store works: whoever waits when it
is free goes into the next transaction together (docs/decisions/0057). Each is on record by itself and is answered after the commit.

Nobody is worse off for it. A group waits for no lock, so it stands still behind no stranger; a card or a number that somebody has locked,
whoever may not be given one, a pool that runs short, a group of which anything fails: those calls are told to go alone, in a transaction of
their own, as if there were no groups, and are refused or served there. Only where the store does not answer nobody is sent on: whether a
commit that was cut off has happened is not known, and doing it again could give twice.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog

from app.kit.clock import Clock
from app.kit.db import Database
from app.kit.errors import Unavailable
from app.kit.straight import Writes
from app.numbers.handing import Handed, Handing
from app.numbers.repository import Grant
from app.numbers.taking import take_some
from app.numbers.values import Allocated

LARGEST: Final = 32
"""Allocations of one transaction."""

_log = structlog.get_logger("duanhao.numbers")


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """One call: of which pool (id and code), for whom, in whose name it is written, and who waits for it."""

    pool: tuple[UUID, str]
    grant: Grant
    context: Context
    answer: asyncio.Future[Allocated | None]


class AllocationGroups:
    """Gives numbers out, many in a transaction."""

    def __init__(self, *, database: Database, handing: Handing, clock: Clock) -> None:
        """Take the store, what writes who holds numbers, and the clock."""
        self._database, self._handing, self._clock = database, handing, clock
        self._asked: list[_Asked] = []
        self._running: asyncio.Task[None] | None = None
        self.groups = 0

    @property
    def serves(self) -> bool:
        """Tell whether there is anything to gain: where one writes at a time, there is nobody to wait with."""
        return self._database.dialect == "postgresql"

    async def give(self, pool: tuple[UUID, str], grant: Grant) -> Allocated | None:
        """Give one number of ``pool`` to a contact; ``None``: nothing was done, and the call goes alone."""
        asked = _Asked(pool, grant, copy_context(), asyncio.get_running_loop().create_future())
        self._asked.append(asked)
        if self._running is None:
            self._running = asyncio.create_task(self._run(), context=Context())
        return await asked.answer

    async def _run(self) -> None:
        """Serve group after group until nobody waits."""
        try:
            while self._asked:
                await self._settled()
                group = self._next()
                if group:
                    await self._serve(group)
        finally:
            self._running = None

    async def _settled(self) -> None:
        """Return when a turn of the event loop has brought nobody else, or enough: a lone call waits for one turn."""
        seen = 0
        while seen < len(self._asked) < LARGEST:
            seen = len(self._asked)
            await asyncio.sleep(0)

    def _next(self) -> list[_Asked]:
        """Take those who wait, of one pool and each contact once; who has gone meanwhile is forgotten."""
        self._asked = [each for each in self._asked if not each.answer.done()]
        group: dict[UUID, _Asked] = {}
        later: list[_Asked] = []
        for each in self._asked:
            first = next(iter(group.values()), each)
            if each.pool != first.pool or each.grant.holder.id in group or len(group) >= LARGEST:
                later.append(each)
            else:
                group[each.grant.holder.id] = each
        self._asked = later
        return list(group.values())

    async def _serve(self, group: list[_Asked]) -> None:
        given: dict[UUID, Allocated] = {}
        try:
            if len(group) > 1:
                given = await self._given(group)
        except Unavailable as error:
            for each in group:
                if not each.answer.done():
                    each.answer.set_exception(Unavailable().with_traceback(error.__traceback__))
        except Exception as error:  # noqa: BLE001 — whatever it was, each call meets it again alone, and is told of it there
            _log.warning("allocation_group_failed", size=len(group), error=type(error).__name__)
        finally:
            for each in group:
                if not each.answer.done():
                    each.answer.set_result(given.get(each.grant.holder.id))

    async def _given(self, group: list[_Asked]) -> dict[UUID, Allocated]:
        """Give what there is to whom nobody is at, in the order of asking, in one transaction."""
        (pool, *_), given = [each.pool for each in group], dict[UUID, Allocated]()
        async with self._database.unit_of_work() as unit:
            cards = await self._handing.cards.receivers(unit.session, [each.grant.holder.id for each in group])
            served = [each for each in group if each.grant.holder.id in cards]
            if not served:
                return given
            taken, held = await take_some(unit.session, pool[0], cards, self._clock.now())
            writes, tells = Writes(), await self._handing.telling.listens(unit.session)
            for each, number in zip(served, taken, strict=False):
                contact = each.grant.holder.id
                handed = Handed(cards[contact], [number], held[contact])
                given[contact] = each.context.run(_gathered(self._handing, writes, each, handed, tells=tells))
            await writes.run(unit.session, apart=True)
        self.groups += 1
        return given


def _gathered(
    handing: Handing, writes: Writes, asked: _Asked, handed: Handed, *, tells: bool
) -> Callable[[], Allocated]:
    return lambda: handing.gather(writes, asked.pool, asked.grant, handed, tells=tells)
