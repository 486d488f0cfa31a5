"""People search at size: the first page of a directory of 10,000 beside that of a large one, in rounds that alternate, in this process.

What is measured is what grows with a directory: finding, ranking, cutting to what the viewer may see and reading the closed rows of a page
of 20. Masks, log and HTTP are the same for 20 cards in any directory and would only bring the ratio nearer to 1. Both directories hold
people of one crowd; in each a viewer of RD, a department of 100, asks. ``narrow`` questions are asked under the pack ``strict``, which
shows that viewer these 100 alone: the hardest case, since nearly everybody who matches is hidden.

Beside the times stands the *work* of each question, which no busy machine changes: on SQLite steps of its machine, in hundreds, on
PostgreSQL pages read.
"""

import asyncio
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, closing
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import asyncpg
import orjson
from sqlalchemy.engine import Dialect

from app.application import Application
from app.composition import open_application
from app.contacts.finding import ContactFinder
from app.contacts.listing import ContactLists
from app.contacts.query_schemas import ListQuery
from app.contacts.repository import ContactRepository
from app.demo.names import COMMON
from app.kit.db import Prepared, Reader, Row, Statement
from app.permissions.outcomes import Purpose
from app.permissions.pack import load
from app.permissions.plan import Plan
from app.permissions.standing import Viewer
from benchmarks import crowds
from benchmarks.stores import Engine, Store, opened

SMALL: Final = 10_000
LARGE: Final = 1_000_000
PAGE: Final = 20
_CALLERS: Final = 100
_FAMILIES: Final = tuple(family for family, _ in COMMON[:6])


@dataclass(frozen=True, slots=True)
class Kind:
    """Questions of one kind, and who asks them."""

    name: str
    asked: Sequence[Mapping[str, Any]]
    strict: bool = False
    finds: bool = True


def _q(*texts: str, **further: Any) -> tuple[dict[str, Any], ...]:  # noqa: ANN401 — parameters
    return tuple({"q": text, "limit": PAGE, **further} for text in texts)


KINDS: Final = (
    Kind("surname", _q(*_FAMILIES)),
    Kind("name", _q("王安", "李清", "张若", "欧阳")),
    Kind("pinyin", _q("wang", "zhangruo", "ouyang", "li an")),
    Kind("initials", _q("w", "zw", "lqa", "oy")),
    Kind("mixed", _q("王an", "zhang明")),
    Kind("words", _q("王 RD", "li 研发", "工程师 刘")),
    Kind("common", _q("湛 王", "会计 赵", "高级 欧阳")),
    Kind("apart", _q("王 刘", "会计 总监", "欧阳 诸葛"), finds=False),
    Kind("department", _q("王", "li", "z", department="RD")),
    Kind("branch", _q("王", "li", "欧阳", department="B7")),
    Kind("number", _q("612", "6123", "61")),
    Kind("keypad", _q("526", "9264", "548")),
    Kind("nobody", _q("囍", "zzzz", "王囍王"), finds=False),
    Kind("narrow", _q("王", "wang", "w", "工程师"), strict=True),
    Kind("narrow_nobody", _q("欧阳", "ouyang", "诸葛", "zhugez"), strict=True, finds=False),
)
"""What is asked. Everybody of ``narrow_nobody`` is in other departments. Words of ``common`` find from 0.5 to 10 per cent, together 0.05 to
0.5; those of ``apart`` nobody together."""


