"""Sets are made where a directory is large, made again when enough people changed, and gone where it is small."""

from typing import Any, Final

import pytest
from sqlalchemy import func, select

from app.contacts.posted import PostedKeys
from app.kit.clock import Clock
from app.postings.models import Posting, PostingGeneration, PostingOrdinal
from app.postings.repository import PostingRepository
from app.postings.service import MOST_CHANGED, Postings
from app.traces.repository import TraceRepository
from tests.support.application import World
from tests.support.clock import FrozenClock
from tests.support.shared import add_person

_MANY: Final = 10**6


def postings(world: World, clock: Clock, **sizes: Any) -> Postings:  # noqa: ANN401 — of the constructor
    application = world.application
    keys, sequencer = PostedKeys(application.database.reader), application.changes.sequencer
    return Postings(application.database, sequencer, keys, clock, **{"least": 2, "small": 0, **sizes})


async def generations(world: World) -> list[tuple[int, bool]]:
    """List the generations there are, the newest first, with whether each is whole."""
    spans = await PostingRepository().spans(world.application.database.reader)
    return [(each.id, each.ready_at is not None) for each in spans]


async def counted(world: World, table: Any) -> int:  # noqa: ANN401 — a table
    reader = world.application.database.reader
    ((found,),) = await reader.fetch(reader.prepare(select(func.count()).select_from(table)))
    return int(found)


async def test_a_small_directory_has_no_sets_and_loses_those_that_it_had(world: World) -> None:
    clock = FrozenClock()
    assert not await postings(world, clock, small=_MANY).sweep()
    assert await generations(world) == []
    assert await postings(world, clock).sweep()
    assert await generations(world) == [(1, True)]
    assert await postings(world, clock, small=_MANY).sweep()
    assert await PostingRepository().newest(world.application.database.reader) is None
    assert await counted(world, PostingOrdinal), "whoever began a search before reads on"
    clock.advance(minutes=20)
    assert await postings(world, clock, small=_MANY).sweep()
    assert not await postings(world, clock, small=_MANY).sweep()
    assert [await counted(world, each) for each in (PostingGeneration, PostingOrdinal, Posting)] == [0, 0, 0]


async def test_everybody_who_can_be_found_has_one_number_in_the_order_of_names(world: World) -> None:
    people = [await add_person(world, name=name) for name in ("末", "初", "中", "初")]
    await postings(world, FrozenClock()).make()
    reader = world.application.database.reader
    statement = select(PostingOrdinal.ordinal, PostingOrdinal.contact_id).order_by(PostingOrdinal.ordinal)
    numbered = await reader.fetch(reader.prepare(statement))
    assert [ordinal for ordinal, _ in numbered] == list(range(len(numbered)))
    ids = [contact for _, contact in numbered]
    assert len(set(ids)) == len(ids)
    places = [ids.index(each.id) for each in people]
    assert sorted(places) == [places[2], places[1], places[3], places[0]]


async def test_sets_are_made_again_when_enough_people_changed_and_enough_time_is_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten minutes to make them are followed by two hundred in which they are not made again."""
    monkeypatch.setattr("app.postings.service._RENEWED", 2)
    clock = FrozenClock()
    kept = postings(world, clock)

    async def more_than(people: int) -> bool:
        del people
        clock.advance(minutes=5)
        return True

    await kept.make()
    monkeypatch.setattr(kept._keys, "more_than", more_than)
    assert not await kept.sweep()
    for name in "甲乙丙":
        await add_person(world, name=f"后来{name}")
    assert await kept.sweep()
    assert await generations(world) == [(2, True), (1, True)]
    clock.advance(minutes=-5)
    assert not await kept.sweep()
    assert await generations(world) == [(2, True), (1, True)], "searches that began before may still read it"
    assert await kept.sweep()
    assert await generations(world) == [(2, True)]


async def test_a_generation_that_was_never_finished_is_dropped_and_made_again(world: World) -> None:
    """Whoever works on one says so every few seconds."""
    clock = FrozenClock()
    async with world.application.database.unit_of_work() as unit:
        await PostingRepository().begin(unit, 0, clock.now())
    kept = postings(world, clock)
    assert not await kept.sweep()
    assert await generations(world) == [(1, False)]
    clock.advance(minutes=10)
    async with world.application.database.unit_of_work() as unit:
        await PostingRepository().alive(unit, 1, clock.now())
    clock.advance(minutes=10)
    assert not await kept.sweep()
    clock.advance(minutes=10)
    assert await kept.sweep()
    assert await generations(world) == [(1, True)]


async def test_changes_are_listed_from_a_version_on_numbered_or_not(world: World) -> None:
    traces, reader = TraceRepository(), world.application.database.reader
    version = (await world.application.changes.sequencer.place()).version
    assert await traces.contacts_since(reader, version, most=9) == []
    people = [await add_person(world, name=f"新来{at}") for at in range(3)]
    waiting = await traces.contacts_since(reader, version, most=9)
    await world.application.changes.sequencer.place()
    numbered = await traces.contacts_since(reader, version, most=9)
    assert waiting is not None
    assert numbered is not None
    assert set(waiting) == set(numbered) == {each.id for each in people}
    assert await traces.contacts_since(reader, version, most=2) is None
    assert await traces.contacts_since(reader, -1, most=MOST_CHANGED) is None, (
        "what is kept no longer may hide somebody"
    )
