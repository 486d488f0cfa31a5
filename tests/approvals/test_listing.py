"""The lists of requests: whose, in which order, and that a page reads no more of the store than a page."""

import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson
import pytest
from sqlalchemy import insert

from app.approvals import listing
from app.approvals.models import ApprovalRequest, ApprovalTask
from app.kit.db import Database, Prepared, Row
from app.kit.models import new_id
from tests.support.stores import PostgresTestStore, SqliteTestStore, TestStore

AT: Final = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
HEAD, OTHER, CLERK = new_id(), new_id(), new_id()
MANY: Final = 3_000
PAGE: Final = 20
STEPS_PER_ROW: Final = 60
"""Instructions of SQLite's machine for one row of a page; generous."""


def request(number: int, *, of: UUID, by: UUID, kind: str = "test.any", **members: Any) -> dict[str, Any]:  # noqa: ANN401 — columns
    return {
        "id": new_id(),
        "kind": kind,
        "state": "pending",
        "version": 1,
        "requester_id": by,
        "beneficiary_id": by,
        "subject_type": "contact",
        "subject_id": str(of),
        "filed_at": AT,
        "updated_at": AT + timedelta(seconds=number),
        "record": {},
        "body": b"",
        "body_digest": b"",
        "mac": b"",
        **members,
    }


def task(row: Mapping[str, Any], person: UUID, due: int, *, step: str = "one", is_open: bool = True) -> dict[str, Any]:
    due_at = AT + timedelta(seconds=due)
    return {
        "request_id": row["id"],
        "step": step,
        "person_id": person,
        "kind": row["kind"],
        "open": is_open,
        "due_at": due_at,
    }


async def filled(
    database: Database, requests: Sequence[Mapping[str, Any]], tasks: Sequence[Mapping[str, Any]]
) -> list[UUID]:
    async with database.unit_of_work() as unit:
        await unit.session.execute(insert(ApprovalRequest), list(requests))
        await unit.session.execute(insert(ApprovalTask), list(tasks))
    return [row["id"] for row in requests]


@pytest.fixture
async def database(store: TestStore) -> AsyncIterator[Database]:
    found = Database(store.settings)
    yield found
    await found.close()


async def test_an_inbox_is_merged_from_all_for_whom_one_answers(database: Database) -> None:
    rows = [request(at, of=CLERK, by=CLERK, kind=f"test.{at % 2}") for at in range(6)]
    tasks = [task(row, (HEAD, OTHER)[at % 2], 10 - at) for at, row in enumerate(rows)]
    tasks += [task(rows[0], OTHER, 3, step="two"), task(rows[1], HEAD, 1, step="past", is_open=False)]
    zero, one, two, three, four, five = await filled(database, rows, tasks)
    reader = database.reader
    everybody: listing.Desks = {HEAD: None, OTHER: None}

    async def due(desks: listing.Desks, **members: Any) -> list[UUID]:  # noqa: ANN401 — what the list takes
        asked: dict[str, Any] = {"kind": None, "after": None, "limit": 5, **members}
        return [each.request for each in await listing.inbox(reader, desks, **asked)]

    assert await due({HEAD: None}) == [four, two, zero]
    assert await due(everybody, limit=9) == [zero, five, four, three, two, one, zero]
    assert await due(everybody, limit=2) == [zero, five, four]
    assert await due({HEAD: frozenset({"test.1"}), OTHER: frozenset({"test.0", "test.1"})}) == [zero, five, three, one]
    assert await due(everybody, kind="test.1") == [five, three, one]
    assert await due({HEAD: frozenset({"test.1"})}, kind="test.0") == []
    (_, second, *_) = await listing.inbox(reader, everybody, kind=None, after=None, limit=5)
    assert await due(everybody, after=(second.due, second.request)) == [four, three, two, one, zero]
    assert await listing.waiting(reader, {HEAD: None}) == 3
    assert await listing.waiting(reader, everybody) == 6
    assert await listing.waiting(reader, {HEAD: frozenset({"test.1"}), OTHER: frozenset({"test.1"})}) == 3
    assert await listing.waiting(reader, {CLERK: None}) == 0


