"""Finding events: each filter, both directions, pages that meet, and queries that walk one index."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.audit.events import EventDraft
from app.audit.repository import AccessLogRepository, EventFilter, Position
from app.audit.stores import entry_of
from app.kit.db import Database
from tests.audit.places import BITS, STATES, Place, SqlitePlace, contact, draft, filled
from tests.support.clock import NOON

ACTIONS = ("contact.read", "contact.list", "contact.update")


def event(number: int) -> EventDraft:
    """Make the event of this number: everything in it follows from the number; time runs unevenly."""
    return draft(
        contact(number % 3),
        contact(10 + number % 2),
        at=NOON + timedelta(minutes=number - 4 * (number % 5 == 0)),
        actor_id=f"actor-{number % 4}",
        action=ACTIONS[number % 3],
        decision="refused" if number % 7 == 0 else "allowed",
    )


EVENTS = [event(number) for number in range(60)]


@pytest.fixture
async def repository(place: Place) -> AsyncIterator[AccessLogRepository]:
    store = place.store()
    await store.open()
    await store.append([entry_of(each, BITS) for each in EVENTS])
    await store.close()
    database = Database(place.settings)
    yield AccessLogRepository(database.log_reader)
    await database.close()


def expected(wanted: EventFilter) -> list[int]:
    """Ask the list the same question."""
    found = [
        (each.at, index)
        for index, each in enumerate(EVENTS)
        if (wanted.contact_id is None or wanted.contact_id in each.cohorts[0].contacts)
        and (wanted.actor_id is None or wanted.actor_id == each.actor_id)
        and (wanted.action is None or wanted.action == each.action)
        and (wanted.decision is None or wanted.decision == each.decision)
        and (wanted.since is None or each.at >= wanted.since)
        and (wanted.until is None or each.at < wanted.until)
    ]
    found.sort(key=lambda pair: pair if wanted.by_time else pair[1:], reverse=True)
    return [index for _, index in found]


times = st.none() | st.integers(-5, 65).map(lambda minutes: NOON + timedelta(minutes=minutes))
filters = st.builds(
    EventFilter,
    contact_id=st.none() | st.integers(0, 12).map(contact),
    actor_id=st.none() | st.sampled_from([f"actor-{number}" for number in range(5)]),
    action=st.none() | st.sampled_from(ACTIONS),
    decision=st.none() | st.sampled_from(["allowed", "refused"]),
    since=times,
    until=times,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=filters, limit=st.integers(1, 25))
async def test_pages_meet_in_both_directions(repository: AccessLogRepository, wanted: EventFilter, limit: int) -> None:
    forth: list[list[int]] = []
    page = await repository.search(wanted, limit=limit)
    assert page.previous is None
    while True:
        forth.append([found.index for found in page.events])
        if page.next is None:
            break
        page = await repository.search(wanted, limit=limit, after=page.next)
        assert page.events
    assert [index for indexes in forth for index in indexes] == expected(wanted)
    back = [forth[-1]]
    while page.previous is not None:
        page = await repository.search(wanted, limit=limit, before=page.previous)
        assert page.next is not None
        back.insert(0, [found.index for found in page.events])
    assert back == forth


async def test_an_event_is_given_whole(repository: AccessLogRepository) -> None:
    page = await repository.search(EventFilter(contact_id=contact(10)), limit=1)
    assert [found.event for found in page.events] == [EVENTS[58]]
    assert page.events[0].bits == BITS.of(STATES)
    found = await repository.one(EVENTS[7].id)
    assert found is not None
    assert (found.index, found.event, found.bits) == (7, EVENTS[7], None)
    assert await repository.one(UUID(int=404)) is None


async def test_checkpoint(place: Place) -> None:
    database = Database(place.settings)
    repository = AccessLogRepository(database.log_reader)
    assert await repository.checkpoint() is None
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
    for direction in ("after", "before"):
        await repository.search(wanted, limit=50, **{direction: position})
    for prepared in repository._prepared.values():
        given = {**wanted.values(), "limit": 51, "place_index": 5, "place_at": NOON}
        seen.append((prepared.sql, prepared.arguments(given)))
    with closing(sqlite3.connect(sqlite_place.path)) as connection:
        for sql, arguments in seen:
            plan = " | ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", arguments))
            assert index in plan or (index == "SCAN event" and "rowid" in plan), plan
            assert "TEMP B-TREE" not in plan
    await database.close()
