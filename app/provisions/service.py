"""What an approved request to provide data gives, and how it ends: the provision begins, loses who takes a consent back, and is over.

All of it happens in the transaction of the request. A provision that ends while the recipient has the data leaves them to be returned: by
the end of the term, or within working days where it ended early.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from app.audit.authors import Author
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.models import new_id
from app.kit.query import Source
from app.provisions import rules
from app.provisions.errors import NobodyConsented
from app.provisions.repository import ProvisionRepository
from app.provisions.rules import EARLY_DAYS, OUT, OVER, Provision
from app.provisions.telling import OVERSEERS, ProvisionTeller, recorded

WITHDRAWN: Final = "consent_withdrawn"
"""The cause for which nobody's consent is left."""


class DueDay(Protocol):
    """When something is due."""

    @property
    def at(self) -> datetime:
        """The moment, UTC."""
        ...


class WorkCalendar(Protocol):
    """Counts working days."""

    def due(self, start: datetime, days: int) -> DueDay:
        """Say when ``days`` working days after ``start`` are over."""
        ...


class Calendars(Protocol):
    """Where the calendar in force is."""

    async def current(self, source: Source) -> WorkCalendar:
        """Give it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProvision:
    """What was approved: ``people`` are those who consented, of ``asked`` who were asked; ``terms`` is told in words."""

    request_id: UUID
    requester_id: UUID
    responsible_id: UUID
    contract: str
    fields: tuple[str, ...]
    crosses: tuple[str, ...]
    terms: Mapping[str, Any]
    people: tuple[UUID, ...]
    asked: int
    starts_at: datetime
    ends_at: datetime


class Provisions:
    """Begins and ends provisions."""

    def __init__(
        self, *, rows: ProvisionRepository, calendars: Calendars, teller: ProvisionTeller, clock: Clock
    ) -> None:
        """Take the rows, working days, who tells others, and the clock."""
        self._rows, self._calendars, self._teller, self._clock = rows, calendars, teller, clock

    async def begin(self, unit: UnitOfWork, author: Author, new: NewProvision) -> Provision:
        """Begin a provision. Raises ``NobodyConsented``."""
        if not new.people:
            raise NobodyConsented
        identity, now = new_id(), self._clock.now()
        provision = Provision(
            id=identity,
            request_id=new.request_id,
            requester_id=new.requester_id,
            responsible_id=new.responsible_id,
            contract=new.contract,
            fields=new.fields,
            crosses=new.crosses,
            terms=self._rows.close(identity, new.terms),
            asked=new.asked,
            starts_at=new.starts_at,
            ends_at=new.ends_at,
            return_by=new.ends_at,
        )
        await self._rows.add(unit.session, provision, new.people)
        people = (new.responsible_id, *new.people)
        await recorded(
            unit,
            author,
            "begin",
            provision,
            now,
            contacts=people,
            fields=new.fields,
            left_out=new.asked - len(new.people),
            crosses=list(new.crosses),
        )
        await self._teller.told(unit, "prepared", provision, now, people=[new.responsible_id, new.requester_id])
        return provision

    async def withdraw(self, unit: UnitOfWork, author: Author, identity: UUID, person: UUID) -> None:
        """Take out who does not consent any more; whoever answers for the provision is told, to have it deleted there."""
        provision, now = await self._rows.held(unit.session, identity), self._clock.now()
        if provision is None:
            return
        of = (await self._rows.consenters(unit.session, [identity]))[identity]
        theirs = next((each for each in of if each.contact_id == person and each.withdrawn_at is None), None)
        if theirs is None:
            return
        await self._rows.consents.put(unit.session, replace(theirs, withdrawn_at=now))
        provision = await self._rows.save(unit.session, provision)
        provided = provision.package_id is not None
        await recorded(
            unit, author, "withdraw", provision, now, contacts=[person, provision.responsible_id], provided=provided
        )
        await self._teller.told(
            unit,
            "consent_withdrawn",
            provision,
            now,
            people=[provision.responsible_id, provision.requester_id],
            roles=OVERSEERS if provided else (),
            provided=provided,
        )

    async def hand_on(self, unit: UnitOfWork, author: Author, *, contact_id: UUID, to: UUID | None) -> int:
        """Let somebody else answer for what somebody who leaves answers for and is not over; give how much that was.

        Where nobody is named, whoever asked for it answers for its return, and those who oversee find it when it is due.
        """
        found, now = await self._rows.answered_for(unit.session, contact_id), self._clock.now()
        if to is None:
            return len(found)
        for each in found:
            after = await self._rows.save(unit.session, replace(each, responsible_id=to))
            await recorded(unit, author, "hand_on", after, now, contacts=[to, contact_id])
            await self._teller.told(unit, "prepared", after, now, people=[to])
        return len(found)

    async def end(self, unit: UnitOfWork, author: Author, identity: UUID, cause: str) -> None:
        """End a provision, once: with its term, or early."""
        before, now = await self._rows.held(unit.session, identity), self._clock.now()
        if before is None or before.ended_at is not None or before.state in OVER:
            return
        calendar = await self._calendars.current(unit.session)
        after = rules.ended(before, now, cause, calendar.due(now, EARLY_DAYS).at)
        after = await self._rows.save(unit.session, after)
        if cause == WITHDRAWN:
            for each in (await self._rows.consenters(unit.session, [identity]))[identity]:
                if each.withdrawn_at is None:
                    await self._rows.consents.put(unit.session, replace(each, withdrawn_at=now))
        people = [after.responsible_id, after.requester_id]
        await recorded(unit, author, "end", after, now, contacts=[after.responsible_id], cause=cause)
        early = now < after.ends_at
        roles = OVERSEERS if early and after.state in OUT else ()
        await self._teller.told(
            unit, "revoked" if early else "ended", after, now, people=people, roles=roles, cause=cause
        )
