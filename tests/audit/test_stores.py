"""Both stores keep the same promises: gapless, each entry its own outcome, nothing half-written or twice."""

import asyncio
import resource
import signal
import sqlite3
from contextlib import closing
from uuid import UUID

import asyncpg
import pytest

from app.audit.errors import EventUnrecordable, LogUnavailable
from app.audit.events import PAGE_CONTACTS, encode_event
from app.audit.merkle import Frontier, leaf_hash
from app.audit.stores import (
    Clash,
    EntriesRejected,
    Entry,
    LogStore,
    Moved,
    QuotaCharge,
    Spent,
    StoreUnavailable,
    Written,
    entry_of,
)
from app.audit.writer import AccessLog, Limits
from tests.audit.places import BITS, OPENED, SIGNER, Place, PostgresPlace, SqlitePlace, contact, draft, filled, until
from tests.support.postgres import LocalPostgres
from tests.support.session import SessionFolder

LIMITS = Limits(deadline=0.5, probe_interval=0.1)
PATIENT = Limits(deadline=30)


def entries(count: int) -> list[Entry]:
    return [entry_of(draft(contact(number)), BITS) for number in range(count)]


async def opened(place: Place) -> LogStore:
    store = place.store()
    await store.open()
    return store


async def test_a_batch_is_whole(place: Place) -> None:
    drafts = await filled(place, [3, 1, 130])
    payloads = [payload for (payload,) in await place.run('SELECT payload FROM {log}event ORDER BY "index"')]
    assert payloads == [encode_event(event) for event in drafts]
    frontier = Frontier()
    for payload in payloads:
        frontier.append(leaf_hash(payload))
    ((size, stored, root, note),) = await place.run("SELECT size, frontier, root, note FROM {log}head")
    assert (size, stored, root) == (134, frontier.encode(), frontier.root())
    assert SIGNER.verifier().open(note).root == root
    batches = await place.run('SELECT size, "first" FROM {log}batch ORDER BY size')
    assert batches == [(3, 0), (4, 3), (134, 4)]
    rows = await place.run('SELECT "index", bits FROM {log}subject_entry WHERE contact_id = ?1', contact(7))
    assert rows == [(3, 0b1001)]
    assert await place.run("SELECT count(*) FROM {log}subject_entry") == [(268,)]


async def spread(place: Place) -> list[tuple[UUID, int, int]]:
    rows = await place.run('SELECT contact_id, "index", bits FROM {log}subject_entry ORDER BY "index", contact_id')
    return [(each if isinstance(each, UUID) else UUID(bytes=each), index, bits) for each, index, bits in rows]


