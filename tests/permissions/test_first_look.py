"""The first look of a caller: what is known of the token in one statement, the whole standing in another, the card in a third."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import pytest

from app.auth.subject import Person
from app.kit.db import PostgresReader, Prepared, Row, SqliteReader
from app.permissions.standing import Viewer
from tests.support.application import World
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

CACHEABLE: Final = 15 * 1024
"""Longest text of a statement that asyncpg keeps prepared, in characters; a longer one is planned anew each time."""


class Asked:
    """What the store is asked, statement by statement."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Listen to the reader, but for the counter of revocations, which is read once a second whoever comes."""
        self.statements: list[str] = []
        reader = world.application.database.reader
        if isinstance(reader, SqliteReader):
            run = reader._run

            def ran(sql: str, arguments: list[Any]) -> list[Row]:
                self.heard(sql)
                return run(sql, arguments)

            monkeypatch.setattr(reader, "_run", ran)
        else:
            fetch = reader.fetch_raw

            async def fetched(prepared: Prepared, values: Mapping[str, Any] | None = None) -> list[Row]:
                self.heard(prepared.sql)
                return await fetch(prepared, values)

            monkeypatch.setattr(reader, "fetch_raw", fetched)

    def heard(self, sql: str) -> None:
        """Note a statement."""
        if not sql.startswith(("PRAGMA", "SELECT epoch.value")):
            self.statements.append(sql)


async def test_the_first_look_of_a_caller_asks_three_statements_and_the_second_one(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone, other = await add_person(shared), await add_person(shared)
    known, newcomer = await shared.as_(someone.name), await shared.as_(other.name)
    assert (await known.get(someone.path)).status_code == 200
    asked = Asked(shared, monkeypatch)
    assert (await newcomer.get(someone.path)).status_code == 200
    assert len(asked.statements) == 3
    assert max(map(len, asked.statements)) < CACHEABLE
    asked.statements.clear()
    assert (await newcomer.get(someone.path)).status_code == 200
    assert len(asked.statements) == 1


async def test_looks_that_begin_together_share_one_reading_of_the_standing(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone, other = await add_person(shared), await add_person(shared)
    assert (await (await shared.as_(someone.name)).get(someone.path)).status_code == 200
    client = await shared.as_(other.name)
    asked = Asked(shared, monkeypatch)
    answers = await asyncio.gather(*(client.get(someone.path) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert len([sql for sql in asked.statements if "standing_mark" in sql]) == 1
    assert len([sql for sql in asked.statements if "revoked_token" in sql]) == 1


async def test_who_goes_away_takes_nothing_from_those_who_wait_for_the_same_standing(shared: World) -> None:
    someone = await add_person(shared)
    standings, subject = shared.application.standings, Person(someone.name, "intranet", frozenset())
    first, second = (asyncio.create_task(standings.of(subject)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    viewer = await second
    assert isinstance(viewer, Viewer)
    assert viewer.standing.contact_id == someone.id
    assert await standings.of(subject) is viewer
    assert len(standings._loading) == 0


async def test_a_fresh_reading_is_shared_by_those_alone_who_asked_before_it_began(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone = await add_person(shared)
    standings, subject = shared.application.standings, Person(someone.name, "intranet", frozenset())
    await standings.tree()
    asked = Asked(shared, monkeypatch)
    await asyncio.gather(*(standings.of(subject, fresh=True) for _ in range(3)))
    assert len(asked.statements) == 1
    await standings.of(subject, fresh=True)
    assert len(asked.statements) == 2


async def test_the_readers_are_those_that_are_counted(shared: World) -> None:
    assert isinstance(shared.application.database.reader, SqliteReader | PostgresReader)
