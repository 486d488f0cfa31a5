"""A server is killed while it takes people over: who was settled stays, the rest follows, nobody is written twice, the log holds."""

import asyncio
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest

from tests.races.stored import rows
from tests.races.test_range_killed import working
from tests.support.application import opened_world
from tests.support.server import environment
from tests.support.stores import TestStore

pytestmark = pytest.mark.slow

NEW, CHANGED, SAME = 900, 300, 300
SIZE = NEW + CHANGED + SAME
_SECONDS = 300
_HEAD = "姓名,工号,账号,部门,职务,手机\n"


def line(at: int, title: str = "工程师") -> str:
    return f"姓名{at},M{at:05d},m{at},RD,{title},1380{at:07d}\n"


def test_an_import_of_people_is_finished_after_a_kill(store: TestStore) -> None:
    async def prepared() -> str:
        async with opened_world(store.settings) as world:
            return await world.token("hr")

    token = asyncio.run(prepared())
    before = _HEAD + "".join(line(at) for at in range(CHANGED + SAME))
    text = _HEAD + "".join(line(at, "主管" if at < CHANGED else "工程师") for at in range(SIZE))

    def client(url: str) -> httpx.Client:
        return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def hand_in(calls: httpx.Client, content: str) -> str:
        query = "kind=contacts&format=csv&dry_run=false"
        answer = calls.post(f"/v1/imports?{query}", files={"file": ("people.csv", content.encode())})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def reached(calls: httpx.Client, identity: str, least: int | None = None) -> dict[str, Any]:
        """Wait until so many rows are settled; without ``least`` until the import has ended."""
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            told: dict[str, Any] = calls.get(f"/v1/imports/{identity}").json()
            if told["finished_at"] or (least is not None and told["progress"]["done"] >= least):
                return told
            time.sleep(0.02)
        pytest.fail(f"not {least} rows after {_SECONDS} seconds")

    with working(store) as server, client(server.url) as calls:
        assert reached(calls, hand_in(calls, before))["counts"] == {"adopted": CHANGED + SAME}
        identity = hand_in(calls, text)
        cut = reached(calls, identity, CHANGED + SAME + 1)
        server.kill()
    assert (cut["state"], cut["finished_at"]) == ("running", None)
    with working(store) as server, client(server.url) as calls:
        done = reached(calls, identity)
        assert (done["state"], done["progress"]["done"]) == ("done", SIZE)
        assert done["counts"] == {"adopted": NEW + CHANGED, "unchanged": SAME}, "no row was settled twice"
        again = reached(calls, hand_in(calls, text))
        assert again["counts"] == {"unchanged": SIZE}

    people = "FROM contact WHERE employee_no LIKE 'M0%'"
    assert rows(store, f"SELECT count(*), count(DISTINCT employee_no) {people}") == [(SIZE, SIZE)]
    versions = f"SELECT row_version, count(*) {people} GROUP BY row_version ORDER BY row_version"
    assert rows(store, versions) == [(1, NEW + SAME), (2, CHANGED)], "and nobody was written twice"
    verified = subprocess.run(
        [sys.executable, "-m", "app.cli", "audit", "verify"],
        env=environment(store), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stdout + verified.stderr
    by_hr = "FROM log.event WHERE actor_type = 'person' AND action IN ('contact.create', 'contact.update')"
    written = rows(store, f"SELECT action, count(*) {by_hr} GROUP BY action ORDER BY action", log=True)
    assert written == [("contact.create", SIZE), ("contact.update", CHANGED)]