class Recording:
    """A reader that notes what is run."""

    def __init__(self, reader: Reader) -> None:
        """Take the reader that runs it."""
        self._reader = reader
        self.dialect: Dialect = reader.dialect
        self.run: list[tuple[str, list[Any]]] = []

    def prepare(self, statement: Statement) -> Prepared:
        """Compile."""
        return self._reader.prepare(statement)

    async def fetch(self, prepared: Prepared, values: Mapping[str, Any] | None = None) -> list[Row]:
        """Note and run."""
        self.run.append((prepared.sql, prepared.arguments(values or {})))
        return await self._reader.fetch(prepared, values)

    async def fetch_raw(self, prepared: Prepared, values: Mapping[str, Any] | None = None) -> list[Row]:
        """Note and run."""
        self.run.append((prepared.sql, prepared.arguments(values or {})))
        return await self._reader.fetch_raw(prepared, values)

    async def fetch_points(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        """Note and run."""
        self.run.append((prepared.sql, prepared.arguments(values)))
        return await self._reader.fetch_points(prepared, values)

    def stamp(self) -> int | None:
        """Ask the reader."""
        return self._reader.stamp()

    async def close(self) -> None:
        """Close the reader."""
        await self._reader.close()


class Directory:
    """One open directory, asked in this process."""

    def __init__(self, application: Application, viewer: Viewer) -> None:
        """Take the application, and who asks."""
        self._application, self._viewer = application, viewer
        self.reader = Recording(application.database.reader)
        rows = ContactRepository(self.reader, application.sealer)
        self._lists = ContactLists(rows, ContactFinder(self.reader, rows))
        self._plans = {
            each: Plan(
                load("strict" if each else "default"), viewer.standing, Purpose.WORK_CONTACT, application.clock.now()
            )
            for each in (False, True)
        }

    async def ask(self, kind: Kind) -> float:
        """Ask the questions of a kind once; give the milliseconds for one."""
        began, found = time.perf_counter(), 0
        for each in kind.asked:
            query = ListQuery.model_validate(each)
            page = await self._lists.page(query, self._plans[kind.strict], after=None, tree=self._viewer.tree)
            found += len(page.records)
        assert bool(found) == kind.finds, f"{kind.name}: {found} are found"
        return (time.perf_counter() - began) * 1e3 / len(kind.asked)

    async def work(self, kind: Kind) -> float:
        """Measure what the store does for one question of a kind: by running again what is run for it."""
        self.reader.run.clear()
        await self.ask(kind)
        database, run = self._application.database, list(self.reader.run)
        if database.dsn is None:
            return sum(_steps(str(database.business_path), *each) for each in run) / len(kind.asked)
        connection = await asyncpg.connect(database.dsn)
        try:
            return sum([await _pages(connection, *each) for each in run]) / len(kind.asked)
        finally:
            await connection.close()


_HUNDRED: Final = 100


def _steps(path: str, sql: str, arguments: Sequence[Any]) -> int:
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    with closing(sqlite3.connect(path)) as store:
        store.set_progress_handler(count, _HUNDRED)
        store.execute(sql, arguments).fetchall()
    return counted


async def _pages(connection: asyncpg.Connection, sql: str, arguments: Sequence[Any]) -> int:
    told = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", *arguments)
    plan = orjson.loads(told)[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


async def _directory(stack: AsyncExitStack, store: Store) -> Directory:
    application = await stack.enter_async_context(open_application(store.settings))
    subject = await application.verifier.verify(store.tokens[0])
    return Directory(application, await application.standings.of(subject, fresh=True))


async def _compared(small: Store, other: Store, rounds: int) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        pair = [await _directory(stack, each) for each in (small, other)]
        found: dict[str, Any] = {}
        for kind in KINDS:
            work = [await each.work(kind) for each in pair]
            times = [[await each.ask(kind) for each in pair] for _ in range(max(rounds, 1))]
            found[f"{kind.name}_ms"] = [median(each[at] for each in times) for at in range(2)]
            found[f"{kind.name}_ratio"] = median(more / few for few, more in times)
            found[f"{kind.name}_work"] = work
            found[f"{kind.name}_work_ratio"] = work[1] / max(work[0], 1)
        return found


def compare(engine: Engine, *, large: int, rounds: int, seconds: float) -> dict[str, Any]:
    """Measure both directories: per kind the ratio of times (large over small), milliseconds and work. Rounds have no length here."""
    del seconds
    with ExitStack() as stack:
        stores = [stack.enter_context(opened(engine, contacts=_CALLERS)) for _ in range(2)]
        began = time.perf_counter()
        for store, people in zip(stores, (SMALL, large), strict=True):
            asyncio.run(crowds.fill(store, people))
        filled = time.perf_counter() - began
        return {
            "people": [SMALL, large],
            "seconds_to_fill": filled,
            **asyncio.run(_compared(stores[0], stores[1], rounds)),
        }
