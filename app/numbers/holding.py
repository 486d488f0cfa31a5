"""Keeping numbers of a pool for somebody for a while, before it is known who gets them.

A hold is a date on its numbers: when it is over they are free, whether or not anybody says so, and who held them cannot use them any more.
Whoever gives numbers out and whoever uses a hold ask the numbers' own rows at one moment, so at its end each number goes to one of them.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.errors import NotFound
from app.kit.models import new_id
from app.kit.straight import Writes
from app.numbers.choosing import refuse_kept
from app.numbers.errors import HoldNotExtendable, HoldOver, PoolExhausted, UnknownHold
from app.numbers.hold_repository import Hold, HoldRepository
from app.numbers.pool_repository import Pool
from app.numbers.repository import NumberRepository, Taken
from app.numbers.rules import State, Verb
from app.numbers.telling import HOLD_EXPIRED, TOLD, Change, NumberTelling
from app.numbers.terms import HOLD_EXTENSIONS
from app.numbers.values import Kept, Wanted

_HOLDS: Final = HoldRepository()
_USED, _DROPPED, _EXPIRED = "used", "dropped", "expired"
_AT_ONCE: Final = 50


async def redeem(session: AsyncSession, pool_id: UUID, identity: UUID, *, caller: str, now: datetime) -> list[Taken]:
    """Take exactly the numbers of a hold, all of them, for whoever holds it; what is reserved, for whoever may give numbers out.

    Raises ``UnknownHold`` for a hold that is not there, of another pool or another caller, and ``HoldOver``.
    """
    hold = await _HOLDS.held(session, identity)
    if hold is None or hold.pool_id != pool_id or (hold.kind == "hold" and hold.owner != caller):
        raise UnknownHold
    if hold.over(now):
        raise HoldOver
    taken = await _HOLDS.take(session, hold, now)
    if len(taken) != len(hold.numbers):
        raise HoldOver
    await _HOLDS.end(session, hold.id, _USED, now)
    return taken


class HoldService:
    """Holds numbers, and lets them go."""

    def __init__(self, *, numbers: NumberRepository, telling: NumberTelling, clock: Clock) -> None:
        """Take the rows, who tells of numbers, and the clock."""
        self._numbers, self._telling, self._clock = numbers, telling, clock

    async def hold(
        self, unit: UnitOfWork, author: Author, pool: Pool, wanted: Wanted, keep: Kept
    ) -> tuple[Hold, list[str]]:
        """Hold numbers of a pool: the next ones, a given one, or those that are like a pattern; all or none. Gives their digits too.

        Numbers that their pool keeps back are not among them. Raises ``PoolExhausted``, ``NumberNotAvailable``, ``NumberNotInPool`` and
        ``NumberKept``; roll back then.
        """
        now = self._clock.now()
        hold = Hold(
            id=new_id(),
            pool_id=pool.id,
            numbers=(),
            kind=keep.kind,
            owner=keep.owner,
            purpose=keep.purpose,
            expires_at=keep.until,
            extended=0,
            created_at=now,
        )
        if wanted.digits is not None:
            await refuse_kept(unit.session, pool.id, wanted.digits)
            taken = await _HOLDS.keep_matching(unit.session, hold, wanted.digits, 1, now)
            if not taken:
                raise await self._numbers.refusal(unit.session, pool.id, wanted.digits, now)
        elif keep.pattern is not None:
            like = keep.pattern.replace("?", "_").replace("*", "%")
            taken = await _HOLDS.keep_matching(unit.session, hold, like, wanted.count, now)
        else:
            taken = await _HOLDS.keep_next(unit.session, hold, wanted.count, now)
        if len(taken) < wanted.count:
            free = len(taken) if keep.pattern else await self._numbers.free(unit.session, pool.id, now)
            raise PoolExhausted(requested=wanted.count, available=free)
        kept = replace(hold, numbers=tuple(each.id for each in taken))
        await _HOLDS.add(unit.session, kept)
        digits = [each.digits for each in taken]
        action = "number.reserve" if hold.kind == "reservation" else "number_hold.create"
        await self._tell(unit, author, action, hold, pool=pool.code, numbers=digits, until=keep.until.isoformat())
        await self._told(unit, hold, taken, TOLD[Verb.RESERVE if hold.kind == "reservation" else Verb.HOLD])
        return kept, digits

    async def owned(self, unit: UnitOfWork, identity: UUID, owner: str) -> tuple[Hold, list[str]]:
        """Load a hold of ``owner``'s, locked, with its digits. Raises ``NotFound`` and, when it is over, ``HoldOver``."""
        hold = await _HOLDS.held(unit.session, identity)
        if hold is None or hold.owner != owner:
            raise NotFound
        if hold.over(self._clock.now()):
            raise HoldOver
        return hold, await _HOLDS.digits(unit.session, hold)

    async def extend(self, unit: UnitOfWork, author: Author, hold: Hold, length: timedelta) -> Hold:
        """Hold for ``length`` from now on, a few times and never for less than before. Raises ``HoldNotExtendable`` and ``HoldOver``."""
        now = self._clock.now()
        until = now + length
        if hold.extended >= HOLD_EXTENSIONS or until <= hold.expires_at:
            raise HoldNotExtendable
        if await _HOLDS.postpone(unit.session, hold, until, now) != len(hold.numbers):
            raise HoldOver
        await _HOLDS.extend(unit.session, hold, until)
        await self._tell(unit, author, "number_hold.extend", hold, until=until.isoformat())
        return replace(hold, expires_at=until, extended=hold.extended + 1)

    async def drop(self, unit: UnitOfWork, author: Author, hold: Hold) -> None:
        """Let the numbers of a locked hold go."""
        freed = await _HOLDS.let_go(unit.session, hold)
        await _HOLDS.end(unit.session, hold.id, _DROPPED, self._clock.now())
        await self._tell(unit, author, "number_hold.drop", hold)
        await self._told(unit, hold, freed, TOLD[Verb.DROP])

    async def release(self, unit: UnitOfWork, author: Author, identity: UUID) -> None:
        """End a reservation if it has not been used or ended."""
        hold = await _HOLDS.held(unit.session, identity)
        if hold is not None and hold.ended_at is None:
            await self.drop(unit, author, hold)

    async def sweep(self, database: Database) -> int:
        """Put on record which holds are over; their numbers have been free since. Give how many."""
        now, done = self._clock.now(), 0
        author = Author(type="system", id="numbers")
        for identity in await _HOLDS.expired(database.reader, now, limit=_AT_ONCE):
            async with database.unit_of_work() as unit:
                hold = await _HOLDS.held(unit.session, identity)
                if hold is None or hold.ended_at is not None or hold.expires_at > now:
                    continue
                await _HOLDS.end(unit.session, identity, _EXPIRED, hold.expires_at)
                await self._tell(unit, author, "number_hold.expire", hold)
                await self._told(unit, hold, await _HOLDS.let_go(unit.session, hold), HOLD_EXPIRED)
                done += 1
        return done

    async def _told(self, unit: UnitOfWork, hold: Hold, numbers: Sequence[Taken], kind: str) -> None:
        """Tell programs what became of numbers of a hold."""
        writes = Writes()
        changes = [
            Change(
                row=each.id,
                version=each.version,
                pool_id=hold.pool_id,
                kind=kind,
                state=each.state,
                hold=hold.id,
                until=None if each.state is State.AVAILABLE else hold.expires_at,
            )
            for each in numbers
        ]
        await self._telling.gather(unit.session, writes, changes)
        await writes.run(unit.session)

    async def _tell(self, unit: UnitOfWork, author: Author, action: str, hold: Hold, **query: object) -> None:
        draft = written(author, action, self._clock.now(), query={"hold": str(hold.id), **query})
        await add_intent(unit.session, draft)
