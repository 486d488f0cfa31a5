"""Where a verification reads the log from: a SQLite file or PostgreSQL, chunk by chunk in flat memory.

Rows below the head's size never change, so no transaction has to last as long as the verification; only the index
rows, which are sorted by the engine, are read through one cursor. Times are microseconds, ids are 16 bytes, on both
engines.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import asyncpg

from app.audit.events import PAGE_CONTACTS
from app.audit.stores import StoredHead, StoreUnavailable
from app.kit.models import to_microseconds

CHUNK: Final = 2000
_FETCH: Final = 20_000
_TWICE: Final = -1
"""Stands for the bits of a contact that has two index rows of one event, which no evidence asks for."""


class EventRow(NamedTuple):
    """The stored columns of one event."""

    id: bytes
    at: int
    actor_type: str
    actor_id: str | None
    action: str
    decision: str
    payload: bytes


class BatchRow(NamedTuple):
    """One signed batch."""

    size: int
    first: int
    root: bytes
    note: str


class Extent(NamedTuple):
    """The head row, and the greatest index or size in each table (minus one for an empty table), seen at one moment."""

    head: StoredHead | None
    leaf: int
    event: int
    batch: int


class Chunk(NamedTuple):
    """Everything that is stored for the indexes from ``start`` up to, not including, ``end``."""

    start: int
    end: int
    leaves: dict[int, bytes]
    events: dict[int, EventRow]
    subjects: dict[int, dict[bytes, int]]
    batches: list[BatchRow]


class Tail(NamedTuple):
    """The last row of each table; ``None`` where there is none."""

    leaf: bytes | None
    event: EventRow | None
    batch: BatchRow | None


class LogSource(Protocol):
    """Something that holds a whole log."""

    async def extent(self) -> Extent:
        """Look how far the log goes."""
        ...

    def chunks(self, end: int) -> AsyncIterator[Chunk]:
        """Give everything below index ``end``, in order; index rows at or beyond it come with the last chunk."""
        ...

    async def batches(self, sizes: Sequence[int]) -> dict[int, BatchRow]:
        """Give the signed batches of exactly these sizes, where there are any."""
        ...

    async def tail(self, size: int) -> Tail:
        """Give the last leaf and event of the first ``size``, and the batch that ends there; they never change again."""
        ...


_EXTENT: Final = """
SELECT h.size, h.frontier, h.root, h.note,
  (SELECT coalesce(max("index"), -1) FROM {s}leaf), (SELECT coalesce(max("index"), -1) FROM {s}event),
  (SELECT coalesce(max(size), -1) FROM {s}batch)
FROM (SELECT 1 AS one) AS o LEFT JOIN {s}head h ON h.id = 1
"""
_LEAVES: Final = 'SELECT "index", hash FROM {s}leaf WHERE "index" >= {a} AND "index" < {b}'
_EVENT: Final = 'SELECT "index", id, at, actor_type, actor_id, action, decision, payload FROM {s}event'
_EVENTS: Final = _EVENT + ' WHERE "index" >= {a} AND "index" < {b}'
_BATCH: Final = 'SELECT size, "first", root, note FROM {s}batch WHERE size = {a}'
_BATCHES: Final = 'SELECT size, "first", root, note FROM {s}batch WHERE size > {a} AND size <= {b} ORDER BY size'
_INDEX_ROWS: Final = f"""
WITH RECURSIVE place(at) AS (SELECT 0 UNION ALL SELECT at + 1 FROM place WHERE at < {PAGE_CONTACTS - 1})
SELECT "index", {{id}}, bits FROM {{s}}subject_entry
UNION ALL
SELECT p."index", substr(p.contacts, 16 * at + 1, 16), p.bits FROM {{s}}subject_page p JOIN place ON at < (length(p.contacts) + 15) / 16
ORDER BY 1
"""  # noqa: S608 — a constant of ours
"""Index rows, those that are still packed too: ``id`` is how the engine gives a contact's 16 bytes."""
_LAST_LEAF: Final = 'SELECT hash FROM {s}leaf WHERE "index" = {a} - 1'
_LAST_EVENT: Final = _EVENT + ' WHERE "index" = {a} - 1'


