"""Two server processes on one PostgreSQL, sixteen clients, a pool smaller than what they ask: every number once, the rest are told so."""

import asyncio
from collections import Counter

import asyncpg
import httpx
import pytest

from tests.numbers.calls import add_pool
from tests.support.application import opened_world
from tests.support.server import serving
from tests.support.stores import PostgresTestStore

pytestmark = pytest.mark.slow

CLIENTS = 16
POOL = 120
ASKED = 20
"""By each client: more than there is, so that everybody meets the end of the pool."""


def test_no_number_has_two_holders_and_none_is_lost(postgres_store: PostgresTestStore) -> None:
    async def prepared() -> tuple[str, str, list[str]]:
        async with opened_world(postgres_store.settings) as world:
            pool = await add_pool(world, POOL)
            people = [str(identity) for name, identity in world.people.items() if name != "hotline"]
            return pool.path, await world.token("it-scripts"), people

    path, token, people = asyncio.run(prepared())
    answers: list[httpx.Response] = []

    async def client(at: int, url: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as http:
            for turn in range(ASKED):
                holder = {"type": "contact", "id": people[(at + turn) % len(people)]}
                body = {"holder": holder, "count": 1 + (at + turn) % 3, "consumer_ref": f"client-{at}-{turn}"}
                answer = await http.post(f"{path}/allocations", json=body)
                again = await http.post(f"{path}/allocations", json=body)
                assert answer.status_code != 201 or again.content == answer.content
                answers.append(answer)

    async def load(urls: tuple[str, ...]) -> None:
        await asyncio.gather(*(client(at, urls[at % len(urls)]) for at in range(CLIENTS)))

    with serving(postgres_store) as one, serving(postgres_store) as two:
        asyncio.run(load((one.url, two.url)))

    statuses = Counter(each.status_code for each in answers)
    assert set(statuses) == {201, 409}, statuses
    given = [number["digits"] for each in answers if each.status_code == 201 for number in each.json()["numbers"]]
    assert len(given) == len(set(given))
    short = [each.json() for each in answers if each.status_code == 409]
    assert {each["code"] for each in short} == {"pool_exhausted"}
    assert all(each["available"] < each["requested"] for each in short)
    held, cards, states = asyncio.run(stored(postgres_store))
    assert sorted(held) == sorted(given), "what was told is what is stored"
    assert sorted(cards) == sorted(given), "and what stands on the cards"
    assert states == {"assigned": len(given), **({"available": POOL - len(given)} if len(given) < POOL else {})}
    assert POOL - len(given) < 3, "nobody was refused while three were free"


async def stored(store: PostgresTestStore) -> tuple[list[str], list[str], dict[str, int]]:
    """Read the open assignments, the numbers on all cards, and how many numbers stand where."""
    connection = await asyncpg.connect(store.superuser_dsn)
    try:
        held = await connection.fetch(
            "SELECT digits FROM number_assignment JOIN number ON number.id = number_id WHERE ended_at IS NULL"
        )
        cards = await connection.fetch("SELECT jsonb_array_elements_text(short_numbers) FROM contact")
        states = await connection.fetch("SELECT state, count(*) FROM number GROUP BY state")
    finally:
        await connection.close()
    return [row[0] for row in held], [row[0] for row in cards], {row[0]: row[1] for row in states}
