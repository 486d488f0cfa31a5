"""The log in schema ``log`` of PostgreSQL, written through one connection of its own.

Several server processes share one log, so every batch reads the head row ``FOR UPDATE`` and believes nothing that it
remembers; what comes after the lock sees what others have committed. Rows go in by ``COPY``. A stalled process loses
its transaction after a second (``idle_in_transaction_session_timeout``), so it cannot hold the head against the
others. After any failure the connection is dropped and the next attempt makes a new one; how often attempts are made
is the writer's business.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

import asyncpg

from app.audit.note import Signer
from app.audit.stores import (
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
"""
_USED: Final = """
SELECT q.actor_id, q.day, q.kind, q.used FROM log.quota q
JOIN unnest($1::text[], $2::text[], $3::text[]) AS k(actor_id, day, kind) USING (actor_id, day, kind)
"""
_PUT_QUOTA: Final = """
INSERT INTO log.quota (actor_id, day, kind, used) VALUES ($1, $2, $3, $4)
ON CONFLICT (actor_id, day, kind) DO UPDATE SET used = excluded.used
"""
_PUT_HEAD: Final = """
WITH signed AS (INSERT INTO log.batch (size, "first", root, note, at) VALUES ($1, $5, $3, $4, $6))
UPDATE log.head SET size = $1, frontier = $2, root = $3, note = $4 WHERE id = 1
"""
_FIRST_HEAD: Final = """
INSERT INTO log.head (id, size, frontier, root, note) VALUES (1, $1, $2, $3, $4) ON CONFLICT DO NOTHING
"""
_EVENT_COLUMNS: Final = ("index", "id", "at", "actor_type", "actor_id", "action", "decision", "payload")
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

    async def _known(self, connection: asyncpg.Connection, entries: Sequence[Entry]) -> Known:
        known = Known(-1)
        for identifier, key, number, leaf in await connection.fetch(
            _KNOWN, [entry.id for entry in entries], epoch_keys(entries)
        ):
            if identifier is not None:
                known.ids[identifier] = (number, leaf)
            elif key is not None:
                known.epochs[key] = number
            else:
                known.last_leaf = number
        if keys := quota_keys(entries):
            for actor_id, day, kind, used in await connection.fetch(_USED, *map(list, zip(*keys, strict=True))):
                known.used[actor_id, day, kind] = used
        return known

    async def _write(self, connection: asyncpg.Connection, planned: Plan) -> None:
        numbered = list(enumerate(planned.fresh, planned.first))
        await connection.copy_records_to_table(
            "leaf",
            schema_name="log",
            columns=("index", "hash"),
            records=[(index, entry.leaf) for index, entry in numbered],
        )
        events: list[tuple[Any, ...]] = [
            (index, entry.id, entry.at, entry.actor_type, entry.actor_id, entry.action, entry.decision, entry.payload)
            for index, entry in numbered
        ]
        await connection.copy_records_to_table("event", schema_name="log", columns=_EVENT_COLUMNS, records=events)
        subjects = [(contact, index, bits) for index, entry in numbered for contact, bits in entry.subjects]
        if subjects:
            await connection.copy_records_to_table(
                "subject_entry", schema_name="log", columns=("contact_id", "index", "bits"), records=subjects
            )
        if planned.charged:
            await connection.executemany(_PUT_QUOTA, [(*key, used) for key, used in planned.charged.items()])
        head = planned.head
        await connection.execute(_PUT_HEAD, *head, planned.first, self._clock.now())