async def test_a_list_names_each_request_once_however_it_concerns_somebody(database: Database) -> None:
    rows = [
        request(0, of=OTHER, by=HEAD),
        request(1, of=OTHER, by=CLERK, beneficiary_id=HEAD),
        request(2, of=CLERK, by=CLERK, kind="test.two"),
        request(3, of=OTHER, by=HEAD, beneficiary_id=HEAD, state="rejected"),
        request(4, of=OTHER, by=CLERK),
    ]
    tasks = [task(rows[2], HEAD, 1), task(rows[2], HEAD, 2, step="two", is_open=False), task(rows[3], HEAD, 1)]
    filed, gains, asked, all_three, strange = await filled(database, rows, tasks)

    async def found(limit: int = 10, **members: Any) -> list[UUID]:  # noqa: ANN401 — what the list takes
        return await listing.page(database.reader, listing.Wanted(**{"concerning": HEAD, **members}), limit=limit)

    assert await found() == [all_three, asked, gains, filed]
    assert await found(concerning=None) == [strange, all_three, asked, gains, filed]
    assert await found(limit=1) == [all_three, asked]
    assert await found(before=asked) == [gains, filed]
    assert await found(kind="test.two") == [asked]
    assert await found(state="rejected") == [all_three]
    assert await found(subject=str(OTHER)) == [all_three, gains, filed]
    assert await found(subject=str(CLERK), kind="test.two", before=all_three) == [asked]
    assert await found(concerning=OTHER) == []


def crowd(size: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Ask the head ``size`` things, and somebody else ten."""
    rows = [request(at, of=new_id(), by=CLERK if at % 3 else HEAD) for at in range(size + 10)]
    return rows, [task(row, HEAD if at < size else OTHER, at) for at, row in enumerate(rows)]


class Planned:
    """What lists prepare, to be run again and explained."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.statements: list[tuple[str, list[Any]]] = []
        reader = database.reader
        fetch = reader.fetch_raw

        async def heard(prepared: Prepared, values: Mapping[str, Any] | None = None) -> list[Row]:
            self.statements.append((prepared.sql, prepared.arguments(values or {})))
            return await fetch(prepared, values)

        monkeypatch.setattr(reader, "fetch_raw", heard)
        monkeypatch.setattr(reader, "fetch_points", heard)

    async def pages(self, database: Database) -> None:
        """Ask for a first page, a later one, one of a kind, and the newest of all that concerns the head."""
        for kind, after in ((None, None), (None, (AT + timedelta(seconds=40), HEAD)), ("test.any", None)):
            await listing.inbox(database.reader, {HEAD: None}, kind=kind, after=after, limit=PAGE)
        for before in (None, new_id()):
            await listing.page(database.reader, listing.Wanted(concerning=HEAD, before=before), limit=PAGE)
        await listing.page(database.reader, listing.Wanted(concerning=HEAD, state="pending"), limit=PAGE)
        await listing.page(database.reader, listing.Wanted(concerning=None, state="pending"), limit=PAGE)


async def test_a_page_on_sqlite_walks_an_index_and_stops_where_it_ends(
    sqlite_store: SqliteTestStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(sqlite_store.settings)
    await filled(database, *crowd(MANY))
    planned = Planned(database, monkeypatch)
    await planned.pages(database)
    await listing.waiting(database.reader, {HEAD: None})
    await database.close()
    with closing(sqlite3.connect(sqlite_store.business_path)) as store:
        *pages, (counts, counted) = planned.statements
        steps: list[None] = []
        store.set_progress_handler(lambda: steps.append(None), 10)
        for sql, arguments in pages:
            plan = " | ".join(row[3] for row in store.execute(f"EXPLAIN QUERY PLAN {sql}", arguments))
            assert "TEMP B-TREE" not in plan, (sql, plan)
            assert "USING" in plan, (sql, plan)
            steps.clear()
            assert len(store.execute(sql, arguments).fetchall()) <= PAGE + 1
            assert 10 * len(steps) < STEPS_PER_ROW * (PAGE + 1), (sql, plan)
        plan = " | ".join(row[3] for row in store.execute(f"EXPLAIN QUERY PLAN {counts}", counted))
        assert "ix_approval_task_person_id_due_at (person_id=? AND due_at>?)" in plan


async def test_a_page_on_postgresql_walks_an_index_and_stops_where_it_ends(
    postgres_store: PostgresTestStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(postgres_store.settings)
    await filled(database, *crowd(MANY))
    owner = await asyncpg.connect(postgres_store.owner_dsn)
    await owner.execute("ANALYZE approval_task")
    await owner.execute("ANALYZE approval_request")
    planned = Planned(database, monkeypatch)
    await planned.pages(database)
    await database.close()
    for sql, arguments in planned.statements:
        explained = await owner.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *arguments)
        nodes = list(_nodes(orjson.loads(explained)[0]["Plan"]))
        assert not {node["Node Type"] for node in nodes} & {"Seq Scan", "Sort", "Bitmap Heap Scan"}, (sql, nodes)
        read = sum(node["Actual Rows"] * node["Actual Loops"] for node in nodes if "Index Name" in node)
        assert read <= 4 * (PAGE + 1), (sql, nodes)
    await owner.close()


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)
