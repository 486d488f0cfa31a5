"""Stores, driver-level reads and the unit of work.

Promises: a write is one transaction that begins with the first statement and ends at one place, the edge; a read goes straight to the
driver with a statement that SQLAlchemy compiled once; and whoever is inside an open transaction can be asked about it, which is how
the access log refuses to be awaited there. SQLite has one writing connection, so writers queue here and not in the database's busy loop.
"""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeAlias

import asyncpg
import orjson
from sqlalchemy import LargeBinary, Select, make_url
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.config import Settings
from app.kit.engines import POOL_WAIT_SECONDS, SQLITE_BUSY_MS, owned, postgres_engine, sqlite_engine
from app.kit.errors import Unavailable
from app.kit.models import LOG_SCHEMA

Row = tuple[Any, ...]
Statement: TypeAlias = "Select[*tuple[Any, ...]]"
DialectName = Literal["sqlite", "postgresql"]

_COLLISIONS: Final = frozenset({"40001", "40P01"})
_PASSING: Final = _COLLISIONS | frozenset({"55P03", "57014", "57P01", "57P02", "57P03", "53300"})
_READ_THREADS: Final = 2
_GRACE_MS: Final = 1_000


class Prepared:
    """A statement compiled once for one dialect: its text, the order of its parameters, and what turns driver values into Python."""

    __slots__ = ("_binders", "_defaults", "_order", "_wanted", "sql")

    def __init__(self, statement: Statement, dialect: Dialect) -> None:
        """Compile ``statement``; lists in it must be written out (their length is part of the text)."""
        compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        self.sql = str(compiled)
        self._defaults: dict[str, Any] = dict(compiled.params)
        self._order: tuple[str, ...] = tuple(compiled.positiontup or ())
        declared = {
            name: binder
            for name, parameter in compiled.binds.items()
            if (binder := parameter.type.dialect_impl(dialect).bind_processor(dialect)) is not None
        }
        self._binders: dict[str, Callable[[Any], Any]] = {
            name: binder
            for name in self._order
            if (binder := declared.get(name) or declared.get(name.rpartition("_")[0])) is not None
        }
        processors = [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in statement.selected_columns
        ]
        self._wanted = tuple(
            (at, processor)
            for at, (column, processor) in enumerate(zip(statement.selected_columns, processors, strict=True))
            if processor is not None and type(column.type) is not LargeBinary
        )

    def row(self, raw: Row) -> Row:
        """Turn one row of driver values into Python's."""
        values = list(raw)
        for at, processor in self._wanted:
            values[at] = processor(values[at])
        return tuple(values)

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Put ``values`` (and the statement's own constants) in the driver's order."""
        given = {**self._defaults, **values}
        return [binder(given[name]) if (binder := self._binders.get(name)) else given[name] for name in self._order]


class Reader(Protocol):
    """Reads outside of any transaction, as plain tuples."""

    dialect: Dialect

    def prepare(self, statement: Statement) -> Prepared:
        """Compile a statement for this store."""
        ...

    async def fetch(self, prepared: Prepared, values: Mapping[str, Any] | None = None) -> list[Row]:
        """Run it; raise ``Unavailable`` when the store does not answer."""
        ...

    async def fetch_raw(self, prepared: Prepared, values: Mapping[str, Any] | None = None) -> list[Row]:
        """Run it and give the driver's own values; ``Prepared.row`` makes Python's of them."""
        ...

    async def fetch_points(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        """As ``fetch_raw``, for a statement that reads a few rows by their keys and nothing else."""
        ...

    def stamp(self) -> int | None:
        """Give a number that every commit to the store changes, whoever makes it, for less than a query; ``None`` where there is none.

        What was read after the same number was given is what is there.
        """
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...


class SqliteReader:
    """Reads a SQLite file on two threads, each with a connection that cannot write."""

    def __init__(self, path: Path) -> None:
        """Open nothing yet: a thread opens its connection with its first read."""
        self.dialect: Dialect = sqlite_dialect.dialect(paramstyle="qmark")
        self._path = path
        self._threads = ThreadPoolExecutor(_READ_THREADS, thread_name_prefix="duanhao-read")
        self._connections: dict[int, sqlite3.Connection] = {}

    def prepare(self, statement: Statement) -> Prepared:
        """Compile for SQLite."""
        return Prepared(statement, self.dialect)

    async def fetch(self, prepared: Prepared, values: Mapping[str, Any] | None = None) -> list[Row]:
        """Run the statement on a reading thread."""
        return [prepared.row(raw) for raw in await self.fetch_raw(prepared, values)]

    async def fetch_raw(self, prepared: Prepared, values: Mapping[str, Any] | None = None) -> list[Row]:
        """Run the statement on a reading thread; give what SQLite gave."""
        arguments = prepared.arguments(values or {})
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, self._run, prepared.sql, arguments)
        except sqlite3.Error as error:
            raise Unavailable from error

    async def fetch_points(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        """Run the statement here and now: a few keys take tens of microseconds, less than handing them to a thread and back.

        Reading waits for no writer in WAL mode.
        """
        try:
            return self._run(prepared.sql, prepared.arguments(values))
        except sqlite3.Error as error:
            raise Unavailable from error

    def stamp(self) -> int | None:
        """Ask SQLite for the number by which it knows that its own page cache is still good: microseconds, and no read of the file."""
        try:
            ((stamp,),) = self._run("PRAGMA data_version", [])
        except sqlite3.Error as error:
            raise Unavailable from error
        return int(stamp)

    def _run(self, sql: str, arguments: list[Any]) -> list[Row]:
        number = threading.get_ident()
        connection = self._connections.get(number)
        if connection is None:
            owned(self._path)
            connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            connection.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_MS}")
            connection.execute("PRAGMA query_only = ON")
            self._connections[number] = connection
        return connection.execute(sql, arguments).fetchall()

    async def close(self) -> None:
        """Stop the threads and close their connections."""
        self._threads.shutdown(wait=True)
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()


async def _nothing_to_reset(connection: asyncpg.Connection) -> None:
    """Leave a reader's connection as it is: it runs single SELECTs, and the driver's own cleaning costs a round trip for each."""
    del connection


async def _speak_json(connection: asyncpg.Connection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name,
            schema="pg_catalog",
            format="text",
            encoder=lambda value: orjson.dumps(value).decode(),
            decoder=orjson.loads,
        )


class PostgresReader:
    """Reads PostgreSQL through a pool of the driver's own connections.

    PostgreSQL ends a statement that takes too long. One that it has not ended a little later is of a server that does not answer at all,
    nor would it cancel: the connection is dropped at once, and the reader told.
    """

    def __init__(self, dsn: str, *, size: int, server_settings: Mapping[str, str], patience: float) -> None:
        """Remember where, and how many seconds a read may take; the pool opens with the first and again after a failure."""
        self.dialect: Dialect = asyncpg_dialect.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
        self._dsn, self._size, self._server_settings = dsn, size, dict(server_settings)
        self._patience = patience
        self._pool: asyncpg.Pool | None = None
        self._opening = asyncio.Lock()

    def prepare(self, statement: Statement) -> Prepared:
        """Compile for PostgreSQL."""
        return Prepared(statement, self.dialect)

    async def _opened(self) -> asyncpg.Pool:
        if self._pool is None:
            async with self._opening:
                if self._pool is None:
                    self._pool = await asyncpg.create_pool(
                        self._dsn,
                        min_size=1,
                        max_size=self._size,
                        init=_speak_json,
                        reset=_nothing_to_reset,
                        server_settings=self._server_settings,
                        timeout=min(5.0, self._patience),
                        command_timeout=self._patience,
                    )
        return self._pool

    async def fetch(self, prepared: Prepared, values: Mapping[str, Any] | None = None) -> list[Row]:
        """Run the statement on a pooled connection."""
        return [prepared.row(raw) for raw in await self.fetch_raw(prepared, values)]

    async def fetch_raw(self, prepared: Prepared, values: Mapping[str, Any] | None = None) -> list[Row]:
        """Run the statement on a pooled connection; give what the driver gave."""
        arguments = prepared.arguments(values or {})
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._patience
        try:
            async with asyncio.timeout_at(ends):
                pool = await self._opened()
                connection = await pool.acquire()
            overdue = loop.call_at(ends, connection.terminate)
            try:
                rows: Sequence[Any] = await connection.fetch(prepared.sql, *arguments)
            finally:
                overdue.cancel()
                await pool.release(connection)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise Unavailable from error
        return [tuple(row) for row in rows]

    async def fetch_points(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        """Run the statement on a pooled connection."""
        return await self.fetch_raw(prepared, values)

    def stamp(self) -> int | None:
        """Give none: every batch of the log would change it."""
        return None

    async def close(self) -> None:
        """Close the pool at once: reads hold nothing worth waiting for."""
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None


class UnitOfWork:
    """One business transaction: opened by the first statement, ended by whoever made it, with what is to happen after commit."""

    def __init__(self, session: AsyncSession) -> None:
        """Wrap a session that has not begun."""
        self.session = session
        self._after_commit: list[Callable[[], Awaitable[None] | None]] = []
        self._at_end: list[Callable[[], None]] = []

    @property
    def is_open(self) -> bool:
        """Whether a transaction has begun and not ended."""
        return self.session.in_transaction()

    def after_commit(self, action: Callable[[], Awaitable[None] | None]) -> None:
        """Run ``action`` once the transaction is durable; never when it is rolled back."""
        self._after_commit.append(action)

    def at_end(self, action: Callable[[], None]) -> None:
        """Run ``action`` when the unit ends, durable or not."""
        self._at_end.append(action)

    def end(self) -> None:
        """Let go of what was held for the unit. Only the edge calls this."""
        for action in self._at_end:
            action()

    async def commit(self) -> None:
        """Make everything durable, then run what waits for it. Only the edge calls this."""
        await self.session.commit()
        actions, self._after_commit = self._after_commit, []
        for action in actions:
            outcome = action()
            if outcome is not None:
                await outcome


_current: ContextVar[UnitOfWork | None] = ContextVar("duanhao_unit_of_work", default=None)


def current_unit_of_work() -> UnitOfWork | None:
    """Give the unit of work of this task, begun or not; ``None`` outside of one."""
    return _current.get()


class Database:
    """The stores of one process, as the settings describe them."""

    def __init__(self, settings: Settings) -> None:
        """Prepare engines; nothing connects before the first use."""
        self.dialect: DialectName = "postgresql" if settings.on_postgresql else "sqlite"
        self.business_path: Path = settings.data_dir / "duanhao.sqlite3"
        self.log_path: Path = settings.data_dir / "log.sqlite3"
        self.dsn: str | None = None
        timeouts = {
            "lock_timeout": str(settings.database.lock_timeout_ms),
            "statement_timeout": str(settings.database.statement_timeout_ms),
            "idle_in_transaction_session_timeout": "15000",
            "application_name": "duanhao",
        }
        if settings.database.url is not None:
            url = make_url(settings.database.url.get_secret_value())
            self.dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
            size, patience = settings.database.pool_size, (settings.database.statement_timeout_ms + _GRACE_MS) / 1000
            self.engine = postgres_engine(
                self.dsn,
                server_settings=timeouts,
                pool_size=size,
                max_overflow=0,
                pool_timeout=POOL_WAIT_SECONDS,
            )
            self.log_engine = self.engine
            self.reader: Reader = PostgresReader(self.dsn, size=size, server_settings=timeouts, patience=patience)
            self.log_reader: Reader = self.reader
        else:
            self.engine = sqlite_engine(self.business_path)
            self.log_engine = sqlite_engine(self.log_path).execution_options(schema_translate_map={LOG_SCHEMA: None})
            self.reader = SqliteReader(self.business_path)
            self.log_reader = SqliteReader(self.log_path)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=False)

    def session(self) -> AsyncSession:
        """Make a session on the business store."""
        return self._sessions()

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[UnitOfWork]:
        """Give one transaction: committed when the block ends, rolled back when it raises."""
        async with self.session() as session:
            unit = UnitOfWork(session)
            outer = _current.get()
            _current.set(unit)
            try:
                yield unit
                await unit.commit()
            except DBAPIError as error:
                await session.rollback()
                if _passes(error):
                    raise Unavailable from error
                raise
            except (PoolTimeoutError, OSError) as error:
                await session.rollback()
                raise Unavailable from error
            except BaseException:
                await session.rollback()
                raise
            finally:
                unit.end()
                _current.set(outer)

    async def close(self) -> None:
        """Close every connection."""
        await self.reader.close()
        if self.log_reader is not self.reader:
            await self.log_reader.close()
        await self.engine.dispose()
        if self.log_engine is not self.engine:
            await self.log_engine.dispose()


def _passes(error: DBAPIError) -> bool:
    """Tell a failure that passes (lost connection, lock or statement timeout, deadlock, full or locked file) from a fault of ours."""
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError) or state in _PASSING


def collided(failure: Unavailable) -> bool:
    """Tell whether another unit of work was in the way (deadlock, serialization), so that this one may be done anew at once."""
    return getattr(getattr(failure.__cause__, "orig", None), "sqlstate", None) in _COLLISIONS
