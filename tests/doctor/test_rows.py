"""Rows edited past the service are found, in every table, by every column that counts, on both engines, however many there are."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import LargeBinary, Table
from sqlalchemy.engine import Dialect

from app import tables
from app.composition import open_application
from app.crypto.rowmac import RowSigner
from app.crypto.sealed import SealedType
from app.crypto.sealer import Sealer
from app.doctor import rows as examination
from app.doctor.covers import Cover, covers
from app.doctor.findings import Level
from app.doctor.rows import signed_tables
from app.doctor.store import PostgresStore, Store, store_of
from app.kit.db import Database
from app.kit.models import new_id
from app.permissions.plan import GrantScope
from tests.approvals.delegating import gave, same_person
from tests.contacts.partners import add_partner
from tests.doctor.witnesses import a_row
from tests.engagements.calls import pushed
from tests.support.application import opened_world
from tests.support.clock import NOON
from tests.support.grants import give, set_mark
from tests.support.shared import add_person
from tests.support.stores import SqliteTestStore, TestStore

COVERS: Final = covers(tables.metadata.tables)
_NUMBERS: Final = count(1000, 10)
Row = dict[str, Any]


def edited(value: object, longest: int | None) -> Any:  # noqa: ANN401 — any column
    """Give another value of the same type."""
    other: Any
    match value:
        case bool():
            other = not value
        case int():
            other = value + 1
        case UUID():
            other = new_id()
        case datetime():
            other = value + timedelta(microseconds=1)
        case date():
            other = value + timedelta(days=1)
        case bytes():
            other = value[:-1] + bytes([value[-1] ^ 1])
        case str():
            other = f"{value[: (longest or 99) - 1]}~"
        case _:
            other = ["edited"]
    return other


class Forger:
    """Writes rows straight into a store: some as the service signs them, some changed afterwards."""

    def __init__(self, store: TestStore, vault: Any) -> None:  # noqa: ANN401 — the keyring
        """Take the store and the keys."""
        self._store, self._vault, self._sealer = store, vault, Sealer(vault)
        self._dialect: Dialect = examination._dialect(store_of(Database(store.settings)))
        self.statements: list[tuple[str, list[Any]]] = []

    def a_row(self, table: Table) -> Row:
        """Make a row that no constraint of length or uniqueness refuses."""
        row = a_row(table.name, sparse=False)
        for column in table.columns:
            longest, value = getattr(column.type, "length", None), row[column.name]
            if isinstance(value, str):
                row[column.name] = new_id().hex[::-1][: min(longest or 32, 32)]
            elif type(value) is int:
                row[column.name] = next(_NUMBERS)
            elif isinstance(value, bytes) and column.primary_key:
                row[column.name] = new_id().bytes * 2
        if table.name == "contact":
            row |= {"kind": "temporary", "memberships": [], "tags": ["driver"], "short_numbers": []}
        return row

    def sign(self, table: Table, cover: Cover, row: Row) -> None:
        """Sign a row as the service does; a person's own key is made for it."""
        values = cover.of({name: row[name] for name in cover.columns(table)})
        if cover.person is None:
            assert cover.label is not None
            row["mac"] = RowSigner(self._vault.mac_key(cover.label)).sign(table.name, values)
            return
        own, wrapped = self._sealer.new(row[cover.person])
        row["mac"] = own.mac(values)
        key = {name: getattr(wrapped, name) for name in ("handle", "version", "kek_version", "wrapped")}
        self.write(tables.metadata.tables["data_key"], {"subject_id": row[cover.person], **key, "created_at": NOON})

    def write(self, table: Table, row: Mapping[str, Any]) -> None:
        """Remember to insert a row."""
        values = []
        for name, value in row.items():
            kind = table.c[name].type
            processor = kind.dialect_impl(self._dialect).bind_processor(self._dialect)
            raw = value is None or processor is None or isinstance(kind, SealedType | LargeBinary)
            values.append(value if raw else processor(value))  # type: ignore[misc]  # a processor, unless raw
        places = (
            ", ".join("?" for _ in row)
            if self._store.dialect == "sqlite"
            else ", ".join(f"${at + 1}" for at in range(len(row)))
        )
        names = ", ".join(f'"{name}"' for name in row)
        self.statements.append((f'INSERT INTO "{table.name}" ({names}) VALUES ({places})', values))

    async def run(self) -> None:
        """Write what was remembered, minding neither checks nor references."""
        if isinstance(self._store, SqliteTestStore):
            with closing(sqlite3.connect(self._store.business_path)) as file:
                file.execute("PRAGMA ignore_check_constraints = ON")
                for statement, values in self.statements:
                    file.execute(statement, values)
                file.commit()
            return
        session = await asyncpg.connect(self._store.superuser_dsn)
        for table, name in await session.fetch(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint JOIN pg_class c ON c.oid = conrelid "
            "WHERE contype = 'c' AND c.relnamespace = 'public'::regnamespace"
        ):
            await session.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        await session.execute("SET session_replication_role = replica")
        for statement, values in self.statements:
            await session.execute(statement, *values)
        await session.close()


async def found(store: TestStore) -> dict[str, tuple[Level, str]]:
    """Examine a store's rows."""
    reading: Store = store_of(Database(store.settings))
    return {each.check: (each.level, each.what.en) async for each in examination.rows(store.settings, reading)}


