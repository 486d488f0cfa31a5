"""Intents reach the log exactly once and in order, whoever dies in between and however many movers there are."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from app.audit.errors import LogUnavailable
from app.audit.events import EventDraft, EventMalformed, encode_event
from app.audit.intents import IntentMover, add_intent
from app.audit.verification import verify
from app.audit.writer import AccessLog
from app.kit.db import Database
from tests.audit.fakes import FakeStore
from tests.audit.places import BITS, SIGNER, Place, SqlitePlace, contact, draft


@pytest.fixture
async def database(place: Place) -> AsyncIterator[Database]:
    found = Database(place.settings)
    yield found
    await found.close()


@pytest.fixture
async def log(place: Place) -> AsyncIterator[AccessLog]:
    access_log = AccessLog(place.store(), bits=BITS)
    await access_log.start()
    yield access_log
    await access_log.stop()


async def write(database: Database, count: int, *, first: int = 0) -> list[EventDraft]:
    drafts = [
        draft(contact(number), states={}, action="contact.update", fields=("mobile",))
        for number in range(first, first + count)
    ]
    async with database.unit_of_work() as unit:
        for each in drafts:
            await add_intent(unit.session, each)
    return drafts


async def logged(place: Place) -> list[bytes]:
    return [bytes(payload) for (payload,) in await place.run('SELECT payload FROM {log}event ORDER BY "index"')]


async def left(place: Place) -> int:
    ((count,),) = await place.run("SELECT count(*) FROM audit_intent")
    return int(count)


async def test_moved_once_in_order(place: Place, database: Database, log: AccessLog) -> None:
    drafts = await write(database, 7)
    mover = IntentMover(database, log, BITS)
    assert await mover.move_once(5) == 5
    assert await left(place) == 2
    drafts += await write(database, 2, first=7)
    assert await mover.move_all() == 4
    assert await mover.move_once() == 0
    assert await logged(place) == [encode_event(each) for each in drafts]
    assert await left(place) == 0
    await log.complete_index()
    rows = await place.run('SELECT "index", bits FROM {log}subject_entry WHERE contact_id = ?1', contact(3))
    assert rows == [(3, 0)]


async def test_a_rolled_back_write_leaves_no_event(place: Place, database: Database, log: AccessLog) -> None:
    async def fail() -> None:
        async with database.unit_of_work() as unit:
            await add_intent(unit.session, draft())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await IntentMover(database, log, BITS).move_all() == 0
    assert await logged(place) == []


async def test_killed_after_the_log_and_before_the_delete(
    place: Place, database: Database, log: AccessLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts = await write(database, 4)
    replay = log.replay

    async def then_die(entries: list[object]) -> list[int | None]:
        await replay(entries)  # type: ignore[arg-type]  # handed through
        raise KeyboardInterrupt

    monkeypatch.setattr(log, "replay", then_die)
    with pytest.raises(KeyboardInterrupt):
        await IntentMover(database, log, BITS).move_once()
    assert await left(place) == 4
    monkeypatch.setattr(log, "replay", replay)
    assert await IntentMover(database, log, BITS).move_once() == 4
    assert await logged(place) == [encode_event(each) for each in drafts]
    assert (await verify(place.source(), verifier=SIGNER.verifier(), bits=BITS)).intact


async def test_two_movers_at_once(place: Place, database: Database, log: AccessLog) -> None:
    drafts = await write(database, 60)
    other = AccessLog(place.store(), bits=BITS)
    await other.start()
    movers = [IntentMover(database, each, BITS) for each in (log, other)]
    rounds: list[Callable[[], Awaitable[int]]] = [mover.move_all for mover in movers]
    await asyncio.gather(*(each() for each in rounds))
    assert await logged(place) == [encode_event(each) for each in drafts]
    assert await left(place) == 0
    await other.stop()


async def test_a_stuck_row_holds_up_nobody(place: Place, database: Database, log: AccessLog) -> None:
    first = await write(database, 2)
    clashing = await write(database, 1)
    await log.record(
        EventDraft(id=clashing[0].id, at=clashing[0].at, actor_type="system", action="x", decision="allowed")
    )
    last = await write(database, 2)
    await place.run("UPDATE audit_intent SET payload = ?1 WHERE seq = 2", b"no event")
    mover = IntentMover(database, log, BITS)
    assert await mover.move_all() == 3
    assert await mover.move_once() == 0
    assert (await logged(place))[1:] == [encode_event(each) for each in (first[0], *last)]
    assert await place.run("SELECT seq FROM audit_intent ORDER BY seq") == [(2,), (3,)]


async def test_nothing_is_deleted_that_the_log_does_not_have(sqlite_place: SqlitePlace) -> None:
    database, store = Database(sqlite_place.settings), FakeStore()
    log = AccessLog(store, bits=BITS)
    await log.start()
    await write(database, 3)
    await log.stop()
    with pytest.raises(LogUnavailable):
        await IntentMover(database, log, BITS).move_once()
    assert await left(sqlite_place) == 3
    await database.close()


async def test_what_is_no_evidence_is_refused_with_the_write(database: Database) -> None:
    async with database.unit_of_work() as unit:
        with pytest.raises(EventMalformed):
            await add_intent(unit.session, draft(query={"bad": object()}))
