"""No write of the directory leaves nothing: who writes its tables is known, each leaves a trace, and a write that leaves none is found."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import event, text

from tests.numbers.calls import add_pool, allocate
from tests.support.application import World
from tests.support.shared import add_person
from tests.support.traces import untraced

SHARED = pytest.mark.asyncio(loop_scope="session")
APP: Final = Path(__file__).parents[2] / "app"
WRITTEN: Final = re.compile(
    r"\b(?:insert|update|delete)\(\s*(?:cast\(\"Table\", )?(?:_CONTACT|Contact|ContactDepartment|ContactTag|ContactPhoto|Department|side)\b"
    r"|\b(?:UPDATE|INSERT INTO|DELETE FROM) (?:contact|contact_department|contact_tag|contact_photo|department)\b"
    r"|\b(?:Contact|ContactDepartment|ContactTag|ContactPhoto|Department)\(\s*(?:id|contact_id)="
)
WRITERS: Final = {
    "contacts/birth.py": "makes the row that writer and founder add, which leave a trace",
    "contacts/carrying.py": "leaves a trace with the numbers that it writes",
    "contacts/confirming.py": "leaves a trace of the group of confirmations",
    "contacts/erasing.py": "empties cards of the archive, of which the feed tells nobody since they were archived",
    "contacts/photos.py": "goes through ContactWriter.beside",
    "contacts/repository.py": "empties sides for the writer",
    "contacts/retagging.py": "leaves a trace with the tags that it writes",
    "contacts/writer.py": "leaves a trace wherever a row gets a version",
    "departments/repository.py": "is called by the service of departments, which leaves traces",
}
"""Every file that writes a table of the directory, and where the trace is left."""


def test_who_writes_the_directory_is_written_down_here() -> None:
    found = {
        path.relative_to(APP).as_posix()
        for path in APP.rglob("*.py")
        if WRITTEN.search(path.read_text(encoding="utf-8"))
    }
    assert found == set(WRITERS)
    assert "marking.leave" in (APP / "contacts/founding.py").read_text(encoding="utf-8")


@contextmanager
def statements(world: World) -> Iterator[Counter[str]]:
    """Count what a piece of work writes, by table."""
    counted: Counter[str] = Counter()
    engine = world.application.database.engine.sync_engine

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:  # noqa: ANN401 — SQLAlchemy's hook
        if found := re.match(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)", statement):
            counted[found[1]] += 1

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield counted
    finally:
        event.remove(engine, "before_cursor_execute", count)


@SHARED
async def test_a_write_costs_one_small_insert_and_touches_no_head(shared: World) -> None:
    person, pool = await add_person(shared), await add_pool(shared)
    hr = await shared.as_("hr")
    with statements(shared) as counted:
        await hr.patch(person.path, json={"title": "新", "location": "三层"}, headers={"If-Match": "*"})
    assert (counted["directory_change"], counted["directory_head"]) == (1, 0)
    with statements(shared) as counted:
        await allocate(shared, pool, person.id)
    assert (counted["directory_change"], counted["directory_head"]) == (1, 0)


@SHARED
@pytest.mark.parametrize("table", ["contact", "department"])
async def test_a_write_that_leaves_no_trace_is_found(shared: World, table: str) -> None:
    await add_person(shared)
    database = shared.application.database
    assert await untraced(database) == []
    one = f"WHERE id = (SELECT min(CAST(id AS {'text' if database.dialect == 'postgresql' else 'blob'})) FROM {table})"
    one = one.replace("WHERE id", "WHERE CAST(id AS text)") if database.dialect == "postgresql" else one
    async with database.unit_of_work() as unit:
        await unit.session.execute(text(f"UPDATE {table} SET row_version = row_version + 1 {one}"))
    try:
        (found,) = await untraced(database)
        assert (found[0], found[2] - found[3]) == (table, 1)
    finally:
        async with database.unit_of_work() as unit:
            await unit.session.execute(text(f"UPDATE {table} SET row_version = row_version - 1 {one}"))
