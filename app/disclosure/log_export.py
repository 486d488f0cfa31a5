"""An export of the access log: every event that fits, as a stream, page by page.

Each page is a look of its own, recorded before its bytes leave, so a stream that is cut has left exactly what the log says. The export ends
with the events that were there when it began. It is held to the rights of its caller all the way: when account, client or role change in
between, it ends. Memory holds one page, however long the log is.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import orjson
import structlog

from app.audit.errors import EpochMoved
from app.audit.matching import EventFilter
from app.audit.repository import FoundEvent
from app.departments.tree import DEPARTMENTS
from app.disclosure.log_access import IN_BODY, LogAccess, admit, name_action
from app.disclosure.log_formats import MEDIA_TYPES, writer_of
from app.disclosure.log_names import Told, item, told_of
from app.disclosure.log_queries import EventExport
from app.disclosure.log_views import EventLine
from app.disclosure.looks import Look
from app.disclosure.stream import DisclosedStream
from app.kit.errors import Problem
from app.permissions.outcomes import Purpose
from app.permissions.standing import Viewer

PAGE_EVENTS: Final = 200
PAGE_CONTACTS: Final = 1000
"""Most events, and about most contacts, of one page: a few hundred kilobytes."""

_CHUNK: Final = 256

_log = structlog.get_logger("duanhao.security")


class EventStream(DisclosedStream[EventLine]):
    """Lines or rows, one event after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLogExports:
    """Writes out the log for those whose task it is."""

    access: LogAccess
    page_events: int = PAGE_EVENTS
    page_contacts: int = PAGE_CONTACTS

    async def export(self, viewer: Viewer, asked: EventExport) -> EventStream:
        """Begin an export; its first page is on record when this returns.

        Raises ``NotPermitted``, ``Invalid``, ``LogUnavailable``; later pages end the stream with their problem.
        """
        name_action("access_event.export")
        admit(viewer)
        bound = await self.access.events.size()
        wanted = replace(self.access.wanted(viewer, asked, place=IN_BODY), below=bound)
        pages = self._written(viewer, asked, wanted)
        return EventStream(
            await anext(pages),
            pages,
            media_type=MEDIA_TYPES[asked.format],
            filename=f"access-events.{asked.format}",
        )

    async def _written(self, viewer: Viewer, asked: EventExport, wanted: EventFilter) -> AsyncGenerator[bytes]:
        """Give page after page, each recorded before it is given."""
        writer, number, recorded = writer_of(asked.format), 0, None
        try:
            async with aclosing(self._pages(wanted, oldest_first=asked.sort == "at")) as pages:
                async for found in pages:
                    number += 1
                    told = [told_of(each, asked.contact) for each in found]
                    viewer, recorded, items = await self._recorded(viewer, asked, told, number)
                    yield writer.page(items, recorded)
        except Problem as problem:
            if recorded is not None:
                _log.warning("export_cut", code=problem.code, page=number, last_event_id=str(recorded))
            raise

    async def _pages(self, wanted: EventFilter, *, oldest_first: bool) -> AsyncGenerator[list[FoundEvent]]:
        """Cut what fits into pages; there is always one, be it empty."""
        fits, page, contacts, given = wanted.reading(), list[FoundEvent](), 0, False
        async with aclosing(self.access.events.walk(wanted, upwards=oldest_first, chunk=_CHUNK)) as chunks:
            async for rows in chunks:
                for row in rows:
                    if not fits(row.index, row.at, row.document):
                        continue
                    found = row.found()
                    page.append(found)
                    contacts += sum(len(cohort.contacts) for cohort in found.event.cohorts)
                    if len(page) >= self.page_events or contacts >= self.page_contacts:
                        yield page
                        page, contacts, given = [], 0, True
        if page or not given:
            yield page

    async def _recorded(
        self, viewer: Viewer, asked: EventExport, told: list[Told], number: int
    ) -> tuple[Viewer, UUID, list[dict[str, Any]]]:
        """Put one page on record; give under whose rights and which event, and its events as they are told."""
        try:
            return await self._look(viewer, asked, told, number)
        except EpochMoved:
            fresh = await self.access.standings.of(viewer.subject, fresh=True)
            admit(fresh)
            if number > 1 and _own(fresh) != _own(viewer):
                raise
            return await self._look(fresh, asked, told, number)

    async def _look(
        self, viewer: Viewer, asked: EventExport, told: list[Told], number: int
    ) -> tuple[Viewer, UUID, list[dict[str, Any]]]:
        access = self.access
        names = await access.names.of(viewer.tree, told, asked=asked.actor)
        query = {**access.logged(asked, names.clients), "page": number}
        look = Look(action="access_event.export", purpose=Purpose.AUDIT, query=query)
        note = orjson.loads(await access.gate.disclose_plain(viewer, look, count=len(told)))
        items = [{**item(each, names), "query": each.event.query, "count": each.event.count} for each in told]
        return viewer, UUID(note["event_id"]), items


def _own(viewer: Viewer) -> dict[str, int]:
    """Give the epochs of the caller's own account and clients; the department tree moves for everybody."""
    return {key: value for key, value in viewer.standing.epochs.items() if key != DEPARTMENTS}
