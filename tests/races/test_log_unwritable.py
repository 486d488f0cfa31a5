"""The log cannot be written: 503 within the deadline plus a second, nothing opened, readiness red, and recovery without restart."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.races.stored import event_ids
from tests.support.server import Company, Server, founded, serving, until
from tests.support.stores import PostgresTestStore, SqliteTestStore, TestStore

pytestmark = pytest.mark.slow

DEADLINE = 2.0


def ask(server: Server, company: Company, name: str = "staff") -> tuple[int, float, httpx.Response]:
    """Read a colleague's card; give status, seconds and the answer."""
    began = time.monotonic()
    headers = {"Authorization": f"Bearer {company.tokens[name]}"}
    answer = httpx.get(f"{server.url}/v1/contacts/{company.people['colleague']}", headers=headers, timeout=10)
    return answer.status_code, time.monotonic() - began, answer


def ready(server: Server) -> int:
    return httpx.get(f"{server.url}/readyz", timeout=10).status_code


def refuses_until_mended(store: TestStore, server: Server, company: Company) -> None:
    """Prove the outage: 503 in time, no event, no value, red; the block's caller then mends."""
    before = len(event_ids(store)) if store.dialect == "sqlite" else None
    status, seconds, answer = ask(server, company)
    assert status == 503
    assert seconds < DEADLINE + 1
    assert answer.json()["code"] in {"access_log_unavailable", "unavailable"}
    assert "138" not in answer.text
    until(lambda: ready(server) == 503, 5, "a red readiness")
    if before is not None:
        assert len(event_ids(store)) == before


def a_hotline_is_answered(server: Server, company: Company) -> None:
    """Prove that what is nobody's data is still told, without its sealed fields, and a list that holds others is not."""
    with httpx.Client(headers={"Authorization": f"Bearer {company.tokens['staff']}"}, timeout=10) as client:
        card = client.get(f"{server.url}/v1/contacts/{company.people['hotline']}")
        listed = client.get(f"{server.url}/v1/contacts?kind=hotline")
        mixed = client.get(f"{server.url}/v1/contacts")
    assert (card.status_code, listed.status_code, mixed.status_code) == (200, 200, 503)
    assert [each["id"] for each in listed.json()["items"]] == [card.json()["id"]]
    assert (card.json()["disclosure"]["event_id"], card.json()["office_phone"]) == (None, {"state": "withheld"})


def recovers(server: Server, company: Company) -> None:
    """Prove that it serves again by itself, and logs again."""
    until(lambda: ask(server, company)[0] == 200, 15, "recovery")
    until(lambda: ready(server) == 200, 5, "a green readiness")


@contextmanager
def a_locked_head(store: SqliteTestStore) -> Iterator[None]:
    """Hold the write lock of the log's file."""
    with closing(sqlite3.connect(store.log_path, isolation_level=None, timeout=5)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@contextmanager
def a_renamed_file(store: SqliteTestStore) -> Iterator[None]:
    """Take the log's file away from under the server."""
    away = store.log_path.with_suffix(".away")
    names = [store.log_path, *(Path(f"{store.log_path}{end}") for end in ("-wal", "-shm"))]
    present = [name for name in names if name.exists()]
    for name in present:
        name.rename(f"{away}{name.name}")
    yield
    for name in present:
        Path(f"{away}{name.name}").rename(name)


@pytest.mark.parametrize("outage", [a_locked_head, a_renamed_file])
def test_on_sqlite_an_unwritable_log_stops_looks_and_nothing_else(
    sqlite_store: SqliteTestStore, outage: object
) -> None:
    assert callable(outage)
    company = founded(sqlite_store)
    with serving(sqlite_store) as server:
        assert ask(server, company)[0] == 200
        with outage(sqlite_store):
            status, seconds, answer = ask(server, company)
            assert status == 503
            assert seconds < DEADLINE + 1
            assert answer.json()["code"] == "access_log_unavailable"
            assert "138" not in answer.text
            until(lambda: ready(server) == 503, 5, "a red readiness")
            a_hotline_is_answered(server, company)
            assert httpx.get(f"{server.url}/livez", timeout=5).status_code == 200
        recovers(server, company)


@pytest.mark.skipif(os.geteuid() != 0, reason="a file system of our own takes root")
def test_on_a_full_disk_looks_stop_and_resume_when_there_is_room(sqlite_store: SqliteTestStore, tmp_path: Path) -> None:
    company = founded(sqlite_store)
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["/bin/mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no file system of our own here: {mounted.stderr.decode().strip()}")
    try:
        data = small / "var"
        shutil.copytree(sqlite_store.settings.data_dir, data)
        store = SqliteTestStore(settings=sqlite_store.settings.model_copy(update={"data_dir": data}))
        with serving(store) as server:
            assert ask(server, company)[0] == 200
            fill_up(small / "ballast")
            until(lambda: ask(server, company)[0] == 503, 30, "running out of room")
            until(lambda: ready(server) == 503, 5, "a red readiness")
            (small / "ballast").unlink()
            recovers(server, company)
    finally:
        subprocess.run(["/bin/umount", "-l", str(small)], check=True)


def fill_up(path: Path) -> None:
    """Write until there is no room left."""
    with path.open("wb", buffering=0) as file:
        size = 65_536
        while size:
            try:
                file.write(b"\0" * size)
            except OSError:
                size //= 2


def test_on_postgresql_a_locked_head_stops_looks_until_it_is_free(postgres_store: PostgresTestStore) -> None:
    company = founded(postgres_store)
    with serving(postgres_store) as server:
        assert ask(server, company)[0] == 200

        async def hold() -> None:
            connection = await asyncpg.connect(postgres_store.superuser_dsn)
            try:
                async with connection.transaction():
                    await connection.execute("SELECT * FROM log.head FOR UPDATE")
                    status, seconds, answer = await asyncio.to_thread(ask, server, company)
                    assert status == 503
                    assert seconds < DEADLINE + 1
                    assert "138" not in answer.text
            finally:
                await connection.close()

        asyncio.run(hold())
        recovers(server, company)


def test_postgresql_stopped_and_back_needs_no_restart_of_the_service(private_postgres_store: PostgresTestStore) -> None:
    store = private_postgres_store
    assert store.server is not None
    company = founded(store)
    with serving(store) as server:
        assert ask(server, company)[0] == 200
        store.server.stop("immediate")
        try:
            status, seconds, answer = ask(server, company)
            assert status == 503
            assert seconds < DEADLINE + 1
            assert "138" not in answer.text
            until(lambda: ready(server) == 503, 6, "a red readiness")
        finally:
            store.server.start()
        recovers(server, company)
