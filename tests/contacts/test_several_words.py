"""Searching for several words of which none is rare: what the stores do for it, by their own count and never by a clock.

That the answer is the same from whichever end a search begins is held by the property tests beside (``test_finding``).
"""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

from app.contacts.criteria import Criteria
from app.contacts.finding import ContactFinder
from app.contacts.search import MEMBER, START, TITLE, member_term, rank, wanted
from app.contacts.tiers import candidates, milestone, ways
from app.kit.db import Prepared, Reader
from app.permissions.outcomes import Purpose
from app.permissions.pack import load
from app.permissions.plan import Plan
from benchmarks.searching import Recording
from tests.support.application import World
from tests.support.plans import sqlite_plan, sqlite_steps

FIRST, OTHER = "天工", "地匠"
_RANK: Final = rank(START, TITLE)
_NOWHERE: Final = member_term(UUID(int=0))


def crowd(path: Path, each: int) -> None:
    """Write the keys of people that nobody sees: so many with one title, as many with another, nobody with both."""
    rows = [
        (UUID(int=at * 2 + which + 1).bytes, _RANK, title, f"名{at:06}")
        for which, title in enumerate((FIRST, OTHER))
        for at in range(each)
    ]
    with closing(sqlite3.connect(path)) as store, store:
        store.execute("DELETE FROM contact_key WHERE term IN (?, ?)", (FIRST, OTHER))
        belonging = [(contact, MEMBER, _NOWHERE, name) for contact, _, _, name in rows]
        store.executemany(
            "INSERT OR IGNORE INTO contact_key (contact_id, rank, term, name) VALUES (?, ?, ?, ?)", [*rows, *belonging]
        )


async def steps_of_a_search(world: World, q: str) -> int:
    """Search for the first page, and run again what was run for it; nobody is found."""
    application, viewer = world.application, await world.viewer("hr")
    reader = Recording(application.database.reader)
    plan = Plan(load("default"), viewer.standing, Purpose.WORK_CONTACT, application.clock.now())
    asked = Criteria(wanted=wanted(q, viewer.tree))
    finder = ContactFinder(reader, application.contact_rows)
    assert await finder.search(asked, plan, after=None, limit=21, tree=viewer.tree) == []
    with closing(sqlite3.connect(application.database.business_path, isolation_level=None)) as store:
        return sum(sqlite_steps(store, *each) for each in reader.run)


@pytest.mark.parametrize("each", [6_000, 18_000])
async def test_words_that_are_seldom_together_cost_a_few_steps_for_a_key(sqlite_world: World, each: int) -> None:
    """One question for each candidate took a hundred steps and more."""
    nobody = await steps_of_a_search(sqlite_world, f"{FIRST} {OTHER}")
    crowd(sqlite_world.application.database.business_path, each)
    steps = await steps_of_a_search(sqlite_world, f"{FIRST} {OTHER}") - nobody
    assert steps < 500_000 + 20 * 2 * each


async def test_a_few_candidates_are_looked_at_whatever_stands_behind_them(sqlite_world: World) -> None:
    path = sqlite_world.application.database.business_path
    reader, values, tier, shape = await asked_of(sqlite_world)
    far, look = milestone(shape, tier, paged=False), candidates(shape, tier, paged=False, ended=True)
    assert far is not None
    assert look is not None
    found = []
    for each in (1_000, 10_000):
        crowd(path, each)
        with closing(sqlite3.connect(path, isolation_level=None)) as store:
            sql, arguments = told(reader.prepare(far), {**values, "far": 200})
            ((term, name, identity),) = store.execute(sql, arguments).fetchall()
            ends = {"far_term": term, "far_name": name, "far_id": UUID(bytes=identity), "page": 21}
            sql, arguments = told(reader.prepare(look), {**values, **ends})
            found.append(sqlite_steps(store, sql, arguments))
    assert found[1] <= found[0] + 10


@pytest.mark.parametrize("paged", [False, True])
@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("q", ["王 工程师", "li wang", "工程师 王 研发"])
async def test_other_words_are_read_from_the_index_once(
    sqlite_world: World, q: str, *, paged: bool, ended: bool
) -> None:
    reader = sqlite_world.application.database.reader
    viewer = await sqlite_world.viewer("staff")
    asked = Criteria(wanted=wanted(q, viewer.tree))
    assert asked.wanted is not None
    shape = asked.wanted.shape
    with closing(sqlite3.connect(sqlite_world.application.database.business_path)) as store:
        for way in ways(shape):
            written = candidates(shape, way.tier, paged=paged, ended=ended, as_sets=0)
            assert written is not None
            sql, arguments = told(reader.prepare(written), {**asked.values, "page": 21})
            plan = sqlite_plan(store, sql, arguments)
            assert "SCAN contact_key" not in plan
            assert plan.count("LIST SUBQUERY") >= len(way.others), plan


async def asked_of(world: World) -> tuple[Reader, Mapping[str, Any], int, Any]:
    """Give what a statement for the first word, beside the other, is written for."""
    asked = Criteria(wanted=wanted(f"{FIRST} {OTHER}", (await world.viewer("staff")).tree))
    assert asked.wanted is not None
    return world.application.database.reader, asked.values, 32 + TITLE, asked.wanted.shape


def told(prepared: Prepared, values: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
    """Give a statement and its arguments as the driver takes them."""
    return prepared.sql, prepared.arguments(values)
