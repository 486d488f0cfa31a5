"""Who looked at me: the looks of the access log at the caller's own contact, told as far as the caller may know of who looked.

A look is an allowed event with a purpose: writes have none, and a refusal showed nothing. Reading the list is itself a look, recorded
before it leaves; it names nobody, so it stands in nobody's list. Names are joined now, from contacts that the caller can see now; of
everybody else the list says "a colleague", and neither id nor department.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

import orjson

from app.audit.events import EventDraft
from app.audit.matching import EventFilter
from app.audit.repository import AccessLogRepository, FoundEvent, Position
from app.contacts.own_schemas import ViewedByPage, ViewedByQuery
from app.contacts.record import department_view
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, own_contact, seek
from app.disclosure.gate import Gate
from app.disclosure.log_names import EventNames, contact_id, told_of
from app.disclosure.looks import Look
from app.disclosure.view import Disclosed
from app.kit.context import current_request
from app.kit.pagination import Cursors
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer

_AT_ONCE: Final = 200
_MOST_PAGES: Final = 5
"""How much of the log one page leads through at most: a thousand events about the caller."""
_PURPOSE: Final = Purpose.SUBJECT_REQUEST


class ViewedBy:
    """Tells callers who looked at them."""

    def __init__(
        self,
        *,
        events: AccessLogRepository,
        repository: ContactRepository,
        names: EventNames,
        gate: Gate,
        rights: CurrentRights,
        cursors: Cursors,
    ) -> None:
        """Take the log, the contacts, the names of service accounts, the gate, the rights of now and the key of cursors."""
        self._events, self._repository, self._names = events, repository, names
        self._gate, self._rights, self._cursors = gate, rights, cursors

    async def listed(self, viewer: Viewer, query: ViewedByQuery) -> Disclosed[ViewedByPage]:
        """List looks at the caller, newest first. Raises ``NoContact``, ``BadCursor`` and ``LogUnavailable``."""
        me = own_contact(viewer)
        seek("me.viewed_by", _PURPOSE, me)
        shape = {"viewed_by": str(me), "own": query.own}
        place = None
        if query.cursor is not None:
            place = Position(self._cursors.open(viewer.caller, shape, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[ViewedByPage]:
            me = own_contact(viewer)
            found, following = await self._looks(me, place, own=query.own, limit=query.limit)
            people, clients = await self._known(viewer, found)
            look = Look(action="me.viewed_by", purpose=_PURPOSE)
            note = await self._gate.disclose_plain(viewer, look, count=len(found))
            cursor = None if following is None else self._cursors.seal(viewer.caller, shape, following)
            body = {
                "items": [_told(each, me, viewer, people, clients) for each in found],
                "next": cursor,
                "disclosure": orjson.Fragment(note),
            }
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def _looks(
        self, me: UUID, place: Position | None, *, own: bool, limit: int
    ) -> tuple[list[FoundEvent], int | None]:
        """Collect ``limit`` looks from ``place`` on; give the index to go on from, ``None`` at the end."""
        wanted, found = EventFilter(contact_id=me, decision="allowed"), list[FoundEvent]()
        for _ in range(_MOST_PAGES):
            page = await self._events.search(wanted, limit=_AT_ONCE, after=place)
            for each in page.events:
                if _is_look(each.event, me, own=own):
                    if len(found) == limit:
                        return found, found[-1].index
                    found.append(each)
            if page.next is None:
                return found, None
            place = page.next
        return found, None if place is None else place.index

    async def _known(
        self, viewer: Viewer, found: Iterable[FoundEvent]
    ) -> tuple[Mapping[UUID, str | None], Mapping[str, str]]:
        """Name those who looked: people whom the viewer can see, and service accounts."""
        people: dict[UUID, str | None] = {}
        clients: set[str] = set()
        plan = viewer.plan(_PURPOSE)
        for actor in {(each.event.actor_type, each.event.actor_id) for each in found}:
            kind, name = actor
            identity = contact_id(name) if kind == "person" and name is not None else None
            if identity is not None:
                record = await self._repository.by_id(identity, viewer.tree)
                if record is not None and self._gate.verdict(plan, record) is not None:
                    people[identity] = record.public.get("name")
            elif kind == "service" and name is not None:
                clients.add(name)
        return people, (await self._names.named(viewer.tree, (), clients)).clients


def _is_look(event: EventDraft, me: UUID, *, own: bool) -> bool:
    return event.purpose is not None and (own or event.actor_id != str(me))


def _told(
    found: FoundEvent, me: UUID, viewer: Viewer, people: Mapping[UUID, str | None], clients: Mapping[str, str]
) -> dict[str, Any]:
    event = found.event
    return {
        "event_id": event.id,
        "at": event.at,
        "actor": _actor(event, me, viewer, people, clients),
        "client_id": event.client_id,
        "action": event.action,
        "purpose": event.purpose,
        "fields": told_of(found, me).contacts.get(me, {}),
    }


def _actor(
    event: EventDraft, me: UUID, viewer: Viewer, people: Mapping[UUID, str | None], clients: Mapping[str, str]
) -> dict[str, Any]:
    """Write who looked; of a person whom the viewer cannot see nothing but that it was one."""
    told: dict[str, Any] = {"type": event.actor_type, "id": None, "name": None, "department": None, "own": False}
    match event.actor_type:
        case "person":
            identity = None if event.actor_id is None else contact_id(event.actor_id)
            if identity is None or identity not in people:
                return {**told, "name": _somebody()}
            department = department_view(event.department_id, viewer.tree)
            return {
                **told,
                "id": identity,
                "name": people[identity],
                "department": department,
                "own": identity == me,
            }
        case "service":
            return {**told, "id": event.actor_id, "name": clients.get(event.actor_id or "")}
        case _:
            return told


def _somebody() -> str:
    context = current_request()
    return "一位同事" if context is not None and context.language == "zh" else "a colleague"
