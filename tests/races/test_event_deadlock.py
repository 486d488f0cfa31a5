"""PostgreSQL undoes an event sent alone, or a decision about one, as it and another transaction wait for each other: nobody is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import select

from app.contacts.models import Contact
from tests.hr.calls import applied, counted, grown, post
from tests.hr.events import department, joined, moved, updated
from tests.support.application import World, opened_world
from tests.support.stores import PostgresTestStore

PATIENT_MS = 30_000
_SUBJECT = "SELECT subject_hash FROM hr_subject FOR UPDATE"
_CARD = "SELECT id FROM contact WHERE employee_no = 'E9001' FOR UPDATE"
_CHANGES = "LOCK TABLE contact_change IN SHARE MODE"
_SAME_EVENT = """
    INSERT INTO hr_event (id, source, event_id, client_id, type, subject_hash, body_hash, at, received_at, state, holds)
    SELECT gen_random_uuid(), source, $1, client_id, type, subject_hash, body_hash, at, received_at, state, false FROM hr_event LIMIT 1
"""


@asynccontextmanager
async def intruder(store: PostgresTestStore) -> AsyncIterator[asyncpg.Connection]:
    """Give a connection with a transaction that PostgreSQL leaves alone: whoever closes the ring is undone, and that is not this one."""
    connection = await asyncpg.connect(store.superuser_dsn)
    try:
        await connection.execute("SET deadlock_timeout = '5min'")
        await connection.execute("BEGIN")
        yield connection
    finally:
        await connection.close()


async def waiting(watcher: asyncpg.Connection, many: int) -> None:
    """Return when so many backends of this database wait for a lock."""
    count = """
        SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()
    """
    async with asyncio.timeout(PATIENT_MS / 1000):
        while await watcher.fetchval(count) != many:  # noqa: ASYNC110 — another process tells nobody
            await asyncio.sleep(0.01)


async def deadlocks(watcher: asyncpg.Connection) -> int:
    return int(await watcher.fetchval("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"))


async def renamed(world: World) -> str | None:
    async with world.application.database.session() as session:
        return await session.scalar(select(Contact.title).where(Contact.employee_no == "E9001"))


@asynccontextmanager
async def patient_world(store: PostgresTestStore) -> AsyncIterator[World]:
    """Give an application that waits long enough for PostgreSQL to find a ring."""
    database = store.settings.database.model_copy(
        update={"lock_timeout_ms": PATIENT_MS, "statement_timeout_ms": PATIENT_MS}
    )
    async with opened_world(store.settings.model_copy(update={"database": database})) as world:
        yield world


async def found(watcher: asyncpg.Connection) -> None:
    """Return when PostgreSQL has counted one deadlock."""
    async with asyncio.timeout(PATIENT_MS / 1000):
        while await deadlocks(watcher) != 1:  # noqa: ASYNC110 — another process tells nobody
            await asyncio.sleep(0.05)


async def test_a_real_deadlock_is_not_told_to_the_source(postgres_store: PostgresTestStore) -> None:
    async with (
        patient_world(postgres_store) as world,
        intruder(postgres_store) as gate,
        intruder(postgres_store) as other,
    ):
        watcher = await asyncpg.connect(postgres_store.superuser_dsn)
        await applied(world, joined("E9001"))
        before, event = await counted(world), updated("E9001", title="首席工程师")
        await gate.execute(_SUBJECT)
        await other.execute(_CARD)
        sent = asyncio.create_task(post(world, event))
        await waiting(watcher, 1)
        crossing = asyncio.create_task(other.execute(_SAME_EVENT, event["id"]))
        await waiting(watcher, 2)
        await gate.execute("ROLLBACK")
        await crossing
        assert not sent.done()
        await other.execute("ROLLBACK")
        answer = await sent
        assert (answer.status_code, answer.json()["state"]) == (202, "applied"), answer.text
        assert "Idempotency-Replayed" not in answer.headers
        assert await renamed(world) == "首席工程师"
        assert grown(before, await counted(world))["hr_event"] == 1
        await found(watcher)
        await watcher.close()


@pytest.mark.parametrize(("what", "state", "changes"), [("replays", "applied", 2), ("skips", "superseded", 1)])
async def test_a_real_deadlock_is_not_told_to_whoever_decides(
    postgres_store: PostgresTestStore, what: str, state: str, changes: int
) -> None:
    """The decision holds the person and has changes of their card to write; whoever is in the way of these waits for the person."""
    async with (
        patient_world(postgres_store) as world,
        intruder(postgres_store) as gate,
        intruder(postgres_store) as other,
    ):
        watcher = await asyncpg.connect(postgres_store.superuser_dsn)
        await applied(world, joined("E9001"))
        bad, after = moved("E9001", department="LATER"), updated("E9001", title="首席工程师")
        told = [(await post(world, each | {"sequence": at})).json() for at, each in enumerate((bad, after), 2)]
        assert [each["state"] for each in told] == ["failed", "waiting"]
        await applied(world, department("created", "LATER", name="新部门", parent="RD"))
        client, before = await world.as_("hr"), await counted(world)
        await gate.execute(_CARD)
        await other.execute(_CHANGES)
        sent = asyncio.create_task(client.post(f"/v1/hr/events/{bad['id']}/{what}", json={"reason": "人事核实"}))
        await waiting(watcher, 1)
        crossing = asyncio.create_task(other.execute(_SUBJECT))
        await waiting(watcher, 2)
        await gate.execute("ROLLBACK")
        await crossing
        assert not sent.done()
        await other.execute("ROLLBACK")
        answer = await sent
        assert (answer.status_code, answer.json()["state"]) == (202, state), answer.text
        assert await renamed(world) == "首席工程师"
        grew = grown(before, await counted(world))
        assert (grew["contact_change"], grew.get("hr_event")) == (changes, None)
        await found(watcher)
        await watcher.close()