async def test_pages_are_spread_and_nobody_is_lost_or_doubled(place: Place) -> None:
    await filled(place, [60, 40], packed=True)
    assert await place.run("SELECT count(*) FROM {log}subject_page") == [(100,)]
    assert await spread(place) == []
    store = await opened(place)
    assert not await store.unpack(wait=False)
    assert not await store.unpack(wait=True)
    assert await place.run("SELECT count(*) FROM {log}subject_page") == [(0,)]
    assert await spread(place) == [(contact(number), number // 2, 0b1001) for number in range(200)]
    await store.close()


async def test_many_pages_are_spread_little_by_little(place: Place) -> None:
    store = await opened(place)
    people = tuple(map(contact, range(200)))
    await store.append([entry_of(draft(*people), BITS) for _ in range(50)])
    assert await store.unpack(wait=True)
    ((left,),) = await place.run("SELECT count(*) FROM {log}subject_page")
    assert 0 < left < 50
    assert not await store.unpack(wait=True)
    assert await spread(place) == [(each, index, 0b1001) for index in range(50) for each in people]
    await store.close()


async def test_one_process_spreads_at_a_time(postgres_place: PostgresPlace) -> None:
    await filled(postgres_place, [5], packed=True)
    store = await opened(postgres_place)
    other = await asyncpg.connect(postgres_place.dsn)
    try:
        async with other.transaction():
            await other.execute("SELECT pg_advisory_xact_lock($1)", 0x6475616E68616F)
            assert not await store.unpack(wait=False)
            with pytest.raises(StoreUnavailable):
                await store.unpack(wait=True)
        assert not await store.unpack(wait=True)
    finally:
        await other.close()
    assert len(await spread(postgres_place)) == 10
    await store.close()


async def test_a_page_as_large_as_any_is_spread_whole(place: Place) -> None:
    store = await opened(place)
    people = tuple(map(contact, range(PAGE_CONTACTS + 7)))
    await store.append([entry_of(draft(*people), BITS)])
    assert not await store.unpack(wait=True)
    assert [each for each, _, _ in await spread(place)] == sorted(people)
    await store.close()


async def test_a_page_that_repeats_a_row_is_not_spread(place: Place) -> None:
    await filled(place, [1], packed=True)
    await place.run('INSERT INTO {log}subject_entry (contact_id, "index", bits) VALUES (?1, 0, 1)', contact(1))
    store = await opened(place)
    with pytest.raises(EntriesRejected):
        await store.unpack(wait=True)
    assert await place.run("SELECT count(*) FROM {log}subject_page") == [(1,)]
    await store.close()


async def test_opening_again_changes_nothing(place: Place) -> None:
    await filled(place, [2])
    before = await place.run("SELECT size, frontier, root, note FROM {log}head")
    store = await opened(place)
    assert [tuple(await store.newest())] == before
    await store.close()


async def test_an_entry_is_written_once(place: Place) -> None:
    store = await opened(place)
    first, second = entries(2)
    assert (await store.append([first, first])).outcomes == [Written(0), Written(0, fresh=False)]
    assert (await store.append([second, first])).outcomes == [Written(1), Written(0, fresh=False)]
    unchanged = await store.newest()
    assert (await store.append([first])).outcomes == [Written(0, fresh=False)]
    assert await store.newest() == unchanged
    other = first._replace(leaf=leaf_hash(b"{}"))
    assert (await store.append([other])).outcomes == [Clash(0)]
    await store.close()


async def test_epochs(place: Place) -> None:
    await place.run("INSERT INTO epoch (key, value) VALUES ('person:1', 3)")
    store = await opened(place)
    a, b, c, d = entries(4)
    appended = await store.append(
        [
            a._replace(epochs={"person:1": 3, "absent": 0}),
            b._replace(epochs={"person:1": 2}),
            c._replace(epochs={"absent": 1}),
            d,
        ]
    )
    assert appended.outcomes == [Written(0), Moved("person:1"), Moved("absent"), Written(1)]
    await place.run("UPDATE epoch SET value = 4 WHERE key = 'person:1'")
    again = await store.append([b._replace(epochs={"person:1": 3})])
    assert again.outcomes == [Moved("person:1")]
    assert (await store.newest()).size == 2
    await store.close()


async def test_quotas(place: Place) -> None:
    store = await opened(place)

    def charged(entry: Entry, amount: int, actor: str = "a", day: str = "2026-11-20") -> Entry:
        return entry._replace(quota=QuotaCharge(actor_id=actor, kind="lookup", day=day, amount=amount, limit=20))

    a, b, c, d, e, f = entries(6)
    first = await store.append([charged(a, 15), charged(b, 6), charged(c, 5), charged(d, 1, actor="b")])
    assert first.outcomes == [Written(0, used=15), Spent(15, 20), Written(1, used=20), Written(2, used=1)]
    second = await store.append([charged(a, 15), charged(e, 1), charged(f, 20, day="2026-11-21")])
    assert second.outcomes == [Written(0, fresh=False), Spent(20, 20), Written(3, used=20)]
    used = await place.run("SELECT actor_id, day, used FROM {log}quota ORDER BY actor_id, day")
    assert used == [("a", "2026-11-20", 20), ("a", "2026-11-21", 20), ("b", "2026-11-20", 1)]
    await store.close()


async def test_a_rejected_batch_leaves_nothing(place: Place) -> None:
    await filled(place, [1])
    store = await opened(place)
    good, bad = entries(2)
    with pytest.raises(EntriesRejected):
        await store.append([good, bad._replace(pages=[(1, None)])])  # type: ignore[list-item]  # what no caller can give
    assert await place.run("SELECT count(*) FROM {log}event") == [(1,)]
    assert (await store.append([good])).outcomes == [Written(1)]
    await store.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE {log}head SET size = size + 1",
        'UPDATE {log}head SET root = (SELECT hash FROM {log}leaf WHERE "index" = 0)',
        "UPDATE {log}head SET frontier = root",
        'DELETE FROM {log}leaf WHERE "index" = 4',
        "DELETE FROM {log}head",
    ],
)
async def test_nothing_is_built_on_a_damaged_log(place: Place, damage: str) -> None:
    await filled(place, [5])
    store = await opened(place)
    await place.run(damage)
    with pytest.raises(StoreUnavailable):
        await store.append(entries(1))
    with pytest.raises(StoreUnavailable):
        await store.probe(durable=True)
    await store.close()
    again = place.store()
    with pytest.raises(StoreUnavailable):
        await again.open()
    await again.close()


async def test_a_log_put_back_while_running_is_refused(place: Place) -> None:
    await filled(place, [2])
    ((size, frontier, root, note),) = await place.run("SELECT size, frontier, root, note FROM {log}head")
    store = await opened(place)
    await store.append(entries(3))
    for table in ("leaf", "event", "subject_page"):
        await place.run('DELETE FROM {log}{table} WHERE "index" >= 2', table=table)
    await place.run("DELETE FROM {log}batch WHERE size > 2")
    await place.run("UPDATE {log}head SET size = ?1, frontier = ?2, root = ?3, note = ?4", size, frontier, root, note)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="put back from 5 to 2"):
            await store.append(entries(1))
    await store.close()


async def test_many_waiters_get_one_gapless_log(place: Place) -> None:
    log = AccessLog(place.store(), bits=BITS)
    await log.start()

    async def waiter(number: int) -> list[int]:
        return [
            (await log.permit(draft(contact(number)), scope={contact(number): OPENED}, epochs={"policy": 0})).index
            for _ in range(10)
        ]

    found = await asyncio.gather(*(waiter(number) for number in range(64)))
    assert sorted(index for indexes in found for index in indexes) == list(range(640))
    assert all(indexes == sorted(indexes) for indexes in found)
    (batches,) = (await place.run("SELECT count(*) FROM {log}batch"))[0]
    assert batches < 200
    await log.stop()


