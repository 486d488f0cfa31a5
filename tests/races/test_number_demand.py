"""More want numbers than there are, through real processes, and every process is killed in the middle of it.

On PostgreSQL 64 clients of four server processes, on SQLite 32 of one. Every number goes to one of them; who comes too late is told 409;
what was told before the kill is there after it. Then new processes serve the rest, and everybody asks again under the reference of the
first time, which gives nobody a second number.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

import httpx
import pytest

from tests.numbers.calls import TestPool, add_pool
from tests.races.stored import identity, rows
from tests.support.application import opened_world
from tests.support.server import Server, all_serving
from tests.support.stores import TestStore

pytestmark = pytest.mark.slow

EACH = 6
"""Numbers that every client wants, one after the other."""
SHORT = 3
"""Of so many that are wanted two are there."""
PATIENCE = 120.0


class Demand:
    """Clients that want numbers, each under a reference, and what they were told."""

    def __init__(self, pool: TestPool, token: str, people: list[str], clients: int) -> None:
        self.pool, self.people, self.clients = pool, people, clients
        self.headers = {"Authorization": f"Bearer {token}"}
        self.told: dict[str, tuple[str, str]] = {}
        self.refused: set[str] = set()
        self.statuses: Counter[int] = Counter()
        self.repeated: list[str] = []

    async def ask(self, servers: Sequence[Server], *, kill_at: int | None = None) -> None:
        """Let everybody ask for all that they were not told of; once ``kill_at`` numbers were told, every server is killed."""
        limits = httpx.Limits(max_connections=self.clients, max_keepalive_connections=self.clients)
        urls = [each.url for each in servers]
        async with httpx.AsyncClient(headers=self.headers, timeout=60, limits=limits) as client:
            tasks = [asyncio.create_task(self._one(client, urls, at)) for at in range(self.clients)]
            if kill_at is not None:
                deadline = time.monotonic() + PATIENCE
                while len(self.told) < kill_at and time.monotonic() < deadline:  # noqa: ASYNC110 — the sum of what many note
                    await asyncio.sleep(0.005)
                for each in servers:
                    each.kill()
            await asyncio.gather(*tasks)

    async def _one(self, client: httpx.AsyncClient, urls: Sequence[str], at: int) -> None:
        for turn in range(EACH):
            reference = f"client-{at}-{turn}"
            body = {
                "holder": {"type": "contact", "id": self.people[(at + turn) % len(self.people)]},
                "consumer_ref": reference,
            }
            answer = None
            while answer is None or answer.status_code == 503:
                try:
                    answer = await client.post(f"{urls[at % len(urls)]}{self.pool.path}/allocations", json=body)
                except httpx.TransportError:
                    return
            self._note(reference, answer)

    def _note(self, reference: str, answer: httpx.Response) -> None:
        self.statuses[answer.status_code] += 1
        if answer.status_code == 409:
            assert answer.json()["code"] == "pool_exhausted", answer.text
            self.refused.add(reference)
            return
        assert answer.status_code == 201, answer.text
        (number,) = answer.json()["numbers"]
        found = (number["digits"], number["assignment_id"])
        if self.told.setdefault(reference, found) != found:
            self.repeated.append(reference)


def test_every_number_goes_once_the_rest_are_refused_and_none_is_lost_in_a_kill(store: TestStore) -> None:
    clients, processes = (64, 4) if store.dialect == "postgresql" else (32, 1)
    size = clients * EACH * (SHORT - 1) // SHORT

    async def prepared() -> tuple[TestPool, str, list[str]]:
        async with opened_world(store.settings) as world:
            pool = await add_pool(world, size)
            people = [str(identity) for name, identity in world.people.items() if name != "hotline"]
            return pool, await world.token("it-scripts"), people

    pool, token, people = asyncio.run(prepared())
    demand = Demand(pool, token, people, clients)
    with all_serving(store, processes) as servers:
        asyncio.run(demand.ask(servers, kill_at=size // 2))
    before = dict(demand.told)
    assert size // 2 <= len(before) < clients * EACH
    judged(store, before, size)

    with all_serving(store, processes) as servers:
        asyncio.run(demand.ask(servers))
    assert not demand.repeated, "a reference was given another number after the kill"
    assert set(demand.statuses) == {201, 409}
    assert len(demand.told) == size, "all that there are were given"
    assert len(demand.refused - demand.told.keys()) == clients * EACH - size, "and everybody else was refused"
    assert sorted(digits for digits, _ in demand.told.values()) == [pool.digits(at) for at in range(size)]
    judged(store, demand.told, size)


def judged(store: TestStore, told: dict[str, tuple[str, str]], size: int) -> None:
    """Hold the store against what was told: each of it is there, once, under its reference, on a card."""
    query = "SELECT a.consumer_ref, n.digits, a.id, a.holder_id, n.state FROM number_assignment a JOIN number n ON n.id = a.number_id"
    held = {row[0]: (row[1], identity(row[2])) for row in rows(store, query)}
    given = rows(store, query)
    assert len(given) == len(held) == len({row[1] for row in given}), (
        "one assignment a reference, one reference a number"
    )
    assert told.items() <= held.items(), "what was told is there"
    assert {row[4] for row in given} == {"assigned"}
    states = dict(rows(store, "SELECT state, count(*) FROM number GROUP BY state"))
    assert states == {
        state: count for state, count in (("assigned", len(given)), ("available", size - len(given))) if count
    }
    listing = (
        "SELECT contact.id, value FROM contact, json_each(contact.short_numbers)"
        if store.dialect == "sqlite"
        else "SELECT id, jsonb_array_elements_text(short_numbers) FROM contact"
    )
    cards = Counter((identity(row[0]), row[1]) for row in rows(store, listing))
    assert cards == Counter((identity(row[3]), row[1]) for row in given), "and the cards agree"
