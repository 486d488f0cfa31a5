"""A crash at any statement of a leaving, by somebody who has one of each thing, leaves all or nothing; and so does ``kill -9``."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from sqlalchemy import event, text

from app.composition import open_application
from app.main import create_app
from app.tables import metadata
from tests.departures.somebody import Somebody, somebody
from tests.hr.calls import post
from tests.hr.events import joined, left
from tests.races.stored import identity, rows
from tests.support.application import World, with_sensitive
from tests.support.server import Server, founded, serving
from tests.support.stores import TestStore

BESIDE = "rule_evidence"
"""When rules of the policy decided last: written by a round of its own, whatever else goes on."""
TABLES = sorted(each.name for each in metadata.tables.values() if each.schema is None and each.name != BESIDE)
"""Every other table of the business store."""


class PulledPlug(Exception):
    """The process ends here."""


@contextmanager
def crash_at(world: World, statement: int) -> Iterator[list[str]]:
    """Fail before the given statement of the business store (from 1 on); give what was run."""
    engine, run = world.application.database.engine.sync_engine, []

    def count(_: object, __: object, sql: str, *___: object) -> None:
        if BESIDE in sql:
            return
        run.append(sql)
        if len(run) == statement:
            raise PulledPlug

    event.listen(engine, "before_cursor_execute", count)
    try:
        yield run
    finally:
        event.remove(engine, "before_cursor_execute", count)


async def everything(world: World) -> dict[str, list[str]]:
    """Read every row of the business store."""
    async with world.application.database.session() as session:
        return {
            table: sorted(repr(tuple(row)) for row in await session.execute(text(f'SELECT * FROM "{table}"')))
            for table in TABLES
        }


async def crashed_every(world: World, stride: int) -> None:
    """Crash before every so many-th statement; then let the event apply, and find everything gone."""
    one = await somebody(world)
    body = left(f"N{one.me.number}", hand_over_to=f"N{one.heir.number}")
    await world.settle()
    before, at = await everything(world), 1
    while True:
        with crash_at(world, at) as run:
            answer = await post(world, body)
        if len(run) < at:
            break
        assert answer.status_code == 500, (at, run[-1])
        after = await everything(world)
        assert [table for table in TABLES if after[table] != before[table]] == [], (at, run[-1])
        at += stride
    assert len(run) > 100
    assert (answer.status_code, answer.json()["state"]) == (202, "applied")
    await gone(one)


async def gone(one: Somebody) -> None:
    """Find every part ended."""
    (item,) = (await one.read("hr", "/v1/departures", contact=str(one.me.id)))["items"]
    assert len(item["ended"]) == 18
    assert (await (await one.world.as_(one.me.name)).get(one.me.path)).status_code == 401


async def test_a_crash_at_some_statements_leaves_all_or_nothing(world: World) -> None:
    await crashed_every(world, 61)


@pytest.mark.slow
async def test_a_crash_at_any_statement_leaves_all_or_nothing(world: World) -> None:
    await crashed_every(world, 1)


PEOPLE = 12


async def prepared(store: TestStore) -> None:
    """Let people join over HTTP, each with a number."""
    async with open_application(with_sensitive(store.settings)) as application:
        world = World(application, create_app(application.settings, application))
        scripts = await world.as_("it-scripts")
        pool = {"code": "all", "name": "池", "class": "internal", "strategy": "lowest", "joiners": True}
        assert (await scripts.post("/v1/number-pools", json=pool)).status_code == 201
        ranged = {"start": "61000", "end": "61099"}
        assert (await scripts.post("/v1/number-pools/all/ranges", json=ranged)).status_code == 201
        for at in range(PEOPLE):
            told = (await post(world, joined(f"E8{at:03d}"))).json()
            assert (told["state"], len(told["numbers"])) == ("applied", 1)
        await world.close()


async def leaving(server: Server, token: str, killed_after: float | None) -> set[str]:
    """Let everybody leave at once; kill the server in the middle of it; give whose leaving was acknowledged."""
    taken: set[str] = set()
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:

        async def leave(at: int) -> None:
            body = {**left(f"E8{at:03d}"), "id": f"evt-leaving-{at}"}
            headers = {"Authorization": f"Bearer {token}"}
            try:
                answer = await client.post("/v1/hr/events", json=body, headers=headers)
            except httpx.TransportError:
                return
            if answer.status_code in {200, 202}:
                assert answer.json()["state"] == "applied", answer.text
                taken.add(answer.json()["contact_id"])

        tasks = [asyncio.create_task(leave(at)) for at in range(PEOPLE)]
        if killed_after is not None:
            await asyncio.sleep(killed_after)
            server.kill()
        await asyncio.gather(*tasks)
    return taken


def ids(store: TestStore, sql: str) -> set[str]:
    return {identity(row[0]) for row in rows(store, sql)}


def half_gone(store: TestStore) -> dict[str, set[str]]:
    """Give who is gone by each of the marks of a leaving; all of them name the same people, or somebody is half gone."""
    mine = "SELECT id FROM contact WHERE employee_no LIKE 'E8%'"
    return {
        "card": ids(store, f"{mine} AND status = 'left'"),
        "account": ids(
            store, f"SELECT contact_id FROM user_account WHERE state = 'disabled' AND contact_id IN ({mine})"
        ),
        "number": ids(
            store,
            f"SELECT holder_id FROM number_assignment WHERE ended_at IS NOT NULL AND holder_id IN ({mine})",
        ),
        "departure": ids(store, f"SELECT contact_id FROM departure WHERE contact_id IN ({mine})"),
        "event": ids(
            store,
            f"SELECT contact_id FROM hr_event WHERE type = 'employee.left' AND state = 'applied' AND contact_id IN ({mine})",
        ),
    }


@pytest.mark.slow
def test_a_kill_leaves_everybody_here_or_gone(store: TestStore) -> None:
    company, chance = founded(store), random.Random(9)
    asyncio.run(prepared(store))
    token = company.tokens["hr-system"]
    taken: set[str] = set()
    for _ in range(3):
        with serving(store) as server:
            taken |= asyncio.run(leaving(server, token, chance.uniform(0.05, 0.4)))
        marks = half_gone(store)
        assert len(set(map(frozenset, marks.values()))) == 1, marks
        assert taken <= marks["card"], "an acknowledged leaving is not there"
    with serving(store) as server:
        asyncio.run(leaving(server, token, None))
    assert {len(each) for each in half_gone(store).values()} == {PEOPLE}