_KINDS: Final = {
    _EXTENT: "ibbtiii",
    _LEAVES: "ib",
    _EVENTS: "ibittttb",
    _LAST_EVENT: "ibittttb",
    _BATCH: "iibt",
    _BATCHES: "iibt",
    _LAST_LEAF: "b",
    _INDEX_ROWS: "ibi",
}
"""What each column holds: an integer, bytes or text. SQLite keeps whatever is written into a column; what is of another kind there is
damage, to be named by the verification and not to stop it."""


def _kept(kind: str, value: Any) -> Any:  # noqa: ANN401 — whatever lies in the file
    match kind, value:
        case (_, None) | ("i", int()) | ("b", bytes()) | ("t", str()):
            return value
        case ("i", _):
            return -1
        case ("b", _):
            return str(value).encode("utf-8", "surrogatepass")
        case _:
            return repr(value)


def _as_kept(statement: str, rows: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    kinds = _KINDS[statement]
    return [tuple(map(_kept, kinds, row)) for row in rows]


def _extent(row: Sequence[Any]) -> Extent:
    return Extent(None if row[0] is None else StoredHead(*row[:4]), *row[4:])


class _IndexRows:
    """Index rows in order of their index, fetched as far as a chunk needs them."""

    def __init__(self, fetch: Callable[[], Awaitable[list[tuple[int, bytes, int]]]]) -> None:
        self._fetch = fetch
        self._rows: list[tuple[int, bytes, int]] = []
        self._at = 0

    async def below(self, end: int | None) -> dict[int, dict[bytes, int]]:
        taken: dict[int, dict[bytes, int]] = {}
        while True:
            for index, contact, bits in islice(self._rows, self._at, None):
                if end is not None and index >= end:
                    return taken
                rows = taken.setdefault(index, {})
                rows[contact] = _TWICE if contact in rows else bits
                self._at += 1
            self._rows, self._at = await self._fetch(), 0
            if not self._rows:
                return taken


def _ranges(end: int) -> Iterator[tuple[int, int, int | None]]:
    """Cut the indexes into chunks; the last one, which may be empty, has no end for index rows."""
    start = 0
    while end - start > CHUNK:
        yield start, start + CHUNK, start + CHUNK
        start += CHUNK
    yield start, end, None


class SqliteSource:
    """A log file, opened for reading only."""

    def __init__(self, path: Path) -> None:
        """Take the path of the log's file, or of a copy of it."""
        self._path = path

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Callable[[str, tuple[int, ...]], Awaitable[list[Any]]]]:
        """Give a way to run statements on worker threads; raise ``StoreUnavailable`` when the file cannot be read."""
        try:
            with closing(self._connect()) as connection:

                def run(statement: str, values: tuple[int, ...]) -> list[Any]:
                    return _as_kept(statement, connection.execute(statement.format(s="", a="?1", b="?2"), values))

                async def threaded(statement: str, values: tuple[int, ...]) -> list[Any]:
                    return await asyncio.to_thread(run, statement, values)

                yield threaded
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(str(error)) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
        connection.text_factory = partial(str, encoding="utf-8", errors="replace")
        return connection

    async def extent(self) -> Extent:
        """Look how far the log goes."""
        async with self._reading() as run:
            return _extent((await run(_EXTENT, ()))[0])

    async def batches(self, sizes: Sequence[int]) -> dict[int, BatchRow]:
        """Give the signed batches of these sizes."""
        async with self._reading() as run:
            return {size: BatchRow(*row) for size in sizes for row in await run(_BATCH, (size,))}

    async def tail(self, size: int) -> Tail:
        """Give what the first ``size`` events end with."""
        async with self._reading() as run:
            leaf, event, batch = [await run(statement, (size,)) for statement in (_LAST_LEAF, _LAST_EVENT, _BATCH)]
        return Tail(
            leaf[0][0] if leaf else None,
            EventRow(*event[0][1:]) if event else None,
            BatchRow(*batch[0]) if batch else None,
        )

    async def chunks(self, end: int) -> AsyncIterator[Chunk]:
        """Read chunk after chunk."""
        async with self._reading() as run:
            with closing(self._connect()) as connection:
                cursor = connection.execute(_INDEX_ROWS.format(s="", id="contact_id"))
                rows = _IndexRows(partial(asyncio.to_thread, lambda: _as_kept(_INDEX_ROWS, cursor.fetchmany(_FETCH))))
                for start, stop, until in _ranges(end):
                    yield Chunk(
                        start,
                        stop,
                        dict(await run(_LEAVES, (start, stop))),
                        {row[0]: EventRow(*row[1:]) for row in await run(_EVENTS, (start, stop))},
                        await rows.below(until),
                        [BatchRow(*row) for row in await run(_BATCHES, (start, stop))],
                    )


