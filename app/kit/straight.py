"""Statements of a transaction that go straight to its driver.

SQLAlchemy's way to the driver and back takes two to four times what the driver takes, on SQLite three trips to its thread instead of one.
Where the rate of an operation is a promise (benchmarks, P3), its statements are compiled once for each kind of store and run on the
connection that holds the session's transaction: they are part of it, and what fails there fails with the errors of SQLAlchemy. Writes go
together: one row each of several statements, or on PostgreSQL any number of rows of each, as arrays, are one statement.
A statement takes the long way while somebody listens to statements and, on SQLite, when it is the transaction's first, since there the long
way takes the lock. On PostgreSQL a transaction is begun by SQLAlchemy's own connection, which ends it, without a statement.
"""

import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Protocol, TypeAlias, cast

import asyncpg
from sqlalchemy import CompoundSelect, Select
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.sql.expression import ColumnElement, UpdateBase

from app.kit.db import Prepared, Row

Statement: TypeAlias = "Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]] | UpdateBase"

_PLACE: Final = "duanhao.straight"
_FAILURES: Final = (sqlite3.Error, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


class _Sqlite(Protocol):
    """What is asked of aiosqlite's connection."""

    async def execute_fetchall(self, sql: str, parameters: Sequence[Any]) -> Sequence[Sequence[Any]]: ...

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> Any: ...  # noqa: ANN401 — a cursor


class _Driven:
    """The driver's connection under one transaction."""

    __slots__ = ("connection", "driver", "transaction")

    def __init__(self, transaction: object, connection: AsyncConnection, driver: object) -> None:
        self.transaction, self.connection, self.driver = transaction, connection, driver

    async def begin(self, adapter: Any) -> None:  # noqa: ANN401 — SQLAlchemy's, which has no public name
        """Begin what SQLAlchemy begins with its first statement, if that is still to come."""
        if not isinstance(self.driver, asyncpg.Connection) or self.driver.is_in_transaction() or self.is_watched:
            return
        try:
            await adapter._start_transaction()  # noqa: SLF001 — a first statement the long way costs as much as all the others
        except Exception as error:
            if isinstance(error.__cause__, _FAILURES):
                raise await self._told("BEGIN", error.__cause__) from error
            raise

    @property
    def is_watched(self) -> bool:
        """Tell whether somebody listens to statements."""
        return bool(self.connection.sync_engine.dispatch.before_cursor_execute)

    @property
    def is_straight(self) -> bool:
        """Tell whether a statement may pass SQLAlchemy by."""
        if self.is_watched:
            return False
        driver: Any = self.driver
        return bool(driver.is_in_transaction() if isinstance(driver, asyncpg.Connection) else driver.in_transaction)

    async def rows(self, sql: str, arguments: Sequence[Any]) -> Sequence[Sequence[Any]]:
        if not self.is_straight:
            result = await self.connection.exec_driver_sql(sql, tuple(arguments))
            return result.all() if result.returns_rows else ()
        try:
            if isinstance(self.driver, asyncpg.Connection):
                found: Sequence[Sequence[Any]] = await self.driver.fetch(sql, *arguments)
                return found
            return await cast("_Sqlite", self.driver).execute_fetchall(sql, arguments)
        except _FAILURES as error:
            raise await self._told(sql, error) from error

    async def each(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        if len(rows) == 1:
            await self.rows(sql, rows[0])
            return
        if not self.is_straight:
            await self.connection.exec_driver_sql(sql, [tuple(row) for row in rows])
            return
        try:
            if isinstance(self.driver, asyncpg.Connection):
                await self.driver.executemany(sql, rows)
            else:
                await cast("_Sqlite", self.driver).executemany(sql, rows)
        except _FAILURES as error:
            raise await self._told(sql, error) from error

    async def all_of(self, parts: Sequence["_Part"], *, apart: bool) -> None:
        """Run writes in one go; none of them sees what another does, nor, if they are ``apart``, a row of one what its other rows do."""
        if not self.is_straight:
            for compiled, rows in parts:
                await self.each(compiled.sql, rows)
            return
        driver = self.driver
        if not isinstance(driver, asyncpg.Connection):
            await self._in_one_turn(parts)
            return
        together: list[tuple[str, int]] = []
        arguments: list[Any] = []
        for compiled, rows in parts:
            text = compiled.of_many if apart else compiled.sql if len(rows) == 1 else None
            if text is None:
                await self.each(compiled.sql, rows)
            else:
                together.append((text, compiled.size))
                arguments += zip(*rows, strict=True) if apart else rows[0]
        if together:
            await self.rows(_composed(tuple(together)), arguments)

    async def _in_one_turn(self, parts: Sequence["_Part"]) -> None:
        """Hand all of it to the driver's thread at once, for which the driver has no public name."""
        driver: Any = self.driver

        def run(connection: sqlite3.Connection) -> None:
            for compiled, rows in parts:
                for row in rows:
                    connection.execute(compiled.sql, row)

        try:
            await driver._execute(run, driver._conn)  # noqa: SLF001 — a trip to the thread costs more than the statement
        except _FAILURES as error:
            raise await self._told(parts[0][0].sql, error) from error

    async def _told(self, sql: str, error: Exception) -> DBAPIError:
        """Say it as SQLAlchemy would; a connection that is gone is not asked to roll back."""
        if isinstance(self.driver, asyncpg.Connection) and self.driver.is_closed():
            await self.connection.invalidate(error)
        return _kind(error)(sql, None, error, hide_parameters=True)


def _kind(error: Exception) -> type[DBAPIError]:
    match error:
        case sqlite3.IntegrityError() | asyncpg.IntegrityConstraintViolationError():
            return IntegrityError
        case sqlite3.OperationalError():
            return OperationalError
        case OSError() | sqlite3.InterfaceError() | asyncpg.InterfaceError() | asyncpg.PostgresConnectionError():
            return InterfaceError
        case _:
            return DBAPIError


class _Compiled:
    """The statement for one kind of store: its text, the order of its parameters, and what turns values into the driver's and back."""

    __slots__ = ("_binders", "_defaults", "_results", "of_many", "sql")

    def __init__(self, statement: Statement, columns: Sequence[str] | None, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=None if columns is None else list(columns))
        self.sql = str(compiled)
        self._defaults: Mapping[str, Any] = dict(compiled.params)
        self._binders = tuple(
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or ()
        )
        self.of_many = _of_many(self.sql, self.size)
        given: Sequence[ColumnElement[Any]] = tuple(statement.exported_columns)
        processors = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in given]
        self._results: tuple[tuple[int, Callable[[Any], Any]], ...] = tuple(
            (at, processor) for at, processor in enumerate(processors) if processor is not None
        )

    @property
    def size(self) -> int:
        """How many parameters it has."""
        return len(self._binders)

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        given = {**self._defaults, **values}
        return [given[name] if binder is None else binder(given[name]) for name, binder in self._binders]

    def row(self, raw: Sequence[Any]) -> Row:
        if not self._results:
            return tuple(raw)
        values = list(raw)
        for at, processor in self._results:
            values[at] = processor(values[at])
        return tuple(values)


_Part = tuple[_Compiled, Sequence[Sequence[Any]]]
_PLACEHOLDER: Final = re.compile(r"\$(\d+)")
_TYPED: Final = re.compile(r"\$(\d+)::([A-Z]+(?: WITH TIME ZONE)?)")
_VALUES: Final = " VALUES ("
_OTHERWISE: Final = re.compile(r" RETURNING | ON CONFLICT ")
_SAYS_FROM: Final = {"INSERT": "FROM", "UPDATE": "FROM", "DELETE": "USING"}
"""How each kind of statement says which further rows it looks at."""
_FROM: Final = re.compile(r"\b(?:FROM|USING)\b")


def _of_many(sql: str, size: int) -> str | None:
    """Write PostgreSQL's statement for one row as one for many, whose parameters are arrays with an element for each row.

    ``None`` for what has no such form here: what returns something, and a statement whose parameters do not all say of which type they are.
    """
    types = {int(at): kind for at, kind in _TYPED.findall(sql)}
    if not size or len(types) != size or _OTHERWISE.search(sql):
        return None
    arrays = ", ".join(f"${at}::{kind}[]" for at, kind in sorted(types.items()))
    rows = f"unnest({arrays}) AS given({', '.join(f'p{at}' for at in sorted(types))})"
    text = _TYPED.sub(r"given.p\1", sql)
    head, values, row = text.partition(_VALUES)
    if values:
        return f"{head} SELECT {row[:-1]} FROM {rows}"  # noqa: S608 — of a statement that SQLAlchemy wrote, and no value
    head, where, condition = text.partition("WHERE ")
    verb = head.partition(" ")[0]
    looks_further = len(_FROM.findall(head)) > (verb == "DELETE")
    if verb not in _SAYS_FROM or not where or looks_further:
        return None
    return f"{head}{_SAYS_FROM[verb]} {rows} {where}{condition}"


@lru_cache(maxsize=64)
def _composed(statements: tuple[tuple[str, int], ...]) -> str:
    """Write several of PostgreSQL's statements, each with how many parameters it has, as one, with the parameters of all in a row."""
    texts, before = [], 0
    for text, size in statements:
        offset = before
        texts.append(_PLACEHOLDER.sub(lambda found: f"${int(found[1]) + offset}", text))  # noqa: B023 — called here and now
        before += size
    *others, last = texts
    if not others:
        return last
    return f"WITH {', '.join(f'w{at} AS ({text})' for at, text in enumerate(others))} {last}"


class Straight:
    """A select, insert, update or delete of fixed text, for both kinds of store. Its values come by name."""

    __slots__ = ("_columns", "_compiled", "_statement")

    def __init__(self, statement: Statement, *, columns: Sequence[str] | None = None) -> None:
        """Take the statement; ``columns`` are those that an insert without values fills."""
        self._statement, self._columns = statement, columns
        self._compiled: dict[str, _Compiled] = {}

    async def rows(self, session: AsyncSession, values: Mapping[str, Any]) -> list[Row]:
        """Run it in the session's transaction; give what it selects or returns. Raises as ``session.execute`` does."""
        driven = await _driven(session)
        compiled = self.compiled_for(driven.connection.dialect)
        return [compiled.row(raw) for raw in await driven.rows(compiled.sql, compiled.arguments(values))]

    async def each(self, session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it once for each of ``rows``, in one go."""
        driven = await _driven(session)
        compiled = self.compiled_for(driven.connection.dialect)
        if rows:
            await driven.each(compiled.sql, [compiled.arguments(row) for row in rows])

    def compiled_for(self, dialect: Dialect) -> _Compiled:
        """Compile it for a kind of store, once."""
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _Compiled(self._statement, self._columns, dialect)
        return compiled


async def fetched(
    session: AsyncSession, compiled: Callable[[Dialect], Prepared], values: Mapping[str, Any]
) -> list[Row]:
    """Run a select in the session's transaction, as ``session.execute`` would: what is pending in the session is not written for it."""
    driven = await _connected(session)
    prepared = compiled(driven.connection.dialect)
    return [prepared.row(tuple(raw)) for raw in await driven.rows(prepared.sql, prepared.arguments(values))]


class Writes:
    """Writes that go to the store together, at the end of a piece of work: what is gathered costs one way there and back."""

    __slots__ = ("_gathered",)

    def __init__(self) -> None:
        """Gather nothing yet."""
        self._gathered: dict[Straight, list[Mapping[str, Any]]] = {}

    def add(self, statement: Straight, *rows: Mapping[str, Any]) -> None:
        """Gather a write, once for each of ``rows``; those of one statement go together. It sees nothing of what the others write."""
        if rows:
            self._gathered.setdefault(statement, []).extend(rows)

    async def run(self, session: AsyncSession, *, apart: bool = False) -> None:
        """Write it all in the session's transaction. Raises as ``session.execute`` does.

        ``apart``: the rows of each statement are of different rows of the store, and see nothing of each other; on PostgreSQL all of it is
        one statement then.
        """
        gathered, self._gathered = self._gathered, {}
        if not gathered:
            return
        driven = await _driven(session)
        parts: list[_Part] = []
        for statement, rows in gathered.items():
            compiled = statement.compiled_for(driven.connection.dialect)
            parts.append((compiled, [compiled.arguments(row) for row in rows]))
        await driven.all_of(parts, apart=apart)


async def _driven(session: AsyncSession) -> _Driven:
    """Find the driver's connection of the session's transaction, which begins here if it has not; what is pending is written first.

    Remembered for one transaction and for one savepoint of it: a session sets its savepoint when its connection is asked for.
    """
    if session.new or session.dirty or session.deleted:
        await session.flush()
    return await _connected(session)


async def _connected(session: AsyncSession) -> _Driven:
    driven: _Driven | None = session.info.get(_PLACE)
    if driven is None or driven.transaction is None or driven.transaction is not _innermost(session):
        connection = await session.connection()
        raw = await connection.get_raw_connection()
        driven = session.info[_PLACE] = _Driven(_innermost(session), connection, raw.driver_connection)
        await driven.begin(raw.dbapi_connection)
    return driven


def _innermost(session: AsyncSession) -> object:
    return session.sync_session.get_nested_transaction() or session.sync_session.get_transaction()