async def test_every_column_that_counts_is_held_to_its_mac(store: TestStore) -> None:
    """One genuine row in every table, and one for each covered column in which that column alone was changed after signing."""
    async with open_application(store.settings) as application:
        forger = Forger(store, application.keyring)
        wrong = dict[str, list[str]]()
        for name, table in signed_tables().items():
            cover = COVERS[name]
            for changed in (None, *cover.columns(table)):
                row = forger.a_row(table)
                forger.sign(table, cover, row)
                if changed is not None:
                    row[changed] = edited(row[changed], getattr(table.c[changed].type, "length", None))
                    wrong.setdefault(name, []).append(changed)
                forger.write(table, row)
        await forger.run()
    told = await found(store)
    assert set(told) == {f"rows.{name}" for name in COVERS}
    assert {level for level, _ in told.values()} == {Level.ERROR}
    counted = {name: int(told[f"rows.{name}"][1].split()[0]) for name in COVERS}
    assert counted == {name: len(columns) for name, columns in wrong.items()}


async def test_what_the_service_wrote_is_as_it_signed_it(store: TestStore) -> None:
    async with opened_world(store.settings) as world:
        people = [await add_person(world, tags=["driver"]) for _ in range(3)]
        await give(world, people[0].name, GrantScope("contact", str(people[1].id)))
        await set_mark(world, people[0].name)
        await pushed(world, await add_partner(world), people[1].id)
        await gave(world, people[1], people[2])
        await same_person(world, people[0], people[1])
        client = await world.as_("staff")
        asked = {"kind": "field.reveal", "subject": {"type": "contact", "id": str(world.people["outsider"])}}
        form = {
            "fields": ["mobile"],
            "purpose": "work_contact",
            "reason": "Call about the delivery",
            "duration_minutes": 60,
        }
        answer = await client.post("/v1/requests", json={**asked, "form": form})
        assert answer.status_code == 201, answer.text
        told = await found(store)
    assert {check: level for check, (level, _) in told.items()} == {"rows": Level.OK}, told
    assert int(told["rows"][1].split()[0]) > len(people)


async def test_a_key_that_is_gone_or_not_the_persons_own_is_found(store: TestStore) -> None:
    async with opened_world(store.settings):
        forger = Forger(store, None)
    names = "handle, version, kek_version, wrapped"
    sqlite = store.dialect == "sqlite"
    pair = "SELECT subject_id FROM data_key WHERE subject_id IN (SELECT id FROM contact) ORDER BY subject_id LIMIT 2"
    forger.statements = [
        (f"CREATE TABLE other AS SELECT {names} FROM data_key WHERE subject_id = (SELECT max(id) FROM contact)", [])
        if sqlite
        else (
            f"CREATE TABLE other AS SELECT {names} FROM data_key k JOIN contact c ON c.id = k.subject_id LIMIT 1",
            [],
        ),
        (f"DELETE FROM data_key WHERE subject_id IN ({pair})", []),
    ]
    await forger.run()
    level, what = (await found(store))["rows.contact"]
    assert level is Level.ERROR
    assert what.startswith("2 of ")


async def test_rows_that_cannot_even_be_read_are_named(sqlite_store: SqliteTestStore) -> None:
    async with opened_world(sqlite_store.settings):
        forger = Forger(sqlite_store, None)
    forger.statements = [
        ("UPDATE contact SET memberships = '{' WHERE id = (SELECT min(id) FROM contact)", []),
        ("UPDATE contact SET contract_until = 'soon', kind = 'temporary' WHERE id = (SELECT max(id) FROM contact)", []),
        ("UPDATE department SET head_id = x'0102' WHERE id = (SELECT min(id) FROM department)", []),
        (
            "UPDATE user_account SET roles = '{\"hr\": 1}', epoch_at = 'never' WHERE id = (SELECT min(id) FROM user_account)",
            [],
        ),
        ("UPDATE client SET name = CAST(x'ff' AS TEXT) WHERE client_id = (SELECT min(client_id) FROM client)", []),
    ]
    await forger.run()
    told = await found(sqlite_store)
    assert set(told) == {"rows.contact", "rows.department", "rows.user_account", "rows.client"}
    assert told["rows.contact"][1].startswith("2 of ")
    with closing(sqlite3.connect(sqlite_store.business_path)) as file:
        ((least,),) = file.execute("SELECT min(id) FROM contact").fetchall()
    assert str(UUID(bytes=least)) in told["rows.contact"][1]


async def test_a_million_rows_take_a_page_of_memory(store: TestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """No question is answered by more than a page, and every row is in one of them."""
    monkeypatch.setattr(examination, "_PAGE", 5)
    async with opened_world(store.settings):
        pages = list[int]()
    reading: Any = store_of(Database(store.settings))
    ask = type(reading).ask

    async def counted(self: Any, statement: str, *values: object, **part: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401
        answer: list[tuple[Any, ...]] = await ask(self, statement, *values, **part)
        pages.append(len(answer))
        return answer

    monkeypatch.setattr(type(reading), "ask", counted)
    (finding,) = [each async for each in examination.rows(store.settings, reading)]
    keys, _, erased, *answers = pages
    assert not erased
    assert (finding.level, max(answers)) == (Level.OK, 5)
    assert finding.what.en.startswith(f"{sum(answers)} rows")
    assert isinstance(reading, PostgresStore) or keys


async def test_a_table_whose_cover_nobody_said_is_told(store: TestStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examination, "covers", lambda _: {**COVERS, "webhook": None})
    async with open_application(store.settings):
        pass
    assert (await found(store))["rows.webhook"] == (Level.ERROR, "nobody examines the rows of webhook")
