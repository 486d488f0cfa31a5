"""The writer under trouble: batches, deadlines, disconnects, outages, poison; and no permit without a record."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from time import monotonic
from uuid import uuid4

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from app.audit.errors import AuditInsideTransaction, EpochMoved, EventUnrecordable, LogUnavailable, QuotaSpent
from app.audit.note import find_notes
from app.audit.publication import CheckpointFile
from app.audit.stores import QuotaCharge, entry_of
from app.audit.writer import AccessLog, Limits
from app.crypto.permit import Permit
from app.kit.db import Database
from tests.audit.fakes import POISON, FakeStore
from tests.audit.places import BITS, OPENED, SIGNER, SqlitePlace, contact, draft, until

LIMITS = Limits(deadline=0.2, probe_interval=0.05, max_batch=8, max_waiting=20)


@pytest.fixture
async def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
async def log(store: FakeStore) -> AsyncIterator[AccessLog]:
    access_log = AccessLog(store, bits=BITS, limits=LIMITS)
    await access_log.start()
    yield access_log
    store.gate.set()
    await access_log.stop()


async def look(log: AccessLog, number: int = 1) -> Permit:
    return await log.permit(draft(contact(number)), scope={contact(number): OPENED})


async def test_a_permit_names_the_record_and_no_more(log: AccessLog, store: FakeStore) -> None:
    event = draft(contact(1), contact(2))
    permit = await log.permit(event, scope={contact(1): OPENED})
    assert (permit.event_id, permit.index) == (event.id, 0)
    assert permit.fields_of(contact(1), at=monotonic()) == OPENED
    assert 0 < permit.expires - monotonic() <= LIMITS.permit_lifetime
    assert store.events == [event.id]
    assert (await look(log)).index == 1
    assert await log.record(draft(decision="refused", code="forbidden")) == 2
    assert log.size == 3


@pytest.mark.parametrize(
    "scope",
    [
        {contact(2): OPENED},
        {contact(1): frozenset({"wechat"})},
        {contact(1): frozenset({"mobile", "id_number"})},
    ],
)
async def test_a_permit_beyond_the_event_is_refused(
    log: AccessLog, store: FakeStore, scope: dict[object, frozenset[str]]
) -> None:
    with pytest.raises(EventUnrecordable):
        await log.permit(draft(contact(1)), scope=scope)  # type: ignore[arg-type]  # parametrised
    assert store.events == []


async def test_waiters_share_batches_in_order(log: AccessLog, store: FakeStore) -> None:
    store.gate.clear()
    first = asyncio.create_task(look(log))
    await store.entered.wait()
    rest = [asyncio.create_task(look(log, number)) for number in range(10)]
    await asyncio.sleep(0.01)
    store.gate.set()
    permits = await asyncio.gather(first, *rest)
    assert [permit.index for permit in permits] == list(range(11))
    assert [len(batch) for batch in store.batches] == [1, 8, 2]


async def test_the_deadline_withdraws_what_no_batch_has(log: AccessLog, store: FakeStore) -> None:
    store.gate.clear()
    taken = asyncio.create_task(look(log))
    await store.entered.wait()
    began = monotonic()
    with pytest.raises(LogUnavailable):
        await look(log)
    assert monotonic() - began > 0.15
    with pytest.raises(LogUnavailable):
        await taken
    assert not log.healthy
    store.gate.set()
    await until(lambda: log.healthy)
    assert len(store.events) == 1, "the batch under way counts, the waiting entry was withdrawn"


async def test_a_disconnect_stops_no_record(log: AccessLog, store: FakeStore) -> None:
    store.gate.clear()
    looks = [asyncio.create_task(look(log, number)) for number in range(3)]
    await store.entered.wait()
    refusal = asyncio.create_task(log.record(draft(decision="refused")))
    await asyncio.sleep(0)
    for task in (*looks, refusal):
        task.cancel()
    store.gate.set()
    await until(lambda: len(store.events) == 4)
    await asyncio.wait([*looks, refusal])
    assert all(task.cancelled() for task in (*looks, refusal))
    assert (await look(log)).index == 4


async def test_an_outage_shorter_than_the_deadline_is_only_a_wait(log: AccessLog, store: FakeStore) -> None:
    store.broken = True
    waiting = asyncio.create_task(look(log))
    await until(lambda: store.attempts >= 1 and not log.healthy)
    store.broken = False
    assert (await waiting).index == 0
    assert log.healthy


async def test_an_outage_is_seen_and_healed_without_traffic(log: AccessLog, store: FakeStore) -> None:
    await log.complete_index()
    store.broken = True
    await until(lambda: not log.healthy)
    assert store.probes[0] is False, "a healthy log is only looked at"
    store.broken = False
    await until(lambda: log.healthy)
    assert store.probes[-2:].count(True) >= 1, "a red log turns green by a write, not by a glance"
    assert (await look(log)).index == 0


async def test_an_outage_refuses_everybody_in_time(log: AccessLog, store: FakeStore) -> None:
    store.broken = True
    began = monotonic()
    results = await asyncio.gather(*(look(log, number) for number in range(30)), return_exceptions=True)
    assert monotonic() - began < 1
    assert all(isinstance(result, LogUnavailable) for result in results)
    assert log.waiting == 0
    store.broken = False
    await until(lambda: log.healthy)
    assert store.events == []


async def test_poison_fails_alone(log: AccessLog, store: FakeStore) -> None:
    store.gate.clear()
    first = asyncio.create_task(look(log))
    await store.entered.wait()
    events = [draft(contact(number)) for number in range(7)]
    poisoned = draft(action=POISON)
    tasks = [asyncio.create_task(log.record(event)) for event in (*events[:3], poisoned, *events[3:])]
    await asyncio.sleep(0.01)
    store.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results.pop(3), EventUnrecordable)
    assert results == [1, 2, 3, 4, 5, 6, 7]
    assert store.events[1:] == [event.id for event in events]
    assert log.healthy
    assert (await first).index == 0


async def test_epochs_and_quotas_refuse_one_by_one(log: AccessLog, store: FakeStore) -> None:
    store.epochs["person:1"] = 3
    with pytest.raises(EpochMoved):
        await log.permit(draft(contact(1)), scope={}, epochs={"person:1": 2, "policy": 0})
    assert (await log.permit(draft(contact(1)), scope={}, epochs={"person:1": 3, "policy": 0})).index == 0

    def charge(amount: int) -> QuotaCharge:
        return QuotaCharge(actor_id="p", kind="lookup", day="2026-11-20", amount=amount, limit=20)

    asked = [log.permit(draft(), scope={}, quota=charge(amount)) for amount in (12, 9, 8, 1)]
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(result) for result in results] == [Permit, QuotaSpent, Permit, QuotaSpent]
    assert store.used == {("p", "2026-11-20", "lookup"): 20}


async def test_passing_an_alarm_is_told_once_and_a_spent_quota_each_time(log: AccessLog, store: FakeStore) -> None:
    begun = draft()

    def charge(amount: int) -> QuotaCharge:
        return QuotaCharge(
            actor_id="p",
            kind="contacts",
            day="2026-11-20",
            amount=amount,
            limit=30,
            alarms=(10, 20),
            resets_at=begun.at + timedelta(seconds=90.5),
        )

    with capture_logs() as lines:
        for amount in (9, 1, 1, 15):
            await log.permit(draft(), scope={}, quota=charge(amount))
        with pytest.raises(QuotaSpent) as refused:
            await log.permit(begun, scope={}, quota=charge(5))
    assert [(line["event"], line.get("threshold"), line["used"]) for line in lines] == [
        ("quota_alarm", 10, 10),
        ("quota_alarm", 20, 26),
        ("quota_spent", None, 26),
    ]
    assert refused.value.headers == {"Retry-After": "91"}
    assert refused.value.extensions == {"quota": "contacts", "limit": 30, "used": 26}
    assert store.used == {("p", "2026-11-20", "contacts"): 26}


async def test_an_id_serves_one_event(log: AccessLog) -> None:
    event = draft(contact(1))
    assert await log.record(event) == 0
    assert await log.record(event) == 0
    other = draft(contact(2))
    with pytest.raises(EventUnrecordable):
        await log.record(replace(other, id=event.id))


async def test_replay_keeps_order_and_passes_over_poison(log: AccessLog, store: FakeStore) -> None:
    events = [draft(contact(number)) for number in range(12)]
    entries = [entry_of(event, BITS) for event in events]
    entries.insert(5, entry_of(draft(action=POISON), BITS))
    assert await log.replay(entries[:3]) == [0, 1, 2]
    assert await log.replay(entries) == [0, 1, 2, 3, 4, None, 5, 6, 7, 8, 9, 10, 11]
    assert store.events == [event.id for event in events]


async def test_the_queue_is_bounded(log: AccessLog, store: FakeStore) -> None:
    store.gate.clear()
    first = asyncio.create_task(look(log))
    await store.entered.wait()
    waiting = [asyncio.create_task(look(log)) for _ in range(LIMITS.max_waiting)]
    await asyncio.sleep(0)
    with pytest.raises(LogUnavailable):
        await look(log)
    assert not any(each.done() for each in (first, *waiting)), (
        "refused at once, while those before it still wait for theirs"
    )
    store.gate.set()
    assert len({permit.index for permit in await asyncio.gather(first, *waiting)}) == LIMITS.max_waiting + 1


async def test_stop_writes_what_waits_and_takes_no_more(store: FakeStore) -> None:
    log = AccessLog(store, bits=BITS, limits=LIMITS)
    await log.start()
    waiting = [asyncio.create_task(look(log)) for _ in range(5)]
    await asyncio.sleep(0)
    await log.stop()
    assert [permit.index for permit in await asyncio.gather(*waiting)] == [0, 1, 2, 3, 4]
    assert store.closed
    assert not log.healthy
    with pytest.raises(LogUnavailable):
        await look(log)


async def test_stop_does_not_wait_for_a_dead_store(store: FakeStore) -> None:
    log = AccessLog(store, bits=BITS, limits=LIMITS)
    await log.start()
    store.gate.clear()
    waiting = asyncio.create_task(look(log))
    await store.entered.wait()
    began = monotonic()
    await log.stop()
    assert monotonic() - began < 1
    with pytest.raises(LogUnavailable):
        await waiting


async def test_no_start_without_a_log(store: FakeStore) -> None:
    store.broken = True
    log = AccessLog(store, bits=BITS, limits=LIMITS)
    with pytest.raises(LogUnavailable):
        await log.start()
    assert not log.healthy
    with pytest.raises(LogUnavailable):
        await look(log)


async def test_never_inside_a_transaction(log: AccessLog, store: FakeStore, sqlite_place: SqlitePlace) -> None:
    database = Database(sqlite_place.settings)
    async with database.unit_of_work() as unit:
        assert (await look(log)).index == 0, "a unit of work that has not begun is no transaction"
        await unit.session.execute(text("SELECT 1"))
        for attempt in (look(log), log.record(draft()), log.replay([entry_of(draft(), BITS)])):
            with pytest.raises(AuditInsideTransaction):
                await attempt
    assert (await look(log)).index == 1
    await database.close()
    assert len(store.events) == 2


async def test_checkpoints_are_published_and_the_last_one_always(store: FakeStore, sqlite_place: SqlitePlace) -> None:
    path = sqlite_place.path.with_name(f"checkpoints-{uuid4().hex}")
    log = AccessLog(store, bits=BITS, limits=LIMITS, checkpoints=CheckpointFile(path, interval=0.05))
    await log.start()
    await until(path.exists)
    for _ in range(20):
        await look(log)
        await asyncio.sleep(0.01)
    await log.stop()
    sizes = [SIGNER.verifier().open(note).size for note in find_notes(path.read_text(encoding="utf-8"))]
    assert sizes == sorted(set(sizes))
    assert (sizes[0], sizes[-1]) == (0, 20)
    assert 3 <= len(sizes) <= 15


async def test_an_unpublished_checkpoint_holds_up_nobody(store: FakeStore, sqlite_place: SqlitePlace) -> None:
    path = sqlite_place.path.parent / "elsewhere" / "checkpoints"
    log = AccessLog(store, bits=BITS, limits=LIMITS, checkpoints=CheckpointFile(path, interval=0.02))
    await log.start()
    assert (await look(log)).index == 0
    path.parent.mkdir()
    await until(path.exists)
    assert (await look(log)).index == 1
    await log.stop()
    notes = find_notes(path.read_text(encoding="utf-8"))
    assert SIGNER.verifier().open(notes[-1]).size == 2


async def pages(log: AccessLog, count: int) -> None:
    await asyncio.gather(*(log.record(draft(contact(at), contact(at + 1))) for at in range(count)))


async def test_an_idle_log_spreads_its_index(log: AccessLog, store: FakeStore) -> None:
    await pages(log, 3)
    assert store.packed == 3
    await until(lambda: store.packed == 0)


async def test_who_asks_for_the_index_waits_until_it_is_complete(log: AccessLog, store: FakeStore) -> None:
    await pages(log, 5)
    await log.complete_index()
    assert store.packed == 0


async def test_an_index_that_cannot_be_completed_is_said_so(log: AccessLog, store: FakeStore) -> None:
    await pages(log, 2)
    store.broken = True
    with pytest.raises(LogUnavailable):
        await log.complete_index()
    store.broken = False
    await until(lambda: log.healthy)
    await log.complete_index()
    assert store.packed == 0


async def test_a_stuck_index_is_waited_for_no_longer_than_the_deadline(log: AccessLog, store: FakeStore) -> None:
    await pages(log, 2)
    store.gate.clear()
    before = monotonic()
    with pytest.raises(LogUnavailable):
        await log.complete_index()
    assert monotonic() - before < 1
    store.gate.set()


async def test_a_stopped_log_completes_no_index(store: FakeStore) -> None:
    with pytest.raises(LogUnavailable):
        await AccessLog(store, bits=BITS, limits=LIMITS).complete_index()
