"""Giving numbers out and taking them back. Each is part of the caller's one transaction, and each is all or nothing.

Whoever gives out and whoever takes back lock the holder's card first and the numbers after it, so that of two who give somebody a number at
once the second sees what the first gave, and nobody waits for another in a circle.
"""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from app.audit.authors import Author
from app.contacts.carrying import LockedCard
from app.contacts.writer import ContactWriter
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.kit.straight import Writes
from app.numbers.cards import HolderCards
from app.numbers.choosing import refuse_kept, take_chosen
from app.numbers.errors import (
    AllocationConflict,
    AmbiguousNumber,
    ConsumerRefReused,
    ConsumerRefSpent,
    NumberNotAssigned,
    NumberNotInPool,
    PoolExhausted,
)
from app.numbers.expecting import pool_for
from app.numbers.handing import Ending, Handed, Handing, lost
from app.numbers.holding import redeem
from app.numbers.pool_repository import Pool, PoolRepository
from app.numbers.regaining import regain
from app.numbers.repository import Assignment, Grant, Holder, NumberRepository, NumberRow, Taken, not_available
from app.numbers.rules import Cause, State, Strategy, Verb
from app.numbers.tails import number_by_tail
from app.numbers.taking import Held, held_by, take, take_early
from app.numbers.telling import Change, NumberTelling
from app.numbers.values import Allocated, AllocatedOne, Released, Wanted
from app.permissions.standing import Standings

_TRIES: Final = 2
HELD_BY_SOMEBODY: Final = frozenset({State.ASSIGNED, State.PROVISIONING})
"""States in which a number has a holder."""


