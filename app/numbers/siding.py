"""Taking numbers aside and back: blocked for a reason, reserved for a purpose, retired for ever.

A block or a reservation can have an end, which is a date on the number like that of a rest: at that moment the number is free whether or
not anybody says so. Whoever holds a number that is blocked loses it with the block, as it is blocked because it is abused or known; and no
block ends before the rest would.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.authors import Author
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.straight import Writes
from app.numbers.errors import AllocationConflict
from app.numbers.handing import Ending
from app.numbers.pool_repository import Pool
from app.numbers.regaining import ended_last
from app.numbers.repository import NumberRepository, NumberRow, not_available
from app.numbers.rules import Cause, State, Verb, moved, rest, standing
from app.numbers.service import HELD_BY_SOMEBODY, NumberService, one_number
from app.numbers.telling import changed
from app.numbers.values import Named

_UNDOES: Final = {Verb.UNBLOCK: State.BLOCKED, Verb.OPEN: State.RESERVED}
_ACTIONS: Final = {
    Verb.BLOCK: "number.block",
    Verb.UNBLOCK: "number.unblock",
    Verb.RESERVE: "number.reserve",
    Verb.OPEN: "number.open",
    Verb.RETIRE: "number.retire",
}


class NumberSides:
    """Takes numbers aside and back, inside a transaction."""

    def __init__(self, *, service: NumberService, numbers: NumberRepository, clock: Clock) -> None:
        """Take what gives out and takes back, the rows and the clock."""
        self._handing, self._numbers, self._clock = service.handing, numbers, clock

    async def block(
        self, unit: UnitOfWork, author: Author, named: Named, *, why: str, until: datetime | None
    ) -> tuple[NumberRow, int]:
        """Block a number for ``why``, until a date or until somebody has looked into it; give it, and how many lost it.

        Raises ``NotFound``, ``AmbiguousNumber``, ``NumberNotAvailable`` where the rules have no block, and ``AllocationConflict``.
        """
        number = one_number(await self._numbers.named(unit.session, named.digits, domain=named.domain))
        ending = await self._numbers.open_of(unit.session, number.id)
        cards = await self._handing.cards.holders(unit.session, [each.holder for each in ending])
        number = await self._locked(unit.session, number)
        still = await self._numbers.open_of(unit.session, number.id)
        if {each.id for each in still} != {each.id for each in ending}:
            raise AllocationConflict
        if number.state in HELD_BY_SOMEBODY and ending:
            what = Ending(
                number=number,
                ending=ending,
                still=still,
                cards=cards,
                cause=Cause.ABUSED,
                kept_for=why,
                until=until,
            )
            after = await self._handing.back(unit, author, what)
        else:
            rests = number.available_from if number.state is State.QUARANTINED else None
            ends = until and max(until, rests or until)
            after = await self._put(unit, number, Verb.BLOCK, available_from=ends, kept_for=why)
        end = None if until is None else until.isoformat()
        await self._tell(unit, author, Verb.BLOCK, after, told=bool(ending), why=why, until=end)
        return after, len(ending)

    async def reserve(
        self, unit: UnitOfWork, author: Author, named: Named, *, purpose: str, until: datetime | None
    ) -> NumberRow:
        """Keep a free number for a purpose. Raises as ``block``."""
        number = one_number(await self._numbers.named(unit.session, named.digits, domain=named.domain))
        number = await self._locked(unit.session, number)
        after = await self._put(unit, number, Verb.RESERVE, available_from=until, kept_for=purpose)
        await self._tell(unit, author, Verb.RESERVE, after, until=None if until is None else until.isoformat())
        return after

    async def undo(self, unit: UnitOfWork, author: Author, named: Named, verb: Verb) -> NumberRow:
        """End a block, into what is left of the rest since somebody last had the number, or a reservation. Raises as ``block``."""
        number = one_number(await self._numbers.named(unit.session, named.digits, domain=named.domain))
        number = await self._locked(unit.session, number)
        if number.state is not _UNDOES[verb]:
            raise not_available(number, self._clock.now())
        rests = await self._rest(unit, number) if verb is Verb.UNBLOCK else None
        after = await self._put(unit, number, verb, available_from=rests)
        await self._tell(unit, author, verb, after)
        return after

    async def retire(self, unit: UnitOfWork, author: Author, named: Named) -> NumberRow:
        """Give a number up for ever; its digits may come back as another number. Raises as ``block``."""
        number = one_number(await self._numbers.named(unit.session, named.digits, domain=named.domain))
        number = await self._locked(unit.session, number)
        after = await self._put(unit, number, Verb.RETIRE)
        await self._tell(unit, author, Verb.RETIRE, after)
        return after

    async def _locked(self, session: AsyncSession, number: NumberRow) -> NumberRow:
        """Lock a number; one whose date is past is free, as everybody is told."""
        found = (await self._numbers.locked(session, [number.id]))[number.id]
        return replace(found, state=standing(found.state, found.available_from, self._clock.now()))

    async def _put(
        self,
        unit: UnitOfWork,
        number: NumberRow,
        verb: Verb,
        *,
        available_from: datetime | None = None,
        kept_for: str | None = None,
    ) -> NumberRow:
        if moved(number.state, verb) is None:
            raise not_available(number, self._clock.now())
        return await self._numbers.put(unit.session, number, verb, available_from=available_from, kept_for=kept_for)

    async def _rest(self, unit: UnitOfWork, number: NumberRow) -> datetime:
        """Give when the rest of a number is over that began when it was last given back; at once where nobody had it."""
        pool: Pool = await self._handing.pool(unit, number)
        ended = await ended_last(unit.session, number.id)
        days = rest(pool.quarantine_days, Cause.RELEASED) or timedelta()
        return self._clock.now() if ended is None else ended + days

    async def _tell(
        self,
        unit: UnitOfWork,
        author: Author,
        verb: Verb,
        number: NumberRow,
        *,
        told: bool = False,
        **query: str | None,
    ) -> None:
        """Put on record what was done, and tell programs unless whoever took the number back has ``told`` them."""
        writes = Writes()
        self._handing.announce(writes, author, _ACTIONS[verb], [], pool=number.pool, numbers=[number.digits], **query)
        if not told:
            await self._handing.telling.gather(unit.session, writes, [changed(number, verb)])
        await writes.run(unit.session)
