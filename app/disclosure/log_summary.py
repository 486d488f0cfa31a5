"""A summary of the access log over some time: who looked most, at whom, from where in the company, why, when, and what was refused.

Counted exactly, newest event first, while the events stream past; a summary that would take too long or hold too much stops, and says how
far it came. It is one look, recorded with its filter before it leaves.
"""

from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from app.audit.matching import EventFilter
from app.disclosure.log_access import IN_QUERY, LogAccess, name_action
from app.disclosure.log_names import Names, actor, department, note_actor
from app.disclosure.log_queries import SummaryQuery
from app.disclosure.log_tally import ActorTally, Counts, Key, Tally, zone
from app.disclosure.log_views import EventSummary
from app.disclosure.looks import Look
from app.disclosure.view import Disclosed
from app.kit.clock import Clock
from app.kit.errors import FieldError, Invalid
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer

DEFAULT_WINDOW: Final = timedelta(days=7)
LONGEST_WINDOW: Final = timedelta(days=93)
MOST_SCANNED: Final = 200_000
"""Most events that one summary looks at: a few seconds."""

_CHUNK: Final = 256
"""Events between two turns of the loop: a few milliseconds."""

_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Scan:
    """How far a count went."""

    events: int
    complete: bool
    reached: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLogSummaries:
    """Counts events for those whose task the log is."""

    access: LogAccess
    clock: Clock
    most_scanned: int = MOST_SCANNED

    async def summary(self, viewer: Viewer, query: SummaryQuery) -> Disclosed[EventSummary]:
        """Count the events that fit. Raises ``NotPermitted``, ``Invalid``, ``LogUnavailable``."""
        name_action("access_event.summary")
        access = self.access

        async def attempt(viewer: Viewer) -> Disclosed[EventSummary]:
            since, until = self._window(query)
            wanted = replace(access.wanted(viewer, query, place=IN_QUERY), since=since, until=until)
            tally = Tally(offset=zone(query.utc_offset), only=query.contact)
            scan = await self._count(wanted, tally)
            names = await self._names(viewer, tally, query)
            logged = {
                **access.logged(query, names.clients),
                "from": since.isoformat(),
                "to": until.isoformat(),
            }
            look = Look(action="access_event.summary", purpose=Purpose.AUDIT, query=logged)
            note = await access.gate.disclose_plain(viewer, look, count=tally.events)
            body = {
                "from": since,
                "to": until,
                "utc_offset": query.utc_offset,
                **_counted(tally, query.top, names),
                "scanned": {"events": scan.events, "complete": scan.complete, "reached": scan.reached},
                "disclosure": orjson.Fragment(note),
            }
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await access.with_current_rights(viewer, attempt)

    def _window(self, query: SummaryQuery) -> tuple[datetime, datetime]:
        """Give the time that is counted: by default the seven days before ``to``, and that is now."""
        now = self.clock.now()
        until = query.until or max(now, query.since or now)
        since = query.since or max(until, _FIRST + DEFAULT_WINDOW) - DEFAULT_WINDOW
        if until - since > LONGEST_WINDOW:
            fault = FieldError(
                f"{IN_QUERY}from", "window_too_long", "A summary covers at most 93 days.", "汇总最多覆盖 93 天。"
            )
            raise Invalid(errors=[fault])
        return since, until

    async def _count(self, wanted: EventFilter, tally: Tally) -> _Scan:
        fits, seen, reached = wanted.reading(), 0, None
        async with aclosing(self.access.events.walk(wanted, chunk=_CHUNK)) as chunks:
            async for rows in chunks:
                for row in rows:
                    if seen >= self.most_scanned or tally.full:
                        return _Scan(seen, complete=False, reached=reached)
                    seen, reached = seen + 1, row.at
                    if fits(row.index, row.at, row.document):
                        tally.add(row.at, row.document)
        return _Scan(seen, complete=True, reached=reached)

    async def _names(self, viewer: Viewer, tally: Tally, query: SummaryQuery) -> Names:
        people = {contact for contact, _, _ in tally.subjects(query.top)}
        clients: set[str] = set()
        for (kind, identity), _ in (*tally.readers(query.top), *tally.refused(query.top)):
            note_actor(kind, identity, people, clients)
        if query.actor is not None:
            clients.add(query.actor)
        return await self.access.names.named(viewer.tree, people, clients)


def _counted(tally: Tally, top: int, names: Names) -> dict[str, Any]:
    return {
        "events": tally.events,
        "looks": tally.looks,
        "contacts": tally.contacts,
        "readers": [
            {
                "actor": _actor(key, each, names),
                "looks": each.looks,
                "contacts": each.contacts,
                "last_at": each.last_look,
            }
            for key, each in tally.readers(top)
        ],
        "subjects": [
            {"contact": {"id": contact, "name": names.contacts.get(contact)}, "looks": looks, "refusals": refusals}
            for contact, looks, refusals in tally.subjects(top)
        ],
        "departments": [
            {"department": _department(identity, names), "events": events, "refusals": refusals}
            for identity, events, refusals in tally.departments.most(top)
        ],
        "purposes": _named(tally.purposes),
        "actions": _named(tally.actions),
        "hours": [
            {"hour": hour, "events": tally.hours.events[hour], "refusals": tally.hours.refusals[hour]}
            for hour in range(24)
        ],
        "refusals": {
            "total": tally.codes.total(),
            "codes": [{"code": code, "events": events} for code, events in tally.codes.most_common()],
            "actors": [
                {"actor": _actor(key, each, names), "refusals": each.refusals} for key, each in tally.refused(top)
            ],
        },
    }


def _actor(key: Key, found: ActorTally, names: Names) -> dict[str, Any]:
    return actor(key[0], key[1], found.tier, found.department_id, names)


def _department(identity: UUID | None, names: Names) -> dict[str, Any] | None:
    return None if identity is None else department(identity, names.tree)


def _named(counts: Counts) -> list[dict[str, Any]]:
    return [{"name": name, "events": events, "refusals": refusals} for name, events, refusals in counts.most()]
