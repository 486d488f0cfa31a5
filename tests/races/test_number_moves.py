"""Everybody at every number at once, through real processes that are killed in full flight: nobody ever has two holders, and none is lost.

On PostgreSQL 64 clients of four server processes, on SQLite 32 of one. They give out, pass on, exchange, hold, take back and give back what
they meet by chance of who comes first; then the processes get ``SIGKILL``, and what stands in the store is held against every answer.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from itertools import pairwise
from typing import Any

import httpx
import pytest

from tests.numbers.calls import TestPool, add_pool
from tests.races.stored import identity, rows
from tests.support.application import opened_world
from tests.support.server import Server, serving
from tests.support.stores import TestStore

pytestmark = pytest.mark.slow

SIZE = 37
ENOUGH = 150
PATIENCE = 60.0
"""So many assignments and something of everything are to be seen before the kill; on a slow machine that takes its time."""
EVERYTHING = frozenset({"allocations", "transfers", "swaps", "releases", "restorations", "holds", "used"})
TAKEN = frozenset({200, 201, 204, 409, 422, 503})
"""What may be answered: done, or refused for a reason; a queue that is too long is 503, and nothing was done."""


class Crowd:
    """Clients that note what they were told."""

    def __init__(self, servers: Sequence[Server], pool: TestPool, token: str, people: list[str]) -> None:
        self.servers, self.pool, self.people = servers, pool, people
        self.headers = {"Authorization": f"Bearer {token}"}
        self.assignments: dict[str, str] = {}
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.strange: list[str] = []

    async def run(self, clients: int) -> None:
        """Let them loose, kill every server in full flight, and let everybody notice."""
        limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
        async with AsyncExitStack() as opened:
            at_each = [
                await opened.enter_async_context(
                    httpx.AsyncClient(base_url=each.url, headers=self.headers, timeout=20, limits=limits)
                )
                for each in self.servers
            ]
            tasks = [asyncio.create_task(self.one(at_each[at % len(at_each)], at)) for at in range(clients)]
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline and not (len(self.assignments) > ENOUGH and self.done >= EVERYTHING):  # noqa: ASYNC110 — the sum of what many note
                await asyncio.sleep(0.1)
            for each in self.servers:
                each.kill()
            await asyncio.gather(*tasks)

    @property
    def done(self) -> set[str]:
        """What came true so far."""
        return {what for (what, status), count in self.statuses.items() if status == 201 and count}

    async def one(self, client: httpx.AsyncClient, at: int) -> None:
        turn = at
        try:
            while True:
                turn += 7
                await self.act(client, turn)
        except httpx.TransportError:
            return

    async def act(self, client: httpx.AsyncClient, turn: int) -> None:
        number, other = self.pool.digits(turn % SIZE), self.pool.digits((turn * 3 + 1) % SIZE)
        person = {"type": "contact", "id": self.people[turn % len(self.people)]}
        path = f"/v1/numbers/{number}"
        match turn % 8:
            case 0 | 1:
                await self.ask(client, "allocations", f"{self.pool.path}/allocations", {"holder": person})
            case 2 | 3:
                await self.ask(client, "transfers", f"{path}/transfers", {"to": person})
            case 4:
                await self.ask(client, "swaps", f"{path}/swaps", {"with": other})
            case 5:
                await self.ask(client, "releases", f"{path}/releases", {})
            case 6:
                await self.ask(client, "restorations", f"{path}/restorations", {})
            case _:
                body = {"pool": self.pool.code, "count": 2, "purpose": "race"}
                hold = await self.ask(client, "holds", "/v1/number-holds", body)
                if hold is None:
                    return
                await self.use(client, hold["id"], person)

    async def use(self, client: httpx.AsyncClient, hold: str, person: dict[str, str]) -> None:
        """Use a hold twice and drop it, all at once: one of it may come true."""
        body = {"holder": person, "hold": hold}

        async def drop() -> bool:
            answer = await client.delete(f"/v1/number-holds/{hold}", headers={"If-Match": "*"})
            self.statuses["drops", answer.status_code] += 1
            return answer.status_code == 204

        async def take() -> bool:
            return await self.ask(client, "used", f"{self.pool.path}/allocations", body) is not None

        done = await asyncio.gather(take(), take(), drop(), return_exceptions=True)
        assert sum(each is True for each in done) <= 1, "a hold is used or dropped, and once"
        for each in done:
            if isinstance(each, BaseException):
                raise each

    async def ask(self, client: httpx.AsyncClient, what: str, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        answer = await client.post(path, json=body)
        self.statuses[what, answer.status_code] += 1
        if answer.status_code not in TAKEN:
            self.strange.append(f"{what}: {answer.status_code} {answer.text}")
        if answer.status_code != 201:
            return None
        told: dict[str, Any] = answer.json()
        for each in told.get("numbers", [told]):
            if isinstance(each, dict) and "assignment_id" in each:
                self.assignments[each["assignment_id"]] = each["digits"]
        return told


def test_nobody_has_two_holders_and_none_is_lost(store: TestStore) -> None:
    clients, processes = (64, 4) if store.dialect == "postgresql" else (32, 1)

    async def prepared() -> tuple[TestPool, str, list[str]]:
        async with opened_world(store.settings) as world:
            pool = await add_pool(world, SIZE, quarantine_days=1)
            people = [str(identity) for name, identity in world.people.items() if name != "hotline"]
            return pool, await world.token("it-scripts"), people

    pool, token, people = asyncio.run(prepared())
    told: dict[str, str] = {}
    statuses: Counter[tuple[str, int]] = Counter()
    for _ in range(2):
        with ExitStack() as running:
            servers = [running.enter_context(serving(store)) for _ in range(processes)]
            crowd = Crowd(servers, pool, token, people)
            asyncio.run(crowd.run(clients))
            assert not crowd.strange, crowd.strange[:3]
            told |= crowd.assignments
            statuses += crowd.statuses
        judged(store, told)
    done = {what for what, status in statuses if status == 201}
    assert done == EVERYTHING, statuses
    assert len(told) > ENOUGH


def judged(store: TestStore, told: dict[str, str]) -> None:
    """Hold what is stored against what was told, and against itself."""
    states = {row[0]: (row[1], row[2]) for row in rows(store, "SELECT id, digits, state FROM number")}
    assert len(states) == SIZE, "no number is lost, none came into being"
    columns = "id, number_id, holder_id, started_at, ended_at"
    kept = rows(store, f"SELECT {columns} FROM number_assignment ORDER BY number_id, started_at, id")
    assert told.keys() <= {identity(row[0]) for row in kept}, "what was acknowledged is there"
    assert all(states[row[1]][0] == told[identity(row[0])] for row in kept if identity(row[0]) in told)
    by_number = defaultdict(list)
    for _, number, holder, started, ended in kept:
        by_number[number].append((started, ended, identity(holder)))
    open_now: Counter[tuple[str, str]] = Counter()
    for number, (digits, state) in states.items():
        spans = by_number[number]
        for (_, ended, _), (started, _, _) in pairwise(spans):
            assert ended is not None, f"{digits} had two holders"
            assert ended <= started, f"{digits} had two holders for a while"
        holders = [holder for _, ended, holder in spans if ended is None]
        assert len(holders) == (state in {"assigned", "provisioning"}), f"{digits} is {state} and has {len(holders)}"
        open_now.update((holder, digits) for holder in holders)
    listing = (
        "SELECT contact.id, value FROM contact, json_each(contact.short_numbers)"
        if store.dialect == "sqlite"
        else "SELECT id, jsonb_array_elements_text(short_numbers) FROM contact"
    )
    assert Counter((identity(row[0]), row[1]) for row in rows(store, listing)) == open_now, "the cards agree"
    live = {identity(row[0]) for row in rows(store, "SELECT id FROM number_hold WHERE ended_at IS NULL")}
    under = [identity(row[0]) for row in rows(store, "SELECT hold_id FROM number WHERE state = 'held'")]
    assert all(count == 2 for count in Counter(under).values()), "all of a hold, or nothing"
    assert set(under) == live, "a hold has its numbers until it ends"
