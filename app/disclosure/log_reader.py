"""Reading the access log: who looked, at whom, and what was shown of them.

Who may is decided here, after the scope: people of security and audit, and service accounts that were given the scope. Every answer is
itself a look, recorded before it leaves, so it stands in the next page and never in its own. Names are joined when they are read; the
log holds ids alone. A department name, an actor's name, a contact's name are C1: nothing sealed is opened.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

import orjson

from app.audit.errors import EpochMoved
from app.audit.events import EventDraft
from app.audit.repository import AccessLogRepository, EventFilter, FoundEvent, Position
from app.departments.tree import Tree
from app.disclosure.gate import Gate, Look
from app.disclosure.log_views import MOST_CONTACTS, EventPage, EventQuery, EventView
from app.disclosure.view import Disclosed
from app.kit.context import current_request
from app.kit.errors import NotFound
from app.kit.pagination import Cursors
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose, State
from app.permissions.standing import Standings, Viewer

READERS: Final = frozenset({"auditor", "infosec"})
"""Roles whose task the log is (design/security.md: "the security team is told who and whom by name")."""

_NAMES_AT_ONCE: Final = 500
_RANK: Final = {State.EMPTY: 0, State.WITHHELD: 1, State.MASKED: 2, State.SHOWN: 3}

_T = TypeVar("_T")


class NamesContacts(Protocol):
    """What gives the names of contacts: their repository."""

    async def names(self, identities: Iterable[UUID]) -> dict[UUID, str]:
        """Give the names of those that have one."""
        ...


class NamesClients(Protocol):
    """What gives the name of a service account."""

    async def name_of(self, client_id: str) -> str | None:
        """Give it; ``None`` for a client that is not known or whose row does not verify."""
        ...


@dataclass(frozen=True, slots=True)
class _Names:
    contacts: Mapping[UUID, str]
    clients: Mapping[str, str | None]
    tree: Tree


class CheckpointText(Disclosed[str]):
    """A signed note, as it was signed."""

    media_type = "text/plain"


class AccessLogReader:
    """Shows the log to those whose task it is."""

    def __init__(
        self,
        *,
        events: AccessLogRepository,
        contacts: NamesContacts,
        clients: NamesClients,
        gate: Gate,
        standings: Standings,
        cursors: Cursors,
        masked: Callable[[str], str],
    ) -> None:
        """Take the log, who knows names, the gate that records looks, and what hashes a term for the log."""
        self._events, self._contacts, self._clients = events, contacts, clients
        self._gate, self._standings, self._cursors, self._masked = gate, standings, cursors, masked

    async def search(self, viewer: Viewer, query: EventQuery) -> Disclosed[EventPage]:
        """List events, newest first. Raises ``NotPermitted``, ``BadCursor``, ``LogUnavailable``."""
        _name_action("access_event.list")
        shape = query.shape()
        wanted = EventFilter(
            contact_id=query.contact,
            actor_id=query.actor,
            action=query.action,
            decision=query.decision,
            since=query.since,
            until=query.until,
        )

        async def attempt(viewer: Viewer) -> Disclosed[EventPage]:
            _admit(viewer)
            after, before = self._places(viewer, shape, query.cursor)
            page = await self._events.search(wanted, limit=query.limit, after=after, before=before)
            names = await self._names(viewer, page.events, query.contact, asked=query.actor)
            look = Look(action="access_event.list", purpose=query.purpose, query=self._logged(shape, names))
            note = await self._gate.disclose_plain(viewer, look, count=len(page.events))
            body = {
                "items": [_item(each, names, query.contact) for each in page.events],
                "next": self._cursor(viewer, shape, "next", page.next),
                "previous": self._cursor(viewer, shape, "previous", page.previous),
                "disclosure": orjson.Fragment(note),
            }
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await self._with_current_rights(viewer, attempt)

    async def read(self, viewer: Viewer, identity: UUID, purpose: Purpose) -> Disclosed[EventView]:
        """Show one event. Raises ``NotPermitted``, ``NotFound``, ``LogUnavailable``."""
        _name_action("access_event.read")

        async def attempt(viewer: Viewer) -> Disclosed[EventView]:
            _admit(viewer)
            found = await self._events.one(identity)
            if found is None:
                raise NotFound
            names = await self._names(viewer, [found], None)
            look = Look(action="access_event.read", purpose=purpose, query={"event": str(identity)})
            note = await self._gate.disclose_plain(viewer, look, count=1)
            asked = {"query": found.event.query, "count": found.event.count}
            body = {**_item(found, names, None), **asked, "disclosure": orjson.Fragment(note)}
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await self._with_current_rights(viewer, attempt)

    async def checkpoint(self, viewer: Viewer) -> CheckpointText:
        """Give the newest signed checkpoint; it already covers the event of this look.

        Raises ``NotPermitted`` and ``LogUnavailable``.
        """
        _name_action("access_log.checkpoint")

        async def attempt(viewer: Viewer) -> CheckpointText:
            _admit(viewer)
            await self._gate.disclose_plain(viewer, Look(action="access_log.checkpoint", purpose=Purpose.AUDIT), count=1)
            note = await self._events.checkpoint()
            if note is None:
                raise NotFound
            return CheckpointText(note.encode())

        return await self._with_current_rights(viewer, attempt)

    async def _with_current_rights(self, viewer: Viewer, attempt: Callable[[Viewer], Awaitable[_T]]) -> _T:
        try:
            return await attempt(viewer)
        except EpochMoved:
            return await attempt(await self._standings.of(viewer.subject, fresh=True))

    def _cursor(self, viewer: Viewer, shape: Mapping[str, Any], way: str, place: Position | None) -> str | None:
        if place is None:
            return None
        return self._cursors.seal(viewer.caller, _bound(shape), [way, place.index, place.at])

    def _places(self, viewer: Viewer, shape: Mapping[str, Any], cursor: str | None) -> tuple[Position | None, Position | None]:
        """Read a cursor: the place after which to go on, or the one before which."""
        if cursor is None:
            return None, None
        way, index, at = self._cursors.open(viewer.caller, _bound(shape), cursor)
        place = Position(index, None if at is None else datetime.fromisoformat(at).astimezone(UTC))
        return (place, None) if way == "next" else (None, place)

    def _logged(self, shape: Mapping[str, Any], names: _Names) -> dict[str, Any]:
        """Write the question for the log: an actor that is neither a contact's id nor a known client is text of the caller's own."""
        actor = shape.get("actor")
        if actor is None or _contact_id(actor) is not None or names.clients.get(actor) is not None:
            return dict(shape)
        return {**shape, "actor": self._masked(actor)}

    async def _names(
        self, viewer: Viewer, found: Sequence[FoundEvent], only: UUID | None, *, asked: str | None = None
    ) -> _Names:
        wanted: set[UUID] = set()
        clients: set[str] = set() if asked is None or _contact_id(asked) is not None else {asked}
        for each in found:
            event = each.event
            wanted.update(_listed(event, only))
            if event.actor_type == "person" and (contact := _contact_id(event.actor_id)) is not None:
                wanted.add(contact)
            if event.actor_type == "service" and event.actor_id is not None:
                clients.add(event.actor_id)
        ordered, names = sorted(wanted), dict[UUID, str]()
        for at in range(0, len(ordered), _NAMES_AT_ONCE):
            names.update(await self._contacts.names(ordered[at : at + _NAMES_AT_ONCE]))
        return _Names(names, {client: await self._clients.name_of(client) for client in sorted(clients)}, viewer.tree)


def _admit(viewer: Viewer) -> None:
    standing = viewer.standing
    if standing.kind == "person" and standing.roles.isdisjoint(READERS):
        raise NotPermitted


def _name_action(action: str) -> None:
    context = current_request()
    if context is not None:
        context.action = action


def _bound(shape: Mapping[str, Any]) -> dict[str, Any]:
    return {"access_events": dict(shape)}


def _contact_id(text: str | None) -> UUID | None:
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None


def _listed(event: EventDraft, only: UUID | None) -> list[UUID]:
    """Give the contacts of an event that are listed, in the order in which they were shown."""
    if only is not None:
        return [only] if any(only in cohort.contacts for cohort in event.cohorts) else []
    return list(dict.fromkeys(contact for cohort in event.cohorts for contact in cohort.contacts))[:MOST_CONTACTS]


def _states(event: EventDraft, contact: UUID) -> Mapping[str, str]:
    """Give what was disclosed of a contact; where it stands in several cohorts, the most that any of them showed."""
    told: dict[str, str] = {}
    for cohort in event.cohorts:
        if contact in cohort.contacts:
            for name, state in cohort.states.items():
                if name not in told or _RANK[State(state)] > _RANK[State(told[name])]:
                    told[name] = state
    return told


def _item(found: FoundEvent, names: _Names, only: UUID | None) -> dict[str, Any]:
    event = found.event
    return {
        "id": event.id,
        "index": found.index,
        "at": event.at,
        "actor": _actor(event, names),
        "client_id": event.client_id,
        "on_behalf_of": event.on_behalf_of,
        "action": event.action,
        "decision": event.decision,
        "code": event.code,
        "purpose": event.purpose,
        "request_id": event.request_id,
        "policy_version": event.policy_version,
        "ip": event.address,
        "contacts": [
            {"id": contact, "name": names.contacts.get(contact), "fields": _states(event, contact)}
            for contact in _listed(event, only)
        ],
        "contact_count": len({contact for cohort in event.cohorts for contact in cohort.contacts}),
        "fields": event.fields,
    }


def _actor(event: EventDraft, names: _Names) -> dict[str, Any]:
    match event.actor_type:
        case "person":
            contact = _contact_id(event.actor_id)
            name = None if contact is None else names.contacts.get(contact)
        case "service":
            name = None if event.actor_id is None else names.clients.get(event.actor_id)
        case "operator" | "system" | "anonymous":
            name = event.actor_id
    department = None
    if event.department_id is not None:
        node = names.tree.nodes.get(event.department_id)
        department = {
            "id": event.department_id,
            "code": node.code if node else None,
            "name": node.name if node else None,
            "path": names.tree.path(event.department_id) if node else None,
        }
    return {"type": event.actor_type, "id": event.actor_id, "name": name, "tier": event.tier, "department": department}
