"""The log in schema ``log`` of PostgreSQL, written through one connection of its own.

Several server processes share one log, so every batch reads the head row ``FOR UPDATE`` and believes nothing that it
remembers; what comes after the lock sees what others have committed. A process that stalls loses its transaction after
a second (``idle_in_transaction_session_timeout``), so it cannot hold the head against the others. That is why a batch
is one statement over arrays and not a ``COPY``: PostgreSQL waits without end for a ``COPY`` whose client has stalled.

After any failure the connection is dropped and the next attempt makes a new one; how often attempts are made is the
writer's business.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

import asyncpg

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

_HEAD: Final = "SELECT size, frontier, root, note FROM log.head WHERE id = 1"
_KNOWN: Final = """
SELECT NULL::uuid, NULL::text, coalesce(max("index"), -1), NULL::bytea FROM log.leaf
UNION ALL
SELECT e.id, NULL, e."index", l.hash FROM log.event e JOIN log.leaf l USING ("index") WHERE e.id = ANY($1::uuid[])
UNION ALL
SELECT NULL, key, value, NULL FROM public.epoch WHERE key = ANY($2::text[])
UNION ALL
SELECT NULL, k.at::text, q.used, '' FROM log.quota q
JOIN unnest($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS k(actor_id, day, kind, at) USING (actor_id, day, kind)
"""
_WRITE: Final = """
WITH
leaves AS (INSERT INTO log.leaf ("index", hash) SELECT * FROM unnest($1::bigint[], $2::bytea[])),
events AS (
  INSERT INTO log.event ("index", id, at, actor_type, actor_id, action, decision, payload)
  SELECT * FROM unnest(
    $1::bigint[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bytea[]
  )
),
pages AS (
  INSERT INTO log.subject_page ("index", part, bits, contacts)
  SELECT * FROM unnest($10::bigint[], $11::int[], $12::bigint[], $13::bytea[])
),
quotas AS (
  INSERT INTO log.quota (actor_id, day, kind, used)
  SELECT * FROM unnest($20::text[], $21::text[], $22::text[], $23::bigint[])
  ON CONFLICT (actor_id, day, kind) DO UPDATE SET used = excluded.used
),
signed AS (INSERT INTO log.batch (size, "first", root, note, at) VALUES ($14, $18, $16, $17, $19))
UPDATE log.head SET size = $14, frontier = $15, root = $16, note = $17 WHERE id = 1
"""
_OLDEST_PAGES: Final = 'SELECT "index", part, length(contacts) FROM log.subject_page ORDER BY "index", part LIMIT $1'
_SPREAD: Final = """
WITH taken AS (DELETE FROM log.subject_page WHERE ("index", part) <= ($1, $2) RETURNING *)
INSERT INTO log.subject_entry (contact_id, "index", bits)
SELECT encode(substring(contacts FROM 16 * at + 1 FOR 16), 'hex')::uuid, "index", bits
FROM taken, generate_series(0, length(contacts) / 16 - 1) AS at ORDER BY 1, 2
"""
_SPREADING: Final = 0x6475616E68616F
"""The advisory lock of whoever spreads pages: one process at a time."""
_FIRST_HEAD: Final = """
INSERT INTO log.head (id, size, frontier, root, note) VALUES (1, $1, $2, $3, $4) ON CONFLICT DO NOTHING
"""
_CLOSE_SECONDS: Final = 2.0
_Result = TypeVar("_Result")


class PostgresLogStore:
    """The log's tables in PostgreSQL; epochs are read from ``public.epoch`` in the same transaction."""

    def __init__(
        self, dsn: str, *, signer: Signer, clock: Clock, timeout: float = 2.0, lock_seconds: float = 1.0
    ) -> None:
        """Prepare; ``timeout`` bounds a whole batch, ``lock_seconds`` the wait for the head and must be below it."""
        self._dsn, self._signer, self._clock, self._timeout = dsn, signer, clock, timeout
        self._settings = {
            "application_name": "duanhao-log",
            "lock_timeout": str(round(lock_seconds * 1000)),
            "idle_in_transaction_session_timeout": "1000",
            "synchronous_commit": "on",
        }
        self._connection: asyncpg.Connection | None = None
        self._floor = 0

    async def open(self) -> None:
        """Connect, and sign the empty tree into a log that has no head."""
        await self._call(self._initialise)

    async def append(self, entries: Sequence[Entry]) -> Appended:
        """Write one batch durably."""
        return await self._call(lambda connection: self._append(connection, entries))

    async def unpack(self, *, wait: bool) -> bool:
        """Spread the oldest pages of the index, one process at a time."""
        return await self._call(lambda connection: self._unpack(connection, wait=wait))

    async def probe(self, *, durable: bool) -> None:
        """Read the head, or commit a write that changes nothing."""
        await self._call(lambda connection: self._probe(connection, durable=durable))

    async def newest(self) -> StoredHead:
        """Give the head row."""
        return await self._call(self._head)

    async def close(self) -> None:
        """Say good-bye to the server if it listens, else just leave."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await connection.close(timeout=_CLOSE_SECONDS)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.terminate()

    async def _call(self, work: Callable[[asyncpg.Connection], Awaitable[_Result]]) -> _Result:
        try:
            async with asyncio.timeout(self._timeout):
                connection = await self._connected()
                return await work(connection)
        except asyncio.CancelledError:
            self._drop()
            raise
        except StoreUnavailable:
            self._drop()
            raise
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            self._drop()
            raise EntriesRejected(type(error).__name__) from error
        except (
            OSError,
            TimeoutError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
        ) as error:
            self._drop()
            message = f"{type(error).__name__}: {error}"
            raise StoreUnavailable(message) from error
        except Exception as error:
            self._drop()
            raise EntriesRejected(type(error).__name__) from error

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._dsn, server_settings=self._settings)
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError, asyncpg.InterfaceError):
                connection.terminate()

    async def _head(self, connection: asyncpg.Connection, *, lock: bool = False) -> StoredHead:
        row = await connection.fetchrow(f"{_HEAD} FOR UPDATE" if lock else _HEAD)
        if row is None:
            message = "the log has no head row"
            raise StoreUnavailable(message)
        return StoredHead(*row)

    async def _initialise(self, connection: asyncpg.Connection) -> None:
        if await connection.fetchrow(_HEAD) is None:
            if await connection.fetchval("SELECT EXISTS (SELECT FROM log.leaf)"):
                message = "the log has leaves but no head row: run audit verify"
                raise StoreUnavailable(message)
            await connection.execute(
                _FIRST_HEAD,
                *empty_head(self._signer),
            )
        await self._probe(connection, durable=True)

    async def _probe(self, connection: asyncpg.Connection, *, durable: bool) -> None:
        async with connection.transaction():
            head = await self._head(connection, lock=durable)
            if durable:
                await connection.execute("UPDATE log.head SET size = size WHERE id = 1")
                check_floor(head, (await self._known(connection, ())).last_leaf, self._floor)
        self._floor = max(self._floor, head.size)

    async def _append(self, connection: asyncpg.Connection, entries: Sequence[Entry]) -> Appended:
        async with connection.transaction():
            head = await self._head(connection, lock=True)
            known = await self._known(connection, entries)
            frontier = check_floor(head, known.last_leaf, self._floor)
            planned = plan(head, frontier, entries, known, self._signer)
            if planned.fresh:
                await self._write(connection, planned)
        self._floor = planned.head.size
        return Appended(planned.outcomes, planned.head.size, planned.head.note)

    @staticmethod
    async def _unpack(connection: asyncpg.Connection, *, wait: bool) -> bool:
        async with connection.transaction():
            if wait:
                await connection.execute("SELECT pg_advisory_xact_lock($1)", _SPREADING)
            elif not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _SPREADING):
                return False
            chosen = first_pages([tuple(row) for row in await connection.fetch(_OLDEST_PAGES, PAGES_AT_ONCE)])
            if chosen is None:
                return False
            last, more = chosen
            await connection.execute(_SPREAD, *last)
        return more

    async def _known(self, connection: asyncpg.Connection, entries: Sequence[Entry]) -> Known:
        known, quotas = Known(-1), quota_keys(entries)
        for identifier, key, number, leaf in await connection.fetch(
            _KNOWN, [entry.id for entry in entries], epoch_keys(entries), *_columns(quotas, 3)
        ):
            if identifier is not None:
                known.ids[identifier] = (number, leaf)
            elif key is not None and leaf is not None:
                known.used[quotas[int(key) - 1]] = number
            elif key is not None:
                known.epochs[key] = number
            else:
                known.last_leaf = number
        return known

    async def _write(self, connection: asyncpg.Connection, planned: Plan) -> None:
        numbered = list(enumerate(planned.fresh, planned.first))
        pages = [(index, part, *page) for index, entry in numbered for part, page in enumerate(entry.pages)]
        fresh, head = planned.fresh, planned.head
        await connection.execute(
            _WRITE,
            [index for index, _ in numbered],
            [entry.leaf for entry in fresh],
            [entry.id for entry in fresh],
            [entry.at for entry in fresh],
            [entry.actor_type for entry in fresh],
            [entry.actor_id for entry in fresh],
            [entry.action for entry in fresh],
            [entry.decision for entry in fresh],
            [entry.payload for entry in fresh],
            [index for index, _, _, _ in pages],
            [part for _, part, _, _ in pages],
            [bits for _, _, bits, _ in pages],
            [contacts for _, _, _, contacts in pages],
            *head,
            planned.first,
            self._clock.now(),
            *_columns([(*key, used) for key, used in planned.charged.items()], 4),
        )


def _columns(rows: Sequence[Sequence[object]], count: int) -> list[list[object]]:
    """Turn rows into ``count`` columns, as ``unnest`` takes them; no rows make empty ones."""
    return [[row[at] for row in rows] for at in range(count)]
