"""The access log as a whole over HTTP: counted, and written out.

Both take the filters of the list. A summary is one answer and one look; an export is a stream, and each page of it is a look of its own.
"""

from typing import Annotated, Any, Final

from fastapi import Body, Depends, Query, Request
from fastapi.openapi.models import Example

from app.api.audit_access import LOG_PROBLEMS, LogRead
from app.disclosure.log_export import AccessLogExports, EventStream
from app.disclosure.log_formats import BYTE_ORDER_MARK, COLUMNS, MEDIA_TYPES
from app.disclosure.log_queries import EventExport, SummaryQuery
from app.disclosure.log_summary import AccessLogSummaries
from app.disclosure.log_views import EventSummary
from app.disclosure.view import Disclosed
from app.kit.errors import BodyTooLarge, Invalid, UnsupportedMediaType
from app.kit.problems import responses
from app.kit.routing import GuardedRouter

_LINES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Every event that fits, line by line; the last line of an export that was cut is a problem",
        "content": {
            MEDIA_TYPES["ndjson"]: {
                "schema": {"type": "string"},
                "example": '{"id":"019aa5b1-7c3e-7a51-8d0b-2f1e6c9a4d07","index":41,"action":"contact.reveal","decision":"allowed"}\n',
            },
            MEDIA_TYPES["csv"]: {
                "schema": {"type": "string"},
                "example": BYTE_ORDER_MARK.decode() + ",".join(COLUMNS) + "\r\n",
            },
        },
    }
}
_ASKED: Final[dict[str, Example]] = {
    "clear mobiles": {
        "summary": "Who was shown whose mobile, as a table",
        "value": {"format": "csv", "field": "mobile", "state": "shown", "from": "2026-11-01T00:00:00+08:00"},
    },
    "reads of the log": {
        "summary": "Who read the log itself, oldest first",
        "value": {"format": "ndjson", "action": "access_event.*", "sort": "at"},
    },
}


async def _summaries(request: Request) -> AccessLogSummaries:
    summaries: AccessLogSummaries = request.app.state.application.log_summaries
    return summaries


async def _exports(request: Request) -> AccessLogExports:
    exports: AccessLogExports = request.app.state.application.log_exports
    return exports


router = GuardedRouter(prefix="/v1/access-events", tags=["access log"])


@router.get(
    "/summary",
    summary="Count events of the access log",
    response_model=None,
    responses={200: {"model": EventSummary, "description": "Counts"}, **responses(*LOG_PROBLEMS, Invalid)},
)
async def summarise_events(
    viewer: LogRead,
    summaries: Annotated[AccessLogSummaries, Depends(_summaries)],
    query: Annotated[SummaryQuery, Query()],
) -> Disclosed[EventSummary]:
    """Count who looked most, at whom, from which department, why and at what hour, and what was refused.

    `from` and `to` span at most 93 days; by default they are the last seven. The counts are exact for what was looked at, newest first;
    that is at most 200,000 events, and `scanned` says how many it was and whether that was all.
    """
    return await summaries.summary(viewer, query)


@router.post(
    "/exports",
    summary="Export the access log",
    response_model=None,
    response_class=EventStream,
    responses={**_LINES, **responses(*LOG_PROBLEMS, Invalid, BodyTooLarge, UnsupportedMediaType)},
)
async def export_events(
    viewer: LogRead,
    exports: Annotated[AccessLogExports, Depends(_exports)],
    body: Annotated[EventExport, Body(openapi_examples=_ASKED)],
) -> EventStream:
    """Write out every event that fits and was there when the export began, as a stream.

    `ndjson` is one event per line, `csv` (UTF-8 with byte order mark) one row per event and contact, with cells that cannot be taken for
    formulas. Each page of 200 events is an `access_event.export` in the log before it leaves; `export_event_id` names it on every line.
    When a page cannot be recorded, or the caller's rights change meanwhile, the export ends: in NDJSON with a problem document as its last
    line, in CSV by breaking the connection off.
    """
    return await exports.export(viewer, body)
