"""Many at once on a pool that is too small, on both engines: every number once, the rest are told so, and the cards agree."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx

from tests.numbers.calls import add_pool, it_client, wanted
from tests.support.application import World
from tests.support.shared import add_person

CALLERS = 32


async def patiently(client: httpx.AsyncClient, path: str, body: Mapping[str, Any]) -> httpx.Response:
    """Ask, and again when the queue was longer than the store's patience: 503 promises that nothing was done."""
    while True:
        answer = await client.post(path, json=body)
        if answer.status_code != 503:
            return answer


async def test_every_number_goes_to_one_of_many(world: World) -> None:
    pool, it = await add_pool(world, 20), await it_client(world)
    people = [await add_person(world) for _ in range(8)]

    async def one(at: int) -> httpx.Response:
        return await it.post(f"{pool.path}/allocations", json=wanted(people[at % 8].id))

    answers = await asyncio.gather(*(one(at) for at in range(CALLERS)))
    assert Counter(each.status_code for each in answers) == {201: 20, 409: CALLERS - 20}
    given = [each.json()["numbers"][0]["digits"] for each in answers if each.status_code == 201]
    assert sorted(given) == [pool.digits(at) for at in range(20)]
    refused = [each.json() for each in answers if each.status_code == 409]
    assert {(each["code"], each["requested"], each["available"]) for each in refused} == {("pool_exhausted", 1, 0)}
    on_cards = []
    for person in people:
        on_cards += (await (await world.as_("hr")).get(person.path)).json()["short_numbers"]
    assert sorted(on_cards) == sorted(given)


async def test_all_or_none_under_pressure(world: World) -> None:
    pool, it = await add_pool(world, 20), await it_client(world)
    people = [await add_person(world) for _ in range(8)]

    calls = [patiently(it, f"{pool.path}/allocations", wanted(each.id, 6)) for each in people]
    answers = await asyncio.gather(*calls)
    given = [digits["digits"] for each in answers if each.status_code == 201 for digits in each.json()["numbers"]]
    assert Counter(each.status_code for each in answers) == {201: 3, 409: 5}
    assert len(set(given)) == len(given) == 18
    left = await it.post(f"{pool.path}/allocations", json=wanted(people[0].id, 2))
    assert left.status_code == 201, "what nobody got is still there"


async def test_one_reference_sent_by_many_gives_once(world: World) -> None:
    pool, it, person = await add_pool(world), await it_client(world), await add_person(world)
    body = wanted(person.id, 2, consumer_ref="one")
    answers = await asyncio.gather(*(it.post(f"{pool.path}/allocations", json=body) for _ in range(16)))
    assert {each.status_code for each in answers} == {201}
    assert {each.content for each in answers} == {answers[0].content}
    assert sorted(each.headers.get("Idempotency-Replayed", "") for each in answers) == ["", *["true"] * 15]
    assert (await (await world.as_("hr")).get(person.path)).json()["short_numbers"] == [pool.digits(0), pool.digits(1)]


async def test_a_given_number_goes_to_one(world: World) -> None:
    pool, it = await add_pool(world), await it_client(world)
    people = [await add_person(world) for _ in range(8)]
    calls = [it.post(f"{pool.path}/allocations", json=wanted(each.id, digits=pool.digits(3))) for each in people]
    answers = await asyncio.gather(*calls)
    assert Counter(each.status_code for each in answers) == {201: 1, 409: 7}
    assert {each.json()["code"] for each in answers if each.status_code == 409} == {"number_not_available"}


async def test_giving_and_taking_back_at_once_loses_nothing(world: World) -> None:
    pool, it = await add_pool(world, 6, quarantine_days=0), await it_client(world)
    people = [await add_person(world) for _ in range(4)]

    async def turn(at: int) -> None:
        for _ in range(5):
            answer = await patiently(it, f"{pool.path}/allocations", wanted(people[at % 4].id))
            assert answer.status_code in {201, 409}, answer.text
            if answer.status_code == 201:
                (given,) = answer.json()["numbers"]
                back = await patiently(it, f"/v1/numbers/{given['digits']}/releases", {})
                assert back.status_code == 201, back.text

    await asyncio.gather(*(turn(at) for at in range(10)))
    use = (await it.get(f"{pool.path}/utilisation")).json()
    assert (use["size"], use["free"], use["states"]["assigned"]) == (6, 6, 0)
    for person in people:
        assert (await (await world.as_("hr")).get(person.path)).json()["short_numbers"] == []


async def test_ranges_that_overlap_cannot_slip_past_one_another(world: World) -> None:
    one, two, it = await add_pool(world, 0), await add_pool(world, 0), await it_client(world)
    body = {"start": one.digits(0), "end": one.digits(99)}
    calls = [it.post(f"{(one, two)[at % 2].path}/ranges", json=body) for at in range(8)]
    answers = await asyncio.gather(*calls)
    assert Counter(each.status_code for each in answers) == {201: 1, 409: 7}
    assert {each.json()["code"] for each in answers if each.status_code == 409} == {"range_overlaps"}