async def running(place: Place, limits: Limits = LIMITS) -> AccessLog:
    log = AccessLog(place.store(), bits=BITS, limits=limits)
    await log.start()
    assert await log.record(draft()) == 0
    return log


async def refused(log: AccessLog) -> None:
    with pytest.raises(LogUnavailable):
        await log.record(draft())
    assert not log.healthy


async def test_sqlite_locked_past_the_deadline(sqlite_place: SqlitePlace) -> None:
    log = await running(sqlite_place)
    with closing(sqlite3.connect(sqlite_place.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await refused(log)
        other.execute("ROLLBACK")
    await until(lambda: log.healthy)
    assert await log.record(draft()) in {1, 2}, "an entry that a batch had taken counts, answered or not"
    await log.stop()


async def test_sqlite_disk_full(sqlite_place: SqlitePlace) -> None:
    """The process may write no file beyond a size: what a full disk looks like from inside, whoever runs the test."""
    log = await running(sqlite_place)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        wal = sqlite_place.path.with_name("log.sqlite3-wal").stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (wal, hard))
        await refused(log)
        await asyncio.sleep(0.3)
        assert not log.healthy
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    await until(lambda: log.healthy)
    assert await log.record(draft()) == 1
    await log.stop()


@pytest.mark.parametrize("name", ["log.sqlite3", "log.sqlite3-wal"])
async def test_sqlite_file_gone_while_open(sqlite_place: SqlitePlace, name: str) -> None:
    """An open file that was renamed goes on taking rows; the log must not."""
    log = await running(sqlite_place)
    path = sqlite_place.path.with_name(name)
    moved = path.with_name("elsewhere")
    path.rename(moved)
    await until(lambda: not log.healthy, seconds=1)
    if name == "log.sqlite3":
        await refused(log)
        assert not path.exists(), "no empty log is made in its place"
        moved.rename(path)
        await until(lambda: log.healthy)
        assert await log.record(draft()) == 1
    await log.stop()


async def test_sqlite_file_replaced_by_an_older_one(sqlite_place: SqlitePlace) -> None:
    log = await running(sqlite_place)
    backup = sqlite_place.path.with_name("backup")
    with closing(sqlite3.connect(sqlite_place.path)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    assert await log.record(draft()) == 1
    backup.replace(sqlite_place.path)
    sqlite_place.path.with_name("log.sqlite3-wal").unlink()
    sqlite_place.path.with_name("log.sqlite3-shm").unlink()
    await until(lambda: not log.healthy, seconds=1)
    await refused(log)
    await log.stop()


async def test_sqlite_does_not_make_a_log(sqlite_place: SqlitePlace) -> None:
    sqlite_place.path.unlink()
    store = sqlite_place.store()
    with pytest.raises(StoreUnavailable):
        await store.open()
    await store.close()
    assert not sqlite_place.path.exists()


async def test_postgres_locked_past_the_deadline(postgres_place: PostgresPlace) -> None:
    log = await running(postgres_place)
    other = await asyncpg.connect(postgres_place.dsn)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("LOCK TABLE log.leaf IN ACCESS EXCLUSIVE MODE")
    await refused(log)
    await transaction.rollback()
    await other.close()
    await until(lambda: log.healthy)
    assert await log.record(draft()) in {1, 2}, "an entry that a batch had taken counts, answered or not"
    await log.stop()


async def test_postgres_connection_cut(postgres_place: PostgresPlace) -> None:
    log = await running(postgres_place)
    for index in range(1, 4):
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'duanhao-log'"
        assert await postgres_place.run(cut + " AND datname = current_database()") == [(True,)]
        assert await log.record(draft()) == index, "one lost connection costs a retry, not a refusal"
    await log.stop()


async def test_postgres_text_that_it_cannot_store(postgres_place: PostgresPlace) -> None:
    log = await running(postgres_place, PATIENT)
    results = await asyncio.gather(
        *(log.record(draft(actor_id="nul \x00" if number == 2 else "fine")) for number in range(5)),
        return_exceptions=True,
    )
    assert isinstance(results.pop(2), EventUnrecordable)
    assert sorted(index for index in results if isinstance(index, int)) == [1, 2, 3, 4]
    assert log.healthy
    await log.stop()


async def test_postgres_stopped_and_back(session_folder: SessionFolder) -> None:
    server = LocalPostgres(session_folder.root / "pg-audit")
    await asyncio.to_thread(server.start)
    place = PostgresPlace(server.url.replace("postgres@", "postgres:@"), session_folder.root)
    await place.make()
    log = await running(place)
    await asyncio.to_thread(server.stop, "immediate")
    await refused(log)
    await asyncio.to_thread(server.start)
    await until(lambda: log.healthy, seconds=10)
    assert await log.record(draft()) == 1
    await log.stop()
    await asyncio.to_thread(server.stop, "immediate")