class PostgresSource:
    """The schema ``log`` of a PostgreSQL database, read through one connection per question."""

    def __init__(self, dsn: str) -> None:
        """Take the address, in the driver's spelling."""
        self._dsn = dsn

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[asyncpg.Connection]:
        try:
            connection = await asyncpg.connect(self._dsn, server_settings={"application_name": "duanhao-verify"})
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise StoreUnavailable(str(error)) from error
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                yield connection
        finally:
            await connection.close()

    @staticmethod
    def _event(row: Sequence[Any]) -> EventRow:
        identifier, at, *rest = row
        return EventRow(identifier.bytes, to_microseconds(at), *rest)

    async def extent(self) -> Extent:
        """Look how far the log goes."""
        async with self._reading() as connection:
            (row,) = await connection.fetch(_EXTENT.format(s="log."))
            return _extent(tuple(row))

    async def batches(self, sizes: Sequence[int]) -> dict[int, BatchRow]:
        """Give the signed batches of these sizes."""
        async with self._reading() as connection:
            statement = _BATCH.format(s="log.", a="$1")
            return {size: BatchRow(*row) for size in sizes for row in await connection.fetch(statement, size)}

    async def tail(self, size: int) -> Tail:
        """Give what the first ``size`` events end with."""
        async with self._reading() as connection:
            leaf, event, batch = [
                await connection.fetchrow(statement.format(s="log.", a="$1"), size)
                for statement in (_LAST_LEAF, _LAST_EVENT, _BATCH)
            ]
        return Tail(
            leaf[0] if leaf else None,
            self._event(tuple(event)[1:]) if event else None,
            BatchRow(*batch) if batch else None,
        )

    async def chunks(self, end: int) -> AsyncIterator[Chunk]:
        """Read chunk after chunk, in one snapshot."""
        async with self._reading() as connection:
            cursor = await connection.cursor(_INDEX_ROWS.format(s="log.", id="uuid_send(contact_id)"))

            async def fetch() -> list[tuple[int, bytes, int]]:
                return [tuple(row) for row in await cursor.fetch(_FETCH)]

            async def run(statement: str, start: int, stop: int) -> list[Any]:
                return list(await connection.fetch(statement.format(s="log.", a="$1", b="$2"), start, stop))

            rows = _IndexRows(fetch)
            for start, stop, until in _ranges(end):
                yield Chunk(
                    start,
                    stop,
                    {index: leaf for index, leaf in await run(_LEAVES, start, stop)},  # noqa: C416 — a driver's record is no pair
                    {row[0]: self._event(tuple(row)[1:]) for row in await run(_EVENTS, start, stop)},
                    await rows.below(until),
                    [BatchRow(*row) for row in await run(_BATCHES, start, stop)],
                )
