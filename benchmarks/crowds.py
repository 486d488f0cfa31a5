"""A directory of any size, filled at the drivers: what searching reads, and nothing else (no history, no sealed values, no tags).

People are invented by their number, so that every run has the same. Names are put together from few parts and their keys worked out once
for a name; account, numbers and departments differ. The index of the keys is built after them, and so are those within departments and,
where the directory is large, the sets that the worker keeps.
"""

import random
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from itertools import islice
from typing import Any, Final, Protocol, cast
from uuid import UUID

import asyncpg
from sqlalchemy import Table, insert

from app.application import Application
from app.composition import open_application
from app.contacts.birth import born
from app.contacts.models import Contact, ContactDepartment
from app.contacts.posted import PostedKeys
from app.contacts.search import NUMBER, START, Key, keys_of, rank, sort_name
from app.crypto.stored import add_keys
from app.demo.names import COMMON, COMPOUND, HETERONYM
from app.departments.schemas import DepartmentCreate
from app.kit.models import new_id
from app.kit.straight import Straight
from app.postings.service import Postings
from benchmarks.stores import AUTHOR, Store

BRANCHES: Final = 100
"""Departments that everybody but the callers is spread over, so that each holds one hundredth."""
TITLES: Final = (
    "工程师",
    "高级工程师",
    "产品经理",
    "项目经理",
    "销售经理",
    "会计",
    "行政专员",
    "测试工程师",
    "架构师",
    "总监",
)
_GIVEN: Final = "以若予书知思景嘉雨星清安明子言闻望疏砚蘅樾岑溪梧棠屿禾芷笙湛"
_SHORT: Final = 0.15
_AT_ONCE: Final = 5_000
_INDEX: Final = "CREATE INDEX ix_contact_key_rank_term ON contact_key (rank, term, name, contact_id)"
_WITHIN: Final = f"""
    INSERT INTO department_key (department_id, rank, term, name, contact_id)
    SELECT m.department_id, k.rank, k.term, k.name, k.contact_id
    FROM contact_department m JOIN contact_key k ON k.contact_id = m.contact_id
    WHERE k.rank <> {rank(START, NUMBER)} ORDER BY 1, 2, 3, 4, 5
"""  # noqa: S608 — our own number
_CONTACT: Final = cast("Table", Contact.__table__)
_MEMBERSHIP: Final = cast("Table", ContactDepartment.__table__)
_COLUMNS: Final = [column.key for column in _CONTACT.columns]
_PEOPLE: Final = Straight(insert(_CONTACT), columns=_COLUMNS)
_BELONGING: Final = Straight(insert(_MEMBERSHIP), columns=["contact_id", "department_id"])
_COPIED: Final = ("contact_id", "rank", "term", "name")


def names() -> Iterator[str]:
    """Invent names, as many as are wanted and always the same. The first surname is borne by about every 20th."""
    chance = random.Random(20_261_122)
    families = [family for family, _ in (*COMMON, *COMPOUND, *HETERONYM)]
    weights = [1 / (at + 4) for at in range(len(families))]
    while True:
        for family in chance.choices(families, weights, k=_AT_ONCE):
            yield family + "".join(chance.choices(_GIVEN, k=1 if chance.random() < _SHORT else 2))


def card(name: str, number: int) -> dict[str, Any]:
    """Invent the plain members of a person."""
    return {
        "kind": "employee",
        "name": name,
        "title": TITLES[number % len(TITLES)],
        "user_name": f"person{number}",
        "user_name_key": f"person{number}",
        "employee_no": f"P{number}",
        "short_numbers": [f"6{number * 7_919 % 10_000_000:07d}"],
    }


_NOTHING: Final[Mapping[str, Any]] = {
    "kind": "employee",
    "short_numbers": (),
    **dict.fromkeys(("name", "name_en", "alias", "title", "organisation", "user_name_key", "employee_no", "extension")),
}


@lru_cache(maxsize=200_000)
def _of(field: str, text: str) -> frozenset[Key]:
    return keys_of({**_NOTHING, field: text}, ())


def keys(person: Mapping[str, Any], department: UUID) -> frozenset[Key]:
    """Derive the keys of a person; those of the name and the title once for each there is. The rest is what all people differ in."""
    rest = {**_NOTHING, "user_name_key": person["user_name_key"], "employee_no": person["employee_no"]}
    own = keys_of({**rest, "short_numbers": person["short_numbers"]}, [department])
    return own | _of("name", person["name"]) | _of("title", person["title"])


