"""Reading the access log: who looked, at whom, and what was shown of them.

Who may is decided here, after the scope: people of security and audit, and service accounts that were given the scope. Every answer is
itself a look, recorded before it leaves, so it stands in the next page and never in its own. Names are joined when they are read; the
log holds ids alone. A department name, an actor's name, a contact's name are C1: nothing sealed is opened.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

import orjson

from app.audit.errors import EpochMoved
from app.audit.events import EventDraft
from app.audit.repository import AccessLogRepository, EventFilter, FoundEvent, Position
from app.auth.errors import AccountRefused
from app.auth.repository import ClientRepository
from app.departments.tree import Tree
from app.disclosure.gate import Gate, Look
from app.disclosure.log_views import CONTACT_ID, MOST_CONTACTS, EventPage, EventQuery, EventView
from app.disclosure.view import Disclosed
from app.kit.context import current_request
from app.kit.db import Reader
from app.kit.errors import NotFound
from app.kit.pagination import Cursors
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose, State
from app.permissions.standing import Standings, Viewer

READERS: Final = frozenset({"auditor", "infosec"})
"""Roles whose task the log is (design/security.md: "the security team is told who and whom by name")."""

_NAMES_AT_ONCE: Final = 500
_RANK: Final = {State.EMPTY.value: 0, State.WITHHELD.value: 1, State.MASKED.value: 2, State.SHOWN.value: 3}

_T = TypeVar("_T")


class NamesContacts(Protocol):
    """What gives the names of contacts: their repository."""

    async def names(self, identities: Iterable[UUID]) -> dict[UUID, str]:
        """Give the names of those that have one."""
        ...


@dataclass(frozen=True, slots=True)
class _Names:
    contacts: Mapping[UUID, str]
    clients: Mapping[str, str]
    tree: Tree


@dataclass(frozen=True, slots=True)
class _Told:
    """An event and what it disclosed: those of its contacts that are listed, with states, and how many there are in all."""

    index: int
    event: EventDraft
    contacts: Mapping[UUID, Mapping[str, str]]
    count: int


class CheckpointText(Disclosed[str]):
    """A signed note, as it was signed."""

    media_type = "text/plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLogReader:
    """Shows the log to those whose task it is.

    ``contacts`` and ``clients`` know names, the latter through ``reader``, which reads the business store; ``masked`` hashes a term for
    the log.
    """

    events: AccessLogRepository
    contacts: NamesContacts
    clients: ClientRepository
    reader: Reader
    gate: Gate
    standings: Standings
    cursors: Cursors
    masked: Callable[[str], str]

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
            page = await self.events.search(wanted, limit=query.limit, after=after, before=before)
            told = [_told(each, query.contact) for each in page.events]
            names = await self._names(viewer, told, asked=query.actor)
            look = Look(action="access_event.list", purpose=query.purpose, query=self._logged(shape, names))
            note = await self.gate.disclose_plain(viewer, look, count=len(page.events))
            body = {
                "items": [_item(each, names) for each in told],
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
            found = await self.events.one(identity)
            if found is None:
                raise NotFound
            told = _told(found, None)
            names = await self._names(viewer, [told])
            look = Look(action="access_event.read", purpose=purpose, query={"event": str(identity)})
            note = await self.gate.disclose_plain(viewer, look, count=1)
            asked = {"query": found.event.query, "count": found.event.count}
            body = {**_item(told, names), **asked, "disclosure": orjson.Fragment(note)}
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await self._with_current_rights(viewer, attempt)

    async def checkpoint(self, viewer: Viewer) -> CheckpointText:
        """Give the newest signed checkpoint; it already covers the event of this look.

        Raises ``NotPermitted`` and ``LogUnavailable``.
        """
        _name_action("access_log.checkpoint")

        async def attempt(viewer: Viewer) -> CheckpointText:
            _admit(viewer)
            await self.gate.disclose_plain(viewer, Look(action="access_log.checkpoint", purpose=Purpose.AUDIT), count=1)
            note = await self.events.checkpoint()
            if note is None:
                raise NotFound
            return CheckpointText(note.encode())

        return await self._with_current_rights(viewer, attempt)

    async def _with_current_rights(self, viewer: Viewer, attempt: Callable[[Viewer], Awaitable[_T]]) -> _T:
        try:
            return await attempt(viewer)
        except EpochMoved:
            return await attempt(await self.standings.of(viewer.subject, fresh=True))

    def _cursor(self, viewer: Viewer, shape: Mapping[str, Any], way: str, place: Position | None) -> str | None:
        if place is None:
            return None
        return self.cursors.seal(viewer.caller, _bound(shape), [way, place.index, place.at])

    def _places(
        self, viewer: Viewer, shape: Mapping[str, Any], cursor: str | None
    ) -> tuple[Position | None, Position | None]:
        """Read a cursor: the place after which to go on, or the one before which."""
        if cursor is None:
            return None, None
        way, index, at = self.cursors.open(viewer.caller, _bound(shape), cursor)
        place = Position(index, None if at is None else datetime.fromisoformat(at).astimezone(UTC))
        return (place, None) if way == "next" else (None, place)

    def _logged(self, shape: Mapping[str, Any], names: _Names) -> dict[str, Any]:
        """Write the question for the log: an actor that is neither a contact's id nor a known client is text of the caller's own."""
        actor = shape.get("actor")
        if actor is None or _contact_id(actor) is not None or actor in names.clients:
            return dict(shape)
        return {**shape, "actor": self.masked(actor)}

    async def _names(self, viewer: Viewer, events: Sequence[_Told], *, asked: str | None = None) -> _Names:
        people: set[UUID] = set()
        clients: set[str] = set() if asked is None or _contact_id(asked) is not None else {asked}
        for told in events:
            people.update(told.contacts)
            kind, actor = told.event.actor_type, told.event.actor_id
            if kind == "service" and actor is not None:
                clients.add(actor)
            elif kind == "person" and actor is not None and (contact := _contact_id(actor)) is not None:
                people.add(contact)
        ordered, names = sorted(people), dict[UUID, str]()
        for at in range(0, len(ordered), _NAMES_AT_ONCE):
            names.update(await self.contacts.names(ordered[at : at + _NAMES_AT_ONCE]))
        known = {client: name for client in sorted(clients) if (name := await self._client_name(client)) is not None}
        return _Names(names, known, viewer.tree)

    async def _client_name(self, client_id: str) -> str | None:
        """Give a client's name; none where its row does not verify, which the repository has told the security log."""
        try:
            client = await self.clients.by_id(self.reader, client_id)
        except AccountRefused:
            return None
        return None if client is None else client.name


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


