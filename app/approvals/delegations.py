"""Giving decisions away, taking them back, and who decides for whom now. Each change is part of the caller's one transaction.

Nothing is handed over when a delegation is given, and nothing comes back when it ends: who may decide a pending request is worked out when
it is asked, so what is pending already counts, and what the stand-in did not decide is the principal's again. No standing reads this table,
no epoch moves with it: whoever decides for somebody sees exactly what they saw before.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from app.approvals.delegation_errors import (
    DelegationRing,
    DelegationTooDeep,
    SelfDelegation,
    TooManyDelegations,
    UnfitDelegate,
)
from app.approvals.delegation_repository import DelegationRepository
from app.approvals.delegation_rules import (
    MOST_DEEP,
    MOST_GIVEN,
    Cause,
    Delegated,
    Fault,
    StandIn,
    acting_for,
    deputies,
    fault,
)
from app.approvals.parties import Parties
from app.approvals.persons import Persons
from app.audit.authors import Author, written
from app.audit.intents import add_intent
from app.auth.repository import Source
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork

SWEEPER: Final = Author(type="system", id="delegations")


class DelegationTeller(Protocol):
    """Who tells people that decisions were given to them, or are theirs again."""

    async def told(self, unit: UnitOfWork, change: str, delegation: Delegated, at: datetime) -> None:
        """Tell both sides of a ``change``, ``given`` or ``ended``, in the transaction in which it happens."""
        ...


class Delegations:
    """Knows and keeps who decides for whom."""

    def __init__(
        self,
        *,
        rows: DelegationRepository,
        parties: Parties,
        persons: Persons,
        teller: DelegationTeller,
        database: Database,
        clock: Clock,
    ) -> None:
        """Take the rows, who can be a party, who is who, who tells people, the store (for sweeps) and the clock."""
        self._rows, self._parties, self._persons = rows, parties, persons
        self._teller, self._database, self._clock = teller, database, clock

    async def acting_for(self, source: Source, person: UUID, now: datetime) -> tuple[StandIn, ...]:
        """Give for whom ``person`` may decide at ``now``, the nearest first. Raises ``PersonUnclear``."""
        found, reached = list[Delegated](), {person}
        for _ in range(MOST_DEEP):
            level = await self._rows.received(source, reached - {each.delegate_id for each in found}, now)
            found += level
            reached = {each.principal_id for each in level}
        if not found or not await self._parties.can_take(source, person, now):
            return ()
        persons = await self._persons.of(source, _named(found))
        return acting_for(person, await self._standing(source, found, now), now, persons=persons)

    async def away(self, source: Source, person: UUID, now: datetime) -> bool:
        """Tell whether somebody in office is kept from deciding at ``now`` by a mark, for leave or otherwise."""
        return await self._parties.is_away(source, person, now)

    async def deputies(self, source: Source, person: UUID, kind: str, now: datetime) -> tuple[UUID, ...]:
        """Give who may decide for ``person`` on requests of ``kind`` at ``now``, the nearest first. Raises ``PersonUnclear``."""
        found, reached = list[Delegated](), {person}
        for _ in range(MOST_DEEP):
            level = await self._rows.given(source, reached - {each.principal_id for each in found}, now)
            found += level
            reached = {each.delegate_id for each in level}
        if not found:
            return ()
        persons = await self._persons.of(source, _named(found))
        meant = deputies(person, kind, await self._standing(source, found, now), now, persons=persons)
        return tuple([each for each in meant if await self._parties.can_take(source, each, now)])

    async def give(self, unit: UnitOfWork, author: Author, new: Delegated) -> None:
        """Give decisions away.

        Raises ``SelfDelegation``, ``UnfitDelegate``, ``DelegationRing``, ``DelegationTooDeep``, ``TooManyDelegations``, ``PersonUnclear``.
        """
        now, session = self._clock.now(), unit.session
        await self._rows.queue(session)
        others = await self._rows.unended(session, now)
        persons = await self._persons.of(session, {*_named(others), *_named([new]), new.filed_by})
        if persons[new.filed_by] == persons[new.delegate_id]:
            raise SelfDelegation
        if not await self._parties.can_take(session, new.delegate_id, now):
            raise UnfitDelegate
        _refuse(fault(new, others, persons=persons))
        if sum(each.principal_id == new.principal_id for each in others) >= MOST_GIVEN:
            raise TooManyDelegations(most=MOST_GIVEN)
        await self._rows.add(session, new)
        query = {
            "delegation": str(new.id),
            "kinds": None if new.kinds is None else sorted(new.kinds),
            "from": new.starts_at.isoformat(),
            "until": new.ends_at.isoformat(),
            "reason": new.reason.value,
        }
        await self._record(unit, author, "delegation.give", new, query)
        await self._teller.told(unit, "given", new, now)

    async def end(self, unit: UnitOfWork, author: Author, identity: UUID, cause: Cause = Cause.ENDED) -> bool:
        """End a delegation now; ``False`` when it is over, or not there, and stays as it is."""
        now = self._clock.now()
        found = await self._rows.locked(unit.session, identity)
        if found is None or found.over(now):
            return False
        return await self._end(unit, author, found, cause, now)

    async def end_all(self, unit: UnitOfWork, author: Author, *, contact_id: UUID, cause: str) -> int:
        """End everything that somebody gave or was given, ``cause`` being ``left`` or ``suspended``; give how many ended."""
        now, ended, why = self._clock.now(), 0, Cause(cause)
        for each in await self._rows.unended(unit.session, now, party=contact_id):
            found = await self._rows.locked(unit.session, each.id)
            if found is not None and not found.over(now):
                ended += await self._end(unit, author, found, why, now)
        return ended

    async def sweep(self) -> int:
        """End what has a party who is not there any more or must not decide; each in a transaction of its own; give how many ended.

        Nobody decides by such a delegation anyway. This says so in the table, so that it does not come back with an account that does.
        """
        now, ended = self._clock.now(), 0
        for each in await self._rows.unended(self._database.reader, now):
            if each.live(now) and not await self._stands(self._database.reader, each, now):
                async with self._database.unit_of_work() as unit:
                    ended += await self.end(unit, SWEEPER, each.id, Cause.SUSPENDED)
        return ended

    async def _end(self, unit: UnitOfWork, author: Author, found: Delegated, cause: Cause, now: datetime) -> bool:
        after = found.ended(now, cause)
        if not await self._rows.change(unit.session, after):
            return False
        query = {"delegation": str(after.id), "cause": cause.value}
        await self._record(unit, author, "delegation.end", after, query)
        await self._teller.told(unit, "ended", after, now)
        return True

    async def _record(
        self, unit: UnitOfWork, author: Author, action: str, each: Delegated, query: Mapping[str, object]
    ) -> None:
        contacts = [each.principal_id, each.delegate_id]
        draft = written(author, action, self._clock.now(), contacts=contacts, query=dict(query))
        await add_intent(unit.session, draft)

    async def _standing(self, source: Source, found: Iterable[Delegated], now: datetime) -> list[Delegated]:
        """Leave out what was given by somebody whose decisions nobody can make now."""
        able: dict[UUID, bool] = {}
        kept = []
        for each in found:
            if each.principal_id not in able:
                able[each.principal_id] = await self._parties.can_give(source, each.principal_id, now)
            if able[each.principal_id]:
                kept.append(each)
        return kept

    async def _stands(self, source: Source, each: Delegated, now: datetime) -> bool:
        """Tell whether both sides are there and trusted; a stand-in who is away for a while is."""
        return await self._parties.can_give(source, each.principal_id, now) and await self._parties.can_give(
            source, each.delegate_id, now
        )


def _named(delegations: Iterable[Delegated]) -> set[UUID]:
    return {who for each in delegations for who in (each.principal_id, each.delegate_id)}


def _refuse(why: Fault | None) -> None:
    match why:
        case None:
            return
        case Fault.SELF:
            raise SelfDelegation
        case Fault.RING:
            raise DelegationRing
        case Fault.TOO_DEEP:
            raise DelegationTooDeep