async def fill(store: Store, people: int) -> None:
    """Add so many people to those who are there, over ``BRANCHES`` departments below the first."""
    async with open_application(store.settings) as application:
        for at in range(BRANCHES):
            async with application.database.unit_of_work() as unit:
                made = DepartmentCreate(code=f"B{at}", name=f"第{at}分部", parent=None)
                await application.departments.create(unit, AUTHOR, made)
        tree = await application.standings.tree()
        branches = [tree.by_code[f"B{at}"].id for at in range(BRANCHES)]
        await application.mover.move_all()
        writer: _Keys = _SqliteKeys(application) if store.engine == "sqlite" else _PostgresKeys(application, store)
        await writer.begin()
        invented = names()
        for start in range(0, people, _AT_ONCE):
            some = range(start, min(start + _AT_ONCE, people))
            await writer.write(await _some(application, some, list(islice(invented, len(some))), branches))
        await writer.end()
        keys, sequencer = PostedKeys(application.database.reader), application.changes.sequencer
        await Postings(application.database, sequencer, keys, application.clock).sweep()


async def _some(
    application: Application, numbers: range, called: Sequence[str], branches: Sequence[UUID]
) -> list[tuple[UUID, dict[str, Any], UUID]]:
    now = application.clock.now()
    people = [card(name, number) for name, number in zip(called, numbers, strict=True)]
    belonging = [branches[number * 37 % len(branches)] for number in numbers]
    made = [
        born(application.sealer, new_id(), "employee", {**person, "department_id": branch}, {}, now)
        for person, branch in zip(people, belonging, strict=True)
    ]
    async with application.database.unit_of_work() as unit:
        rows = [{name: getattr(each.contact, name) for name in _COLUMNS} for each in made]
        await _PEOPLE.each(unit.session, rows)
        pairs = zip(made, belonging, strict=True)
        await _BELONGING.each(
            unit.session, [{"contact_id": each.contact.id, "department_id": branch} for each, branch in pairs]
        )
        await add_keys(unit.session, ((each.contact.id, each.wrapped) for each in made), at=now)
    return [(each.contact.id, person, branch) for each, person, branch in zip(made, people, belonging, strict=True)]


People = Sequence[tuple[UUID, dict[str, Any], UUID]]


class _Keys(Protocol):
    """Writes keys past everything; the index is made anew at the end."""

    async def begin(self) -> None: ...

    async def write(self, people: People) -> None: ...

    async def end(self) -> None: ...


def _rows(people: People, identity: Callable[[UUID], Any]) -> Iterator[tuple[Any, int, str, str]]:
    for contact, person, department in people:
        name, at = sort_name(person), identity(contact)
        for key in sorted(keys(person, department)):
            yield at, key.rank, key.term, name


class _SqliteKeys(_Keys):
    def __init__(self, application: Application) -> None:
        self._path = application.database.business_path

    async def begin(self) -> None:
        self._run("DROP INDEX ix_contact_key_rank_term")

    async def write(self, people: People) -> None:
        with closing(sqlite3.connect(self._path)) as store, store:
            store.execute("PRAGMA synchronous = OFF")
            store.executemany(
                "INSERT INTO contact_key (contact_id, rank, term, name) VALUES (?, ?, ?, ?)",
                _rows(people, lambda identity: identity.bytes),
            )

    async def end(self) -> None:
        self._run(_INDEX)
        self._run("DELETE FROM department_key")
        self._run(_WITHIN)

    def _run(self, statement: str) -> None:
        with closing(sqlite3.connect(self._path)) as store, store:
            store.execute("PRAGMA synchronous = OFF")
            store.execute("PRAGMA cache_size = -1000000")
            store.execute(statement)


class _PostgresKeys(_Keys):
    def __init__(self, application: Application, store: Store) -> None:
        del application
        url = store.settings.database.owner_url
        assert url is not None
        self._dsn = url.get_secret_value()

    async def begin(self) -> None:
        await self._run("DROP INDEX ix_contact_key_rank_term")

    async def write(self, people: People) -> None:
        connection = await asyncpg.connect(self._dsn)
        try:
            await connection.execute("SET synchronous_commit = off")
            records = list(_rows(people, lambda identity: identity))
            await connection.copy_records_to_table("contact_key", records=records, columns=list(_COPIED))
        finally:
            await connection.close()

    async def end(self) -> None:
        memory = ("SET maintenance_work_mem = '1GB'", "SET work_mem = '1GB'")
        await self._run(*memory, _INDEX, "TRUNCATE department_key", _WITHIN, "VACUUM (ANALYZE)")

    async def _run(self, *statements: str) -> None:
        connection = await asyncpg.connect(self._dsn)
        try:
            for each in statements:
                await connection.execute(each, timeout=3_600)
        finally:
            await connection.close()
