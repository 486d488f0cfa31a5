"""Reading the access log: who looked, at whom, and what was shown of them.

Every answer is itself a look, recorded before it leaves, so it stands in the next page and never in its own. A cursor holds a place between
two events and belongs to its caller and question; events that arrive later move nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from app.audit.repository import Position
from app.disclosure.log_access import IN_QUERY, LogAccess, name_action
from app.disclosure.log_names import item, told_of
from app.disclosure.log_queries import EventQuery
from app.disclosure.log_views import EventPage, EventView
from app.disclosure.looks import Look
from app.disclosure.view import Disclosed
from app.kit.errors import NotFound
from app.kit.pagination import Cursors
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer


class CheckpointText(Disclosed[str]):
    """A signed note, as it was signed."""

    media_type = "text/plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLogReader:
    """Shows the log, event by event, to those whose task it is."""

    access: LogAccess
    cursors: Cursors

    async def search(self, viewer: Viewer, query: EventQuery) -> Disclosed[EventPage]:
        """List a page of events. Raises ``NotPermitted``, ``Invalid``, ``BadCursor``, ``LogUnavailable``."""
        name_action("access_event.list")
        access, shape = self.access, query.shape()

        async def attempt(viewer: Viewer) -> Disclosed[EventPage]:
            wanted = access.wanted(viewer, query, place=IN_QUERY)
            after, before = self._places(viewer, shape, query.cursor)
            page = await access.events.search(
                wanted, limit=query.limit, after=after, before=before, oldest_first=query.sort == "at"
            )
            told = [told_of(each, query.contact) for each in page.events]
            names = await access.names.of(viewer.tree, told, asked=query.actor)
            look = Look(action="access_event.list", purpose=Purpose.AUDIT, query=access.logged(query, names.clients))
            note = await access.gate.disclose_plain(viewer, look, count=len(told))
            body = {
                "items": [item(each, names) for each in told],
                "next": self._cursor(viewer, shape, "next", page.next),
                "prev": self._cursor(viewer, shape, "prev", page.previous),
                "disclosure": orjson.Fragment(note),
            }
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await access.with_current_rights(viewer, attempt)

    async def read(self, viewer: Viewer, identity: UUID, purpose: Purpose) -> Disclosed[EventView]:
        """Show one event. Raises ``NotPermitted``, ``NotFound``, ``LogUnavailable``."""
        name_action("access_event.read")
        access = self.access

        async def attempt(viewer: Viewer) -> Disclosed[EventView]:
            found = await access.events.one(identity)
            if found is None:
                raise NotFound
            told = told_of(found, None)
            names = await access.names.of(viewer.tree, [told])
            look = Look(action="access_event.read", purpose=purpose, query={"event": str(identity)})
            note = await access.gate.disclose_plain(viewer, look, count=1)
            asked = {"query": found.event.query, "count": found.event.count}
            body = {**item(told, names), **asked, "disclosure": orjson.Fragment(note)}
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await access.with_current_rights(viewer, attempt)

    async def checkpoint(self, viewer: Viewer) -> CheckpointText:
        """Give the newest signed checkpoint; it already covers the event of this look.

        Raises ``NotPermitted`` and ``LogUnavailable``.
        """
        name_action("access_log.checkpoint")
        access = self.access

        async def attempt(viewer: Viewer) -> CheckpointText:
            look = Look(action="access_log.checkpoint", purpose=Purpose.AUDIT)
            await access.gate.disclose_plain(viewer, look, count=1)
            note = await access.events.checkpoint()
            if note is None:
                raise NotFound
            return CheckpointText(note.encode())

        return await access.with_current_rights(viewer, attempt)

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


def _bound(shape: Mapping[str, Any]) -> dict[str, Any]:
    return {"access_events": dict(shape)}
