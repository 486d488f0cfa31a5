"""Structured logs that cannot print a protected value.

Two fences. Only plain values pass: numbers, flags, ids, and texts; any other object is printed as its type, so a row, a sealed box or a
request body cannot slip in through ``repr``. And every text, those of libraries included, is swept for what looks like a mobile number,
a mail address or an identity number. Messages of exceptions are never printed, since they quote values.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson
import structlog

_SWEPT: Final = "[protected]"
_PATTERN: Final = re.compile(
    r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
    r"|(?<![0-9A-Za-z-])[1-9]\d{16}[0-9Xx](?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z-])(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?![0-9A-Za-z])"
)
_DEEPEST: Final = 4


def swept(text: str) -> str:
    """Replace what looks like a protected value."""
    return _PATTERN.sub(_SWEPT, text)


def _plain(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 — whatever was logged
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return swept(value)
        case UUID() | datetime():
            return str(value)
        case list() | tuple() | set() | frozenset() if depth < _DEEPEST:
            return [_plain(item, depth + 1) for item in value]
        case dict() if depth < _DEEPEST:
            return {swept(str(name)): _plain(item, depth + 1) for name, item in value.items()}
        case _:
            return f"<{type(value).__name__}>"


def only_plain_values(logger: object, method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """Structlog processor: let through what is plain, swept."""
    del logger, method
    event.pop("exc_info", None)
    return {name: _plain(value) for name, value in event.items()}


class _LibraryHandler(logging.Handler):
    """Takes what libraries log, without the messages of exceptions."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the line on as a structured event."""
        failure = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        text = record.getMessage() if failure is None else str(record.msg).splitlines()[0]
        structlog.get_logger(record.name).log(
            record.levelno, swept(text.splitlines()[0] if text else ""), error=failure
        )


class _StandardError:
    """Standard error as it is when a line is written, whoever has redirected it since."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def configure(level: str) -> None:
    """Print JSON lines of ``level`` and above to standard error, our own and those of libraries."""
    number = logging.getLevelNamesMapping()[level.upper()]
    REQUEST_LINES.enabled = number <= logging.INFO
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_plain_values,
            structlog.processors.JSONRenderer(serializer=lambda event, **_: orjson.dumps(event).decode()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(_StandardError()),  # type: ignore[arg-type]  # all that is asked of a file here
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_LibraryHandler()]
    root.setLevel(max(number, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers, library.propagate = [], True
    logging.getLogger("uvicorn.error").setLevel(number)


class RequestLines:
    """One line per request, written directly: everything in it is a number, an id or a route's own text, so nothing has to be swept.

    The pipeline above costs several times what the rest of the edge does (benchmarks, P1).
    """

    def __init__(self) -> None:
        """Follow the level that ``configure`` set."""
        self.enabled = True

    def write(
        self,
        *,
        method: str,
        route: str | None,
        status: int,
        milliseconds: float,
        request_id: str,
        client_id: str | None,
        event_id: UUID | None,
    ) -> None:
        """Print the line when lines of this severity are printed."""
        if not self.enabled:
            return
        line = orjson.dumps(
            {
                "event": "request",
                "level": "info",
                "method": method,
                "route": route,
                "status": status,
                "milliseconds": milliseconds,
                "request_id": request_id,
                "client_id": client_id,
                "event_id": event_id,
                "timestamp": datetime.now(UTC),
            },
            option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z,
        )
        sys.stderr.write(line.decode())


REQUEST_LINES: Final = RequestLines()
