"""Finding events: each filter, both directions, pages that meet, ends that are reached, and queries that walk one index."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.audit.events import EventDraft
from app.audit.matching import UNREADABLE
from app.audit.repository import BUDGET, AccessLogRepository, EventFilter, EventPage, Position
from app.audit.stores import entry_of
from app.kit.db import Database
from tests.audit.places import BITS, Place, SqlitePlace, contact, filled
from tests.audit.questions import QUESTIONS, a_few, expected, some_events
from tests.support.clock import NOON

EVENTS = some_events(20261121, 80)


async def write(place: Place, events: list[EventDraft]) -> None:
    """Write a log, with its index of contacts complete."""
    store = place.store()
    await store.open()
    await store.append([entry_of(each, BITS) for each in events])
    while await store.unpack(wait=True):
        pass
    await store.close()


@pytest.fixture
async def repository(place: Place) -> AsyncIterator[AccessLogRepository]:
    await write(place, EVENTS)
    database = Database(place.settings)
    yield AccessLogRepository(database.log_reader)
    await database.close()


def indexes(page: EventPage) -> list[int]:
    return [found.index for found in page.events]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    wanted=a_few() | QUESTIONS,
    limit=st.integers(1, 25),
    budget=st.sampled_from((1, 2, 7, 30, BUDGET)),
    oldest_first=st.booleans(),
)
async def test_forth_and_back_each_event_comes_once(
    repository: AccessLogRepository, *, wanted: EventFilter, limit: int, budget: int, oldest_first: bool
) -> None:
    asked: dict[str, Any] = {"limit": limit, "budget": budget, "oldest_first": oldest_first}
    every = expected(EVENTS, wanted, oldest_first=oldest_first)
    page = await repository.search(wanted, **asked)
    assert page.previous is None
    forth, last = [*indexes(page)], page
    while page.next is not None:
        last = page = await repository.search(wanted, **asked, after=page.next)
        assert len(page.events) <= limit
        assert page.previous is not None
        forth += indexes(page)
    assert forth == every
    back, page = [*indexes(last)], last
    while page.previous is not None:
        page = await repository.search(wanted, **asked, before=page.previous)
        assert page.next is not None
        back = [*indexes(page), *back]
    assert back == every


@pytest.mark.parametrize("wanted", [EventFilter(), EventFilter(purpose="audit"), EventFilter(since=NOON)])
@pytest.mark.parametrize("oldest_first", [False, True])
async def test_pages_without_a_limit_in_the_way_are_full(
    repository: AccessLogRepository, *, wanted: EventFilter, oldest_first: bool
) -> None:
    every = expected(EVENTS, wanted, oldest_first=oldest_first)
    pages = [await repository.search(wanted, limit=7, oldest_first=oldest_first)]
    while (place := pages[-1].next) is not None:
        pages.append(await repository.search(wanted, limit=7, after=place, oldest_first=oldest_first))
    assert [indexes(page) for page in pages] == [every[at : at + 7] for at in range(0, len(every), 7)]


async def test_from_any_empty_page_there_is_a_way_back(repository: AccessLogRepository) -> None:
    """A page that spent its budget on nothing loses none of its neighbours."""
    wanted = EventFilter(purpose="incident")
    first = await repository.search(wanted, limit=5, budget=10)
    assert (first.events, first.next) == ([], Position(70))
    second = await repository.search(wanted, limit=5, budget=10, after=first.next)
    assert (second.events, second.next, second.previous) == ([], Position(60), Position(69))
    everything = await repository.search(EventFilter(), limit=80, before=second.previous)
    assert indexes(everything) == list(range(79, 69, -1))
    onwards = await repository.search(EventFilter(), limit=80, after=everything.next)
    assert indexes(onwards) == list(range(69, -1, -1))


async def test_events_that_arrive_move_no_page(place: Place) -> None:
    await write(place, EVENTS[:40])
    database = Database(place.settings)
    repository, wanted = AccessLogRepository(database.log_reader), EventFilter(decision="allowed")
    first = await repository.search(wanted, limit=5)
    second = await repository.search(wanted, limit=5, after=first.next)
    await write(place, EVENTS[40:])
    assert await repository.search(wanted, limit=5, after=first.next) == second
    assert second.previous is not None
    back = await repository.search(wanted, limit=5, before=second.previous)
    assert back.events == first.events
    assert back.previous is not None, "what has arrived is before the page that was the first"
    newer = await repository.search(wanted, limit=100, before=back.previous)
    every = expected(EVENTS, wanted)
    assert indexes(newer) + indexes(back) + indexes(second) == every[: len(newer.events) + 10]
    assert (await repository.search(replace(wanted, below=40), limit=100)).events[:5] == first.events
    await database.close()


async def test_the_index_of_contacts_is_complete_before_it_is_asked(place: Place) -> None:
    await filled(place, [3], packed=True)
    database, asked = Database(place.settings), list[int]()

    async def unpack() -> None:
        asked.append(1)
        store = place.store()
        await store.open()
        await store.unpack(wait=True)
        await store.close()

    repository = AccessLogRepository(database.log_reader, indexed=unpack)
    assert len((await repository.search(EventFilter(actor_id="nobody"), limit=5)).events) == 0
    assert asked == []
    assert indexes(await repository.search(EventFilter(contact_id=contact(4)), limit=5)) == [2]
    assert asked == [1]
    await database.close()


async def test_damage_is_shown_in_its_place_and_stops_nobody(place: Place) -> None:
    await write(place, EVENTS[:6])
    await place.run('UPDATE {log}event SET payload = ?1 WHERE "index" = 3', b"{}")
    await place.run('UPDATE {log}event SET payload = ?1 WHERE "index" = 4', b"\xff")
    database = Database(place.settings)
    repository = AccessLogRepository(database.log_reader)
    page = await repository.search(EventFilter(), limit=10)
    assert indexes(page) == [5, 4, 3, 2, 1, 0]
    assert [each.index for each in page.events if each.event.action == UNREADABLE] == [4, 3]
    assert [each.event.id for each in page.events[1:3]] == [EVENTS[4].id, EVENTS[3].id]
    assert set(indexes(await repository.search(EventFilter(purpose="incident"), limit=10))) == {3, 4}
    found = await repository.one(EVENTS[3].id)
    assert found is not None
    assert (found.event.action, found.event.at) == (UNREADABLE, EVENTS[3].at)
    await database.close()


async def test_an_event_is_given_whole(repository: AccessLogRepository) -> None:
    page = await repository.search(EventFilter(contact_id=contact(3)), limit=1)
    assert [found.event for found in page.events] == [EVENTS[expected(EVENTS, EventFilter(contact_id=contact(3)))[0]]]
    assert await repository.size() == len(EVENTS)
    found = await repository.one(EVENTS[7].id)
    assert found is not None
    assert (found.index, found.event) == (7, EVENTS[7])
    assert await repository.one(UUID(int=404)) is None


async def test_checkpoint(place: Place) -> None:
    database = Database(place.settings)
    repository = AccessLogRepository(database.log_reader)
    assert (await repository.checkpoint(), await repository.size()) == (None, 0)
    await filled(place, [2])
    ((note,),) = await place.run("SELECT note FROM {log}head")
    assert await repository.checkpoint() == note
    await database.close()


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (EventFilter(contact_id=contact(1)), "PRIMARY KEY (contact_id=?"),
        (EventFilter(contact_id=contact(1), since=NOON, action="contact.read"), "PRIMARY KEY (contact_id=?"),
        (EventFilter(actor_id="a"), "ix_event_actor_id_index (actor_id=?"),
        (EventFilter(actor_id="a", since=NOON, until=NOON), "ix_event_actor_id_index (actor_id=?"),
        (EventFilter(since=NOON), "ix_event_at_index (at>?"),
        (EventFilter(since=NOON, until=NOON, decision="refused"), "ix_event_at_index (at>? AND at<?"),
        (EventFilter(), "SCAN event"),
        (EventFilter(purpose="audit", field="mobile", state="shown"), "SCAN event"),
    ],
)
@pytest.mark.parametrize("position", [None, Position(5, NOON)])
async def test_each_question_walks_one_index_without_sorting(
    sqlite_place: SqlitePlace, wanted: EventFilter, index: str, position: Position | None
) -> None:
    """P5: the first page of a long log costs what that of a short one does."""
    await filled(sqlite_place, [1])
    database = Database(sqlite_place.settings)
    repository = AccessLogRepository(database.log_reader)
    seen: list[tuple[str, list[Any]]] = []
    for oldest_first in (False, True):
        await repository.search(wanted, limit=50, oldest_first=oldest_first, after=position)
        await repository.search(wanted, limit=50, oldest_first=oldest_first, before=position)
    for prepared in repository._prepared.values():
        names = ("contact_id", "actor_id", "since", "until")
        given = {name: getattr(wanted, name) for name in names}
        given |= {"limit": 51, "place_index": 5, "place_at": NOON}
        seen.append((prepared.sql, prepared.arguments(given)))
    with closing(sqlite3.connect(sqlite_place.path)) as connection:
        for sql, arguments in seen:
            plan = " | ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", arguments))
            assert index in plan or (index == "SCAN event" and "rowid" in plan), plan
            assert "TEMP B-TREE" not in plan
    await database.close()
