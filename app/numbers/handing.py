"""What giving out, taking back and passing on have in common: who holds a number is written down, told on the cards, and put on record.

Whoever calls has locked the holders' cards first and the numbers after them. Everything here is part of the caller's transaction.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.audit.authors import Author, written
from app.audit.intents import gather_intent
from app.contacts.carrying import LockedCard
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.models import new_id
from app.kit.straight import Writes
from app.numbers.cards import HolderCards
from app.numbers.errors import AllocationConflict
from app.numbers.nice import place
from app.numbers.pool_repository import Pool, PoolRepository
from app.numbers.repository import Assignment, Grant, Holder, NumberRepository, NumberRow, Taken
from app.numbers.rules import Cause, State, Verb, next_key, release_verb, rest
from app.numbers.taking import Held, held_by
from app.numbers.telling import Change, NumberTelling, changed, given_back, given_out
from app.numbers.values import Allocated, AllocatedOne


def draw() -> int:
    """Draw a place in a random pool's free list."""
    return secrets.randbits(62)


@dataclass(frozen=True, slots=True)
class Handed:
    """What is handed over: the receiver's card, the numbers that were just taken, and what the receiver had before."""

    card: LockedCard | None
    taken: Sequence[Taken]
    held: Sequence[Held]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Assignments of one locked number that end, of those that are open; ``cards`` are their holders'.

    ``kept_for`` and ``until`` are those of a block that begins with it.
    """

    number: NumberRow
    ending: Sequence[Assignment]
    still: Sequence[Assignment]
    cards: Mapping[UUID, LockedCard]
    cause: Cause
    kept_for: str | None = None
    until: datetime | None = None


class Handing:
    """Writes who holds numbers."""

    def __init__(
        self,
        *,
        plan: PoolRepository,
        numbers: NumberRepository,
        cards: HolderCards,
        telling: NumberTelling,
        clock: Clock,
    ) -> None:
        """Take the rows, the cards, who tells of numbers, and the clock."""
        self._plan, self._numbers, self.cards, self._clock = plan, numbers, cards, clock
        self.telling = telling

    async def over(
        self,
        unit: UnitOfWork,
        pool: tuple[UUID, str],
        grant: Grant,
        handed: Handed,
        verb: Verb = Verb.ALLOCATE,
    ) -> Allocated:
        """Write who holds the numbers that were just taken from ``pool`` (id and code), on the holder's card too, and announce it."""
        writes, listens = Writes(), await self.telling.listens(unit.session)
        given = self.gather(writes, pool, grant, handed, verb, tells=listens)
        try:
            await writes.run(unit.session)
        except IntegrityError as error:
            raise AllocationConflict from error
        return given

    def gather(
        self,
        writes: Writes,
        pool: tuple[UUID, str],
        grant: Grant,
        handed: Handed,
        verb: Verb = Verb.ALLOCATE,
        *,
        tells: bool,
    ) -> Allocated:
        """Gather what ``over`` writes; programs are told where ``tells`` says so."""
        (pool_id, code), digits = pool, [each.digits for each in handed.taken]
        named = [(new_id(), each) for each in handed.taken]
        self._numbers.assign(writes, pool_id, grant, named, self._clock.now())
        held = [*handed.held, *((grant.role, each) for each in digits)]
        self.cards.tell(writes, grant.author, handed.card, held, {grant.role})
        self.announce(writes, grant.author, "number.allocate", [grant.holder], pool=code, numbers=digits)
        if tells:
            self.telling.put(writes, [given_out(pool_id, grant, identity, each, verb) for identity, each in named])
        return Allocated(
            tuple(AllocatedOne(identity, each.digits, grant.until, each.state.value) for identity, each in named)
        )

    async def back(self, unit: UnitOfWork, author: Author, what: Ending) -> NumberRow:
        """End assignments of a number; when nobody holds it any more it rests, or is blocked. Gives it as it stands then."""
        number, after = what.number, what.number
        await self._numbers.end(unit.session, [each.id for each in what.ending], what.cause, author, self._clock.now())
        if len(what.ending) == len(what.still):
            after = await self.to_rest(unit, await self.pool(unit, number), number, what.cause, what)
        writes = Writes()
        for holder in dict.fromkeys(each.holder for each in what.ending):
            roles = {one.role for one in what.ending if one.holder == holder}
            self.cards.tell(writes, author, what.cards.get(holder.id), await held_by(unit.session, holder), roles)
            told = {"pool": number.pool, "numbers": [number.digits], "cause": what.cause.value}
            self.announce(writes, author, "number.release", [holder], **told)
        await self.telling.gather(unit.session, writes, lost(after, what.ending, what.cause))
        await writes.run(unit.session)
        return after

    async def pool(self, unit: UnitOfWork, number: NumberRow) -> Pool:
        """Load the pool of a number."""
        found = {pool.id: pool for pool in await self._plan.pools(unit.session)}
        return found[number.pool_id]

    async def to_rest(
        self, unit: UnitOfWork, pool: Pool, number: NumberRow, cause: Cause, block: Ending | None = None
    ) -> NumberRow:
        """Let a locked number rest as its pool and ``cause`` say; what is abused is blocked, as ``block`` says and at least for a rest."""
        now, why = self._clock.now(), cause.value
        days, ends = rest(pool.quarantine_days, cause), None
        key = next_key(pool.order, number.digits, now, draw)
        if block is not None and block.kept_for is not None:
            why = block.kept_for
            ends = block.until and max(block.until, now + timedelta(days=pool.quarantine_days))
        return await self._numbers.put(
            unit.session,
            number,
            release_verb(cause),
            sort_key=place(key, number.digits, keeps_nice=pool.keeps_nice),
            available_from=ends if days is None else now + days,
            kept_for=why if days is None else None,
        )

    def announce(self, writes: Writes, author: Author, action: str, holders: Sequence[Holder], **query: object) -> None:
        """Gather the event of what was done to the numbers of ``holders``, the first of whom gains."""
        contacts = list(dict.fromkeys(each.id for each in holders if each.type == "contact"))
        named = [f"{each.type}:{each.id}" for each in holders]
        told = {"holder": named[0], **({"from": named[1]} if len(named) > 1 else {})} if named else {}
        kept = {name: value for name, value in {**query, **told}.items() if value is not None}
        fields = ["short_numbers"] if holders else []
        gather_intent(writes, written(author, action, self._clock.now(), contacts=contacts, fields=fields, query=kept))


def lost(after: NumberRow, ended: Sequence[Assignment], cause: Cause) -> list[Change]:
    """Say what is told of a number, given as it stands after, that these assignments of were ended."""
    blocked = [changed(after, Verb.BLOCK)] if after.state is State.BLOCKED else []
    return [*(given_back(after, each, cause) for each in ended), *blocked]