class NumberService:
    """Gives out and takes back, inside a transaction."""

    def __init__(
        self,
        *,
        plan: PoolRepository,
        numbers: NumberRepository,
        writer: ContactWriter,
        standings: Standings,
        telling: NumberTelling,
        clock: Clock,
    ) -> None:
        """Take the rows, the writer of the cards that tell holders' numbers, the department tree, who tells of numbers, and the clock."""
        self._plan, self._numbers = plan, numbers
        self.handing = Handing(
            plan=plan, numbers=numbers, cards=HolderCards(writer.cards), telling=telling, clock=clock
        )
        self._cards = self.handing.cards
        self._standings, self._clock = standings, clock

    async def allocate(self, unit: UnitOfWork, pool: Pool, grant: Grant, wanted: Wanted) -> Allocated:
        """Give numbers of ``pool`` to a holder whom the caller may name, or tell again what the reference stands for.

        Raises ``PoolExhausted``, ``NumberNotAvailable``, ``NumberNotInPool``, ``HolderNotFound`` for a contact who is not in office,
        ``ConsumerRefReused``, ``ConsumerRefSpent``, ``UnknownHold`` and ``HoldOver``; then nothing was taken.
        """
        if grant.consumer_ref is not None:
            await self._numbers.claim_reference(unit.session, pool.id, grant.caller, grant.consumer_ref)
            known = await self._numbers.of_reference(unit.session, pool.id, grant.caller, grant.consumer_ref)
            if known:
                return _again(known, grant, wanted)
        card = await self._cards.receiver(unit.session, grant.holder)
        taken, held = await self._taken(unit, pool, wanted, grant, card)
        return await self.handing.over(unit, (pool.id, pool.code), grant, Handed(card, taken, held))

    async def release(
        self, unit: UnitOfWork, author: Author, digits: str, *, domain: str | None, cause: Cause, holder: Holder | None
    ) -> Released:
        """End the assignments of a number, or the one of ``holder``; when nobody holds it any more it rests.

        Raises ``NotFound``, ``AmbiguousNumber``, ``NumberNotAssigned`` and, when somebody else was at it, ``AllocationConflict``.
        """
        number = one_number(await self._numbers.named(unit.session, digits, domain=domain))
        ending = [
            each
            for each in await self._numbers.open_of(unit.session, number.id)
            if holder is None or each.holder == holder
        ]
        if not ending:
            raise NumberNotAssigned
        holders = list(dict.fromkeys(each.holder for each in ending))
        cards = await self._cards.holders(unit.session, holders)
        locked = (await self._numbers.locked(unit.session, [number.id]))[number.id]
        still = await self._numbers.open_of(unit.session, number.id)
        if not {each.id for each in ending} <= {each.id for each in still}:
            raise AllocationConflict
        what = Ending(number=locked, ending=ending, still=still, cards=cards, cause=cause)
        return Released(await self.handing.back(unit, author, what), len(ending))

    async def number_for_joiner(
        self, unit: UnitOfWork, author: Author, *, contact_id: UUID, department_id: UUID | None
    ) -> Sequence[str]:
        """Give a person who joins a number, or nothing where no pool takes joiners.

        First their former one while it waits in quarantine, whatever pool it is of; else one of the nearest pool up the tree that takes
        joiners, else of the company's.
        Raises ``PoolExhausted`` when that pool has none left, and ``HolderNotFound``; then nothing was changed.
        """
        grant = Grant(
            holder=Holder("contact", contact_id), role="short", caller=f"{author.type}:{author.id}", author=author
        )
        card = await self._cards.receiver(unit.session, grant.holder)
        former = await regain(unit.session, grant.holder)
        if former is not None:
            handed = Handed(card, [former[2]], await held_by(unit.session, grant.holder))
            return (await self.handing.over(unit, former[:2], grant, handed, Verb.REGAIN)).digits
        pool = await self._joiners_pool(unit, department_id)
        if pool is None:
            return ()
        taken, held = await self._next(unit, pool, 1, grant.holder, card)
        return (await self.handing.over(unit, (pool.id, pool.code), grant, Handed(card, taken, held))).digits

    async def number_instead(
        self, unit: UnitOfWork, author: Author, *, contact_id: UUID, department_id: UUID | None
    ) -> Sequence[str]:
        """Give somebody who moved, and holds no short number any more, one as a joiner of that department gets; their former one never.

        Raises ``PoolExhausted``; then nothing was changed.
        """
        grant = Grant(
            holder=Holder("contact", contact_id), role="short", caller=f"{author.type}:{author.id}", author=author
        )
        card = await self._cards.receiver(unit.session, grant.holder)
        pool = await self._joiners_pool(unit, department_id)
        if pool is None or any(role == "short" for role, _ in await held_by(unit.session, grant.holder)):
            return ()
        taken, held = await self._next(unit, pool, 1, grant.holder, card)
        return (await self.handing.over(unit, (pool.id, pool.code), grant, Handed(card, taken, held))).digits

    async def end_assignments(
        self,
        unit: UnitOfWork,
        author: Author,
        *,
        contact_id: UUID,
        cause: str,
        among: Callable[[Pool], bool] | None = None,
    ) -> Sequence[str]:
        """End all that a contact holds, of the pools ``among`` which are meant; give the digits.

        The numbers rest by their pools' rules and ``cause`` (of ``rules.Cause``).
        """
        why, holder = Cause(cause), Holder("contact", contact_id)
        card = (await self._cards.holders(unit.session, [holder]))[contact_id]
        held = await self._numbers.open_of_holder(unit.session, holder)
        if not held:
            return ()
        pools = {pool.id: pool for pool in await self._plan.pools(unit.session)}
        numbers = await self._numbers.locked(unit.session, {each.number_id for each, _ in held})
        if among is not None:
            held = [each for each in held if among(pools[numbers[each[0].number_id].pool_id])]
        if not held:
            return ()
        await self._numbers.end(unit.session, [each.id for each, _ in held], why, author, self._clock.now())
        changes: list[Change] = []
        for each, _ in held:
            number = numbers[each.number_id]
            if each.role != "shared" or not await self._numbers.open_of(unit.session, number.id):
                number = await self.handing.to_rest(unit, pools[number.pool_id], number, why)
            changes += lost(number, [each], why)
        digits = [each for _, each in held]
        writes, left = Writes(), await held_by(unit.session, holder)
        await self.handing.telling.gather(unit.session, writes, changes)
        self._cards.tell(writes, author, card, left, {each.role for each, _ in held})
        self.handing.announce(writes, author, "number.release", [holder], numbers=digits, cause=why.value)
        await writes.run(unit.session)
        return digits

    async def _taken(
        self, unit: UnitOfWork, pool: Pool, wanted: Wanted, grant: Grant, card: LockedCard | None
    ) -> tuple[Sequence[Taken], Sequence[Held]]:
        if wanted.is_choosy:
            chosen = await take_chosen(unit.session, pool.id, wanted, self._clock.now())
            return chosen, await held_by(unit.session, grant.holder)
        if wanted.hold is None and wanted.digits is None:
            return await self._next(unit, pool, wanted.count, grant.holder, card)
        if wanted.hold is not None:
            taken = await redeem(unit.session, pool.id, wanted.hold, caller=grant.caller, now=self._clock.now())
        else:
            taken = [await self._given(unit, pool, wanted, grant)]
        return taken, await held_by(unit.session, grant.holder)

    async def _next(
        self, unit: UnitOfWork, pool: Pool, count: int, holder: Holder, card: LockedCard | None
    ) -> tuple[Sequence[Taken], Sequence[Held]]:
        now, free = self._clock.now(), 0
        if pool.strategy is Strategy.MOBILE_TAIL and card is not None and count == 1:
            digits = await number_by_tail(unit.session, pool.id, card, now)
            one = await self._numbers.take_one(unit.session, pool.id, digits or "", now)
            if one is not None:
                return [one], await held_by(unit.session, holder)
        for _ in range(_TRIES):
            taken, held = await take(unit.session, pool.id, count, now, holder)
            if taken:
                return taken, held
            free = await self._numbers.free(unit.session, pool.id, now)
            if free < count:
                break
        raise PoolExhausted(requested=count, available=free)

    async def _given(self, unit: UnitOfWork, pool: Pool, wanted: Wanted, grant: Grant) -> Taken:
        """Take the number that is asked for. An approved request may cut its rest short (``wanted.early``)."""
        now, digits = self._clock.now(), wanted.digits or ""
        if not wanted.kept:
            await refuse_kept(unit.session, pool.id, digits)
        taken = await self._numbers.take_one(unit.session, pool.id, digits, now)
        if taken is not None:
            return taken
        found = await self._numbers.named(unit.session, digits, domain=None, pool_id=pool.id)
        if not found:
            raise NumberNotInPool
        number = (await self._numbers.locked(unit.session, [found[0].id]))[found[0].id]
        if number.state in HELD_BY_SOMEBODY and grant.role == "shared":
            open_now = await self._numbers.open_of(unit.session, number.id)
            if all(each.role == "shared" and each.holder != grant.holder for each in open_now):
                return Taken(number.id, digits, number.state, number.version)
        if number.state is State.QUARANTINED and wanted.early:
            return await take_early(unit.session, number)
        raise not_available(number, now)

    async def _joiners_pool(self, unit: UnitOfWork, department_id: UUID | None) -> Pool | None:
        return pool_for(await self._plan.pools(unit.session), await self._standings.tree(), department_id)


def one_number(found: Sequence[NumberRow]) -> NumberRow:
    """Give the only number that was found; raise ``NotFound`` or ``AmbiguousNumber``."""
    if not found:
        raise NotFound
    if len(found) > 1:
        raise AmbiguousNumber
    return found[0]


def _again(known: Sequence[tuple[Assignment, str, State]], grant: Grant, wanted: Wanted) -> Allocated:
    first = known[0][0]
    told = [digits for _, digits, _ in known]
    same = (first.holder, first.role) == (grant.holder, grant.role)
    if not same or (wanted.hold is None and len(known) != wanted.count) or first.until != grant.until:
        raise ConsumerRefReused
    if wanted.digits is not None and told != [wanted.digits]:
        raise ConsumerRefReused
    if any(each.ended_at is not None for each, _, _ in known):
        raise ConsumerRefSpent
    return Allocated(
        tuple(AllocatedOne(each.id, digits, each.until, state.value) for each, digits, state in known), replayed=True
    )
