"""Business facts as a caller is shown them: each answer a look at the contacts that it names, on record before it leaves.

A contact whom the viewer may not know of is the same 404 as nobody. One whom the viewer may know, but not whose facts, has none: the page
is empty as that of a contact without facts is. Staff are named only to those who may know of them.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, own_contact, seek
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.records import Record
from app.disclosure.view import Disclosed
from app.engagements.repository import EngagementRepository, Narrowing
from app.engagements.rules import FACTS, OPEN, Assigned, Business, may_know, may_look_everywhere
from app.engagements.schemas import (
    EngagementListQuery,
    EngagementPage,
    EngagementQuery,
    EngagementRead,
    EngagementReadQuery,
)
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.errors import NotFound
from app.kit.pagination import Cursors
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer


class EngagementPages:
    """Shows facts to a viewer."""

    def __init__(
        self,
        *,
        rows: EngagementRepository,
        contacts: ContactRepository,
        gate: Gate,
        rights: CurrentRights,
        cursors: Cursors,
        reader: Reader,
        clock: Clock,
    ) -> None:
        """Take the rows, the contacts, the gate, the rights of now, the key of cursors, the reader and the clock."""
        self._rows, self._contacts, self._gate, self._rights = rows, contacts, gate, rights
        self._cursors, self._reader, self._clock = cursors, reader, clock

    async def of_contact(self, viewer: Viewer, identity: UUID, query: EngagementQuery) -> Disclosed[EngagementPage]:
        """List the facts about one contact. Raises ``NotFound``, ``BadCursor`` and ``LogUnavailable``."""
        seek("engagement.list", query.purpose, identity)
        shape = {"contact": str(identity), "state": query.state}
        before = self._before(viewer, shape, query.cursor)

        async def attempt(viewer: Viewer) -> Disclosed[EngagementPage]:
            record = await self._contacts.by_id(identity, viewer.tree)
            if record is None or self._gate.verdict(viewer.plan(query.purpose), record) is None:
                raise NotFound
            now, facts, ends = self._clock.now(), list[Business](), None
            if may_know(viewer.standing, record.cohort, identity, now):
                narrowing = Narrowing(now=now, ended=query.state == "ended", contact_id=identity, before=before)
                facts, ends = await self._rows.page(self._reader, narrowing, limit=query.limit)
            return await self._told(viewer, query, shape, facts, ends, contacts=[identity])

        return await self._rights.of(viewer, attempt)

    async def one(
        self, viewer: Viewer, identity: UUID, engagement: UUID, query: EngagementReadQuery
    ) -> Disclosed[EngagementRead]:
        """Show one fact. Raises ``NotFound`` alike when there is none, when it is not for the viewer, and as ``of_contact`` does."""
        seek("engagement.read", query.purpose, identity)

        async def attempt(viewer: Viewer) -> Disclosed[EngagementRead]:
            record = await self._contacts.by_id(identity, viewer.tree)
            fact, now = await self._rows.fact(self._reader, engagement), self._clock.now()
            if (
                record is None
                or self._gate.verdict(viewer.plan(query.purpose), record) is None
                or fact is None
                or fact.contact_id != identity
                or not may_know(viewer.standing, record.cohort, identity, now)
            ):
                raise NotFound
            (item,), known = await self._items(viewer, query.purpose, [fact])
            look = Look(action="engagement.read", purpose=query.purpose, query={"engagement": str(engagement)})
            note = await self._gate.disclose_plain(viewer, look, count=1, contacts=sorted({identity, *known}))
            body = orjson.dumps({**item, "disclosure": orjson.Fragment(note)}, option=orjson.OPT_UTC_Z)
            return Disclosed(body, etag=item["version"])

        return await self._rights.of(viewer, attempt)

    async def page(self, viewer: Viewer, query: EngagementListQuery) -> Disclosed[EngagementPage]:
        """List facts over all contacts whose facts the viewer is told of. Raises ``NoContact``, ``BadCursor`` and ``LogUnavailable``."""
        seek("engagement.list", query.purpose)
        own_contact(viewer)
        shape = query.shape()
        before = self._before(viewer, shape, query.cursor)

        async def attempt(viewer: Viewer) -> Disclosed[EngagementPage]:
            standing, now = viewer.standing, self._clock.now()
            mine = own_contact(viewer) if query.assigned else None
            everywhere = mine is not None or may_look_everywhere(standing)
            narrowing = Narrowing(
                now=now,
                ended=query.state == "ended",
                departments=None if everywhere else standing.departments | standing.headed,
                staff_id=mine,
                unassigned=query.unassigned,
                before=before,
            )
            found, ends = await self._rows.page(self._reader, narrowing, limit=query.limit)
            seen = await self._known(viewer, query.purpose, (each.contact_id for each in found))
            facts = [
                each
                for each in found
                if each.contact_id in seen and may_know(standing, seen[each.contact_id].cohort, each.contact_id, now)
            ]
            return await self._told(viewer, query, shape, facts, ends, contacts=[each.contact_id for each in facts])

        return await self._rights.of(viewer, attempt)

    async def may_name(self, viewer: Viewer, people: Iterable[UUID]) -> frozenset[UUID]:
        """Tell which of these the viewer may know of, for a write that names them; a service names whom it is told to."""
        if viewer.standing.contact_id is None:
            return frozenset(people)
        return frozenset(await self._known(viewer, Purpose.WORK_CONTACT, people))

    def rendered(
        self, fact: Business, staff: Sequence[Assigned], now: datetime, known: frozenset[UUID]
    ) -> dict[str, Any]:
        """Write a fact as somebody who knows of ``known`` is shown it, with the version of that."""
        card = view(fact, staff, now, known)
        return {**card, "version": self._gate.version(orjson.dumps(card, option=orjson.OPT_UTC_Z))}

    async def seen_by(self, viewer: Viewer, fact: Business, staff: Sequence[Assigned]) -> dict[str, Any]:
        """Write a fact as ``viewer`` is shown it."""
        named = await self.may_name(viewer, _people([fact], staff))
        return self.rendered(fact, staff, self._clock.now(), named)

    def _before(self, viewer: Viewer, shape: Mapping[str, Any], cursor: str | None) -> UUID | None:
        return None if cursor is None else UUID(self._cursors.open(viewer.caller, shape, cursor))

    async def _told(
        self,
        viewer: Viewer,
        query: EngagementQuery,
        shape: Mapping[str, Any],
        facts: Sequence[Business],
        ends: UUID | None,
        *,
        contacts: Iterable[UUID],
    ) -> Disclosed[EngagementPage]:
        items, known = await self._items(viewer, query.purpose, facts)
        look = Look(action="engagement.list", purpose=query.purpose, query=dict(shape))
        named = sorted({*contacts, *known})
        note = await self._gate.disclose_plain(viewer, look, count=len(items), contacts=named)
        following = None if ends is None else self._cursors.seal(viewer.caller, shape, str(ends))
        body = {"items": items, "next": following, "disclosure": orjson.Fragment(note)}
        return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

    async def _items(
        self, viewer: Viewer, purpose: Purpose, facts: Sequence[Business]
    ) -> tuple[list[dict[str, Any]], frozenset[UUID]]:
        """Write facts as the viewer is shown them; give also whom they name."""
        now = self._clock.now()
        staff = await self._rows.staff(self._reader, [each.id for each in facts])
        people = _people(facts, [each for rows in staff.values() for each in rows if each.live(now)])
        known = frozenset(await self._known(viewer, purpose, people))
        return [self.rendered(each, staff[each.id], now, known) for each in facts], known

    async def _known(self, viewer: Viewer, purpose: Purpose, people: Iterable[UUID]) -> dict[UUID, Record]:
        wanted = list(dict.fromkeys(people))
        records = await asyncio.gather(*(self._contacts.by_id(each, viewer.tree) for each in wanted))
        plan = viewer.plan(purpose)
        return {
            record.subject: record
            for record in records
            if record is not None and self._gate.verdict(plan, record) is not None
        }


def view(fact: Business, staff: Sequence[Assigned], now: datetime, known: frozenset[UUID]) -> dict[str, Any]:
    """Write a fact with those of its staff who are at work on it and among ``known``."""
    kind, _, identity = fact.source.partition(":")
    told = kind != "person" or UUID(identity) in known
    return {
        "id": fact.id,
        "contact": fact.contact_id,
        **{each: fact.reference if each == fact.kind else None for each in FACTS},
        "state": "open" if fact.live(now) else "ended",
        "staff": [
            {"id": each.staff_id, "since": each.since, "until": _end(each.until)}
            for each in staff
            if each.live(now) and each.staff_id in known
        ],
        "since": fact.since,
        "until": _end(fact.until),
        "source": {"type": kind, "id": identity if told else None},
    }


def _end(until: datetime) -> datetime | None:
    return None if until >= OPEN else until


def _people(facts: Iterable[Business], staff: Iterable[Assigned]) -> list[UUID]:
    authors = [UUID(each.source.removeprefix("person:")) for each in facts if each.source.startswith("person:")]
    return [*(each.staff_id for each in staff), *authors]
