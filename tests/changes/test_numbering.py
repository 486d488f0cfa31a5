"""Versions: gapless, in the order of commits, none missed and none told twice, whoever writes, reads, stops or dies in between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text

from app.kit.clock import SystemClock
from app.kit.db import Database
from app.traces.marking import change_set, leave
from app.traces.numbering import MOST_OF_ONE, Sequencer
from app.traces.repository import TraceRepository
from app.traces.trace import Numbered, Sort, Trace
from tests.support.stores import PostgresTestStore, TestStore

TRACES: Final = TraceRepository()
CLOCK: Final = SystemClock()


@pytest_asyncio.fixture
async def database(store: TestStore) -> AsyncIterator[Database]:
    """Give an empty store on either engine."""
    found = Database(store.settings)
    yield found
    await found.close()


def of(subject: UUID) -> Trace:
    return Trace(type="contact", subject=subject, sort=Sort.UPDATED, groups=("card",))


async def wrote(database: Database, *subjects: UUID) -> None:
    async with database.unit_of_work() as unit:
        await unit.session.execute(text("SELECT 1"))
        await leave(unit.session, map(of, subjects))


async def failing(database: Database, subject: UUID) -> None:
    async with database.unit_of_work() as unit:
        await leave(unit.session, [of(subject)])
        raise ZeroDivisionError


async def everything(database: Database, *, after: int = 0, most: int = 10_000) -> Sequence[Numbered]:
    place = await Sequencer(database, CLOCK).place()
    return await TRACES.oldest(database.reader, after=after, until=place.version, most=most)


def versions(found: Sequence[Numbered]) -> list[tuple[int | None, UUID]]:
    return [(each.version, each.trace.subject) for each in found]


async def test_each_transaction_is_one_version_and_one_that_is_rolled_back_none(database: Database) -> None:
    one, two, three, never = (uuid4() for _ in range(4))
    await wrote(database, one, two)
    with pytest.raises(ZeroDivisionError):
        await failing(database, never)
    async with database.unit_of_work() as unit:
        await unit.session.execute(text("SELECT 1"))
        await leave(unit.session, [of(three)])
        within = change_set(unit.session)
        await leave(unit.session, [of(one)])
        assert change_set(unit.session) == within
    assert versions(await everything(database)) == [(1, one), (1, two), (2, three), (2, one)]
    await wrote(database, two)
    assert versions(await everything(database, after=2)) == [(3, two)]
    assert (await Sequencer(database, CLOCK).place()).version == 3


async def test_a_large_change_set_gets_several_versions_in_a_row(database: Database) -> None:
    many, one = [uuid4() for _ in range(MOST_OF_ONE + 2)], uuid4()
    await wrote(database, *many)
    await wrote(database, one)
    found = versions(await everything(database))
    assert [subject for _, subject in found] == [*many, one]
    assert [version for version, _ in found] == [1] * MOST_OF_ONE + [2, 2, 3]


async def test_whoever_stops_while_numbering_has_numbered_nothing(database: Database) -> None:
    class Stopped(SystemClock):
        def now(self) -> datetime:
            raise KeyboardInterrupt

    one = uuid4()
    await wrote(database, one)
    with pytest.raises(KeyboardInterrupt):
        await Sequencer(database, Stopped()).place()
    place = await Sequencer(database, CLOCK).place()
    assert (place.version, place.waiting) == (1, False)
    assert versions(await everything(database)) == [(1, one)]


async def test_what_is_deleted_moves_the_floor_and_no_number_is_given_twice(database: Database) -> None:
    for _ in range(3):
        await wrote(database, uuid4())
    await everything(database)
    assert await TRACES.forget(database, before=datetime.now(UTC) + timedelta(days=1)) == 3
    place = await Sequencer(database, CLOCK).place()
    assert (place.version, place.floor) == (3, 3)
    last = uuid4()
    await wrote(database, last)
    assert await TRACES.forget(database, before=datetime.now(UTC) - timedelta(days=1)) == 0
    assert versions(await everything(database, after=3)) == [(4, last)]


async def test_pages_hold_whole_versions(database: Database) -> None:
    sets = [[uuid4() for _ in range(size)] for size in (2, 3, 1)]
    for each in sets:
        await wrote(database, *each)
    assert [each for each, _ in versions(await everything(database, most=4))] == [1, 1]
    assert [each for each, _ in versions(await everything(database, after=1, most=4))] == [2, 2, 2, 3]
    newest = await TRACES.newest(database.reader, after=0, until=3, most=3)
    assert [each.version for each in newest] == [3]


async def test_an_open_transaction_is_numbered_behind_what_was_told_and_never_missed(
    postgres_store: PostgresTestStore,
) -> None:
    """The race of sequences: the earlier number commits later."""
    database = Database(postgres_store.settings)
    slow, quick = uuid4(), uuid4()
    async with database.unit_of_work() as unit:
        await leave(unit.session, [of(slow)])
        await wrote(database, quick)
        assert versions(await everything(database)) == [(1, quick)]
    assert versions(await everything(database)) == [(1, quick), (2, slow)]
    assert (await everything(database))[0].seq > (await everything(database))[1].seq
    await database.close()


WRITERS: Final = 6
WRITES: Final = 25


class Race:
    """Writers whose transactions commit in another order than they leave traces, two sequencers, and a reader who follows."""

    def __init__(self, database: Database, other: Database) -> None:
        self.database, self.other = database, other
        self.running = True
        self.by_writer: dict[int, list[list[UUID]]] = {}
        self.seen: list[tuple[int | None, UUID]] = []

    async def write(self, seed: int) -> None:
        random = Random(seed)
        for _ in range(WRITES):
            subjects = [uuid4() for _ in range(random.randint(1, 3))]
            async with self.database.unit_of_work() as unit:
                for each in subjects:
                    await leave(unit.session, [of(each)])
                    await asyncio.sleep(random.random() / 300)
                if random.random() < 0.2:
                    await unit.session.rollback()
                    continue
            self.by_writer.setdefault(seed, []).append(subjects)

    async def sequence(self) -> None:
        sequencer = Sequencer(self.other, CLOCK)
        while self.running:
            await sequencer.place()

    async def read(self) -> None:
        sequencer, last, is_over = Sequencer(self.database, CLOCK), 0, False
        while not is_over:
            is_over = not self.running
            place = await sequencer.place()
            found = await TRACES.oldest(self.database.reader, after=last, until=place.version, most=10_000)
            fresh = list(dict.fromkeys(each.version for each in found))
            assert fresh == list(range(last + 1, place.version + 1)), "a version was left out, or filled behind us"
            self.seen += versions(found)
            last = place.version


async def test_many_writers_two_sequencers_and_a_reader_who_misses_nothing(postgres_store: PostgresTestStore) -> None:
    race = Race(Database(postgres_store.settings), Database(postgres_store.settings))
    following = [asyncio.create_task(race.read()), asyncio.create_task(race.sequence())]
    await asyncio.gather(*(race.write(seed) for seed in range(WRITERS)))
    race.running = False
    await asyncio.gather(*following)
    sets = [each for written in race.by_writer.values() for each in written]
    assert sorted(subject for _, subject in race.seen) == sorted(subject for each in sets for subject in each)
    at = {subject: version for version, subject in race.seen}
    assert all(len({at[subject] for subject in each}) == 1 for each in sets)
    assert len(set(at.values())) == len(sets)
    for written in race.by_writer.values():
        told = [at[subjects[0]] or 0 for subjects in written]
        assert told == sorted(told)
    assert versions(await everything(race.database)) == race.seen
    await race.database.close()
    await race.other.close()
