"""The log goes away while an export leaves over a real socket: its reader can see where it ends, and nothing unlogged is in it."""

import asyncio
import json
import sqlite3
from contextlib import closing
from itertools import islice

import httpx
import pytest

from app.audit.events import EventDraft
from app.kit.models import new_id
from tests.races.stored import event_ids
from tests.support.application import opened_world
from tests.support.server import Server, serving
from tests.support.stores import SqliteTestStore

pytestmark = pytest.mark.slow

EVENTS = 40_000
"""Far more than what sockets hold between a server and a client that has stopped to read."""


async def filled(store: SqliteTestStore) -> str:
    """Write a long log; give a token of security's."""
    async with opened_world(store.settings) as world:
        drafts = (
            EventDraft(
                id=new_id(),
                at=world.application.clock.now(),
                actor_type="system",
                actor_id="job:test",
                action="test.made",
                decision="allowed",
                query={"padding": "x" * 500},
            )
            for _ in range(EVENTS)
        )
        while some := list(islice(drafts, 1000)):
            await asyncio.gather(*(world.application.log.record(draft) for draft in some))
        return await world.token("infosec")


def read(server: Server, token: str, form: str, store: SqliteTestStore) -> tuple[bytes, bool]:
    """Export until the first piece is there, take the log away, read on; give what came, and whether the end was one."""
    got, whole = b"", True
    with (
        closing(sqlite3.connect(store.log_path, isolation_level=None, timeout=5)) as connection,
        httpx.stream(
            "POST",
            f"{server.url}/v1/access-events/exports",
            json={"format": form},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        ) as answer,
    ):
        assert answer.status_code == 200
        try:
            for piece in answer.iter_raw():
                if not got:
                    connection.execute("BEGIN IMMEDIATE")
                got += piece
        except httpx.RemoteProtocolError:
            whole = False
        connection.execute("ROLLBACK")
    return got, whole


def test_an_export_that_loses_its_log_ends_visibly(sqlite_store: SqliteTestStore) -> None:
    token = asyncio.run(filled(sqlite_store))
    with serving(sqlite_store) as server:
        got, whole = read(server, token, "ndjson", sqlite_store)
        *found, last = [json.loads(line) for line in got.splitlines()]
        assert whole
        assert (last["code"], last["status"]) == ("access_log_unavailable", 503)
        assert 0 < len(found) < EVENTS
        assert {line["export_event_id"] for line in found} <= set(event_ids(sqlite_store))
        table, whole = read(server, token, "csv", sqlite_store)
        assert not whole
        assert b"access_log_unavailable" not in table
        assert 0 < table.count(b"\r\n") < EVENTS
    assert b"Traceback" not in server.log.read_bytes()
