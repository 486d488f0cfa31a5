"""Passing numbers on: from one holder to another, one for another, back to whoever had it last; and the exchange's word that one works.

One assignment ends and the next begins in the caller's one transaction, and the number never rests in between: nobody can take it, and a
failure leaves both as they were. Both holders' cards are locked first, by id, and the numbers after them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.audit.authors import Author
from app.contacts.carrying import LockedCard
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.models import new_id
from app.kit.straight import Writes
from app.numbers.errors import AllocationConflict, NumberNotAssigned, NumberNotProvisioning, SameHolder, term_refused
from app.numbers.handing import Handed
from app.numbers.regaining import last_of, take_back
from app.numbers.repository import (
    Assignment,
    Grant,
    Holder,
    NumberRepository,
    NumberRow,
    Taken,
    not_available,
)
from app.numbers.rules import Cause, State, Verb, moved, regained
from app.numbers.service import HELD_BY_SOMEBODY, NumberService, one_number
from app.numbers.taking import held_by
from app.numbers.telling import SWAPPED, changed
from app.numbers.terms import term_fault
from app.numbers.values import Acting, Allocated, Named, Passed

_ONE: Final = 1


class NumberMoves:
    """Passes numbers on, inside a transaction."""

    def __init__(self, *, service: NumberService, numbers: NumberRepository, clock: Clock) -> None:
        """Take what gives out, the rows and the clock."""
        self._handing, self._numbers, self._clock = service.handing, numbers, clock

    async def transfer(self, unit: UnitOfWork, named: Named, to: Grant, *, holder: Holder | None, why: str) -> Passed:
        """Let ``to`` have a number from now on, in the role that it had and no longer; ``holder``: whose share of a line.

        Raises ``NotFound``, ``AmbiguousNumber``, ``NumberNotAssigned``, ``SameHolder``, ``HolderNotFound`` and ``AllocationConflict``.
        """
        number = one_number(await self._numbers.named(unit.session, named.digits, domain=named.domain))
        open_now = await self._numbers.open_of(unit.session, number.id)
        given = [each for each in open_now if holder is None or each.holder == holder]
        if len(given) != _ONE:
            raise NumberNotAssigned
        (old,) = given
        if any(each.holder == to.holder for each in open_now):
            raise SameHolder("/to/id")
        cards = await self._handing.cards.parties(unit.session, gives=[old.holder], takes=[to.holder], pointer="/to/id")
        number = (await self._locked(unit, [number], [old]))[number.id]
        new = await self._pass_on(
            unit,
            to.author,
            [(number, old, _as(Acting(to.caller, to.author), old, holder=to.holder, until=to.until))],
            cards,
            "number.transfer",
            why,
        )
        return Passed(number, new[0])

    async def swap(self, unit: UnitOfWork, one: Named, other: Named, by: Acting, *, why: str) -> tuple[Passed, Passed]:
        """Exchange two numbers between their holders; each holder keeps the role, each number its end.

        Raises as ``transfer``; a shared line cannot be exchanged.
        """
        numbers = [
            one_number(await self._numbers.named(unit.session, each.digits, domain=each.domain))
            for each in (one, other)
        ]
        old = [await self._alone(unit, each) for each in numbers]
        if old[0].holder == old[1].holder:
            raise SameHolder("/with")
        parties = [each.holder for each in old]
        cards = await self._handing.cards.parties(unit.session, gives=parties, takes=parties, pointer="/with")
        locked = await self._locked(unit, numbers, old)
        passes = [
            (locked[numbers[at].id], old[at], _as(by, old[at], holder=old[1 - at].holder, role=old[1 - at].role))
            for at in (0, 1)
        ]
        new = await self._pass_on(unit, by.author, passes, cards, "number.swap", why)
        return Passed(passes[0][0], new[0]), Passed(passes[1][0], new[1])

    async def restore(self, unit: UnitOfWork, named: Named, by: Acting, *, until: datetime | None) -> Allocated:
        """Give a number that rests back to whoever had it last, in that role.

        Raises ``NotFound``, ``AmbiguousNumber``, ``NumberNotAvailable`` when it does not rest or nobody had it, ``HolderNotFound``, and
        ``Invalid`` for an end that cannot be.
        """
        number = one_number(await self._numbers.named(unit.session, named.digits, domain=named.domain))
        last = await last_of(unit.session, number.id)
        if last is None or number.state is not State.QUARANTINED:
            raise not_available(number, self._clock.now())
        holder, role = last
        card = await self._handing.cards.receiver(unit.session, holder)
        number = (await self._numbers.locked(unit.session, [number.id]))[number.id]
        pool = await self._handing.pool(unit, number)
        then = regained(number.state, last=await last_of(unit.session, number.id), holder=last, confirms=pool.confirms)
        if then is None:
            raise AllocationConflict
        fault = term_fault(pool.pool_class, until, self._clock.now())
        if fault is not None:
            raise term_refused(fault)
        await take_back(unit.session, number.id, then)
        back = Grant(holder=holder, role=role, caller=by.caller, author=by.author, until=until)
        handed = Handed(
            card, [Taken(number.id, number.digits, then, number.version + 1)], await held_by(unit.session, holder)
        )
        return await self._handing.over(unit, (pool.id, pool.code), back, handed, Verb.REGAIN)

    async def confirm(self, unit: UnitOfWork, author: Author, named: Named, assignment: UUID | None) -> NumberRow:
        """Note that a number works; ``assignment``: only if that is what was set up.

        Raises ``NotFound``, ``AmbiguousNumber`` and ``NumberNotProvisioning``.
        """
        number = one_number(await self._numbers.named(unit.session, named.digits, domain=named.domain))
        number = (await self._numbers.locked(unit.session, [number.id]))[number.id]
        open_now = await self._numbers.open_of(unit.session, number.id)
        meant = assignment is None or assignment in {each.id for each in open_now}
        if moved(number.state, Verb.CONFIRM) is None or not meant:
            raise NumberNotProvisioning(state=number.state.value)
        after = await self._numbers.put(unit.session, number, Verb.CONFIRM)
        writes, holders = Writes(), list(dict.fromkeys(each.holder for each in open_now))
        self._handing.announce(writes, author, "number.confirm", holders, pool=number.pool, numbers=[number.digits])
        told = [changed(after, Verb.CONFIRM, assignment=each.id, holder=each.holder) for each in open_now]
        await self._handing.telling.gather(unit.session, writes, told)
        await writes.run(unit.session)
        return after

    async def _alone(self, unit: UnitOfWork, number: NumberRow) -> Assignment:
        """Give the only assignment of a number, if it is nobody else's line too."""
        found = await self._numbers.open_of(unit.session, number.id)
        if len(found) != _ONE or found[0].role == "shared":
            raise NumberNotAssigned
        return found[0]

    async def _locked(
        self, unit: UnitOfWork, numbers: Sequence[NumberRow], seen: Sequence[Assignment]
    ) -> Mapping[int, NumberRow]:
        """Lock numbers, whose holders are locked; raise ``AllocationConflict`` when what was ``seen`` is over by now."""
        locked = await self._numbers.locked(unit.session, [each.id for each in numbers])
        for each in seen:
            if each.id not in {one.id for one in await self._numbers.open_of(unit.session, each.number_id)}:
                raise AllocationConflict
            if locked[each.number_id].state not in HELD_BY_SOMEBODY:
                raise AllocationConflict
        return locked

    async def _pass_on(
        self,
        unit: UnitOfWork,
        author: Author,
        passes: Sequence[tuple[NumberRow, Assignment, Grant]],
        cards: Mapping[UUID, LockedCard],
        action: str,
        why: str,
    ) -> list[Assignment]:
        now = self._clock.now()
        await self._numbers.end(unit.session, [old.id for _, old, _ in passes], Cause.MOVED, author, now)
        begun = [(new_id(), Taken(number.id, number.digits, number.state), grant) for number, _, grant in passes]
        changes = []
        try:
            for (number, _, grant), new in zip(passes, begun, strict=True):
                after = await self._numbers.put(unit.session, number, Verb.TRANSFER)
                change = changed(after, Verb.TRANSFER, assignment=new[0], holder=grant.holder)
                changes.append(replace(change, kind=SWAPPED) if action == "number.swap" else change)
                await self._numbers.assign_each(unit.session, number.pool_id, [new], now)
        except IntegrityError as error:
            raise AllocationConflict from error
        writes, roles = Writes(), {grant.role for _, _, grant in passes} | {old.role for _, old, _ in passes}
        for holder in dict.fromkeys(one for _, old, grant in passes for one in (grant.holder, old.holder)):
            self._handing.cards.tell(writes, author, cards.get(holder.id), await held_by(unit.session, holder), roles)
        parties = [passes[0][2].holder, passes[0][1].holder]
        digits = [number.digits for number, _, _ in passes]
        self._handing.announce(writes, author, action, parties, pool=passes[0][0].pool, numbers=digits, why=why)
        await self._handing.telling.gather(unit.session, writes, changes)
        await writes.run(unit.session)
        return [_begun(identity, number, grant, now) for identity, number, grant in begun]


def _as(
    by: Acting, old: Assignment, *, holder: Holder, role: str | None = None, until: datetime | None = None
) -> Grant:
    """Write what ``holder`` gets instead of ``old``: but for an exchange the same role, and no later end."""
    ends = [each for each in (old.until, until) if each is not None]
    return Grant(
        holder=holder, role=role or old.role, caller=by.caller, author=by.author, until=min(ends, default=None)
    )


def _begun(identity: UUID, number: Taken, grant: Grant, at: datetime) -> Assignment:
    return Assignment(
        id=identity,
        number_id=number.id,
        holder=grant.holder,
        role=grant.role,
        started_at=at,
        ended_at=None,
        cause=None,
        until=grant.until,
        by=(grant.author.type, grant.author.id),
    )
