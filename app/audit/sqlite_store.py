"""The log in a SQLite file of its own, written by one thread.

Everything happens on that thread with the standard library's driver, so a batch costs one hop and no statement waits
in the event loop. Rows are inserted many to a statement, because the driver gives the interpreter away with each. A
file that is deleted or replaced while it is open would go on taking rows that nobody will ever find again, so its
identity is compared before and after every commit. After any failure the connection is thrown away: the next attempt
starts from what is on disk.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

from app.audit.events import ID_BYTES, PAGE_CONTACTS
from app.audit.note import Signer
from app.audit.stores import (
    PAGES_AT_ONCE,
    Appended,
    EntriesRejected,
    Entry,
    Known,
    Plan,
    StoredHead,
    StoreUnavailable,
    check_floor,
    empty_head,
    epoch_keys,
    first_pages,
    plan,
    quota_keys,
)
from app.kit.clock import Clock
from app.kit.models import to_microseconds

_PRAGMAS: Final = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "recursive_triggers = ON",
    "wal_autocheckpoint = 8000",
)
"""The write-ahead log may grow to 32 MiB before it is brought into the file: most batches write the same pages of the index of actors, and
each bringing waits for the disk twice more than a commit does."""
_LARGEST_INSERT: Final = 64
_LARGEST_LOOKUP: Final = 512
_STATEMENTS: Final = 128
_HEAD: Final = "SELECT size, frontier, root, note FROM head WHERE id = 1"
_KNOWN: Final = 'SELECT e.id, e."index", l.hash FROM event e JOIN leaf l ON l."index" = e."index" WHERE e.id IN'
_PUT_HEAD: Final = "UPDATE head SET size = ?, frontier = ?, root = ?, note = ? WHERE id = 1"
_PUT_BATCH: Final = 'INSERT INTO batch (size, "first", root, note, at) VALUES (?, ?, ?, ?, ?)'
_PUT_QUOTA: Final = (
    "INSERT INTO quota (actor_id, day, kind, used) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET used = excluded.used"
)
_TABLES: Final = {
    "leaf": ('"index"', "hash"),
    "event": ('"index"', "id", "at", "actor_type", "actor_id", "action", "decision", "payload"),
    "subject_page": ('"index"', "part", "bits", "contacts"),
}
_OLDEST_PAGES: Final = 'SELECT "index", part, length(contacts) FROM subject_page ORDER BY "index", part LIMIT ?'
_SPREAD: Final = f"""
WITH RECURSIVE place(at) AS (VALUES (0) UNION ALL SELECT at + 1 FROM place WHERE at < {PAGE_CONTACTS - 1})
INSERT INTO subject_entry (contact_id, "index", bits)
SELECT contacts, "index", bits FROM subject_page WHERE ("index", part) <= (:index, :part) AND length(contacts) = {ID_BYTES}
UNION ALL
SELECT substr(p.contacts, {ID_BYTES} * at + 1, {ID_BYTES}), p."index", p.bits
FROM subject_page p CROSS JOIN place ON at < length(p.contacts) / {ID_BYTES}
WHERE (p."index", p.part) <= (:index, :part) AND length(p.contacts) <> {ID_BYTES} ORDER BY 1, 2
"""  # noqa: S608 — a constant of ours
"""Rows of one contact apart from pages, and pages before places (``CROSS JOIN``): otherwise SQLite reads all pages for every place."""
_Result = TypeVar("_Result")


class _Watched:
    """A connection to a file, and the identity of the file when it was opened."""

    def __init__(self, path: Path, *, mode: str, busy_seconds: float) -> None:
        """Open ``path`` without ever creating it."""
        self._path, self._wal = path, path.with_name(path.name + "-wal")
        before = self._identity(path)
        self.connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=busy_seconds,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_STATEMENTS,
        )
        self.connection.execute("PRAGMA schema_version").fetchone()
        self._seen = (before, self._identity(self._wal))

    @staticmethod
    def _identity(path: Path) -> tuple[int, int] | None:
        try:
            found = path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def check(self) -> None:
        """Raise ``StoreUnavailable`` when the file, or its write-ahead log, is no longer the one that was opened."""
        file, wal = self._seen
        found = self._identity(self._wal)
        if self._identity(self._path) != file or (wal is not None and found != wal):
            message = f"{self._path.name} was deleted or replaced while open"
            raise StoreUnavailable(message)
        if wal is None:
            self._seen = (file, found)


class SqliteLogStore:
    """The log's file, with the business file beside it for epochs."""

    def __init__(
        self, path: Path, *, business_path: Path, signer: Signer, clock: Clock, busy_seconds: float = 1.0
    ) -> None:
        """Prepare; ``busy_seconds`` is the longest wait for another writer and must be below the writer's deadline."""
        self._path, self._business_path = path, business_path
        self._signer, self._clock, self._busy = signer, clock, busy_seconds
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="duanhao-log")
        self._log: _Watched | None = None
        self._business: _Watched | None = None
        self._floor = 0

    async def open(self) -> None:
        """Connect, and sign the empty tree into a log that has no head."""
        await self._call(self._initialise)

    async def append(self, entries: Sequence[Entry]) -> Appended:
        """Write one batch durably."""
        return await self._call(lambda: self._append(entries))

    async def unpack(self, *, wait: bool) -> bool:
        """Spread the oldest pages of the index with one statement, which leaves the interpreter alone while it runs."""
        del wait  # No other process writes here.
        return await self._call(self._unpack)

    async def probe(self, *, durable: bool) -> None:
        """Look whether the file is still there and readable, or commit a write that changes nothing."""
        await self._call(lambda: self._probe(durable=durable))

    async def newest(self) -> StoredHead:
        """Give the head row."""
        return await self._call(lambda: self._head(self._connected()))

    async def close(self) -> None:
        """Close the connections on their thread, then end it."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown(wait=False)

    async def _call(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work)

    def _guarded(self, work: Callable[[], _Result]) -> _Result:
        try:
            return work()
        except StoreUnavailable:
            self._disconnect()
            raise
        except (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError) as error:
            self._disconnect()
            raise EntriesRejected(type(error).__name__) from error
        except (sqlite3.Error, OSError) as error:
            self._disconnect()
            message = f"{type(error).__name__}: {error}"
            raise StoreUnavailable(message) from error
        except Exception as error:
            self._disconnect()
            raise EntriesRejected(type(error).__name__) from error

    def _connected(self) -> sqlite3.Connection:
        if self._log is None:
            self._log = _Watched(self._path, mode="rw", busy_seconds=self._busy)
            for pragma in _PRAGMAS:
                self._log.connection.execute(f"PRAGMA {pragma}")
        self._log.check()
        return self._log.connection

    def _disconnect(self) -> None:
        for watched in (self._log, self._business):
            if watched is not None:
                with suppress(sqlite3.Error):
                    watched.connection.close()
        self._log = self._business = None

    @staticmethod
    def _head(connection: sqlite3.Connection) -> StoredHead:
        row = connection.execute(_HEAD).fetchone()
        if row is None:
            message = "the log has no head row"
            raise StoreUnavailable(message)
        return StoredHead(*row)

    @staticmethod
    def _last_leaf(connection: sqlite3.Connection) -> int:
        (last,) = connection.execute('SELECT coalesce(max("index"), -1) FROM leaf').fetchone()
        return int(last)

    def _initialise(self) -> None:
        connection = self._connected()
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute(_HEAD).fetchone() is None:
            if self._last_leaf(connection) >= 0:
                message = "the log has leaves but no head row: run audit verify"
                raise StoreUnavailable(message)
            connection.execute(
                "INSERT INTO head (id, size, frontier, root, note) VALUES (1, ?, ?, ?, ?)", empty_head(self._signer)
            )
        connection.execute("COMMIT")
        self._probe(durable=True)

    def _probe(self, *, durable: bool) -> None:
        connection = self._connected()
        if durable:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("UPDATE head SET size = size WHERE id = 1")
        head = self._head(connection)
        check_floor(head, self._last_leaf(connection), self._floor)
        if durable:
            connection.execute("COMMIT")
        self._connected()
        self._floor = head.size

    def _append(self, entries: Sequence[Entry]) -> Appended:
        connection = self._connected()
        connection.execute("BEGIN IMMEDIATE")
        head = self._head(connection)
        known = self._known(connection, entries)
        frontier = check_floor(head, known.last_leaf, self._floor)
        planned = plan(head, frontier, entries, known, self._signer)
        if planned.fresh:
            self._write(connection, planned)
        connection.execute("COMMIT")
        self._connected()
        self._floor = planned.head.size
        return Appended(planned.outcomes, planned.head.size, planned.head.note)

    def _unpack(self) -> bool:
        connection = self._connected()
        chosen = first_pages(connection.execute(_OLDEST_PAGES, (PAGES_AT_ONCE,)).fetchall())
        if chosen is None:
            return False
        last, more = chosen
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_SPREAD, {"index": last[0], "part": last[1]})
        connection.execute('DELETE FROM subject_page WHERE ("index", part) <= (?, ?)', last)
        connection.execute("COMMIT")
        self._connected()
        return more

    def _known(self, connection: sqlite3.Connection, entries: Sequence[Entry]) -> Known:
        known = Known(self._last_leaf(connection))
        for identifier, index, leaf in _lookup(
            connection,
            _KNOWN,
            [entry.id.bytes for entry in entries],
        ):
            known.ids[UUID(bytes=identifier)] = (index, leaf)
        if keys := epoch_keys(entries):
            known.epochs.update(_lookup(self._epochs(), "SELECT key, value FROM epoch WHERE key IN", keys))
        for key in quota_keys(entries):
            row = connection.execute(
                "SELECT used FROM quota WHERE actor_id = ? AND day = ? AND kind = ?", key
            ).fetchone()
            if row is not None:
                known.used[key] = row[0]
        return known

    def _epochs(self) -> sqlite3.Connection:
        if self._business is None:
            self._business = _Watched(self._business_path, mode="ro", busy_seconds=self._busy)
        self._business.check()
        return self._business.connection

    def _write(self, connection: sqlite3.Connection, planned: Plan) -> None:
        numbered = list(enumerate(planned.fresh, planned.first))
        _insert(connection, "leaf", [(index, entry.leaf) for index, entry in numbered])
        _insert(
            connection,
            "event",
            [
                (
                    index,
                    entry.id.bytes,
                    to_microseconds(entry.at),
                    entry.actor_type,
                    entry.actor_id,
                    entry.action,
                    entry.decision,
                    entry.payload,
                )
                for index, entry in numbered
            ],
        )
        _insert(
            connection,
            "subject_page",
            [(index, part, *page) for index, entry in numbered for part, page in enumerate(entry.pages)],
        )
        head = planned.head
        connection.execute(_PUT_HEAD, head)
        connection.execute(
            _PUT_BATCH, (head.size, planned.first, head.root, head.note, to_microseconds(self._clock.now()))
        )
        for key, used in planned.charged.items():
            connection.execute(_PUT_QUOTA, (*key, used))


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert ``rows`` with few statements of few different texts: chunks of 64, then of the powers of two below."""
    columns = _TABLES[table]
    one = f"({', '.join('?' * len(columns))})"
    start = 0
    while start < len(rows):
        count = min(_LARGEST_INSERT, 1 << ((len(rows) - start).bit_length() - 1))
        values = [value for row in rows[start : start + count] for value in row]
        connection.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([one] * count)}", values)  # noqa: S608 — our own table and column names
        start += count


def _lookup(connection: sqlite3.Connection, select: str, keys: Sequence[bytes] | Sequence[str]) -> Iterator[Any]:
    """Run ``select`` for all keys; their number is rounded up by repeating the last, so that few texts are compiled."""
    for start in range(0, len(keys), _LARGEST_LOOKUP):
        chunk = list(keys[start : start + _LARGEST_LOOKUP])
        chunk += [chunk[-1]] * ((1 << (len(chunk) - 1).bit_length()) - len(chunk))
        with closing(connection.execute(f"{select} ({', '.join('?' * len(chunk))})", chunk)) as cursor:
            yield from cursor
