"""A server is killed while it takes over a live plan: what was settled stays, the rest follows, and nobody is given a number twice."""

import asyncio
import time
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from app.composition import open_application
from app.numbers.models import NumberAssignment
from tests.numbers.calls import TestPool, add_pool
from tests.races.test_range_killed import working
from tests.support.application import opened_world
from tests.support.stores import TestStore

pytestmark = pytest.mark.slow

SIZE = 2_000
_SECONDS = 240


def test_an_import_is_finished_after_a_kill(store: TestStore) -> None:
    async def prepared() -> tuple[TestPool, str]:
        async with opened_world(store.settings) as world:
            return await add_pool(world, SIZE), await world.token("it-scripts")

    pool, token = asyncio.run(prepared())
    text = "短号,房间\n" + "".join(f"{pool.digits(at)},R{at}\n" for at in range(SIZE))

    def client(url: str) -> httpx.Client:
        return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def hand_in(calls: httpx.Client) -> str:
        answer = calls.post(
            "/v1/imports?kind=number_plan&format=csv&dry_run=false", files={"file": ("plan.csv", text.encode())}
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def reached(calls: httpx.Client, identity: str, least: int) -> dict[str, Any]:
        until = time.monotonic() + _SECONDS
        while time.monotonic() < until:
            told: dict[str, Any] = calls.get(f"/v1/imports/{identity}").json()
            if told["progress"]["done"] >= least and (least < SIZE or told["finished_at"]):
                return told
            time.sleep(0.02)
        pytest.fail(f"not {least} rows after {_SECONDS} seconds")

    with working(store) as server, client(server.url) as calls:
        identity = hand_in(calls)
        before = reached(calls, identity, 1)
        server.kill()
    assert before["state"] == "running"
    with working(store) as server, client(server.url) as calls:
        done = reached(calls, identity, SIZE)
        assert (done["state"], done["counts"]) == ("done", {"adopted": SIZE}), "no row was settled twice"
        again = reached(calls, hand_in(calls), SIZE)
        assert again["counts"] == {"unchanged": SIZE}

    async def assigned() -> tuple[int, int]:
        async with open_application(store.settings) as application, application.database.unit_of_work() as unit:
            counts = select(func.count(), func.count(NumberAssignment.number_id.distinct())).where(
                NumberAssignment.caller == f"import:{identity}"
            )
            row = (await unit.session.execute(counts)).one()
            return row[0], row[1]

    assert asyncio.run(assigned()) == (SIZE, SIZE)
