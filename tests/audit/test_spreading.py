"""SQLite spreads packed index rows with one statement: the same rows whatever the pages hold, for a cost that grows with the rows."""

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit.events import ID_BYTES, PAGE_CONTACTS
from app.audit.sqlite_store import _SPREAD
from tests.support.plans import sqlite_steps

Page = tuple[int, int, int, bytes]
STEPS_PER_PAGE = 120

_CHANCE = random.Random(20261122)
_CONTACTS = [_CHANCE.randbytes(ID_BYTES) for _ in range(400)]


@pytest.fixture(scope="module")
def index() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(
            'CREATE TABLE subject_entry (contact_id BLOB, "index" INTEGER, bits INTEGER, PRIMARY KEY (contact_id, "index")) WITHOUT ROWID'
        )
        connection.execute(
            'CREATE TABLE subject_page ("index" INTEGER, part INTEGER, bits INTEGER, contacts BLOB, PRIMARY KEY ("index", part))'
        )
        yield connection


def _packed(connection: sqlite3.Connection, pages: Sequence[Page]) -> None:
    connection.execute("DELETE FROM subject_entry")
    connection.execute("DELETE FROM subject_page")
    connection.executemany("INSERT INTO subject_page VALUES (?, ?, ?, ?)", pages)


@given(
    sizes=st.lists(
        st.one_of(st.just(1), st.integers(0, PAGE_CONTACTS)).map(lambda size: size * ID_BYTES)
        | st.integers(0, 3 * ID_BYTES),
        max_size=6,
    ),
    last=st.integers(0, 6),
)
def test_every_whole_id_of_a_page_becomes_a_row(index: sqlite3.Connection, sizes: list[int], last: int) -> None:
    pages = [(at, 0, at + 1, b"".join(_CONTACTS)[:size]) for at, size in enumerate(sizes)]
    _packed(index, pages)
    index.execute(_SPREAD, {"index": last, "part": 0})
    expected = {
        (contacts[place : place + ID_BYTES], at, bits)
        for at, part, bits, contacts in pages
        if (at, part) <= (last, 0)
        for place in range(0, len(contacts) - ID_BYTES + 1, ID_BYTES)
    }
    assert set(index.execute('SELECT contact_id, "index", bits FROM subject_entry')) == expected


def test_looks_at_one_person_cost_as_many_steps_as_there_are_looks(index: sqlite3.Connection) -> None:
    looks = [(at, 0, 1, _CONTACTS[at % len(_CONTACTS)]) for at in range(1000)]
    _packed(index, [*looks, (1000, 0, 1, b"".join(_CONTACTS[:100]))])
    steps = sqlite_steps(index, _SPREAD, {"index": 1000, "part": 0})
    assert steps < STEPS_PER_PAGE * (len(looks) + 100)
