"""Four server processes on one PostgreSQL, 64 connections each: one gapless log, one event per disclosing answer, nobody waits."""

import asyncio
import random
from pathlib import Path

import httpx
import orjson
import pytest

from tests.races.stored import event_ids, indexes
from tests.support.server import founded, serving
from tests.support.stores import PostgresTestStore

pytestmark = pytest.mark.slow

PROCESSES = 4
CONNECTIONS = 64
READS = 8
THINKS = (0.5, 2.0)
"""Seconds between two looks of one connection: all of them together ask less than two cores can answer, so a wait is somebody's fault."""


def test_four_processes_share_one_gapless_log_and_nobody_waits_a_second_for_it(
    postgres_store: PostgresTestStore,
) -> None:
    company = founded(postgres_store)
    before = len(event_ids(postgres_store))
    names = ("staff", "colleague", "outsider", "head", "hr", "infosec", "core", "it")
    targets = [company.people[name] for name in ("staff", "colleague", "head", "core", "outsider")]
    looks: list[str] = []
    chance = random.Random(20261121)

    async def load(urls: list[str]) -> None:
        async def against(url: str) -> None:
            limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
            async with httpx.AsyncClient(base_url=url, timeout=20, limits=limits) as shared:

                async def look(at: int, turn: int) -> None:
                    token = company.tokens[names[at % len(names)]]
                    path = f"/v1/contacts/{targets[(at + turn) % len(targets)]}"
                    answer = await shared.get(path, headers={"Authorization": f"Bearer {token}"})
                    assert answer.status_code == 200, answer.text
                    looks.append(answer.json()["disclosure"]["event_id"])

                async def authorised(at: int) -> None:
                    for turn in range(READS):
                        await asyncio.sleep(chance.uniform(*THINKS))
                        await look(at, turn)

                for at in range(len(names)):
                    await look(at, 0)
                await asyncio.gather(*(authorised(at) for at in range(CONNECTIONS)))

        await asyncio.gather(*(against(url) for url in urls))

    with (
        serving(postgres_store) as a,
        serving(postgres_store) as b,
        serving(postgres_store) as c,
        serving(postgres_store) as d,
    ):
        asyncio.run(load([a.url, b.url, c.url, d.url]))
        waits = [wait for server in (a, b, c, d) for wait in milliseconds(server.log)]

    assert len(looks) == len(set(looks)) == PROCESSES * (CONNECTIONS * READS + len(names))
    stored = event_ids(postgres_store)
    assert sorted(stored[before:]) == sorted(looks), "one event per disclosing answer, no more and no fewer"
    assert indexes(postgres_store) == list(range(len(stored)))
    assert len(waits) >= len(looks)
    assert max(waits) < 1000, "a request was held up for a second"


def milliseconds(log: Path) -> list[float]:
    """Read how long each look took inside the server, from the server's own lines."""
    lines = [orjson.loads(line) for line in log.read_bytes().splitlines() if line.startswith(b"{")]
    return [line["milliseconds"] for line in lines if line.get("event") == "request" and line.get("event_id")]
