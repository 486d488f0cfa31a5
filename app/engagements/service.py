"""Entering, changing and ending business facts. Each is part of the caller's one transaction, and the rights that follow move with it.

Whoever writes locks the contacts first, the external one and the staff, by id, as everybody who takes or gives something of a contact does,
and facts after them: so a push never assigns somebody who is leaving at that moment, and nobody waits for another in a circle. The account
of everybody whose assignments change moves its epoch in the same transaction, and the log refuses looks under the standing from before.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.authors import Author, written
from app.audit.events import EventDraft
from app.audit.intents import add_intent, add_intents
from app.audit.terms import Terms
from app.auth import epochs
from app.auth.errors import AccountRefused
from app.auth.repository import AccountRepository
from app.contacts.carrying import CardCarrier, LockedCard
from app.engagements.errors import NotExternal, ReferenceReused, TooManyEngagements, UnknownStaff
from app.engagements.repository import EngagementRepository, Name
from app.engagements.rules import MOST_LIVE, PRESENT, STAFF, SUBJECT, Assigned, Business, Cause
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound, Problem
from app.kit.models import new_id
from app.permissions.plan import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBusiness:
    """What a source says: a fact about a contact, by whose reference, and who works on it. ``body_hash`` is 32 bytes of what it wrote."""

    contact_id: UUID
    kind: Fact
    reference: str
    source: str
    staff: tuple[UUID | None, ...]
    since: datetime
    until: datetime
    body_hash: bytes

    @property
    def name(self) -> Name:
        """What its source calls it."""
        return self.source, self.kind, self.reference


@dataclass(frozen=True, slots=True)
class Entered:
    """A fact after its write, with everybody who is or was on it; and whether it was there before."""

    fact: Business
    staff: Sequence[Assigned]
    replayed: bool = False


class EngagementService:
    """Keeps facts, inside a transaction."""

    def __init__(
        self,
        *,
        rows: EngagementRepository,
        cards: CardCarrier,
        accounts: AccountRepository,
        terms: Terms,
        clock: Clock,
    ) -> None:
        """Take the rows, what locks contacts, the accounts whose epochs move, the key of references in the log, and the clock."""
        self._rows, self._cards, self._accounts = rows, cards, accounts
        self._terms, self._clock = terms, clock

    async def lock(self, session: AsyncSession, contacts: Iterable[UUID]) -> dict[UUID, LockedCard]:
        """Lock contacts until the transaction ends, by id; those that are absent, gone or edited past us are left out."""
        found = {}
        for each in sorted(set(contacts)):
            try:
                found[each] = await self._cards.locked(session, each, among=PRESENT)
            except NotFound:
                continue
        return found

    async def held(
        self, session: AsyncSession, contact_id: UUID, identity: UUID, staff: Iterable[UUID] = ()
    ) -> tuple[Business, dict[UUID, LockedCard]]:
        """Lock a contact, those who are to be its staff, and then one of its facts; raise ``NotFound``."""
        locked = await self.lock(session, [contact_id, *staff])
        fact = await self._rows.locked(session, identity)
        if contact_id not in locked or fact is None or fact.contact_id != contact_id:
            raise NotFound
        return fact, locked

    async def enter(
        self, unit: UnitOfWork, author: Author, told: Sequence[NewBusiness], locked: Mapping[UUID, LockedCard]
    ) -> list[Entered | Problem]:
        """Enter facts of one source, each once, or say again what became of it; ``locked`` is what ``lock`` gave for contacts and staff.

        One that is refused is answered by its problem and keeps none of the others out: ``NotFound``, ``NotExternal``, ``UnknownStaff``,
        ``TooManyEngagements``, ``ReferenceReused``.
        """
        now, session = self._clock.now(), unit.session
        await self._rows.queue(session, {each.source for each in told})
        known = await self._rows.named(session, [each.name for each in told])
        there = await self._rows.staff(session, [fact.id for fact in known.values() if fact is not None])
        live = await self._rows.live(session, {who for each in told for who in each.staff if who is not None}, now)
        outcomes = list[Entered | Problem]()
        fresh = dict[Name, Entered]()
        for each in told:
            try:
                entered = _told_before(each, known, there, fresh) or _begun(each, locked, live)
            except (NotFound, NotExternal, UnknownStaff, TooManyEngagements, ReferenceReused) as refused:
                outcomes.append(refused)
                continue
            if not entered.replayed:
                fresh[each.name] = entered
            outcomes.append(entered)
        begun = list(fresh.values())
        await self._rows.add(session, [each.fact for each in begun], at=now)
        await self._rows.assign(session, [row for each in begun for row in each.staff])
        await self._move_epochs(session, {row.staff_id for each in begun for row in each.staff})
        drafts = [
            self._draft(author, "engagement.create", each.fact, [row.staff_id for row in each.staff]) for each in begun
        ]
        await add_intents(session, drafts)
        return outcomes

    async def change(
        self,
        unit: UnitOfWork,
        author: Author,
        fact: Business,
        locked: Mapping[UUID, LockedCard],
        *,
        until: datetime | None = None,
        staff: Sequence[UUID | None] | None = None,
    ) -> Entered:
        """Give a fact another end, other staff, or both; what is ``None`` stays. ``fact`` was held in this transaction.

        Nobody whose work has ended is back on it unless they are named, so a fact that is opened again needs its staff named. Raises as
        ``enter`` does.
        """
        now = self._clock.now()
        before = (await self._rows.staff(unit.session, [fact.id]))[fact.id]
        on_it = {each.staff_id for each in before if each.live(now)}
        wanted = on_it if staff is None else _staff_of(staff, locked)
        ends = fact.until if until is None else max(until, fact.since)
        if ends > now:
            _refuse_too_many(wanted - on_it, await self._rows.live(unit.session, wanted - on_it, now))
        after = [_changed(each, wanted, ends, now) for each in before]
        changed = [each for each, was in zip(after, before, strict=True) if each != was]
        new = [
            _at_work(replace(fact, until=ends), each, now)
            for each in sorted(wanted - {each.staff_id for each in before})
        ]
        if ends == fact.until and not changed and not new:
            return Entered(fact, before)
        fact = await self._rows.change(unit.session, replace(fact, until=ends), at=now)
        await self._rows.reassign(unit.session, changed)
        await self._rows.assign(unit.session, new)
        touched = {each.staff_id for each in (*changed, *new)}
        action = "engagement.update" if fact.live(now) else "engagement.end"
        await self._move_epochs(unit.session, touched)
        await add_intent(unit.session, self._draft(author, action, fact, touched))
        return Entered(fact, (await self._rows.staff(unit.session, [fact.id]))[fact.id])

    async def end_all(self, unit: UnitOfWork, author: Author, *, contact_id: UUID, cause: str) -> int:
        """End what a contact is assigned to and, of an external one, the facts about it; give how many assignments ended.

        The caller has locked the contact and moves the epoch of its own account with what it writes; those of others move here.
        """
        now, why = self._clock.now(), Cause(cause)
        facts = await self._rows.about(unit.session, contact_id, now)
        theirs = await self._rows.staff(unit.session, [each.id for each in facts])
        own = await self._rows.assigned_to(unit.session, contact_id, now)
        ending = [*own, *(each for rows in theirs.values() for each in rows if each.live(now))]
        if not ending and not facts:
            return 0
        for fact in facts:
            await self._rows.change(unit.session, replace(fact, until=now), at=now)
        await self._rows.reassign(unit.session, [_ended(each, now, why) for each in ending])
        others = {each.staff_id for each in ending} - {contact_id}
        await self._move_epochs(unit.session, others)
        query = {"cause": why.value, "engagements": len(facts), "assignments": len(ending)}
        contacts = [contact_id, *sorted(others)]
        await add_intent(unit.session, written(author, "engagement.end", now, contacts=contacts, query=query))
        return len(ending)

    def _draft(self, author: Author, action: str, fact: Business, staff: Iterable[UUID]) -> EventDraft:
        query = {"engagement": str(fact.id), "kind": fact.kind, "reference": self._terms.masked(fact.reference)}
        return written(author, action, self._clock.now(), contacts=[fact.contact_id, *sorted(staff)], query=query)

    async def _move_epochs(self, session: AsyncSession, staff: Iterable[UUID]) -> None:
        keys = []
        for each in sorted(staff):
            try:
                account = await self._accounts.by_contact(session, each)
            except AccountRefused:
                continue
            if account is not None:
                keys.append(account.epoch_key)
        await epochs.bump(session, *keys)


def _told_before(
    new: NewBusiness,
    known: Mapping[Name, Business | None],
    there: Mapping[UUID, Sequence[Assigned]],
    fresh: Mapping[Name, Entered],
) -> Entered | None:
    """Give what became of a fact that was said before; raise ``ReferenceReused`` where its name stands for something else."""
    if new.name in fresh:
        fact, staff = fresh[new.name].fact, fresh[new.name].staff
    elif new.name not in known:
        return None
    elif (found := known[new.name]) is None:
        raise ReferenceReused
    else:
        fact, staff = found, there[found.id]
    if fact.body_hash != new.body_hash:
        raise ReferenceReused
    return Entered(fact, staff, replayed=True)


def _begun(new: NewBusiness, locked: Mapping[UUID, LockedCard], live: dict[UUID, int]) -> Entered:
    """Make a fact and the rows of its staff; ``live`` counts what each of them is on, this one included from now on."""
    _refuse_others(new.contact_id, locked)
    staff = _staff_of(new.staff, locked)
    _refuse_too_many(staff, live)
    fact = Business(
        id=new_id(),
        contact_id=new.contact_id,
        kind=new.kind,
        reference=new.reference,
        source=new.source,
        since=new.since,
        until=new.until,
        body_hash=new.body_hash,
    )
    live.update((each, live.get(each, 0) + 1) for each in staff)
    return Entered(fact, [_at_work(fact, each, fact.since) for each in sorted(staff)])


def _refuse_too_many(staff: Iterable[UUID], live: Mapping[UUID, int]) -> None:
    if any(live.get(each, 0) >= MOST_LIVE for each in staff):
        raise TooManyEngagements(most=MOST_LIVE)


def _refuse_others(contact_id: UUID, locked: Mapping[UUID, LockedCard]) -> None:
    card = locked.get(contact_id)
    if card is None:
        raise NotFound
    if card.covered["kind"] != SUBJECT:
        raise NotExternal


def _staff_of(named: Sequence[UUID | None], locked: Mapping[UUID, LockedCard]) -> set[UUID]:
    found, strangers = set[UUID](), list[int]()
    for at, each in enumerate(named):
        card = None if each is None else locked.get(each)
        if each is None or card is None or card.covered["kind"] not in STAFF:
            strangers.append(at)
        else:
            found.add(each)
    if strangers:
        raise UnknownStaff(strangers)
    return found


def _at_work(fact: Business, staff_id: UUID, since: datetime) -> Assigned:
    return Assigned(
        engagement_id=fact.id,
        staff_id=staff_id,
        contact_id=fact.contact_id,
        kind=fact.kind,
        since=since,
        until=max(since, fact.until),
    )


def _changed(row: Assigned, wanted: Collection[UUID], ends: datetime, now: datetime) -> Assigned:
    """Write how a person's row is to be: on the fact to its end, off it from now on, or as it was."""
    if row.staff_id in wanted:
        until = max(ends, row.since)
        return replace(row, until=until, cause=None) if (row.until, row.cause) != (until, None) else row
    return _ended(row, now, Cause.REPLACED) if row.live(now) else row


def _ended(row: Assigned, now: datetime, why: Cause) -> Assigned:
    return replace(row, until=max(row.since, now), cause=why.value)