def _contact_id(text: str) -> UUID | None:
    return UUID(text) if CONTACT_ID.fullmatch(text) else None


def _told(found: FoundEvent, only: UUID | None) -> _Told:
    """Collect what an event disclosed; where a contact stands in several cohorts, the most that any of them showed."""
    contacts: dict[UUID, Mapping[str, str]] = {}
    for cohort in found.event.cohorts:
        for contact in cohort.contacts:
            before = contacts.get(contact)
            contacts[contact] = cohort.states if before is None else _most(before, cohort.states)
    shown = (
        islice(contacts.items(), MOST_CONTACTS)
        if only is None
        else ((each, contacts[each]) for each in (only,) if each in contacts)
    )
    return _Told(found.index, found.event, dict(shown), len(contacts))


def _most(one: Mapping[str, str], other: Mapping[str, str]) -> Mapping[str, str]:
    return {
        name: max(filter(None, (one.get(name), other.get(name))), key=_RANK.__getitem__) for name in {**one, **other}
    }


def _item(told: _Told, names: _Names) -> dict[str, Any]:
    event = told.event
    return {
        "id": event.id,
        "index": told.index,
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
            {"id": contact, "name": names.contacts.get(contact), "fields": states}
            for contact, states in told.contacts.items()
        ],
        "contact_count": told.count,
        "fields": event.fields,
    }


def _actor(event: EventDraft, names: _Names) -> dict[str, Any]:
    actor, name = event.actor_id, event.actor_id
    if actor is not None and event.actor_type == "person":
        contact = _contact_id(actor)
        name = None if contact is None else names.contacts.get(contact)
    elif actor is not None and event.actor_type == "service":
        name = names.clients.get(actor)
    department = None
    if event.department_id is not None:
        node = names.tree.nodes.get(event.department_id)
        department = {
            "id": event.department_id,
            "code": node.code if node else None,
            "name": node.name if node else None,
            "path": names.tree.path(event.department_id) if node else None,
        }
    return {"type": event.actor_type, "id": actor, "name": name, "tier": event.tier, "department": department}
