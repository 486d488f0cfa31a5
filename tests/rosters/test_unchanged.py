"""A row that says nothing new costs no statement of its own, takes no lock, opens nothing, and is told as if it had been settled."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from app.kit.db import SqliteReader
from tests.hr.calls import counted as rows_of_every_table
from tests.policy.tampering import Intruder
from tests.rosters.calls import codes, told
from tests.support.application import World
from tests.support.stores import TestStore

HEAD = "姓名,工号,账号,部门,职务,手机,邮箱,标签,上级\n"


def sheet(many: int, *, first: int = 0) -> str:
    """Write a sheet in which everybody's superior stands before them."""
    return HEAD + "".join(
        f"姓名{at},M{at:05d},m{at},RD,工程师,1380{at:07d},u{at}@example.com,新人;同批,{_above(at, first)}\n"
        for at in range(first, first + many)
    )


def _above(at: int, first: int) -> str:
    return f"M{first + (at - first) // 9:05d}" if at > first else ""


@contextmanager
def listened(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Listen to every statement that goes to a SQLite store, those of readers too."""
    sent: list[str] = []
    run = SqliteReader._run

    def read(reader: SqliteReader, sql: str, arguments: list[Any]) -> list[tuple[Any, ...]]:
        sent.append(sql)
        return run(reader, sql, arguments)

    def note(_: object, __: object, sql: str, *___: object) -> None:
        sent.append(sql)

    engines = {world.application.database.engine.sync_engine, world.application.database.log_engine.sync_engine}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        with monkeypatch.context() as patched:
            patched.setattr(SqliteReader, "_run", read)
            yield sent
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


async def statements(world: World, monkeypatch: pytest.MonkeyPatch, text: str, **counts: int) -> int:
    """Count the statements of an import that ends with these counts; how its rows are read afterwards is none of it."""
    with listened(world, monkeypatch) as sent:
        done, _ = await told(world, text)
    assert done["counts"] == counts
    return len(sent)


async def test_what_is_so_costs_no_statement_of_its_own(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await told(sqlite_world, sheet(80))
    before = await rows_of_every_table(sqlite_world)
    await told(sqlite_world, sheet(20))
    few = await statements(sqlite_world, monkeypatch, sheet(20), unchanged=20)
    many = await statements(sqlite_world, monkeypatch, sheet(80), unchanged=80)
    assert many <= few + 20, "of superiors there are more, and rows are shown a page at a time"
    grown = {name: many - before[name] for name, many in (await rows_of_every_table(sqlite_world)).items()}
    assert {name for name, more in grown.items() if more} <= {"audit_intent", "outbox"}


async def test_one_row_that_differs_is_written_and_no_other(world: World) -> None:
    await told(world, sheet(5))
    other = sheet(5).replace("13800000003", "13800000093").replace("u4@", "u94@").replace("同批", "上批", 1)
    _, became = await told(world, other)
    assert [code for _, _, code in codes(became)] == ["amended", "already_so", "already_so", "amended", "amended"]
    _, became = await told(world, other)
    assert {code for _, _, code in codes(became)} == {"already_so"}


async def test_a_row_edited_past_us_is_not_said_to_be_so(world: World, store: TestStore) -> None:
    await told(world, sheet(2))
    intruder = Intruder(store)
    copied = "SELECT digests FROM contact WHERE employee_no = 'M00000'"
    await intruder.run(f"UPDATE contact SET digests = ({copied}) WHERE employee_no = 'M00001'")
    _, became = await told(world, sheet(2))
    assert codes(became)[0][1:] == ("unchanged", "already_so")
    assert codes(became)[1][1] != "unchanged"


@pytest.mark.slow
async def test_four_times_the_people_are_four_times_the_work(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New people cost what each of them costs, those who stay hardly anything; what is held of them is what the file says."""
    few, many = 500, 2000
    await told(sqlite_world, sheet(100, first=50_000))
    made = [
        await statements(sqlite_world, monkeypatch, sheet(few, first=10_000), adopted=few),
        await statements(sqlite_world, monkeypatch, sheet(many, first=20_000), adopted=many),
    ]
    assert made[1] < made[0] * 4.1
    kept, peaks = [], []
    for size in (few, many):
        tracemalloc.start()
        try:
            kept.append(await statements(sqlite_world, monkeypatch, sheet(size, first=20_000), unchanged=size))
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert kept[1] < kept[0] * 4.1
    assert kept[1] * 10 < made[1], "who stays is no tenth of the work of who comes"
    assert peaks[1] - peaks[0] < (many - few) * 8 * 1024
