"""How an export of the access log is written: one JSON object per line, or a table for a spreadsheet.

Pure. NDJSON holds each event as the list shows it. CSV has one row per event and contact, so that "who saw whom" can be sorted and counted;
it begins with a byte order mark, since spreadsheets otherwise misread Chinese, and no cell of it can be taken for a formula, whatever
somebody has called themselves.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import Any, Final, Literal, Protocol
from uuid import UUID

import orjson

Format = Literal["ndjson", "csv"]
MEDIA_TYPES: Final[Mapping[Format, str]] = {"ndjson": "application/x-ndjson", "csv": "text/csv"}

COLUMNS: Final = (
    "id",
    "index",
    "at",
    "actor_type",
    "actor_id",
    "actor_name",
    "actor_tier",
    "actor_department",
    "client_id",
    "on_behalf_of",
    "action",
    "decision",
    "code",
    "purpose",
    "case",
    "request_id",
    "policy_version",
    "ip",
    "contact_count",
    "contact_id",
    "contact_name",
    "contact_fields",
    "fields",
    "count",
    "query",
    "export_event_id",
)
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

_FORMULA: Final = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n\x00]")
"""What spreadsheets take for the beginning of a formula, full-width signs included, or drop before looking for one."""


class Writer(Protocol):
    """Writes the pages of one export, in their order."""

    def page(self, events: Sequence[Mapping[str, Any]], export_event_id: UUID) -> bytes:
        """Write one page of events, given as ``log_names.item`` with ``query`` and ``count``."""
        ...


class NdjsonWriter:
    """One JSON object per line."""

    def page(self, events: Sequence[Mapping[str, Any]], export_event_id: UUID) -> bytes:
        """Write one line per event."""
        option = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
        return b"".join(
            [orjson.dumps({**event, "export_event_id": export_event_id}, option=option) for event in events]
        )


class CsvWriter:
    """A table (RFC 4180), its head on the first page."""

    def __init__(self) -> None:
        """Begin with the head to be written."""
        self._begun = False

    def page(self, events: Sequence[Mapping[str, Any]], export_event_id: UUID) -> bytes:
        """Write one row per event and contact, and one for an event about nobody."""
        text = StringIO()
        table = csv.writer(text)
        if not self._begun:
            table.writerow(COLUMNS)
        for event in events:
            table.writerows(_rows(event, export_event_id))
        head = b"" if self._begun else BYTE_ORDER_MARK
        self._begun = True
        return head + text.getvalue().encode()


def writer_of(name: Format) -> Writer:
    """Give a writer for one export."""
    return NdjsonWriter() if name == "ndjson" else CsvWriter()


def cell(value: object) -> str:
    """Write a cell; text that a spreadsheet could run begins with an apostrophe, which spreadsheets do not show."""
    match value:
        case None:
            return ""
        case int():
            return str(value)
        case str():
            text = value
        case UUID():
            return str(value)
        case _:
            text = orjson.dumps(value, option=orjson.OPT_UTC_Z).decode().strip('"')
    return f"'{text}" if _FORMULA.match(text) else text


def _rows(event: Mapping[str, Any], export_event_id: UUID) -> Iterator[list[str]]:
    """Write the rows of one event; what they share is written once."""
    actor, department = event["actor"], event["actor"]["department"]
    before = [
        *(event[name] for name in ("id", "index", "at")),
        *(actor[name] for name in ("type", "id", "name", "tier")),
        department and (department["code"] or department["id"]),
        *(event[name] for name in COLUMNS[COLUMNS.index("client_id") : COLUMNS.index("contact_id")]),
    ]
    query = None if event["query"] is None else orjson.dumps(event["query"]).decode()
    after = [";".join(event["fields"]), event["count"], query, export_event_id]
    shared, closing = [cell(each) for each in before], [cell(each) for each in after]
    for contact in event["contacts"] or [None]:
        states = ";".join(f"{name}={state}" for name, state in contact["fields"].items()) if contact else None
        about = [contact["id"], contact["name"], states] if contact else [None, None, None]
        yield [*shared, *map(cell, about), *closing]
