"""Working days as callers are told them: nobody's data, the same for everybody, and not on record.

What was told is known again by a hash of it.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from fastapi import Response

from app.api.calendar_questions import CalendarQuery, DueDateQuery, RevisionsQuery
from app.calendar.revisions import Revision
from app.calendar.rules import LAW, Status, WorkCalendar
from app.calendar.service import CalendarService
from app.kit.dependencies import names_version
from app.kit.errors import NotFound
from app.kit.pagination import Cursors
from app.permissions.standing import Viewer

_NEWEST = 2**31 - 1
_DAY = timedelta(days=1)


class CalendarPages:
    """Tells days, due dates and revisions."""

    def __init__(self, *, service: CalendarService, cursors: Cursors) -> None:
        """Take what knows the days, and the key of cursors."""
        self._service, self._cursors = service, cursors

    async def days(self, query: CalendarQuery, *, known: str | None) -> Response:
        """Tell days in a row; 304 when ``known`` (``If-None-Match``) names the answer."""
        calendar = await self._service.current()
        wanted = [query.since + each * _DAY for each in range((query.until - query.since).days + 1)]
        days = [calendar.day(each) for each in wanted]
        body = {
            "from": query.since,
            "to": query.until,
            "working_days": calendar.between(query.since, query.until),
            "predicted": any(each.status is Status.PREDICTED for each in days),
            "epoch": calendar.epoch,
            **_clocks(calendar),
            "years": [_year(calendar, each) for each in range(query.since.year, query.until.year + 1)],
            "days": days,
        }
        return _cacheable(body, known)

    async def due(self, query: DueDateQuery, *, known: str | None) -> Response:
        """Tell when something is due; 304 as ``days``."""
        calendar = await self._service.current()
        due = calendar.due(query.start, query.days)
        body = {
            "from": query.start,
            "days": query.days,
            "counted_from": calendar.counted_from(query.start),
            "due_on": (due.at + calendar.utc_offset).date(),
            "due_at": due.at,
            "predicted": due.predicted,
            "epoch": calendar.epoch,
            **_clocks(calendar),
        }
        return _cacheable(body, known)

    async def revisions(self, viewer: Viewer, query: RevisionsQuery) -> Response:
        """List revisions, newest first. Raises ``BadCursor``."""
        shape = {"calendar": "revisions"}
        before = _NEWEST if query.cursor is None else int(self._cursors.open(viewer.caller, shape, query.cursor))
        found, after = await self._service.page(before=before, limit=query.limit)
        following = None if after is None else self._cursors.seal(viewer.caller, shape, after)
        return _cacheable({"items": [revision_view(each) for each in found], "next": following}, None)

    async def revision(self, identity: UUID, *, known: str | None) -> Response:
        """Tell one revision; 304 as ``days``. Raises ``NotFound``."""
        found = await self._service.revision(identity)
        if found is None:
            raise NotFound
        return _cacheable(revision_view(found), known)


def revision_view(revision: Revision) -> dict[str, Any]:
    """Write a revision as it is told, without who made it."""
    return {
        "id": str(revision.id),
        "epoch": revision.seq,
        "at": revision.at.isoformat().replace("+00:00", "Z"),
        "kind": revision.kind,
        "year": revision.year,
        "source": revision.source,
        "changes": list(revision.changes),
    }


def _year(calendar: WorkCalendar, year: int) -> dict[str, Any]:
    source = calendar.years.get(year)
    return {
        "year": year,
        "status": Status.PREDICTED if source is None else Status.CONFIRMED,
        "source": source or LAW,
    }


def _clocks(calendar: WorkCalendar) -> dict[str, str]:
    minutes = calendar.utc_offset // timedelta(minutes=1)
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return {"cut_off": calendar.cut_off.isoformat("minutes"), "utc_offset": f"{sign}{hours:02}:{rest:02}"}


def _cacheable(body: Mapping[str, Any], known: str | None) -> Response:
    """Answer so that a copy may be kept, and asked about by its tag before it is used again."""
    told = orjson.dumps(body, option=orjson.OPT_UTC_Z)
    version = hashlib.sha256(told).hexdigest()[:32]
    headers = {"ETag": f'"{version}"', "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if known is not None and names_version(known, version):
        return Response(status_code=304, headers=headers)
    return Response(told, media_type="application/json", headers=headers)
