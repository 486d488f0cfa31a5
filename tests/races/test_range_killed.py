"""A server is killed while it makes the numbers of a large range: what was made stays, the rest follows, and no number is made twice."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.numbers.calls import TestPool, add_pool
from tests.support.application import opened_world
from tests.support.server import Server, environment, serving
from tests.support.stores import TestStore

pytestmark = pytest.mark.slow

SIZE = 100_000
_SECONDS = 240


@contextmanager
def working(store: TestStore) -> Iterator[Server]:
    """Serve a store with a worker that can be killed: inside the server on SQLite, a process of its own on PostgreSQL."""
    with serving(store) as server:
        if store.dialect == "sqlite":
            yield server
            return
        log = store.settings.data_dir.parent / "worker.log"
        with log.open("ab") as output:
            command = [sys.executable, "-m", "app.cli", "worker"]
            worker = subprocess.Popen(
                command, env=environment(store), stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            yield Server(worker, server.url, log)
        finally:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGTERM)
                worker.wait(20)


def test_a_range_is_finished_after_a_kill(store: TestStore) -> None:
    async def prepared() -> tuple[TestPool, str]:
        async with opened_world(store.settings) as world:
            return await add_pool(world, 0), await world.token("it-scripts")

    pool, token = asyncio.run(prepared())

    def client(url: str) -> httpx.Client:
        return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def reached(calls: httpx.Client, least: int) -> dict[str, Any]:
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            (told,) = calls.get(f"{pool.path}/ranges").json()["items"]
            if told["materialised"] >= least:
                found: dict[str, Any] = told
                return found
            time.sleep(0.05)
        pytest.fail(f"not {least} numbers after {_SECONDS} seconds")

    with working(store) as server, client(server.url) as calls:
        body = {"start": pool.digits(), "end": pool.digits(SIZE - 1)}
        made = calls.post(f"{pool.path}/ranges", json=body, headers={"Idempotency-Key": "large"})
        assert made.status_code == 202
        job = made.json()["job"]
        before = reached(calls, 1)
        server.kill()
    assert before["state"] == "materialising"
    with working(store) as server, client(server.url) as calls:
        again = calls.post(f"{pool.path}/ranges", json=body, headers={"Idempotency-Key": "large"})
        assert (again.status_code, again.json()["id"]) == (202, made.json()["id"])
        assert reached(calls, SIZE)["state"] == "ready"
        told = calls.get(job).json()
        assert (told["state"], told["progress"]) == ("done", {"done": SIZE, "total": SIZE})
        rows = calls.get(f"{job}/rows", params={"limit": 200}).json()["items"]
        assert sum(each["detail"]["made"] for each in rows) == SIZE
        use = calls.get(f"{pool.path}/utilisation").json()
        assert (use["size"], use["free"], use["used"]) == (SIZE, SIZE, 0.0)
        params: dict[str, str | int] = {"pool": pool.code, "digits": pool.digits(SIZE - 1)}
        last = calls.get("/v1/numbers", params=params).json()["items"]
        assert [each["state"] for each in last] == ["available"]
