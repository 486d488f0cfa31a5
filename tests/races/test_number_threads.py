"""One server process, thirty-two threads with a connection each, a pool that is too small: every number once, the rest are told so."""

import asyncio
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import asyncpg
import httpx
import pytest

from tests.numbers.calls import add_pool
from tests.support.application import opened_world
from tests.support.server import serving
from tests.support.stores import TestStore

pytestmark = pytest.mark.slow

THREADS = 32
POOL = 240
ASKED = 10
"""By each thread: more than there is, so that everybody meets the end of the pool."""


def test_every_number_goes_to_one_of_the_threads(store: TestStore) -> None:
    async def prepared() -> tuple[str, str, list[str]]:
        async with opened_world(store.settings) as world:
            pool = await add_pool(world, POOL)
            people = [str(identity) for name, identity in world.people.items() if name != "hotline"]
            return pool.path, await world.token("it-scripts"), people

    path, token, people = asyncio.run(prepared())
    start = Barrier(THREADS)

    def thread(at: int, url: str) -> list[httpx.Response]:
        """Half of them give everybody a number in turn, the others give one person all that they can get."""
        answers = []
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
            start.wait()
            for turn in range(ASKED):
                holder = people[(at + turn) % len(people)] if at % 2 else people[0]
                body = {"holder": {"type": "contact", "id": holder}, "count": 1 + (at + turn) % 3 // 2}
                once = {"Idempotency-Key": f"{at}-{turn}"}
                answer = client.post(f"{path}/allocations", json=body, headers=once)
                if turn % 5 == 0:
                    again = client.post(f"{path}/allocations", json=body, headers=once)
                    assert answer.status_code != 201 or again.json() == answer.json()
                answers.append(answer)
        return answers

    with serving(store) as server, ThreadPoolExecutor(THREADS) as threads:
        running = [threads.submit(thread, at, server.url) for at in range(THREADS)]
        answers = [answer for each in running for answer in each.result()]

    statuses = Counter(each.status_code for each in answers)
    assert set(statuses) == {201, 409}, statuses
    assert {each.json()["code"] for each in answers if each.status_code == 409} == {"pool_exhausted"}
    given = [number["digits"] for each in answers if each.status_code == 201 for number in each.json()["numbers"]]
    held, cards, free = stored(store)
    assert len(given) == len(set(given))
    assert sorted(held) == sorted(given), "what was told is what is stored"
    assert sorted(cards) == sorted(given), "and what stands on the cards"
    assert len(given) + free == POOL
    assert free < 2, "nobody was refused while two were free"


HELD = "SELECT digits FROM number_assignment JOIN number ON number.id = number_id WHERE ended_at IS NULL"
FREE = "SELECT count(*) FROM number WHERE state = 'available'"


def stored(store: TestStore) -> tuple[list[str], list[str], int]:
    """Read the open assignments, the numbers on all cards, and how many are free."""
    if store.dialect == "sqlite":
        connection = sqlite3.connect(store.business_path)
        try:
            cards = connection.execute("SELECT value FROM contact, json_each(contact.short_numbers)").fetchall()
            held, free = connection.execute(HELD).fetchall(), connection.execute(FREE).fetchone()
        finally:
            connection.close()
        return [row[0] for row in held], [row[0] for row in cards], free[0]

    async def read() -> tuple[list[str], list[str], int]:
        reader = await asyncpg.connect(store.superuser_dsn)
        try:
            cards = await reader.fetch("SELECT jsonb_array_elements_text(short_numbers) FROM contact")
            held, free = await reader.fetch(HELD), await reader.fetchval(FREE)
        finally:
            await reader.close()
        return [row[0] for row in held], [row[0] for row in cards], free

    return asyncio.run(read())
