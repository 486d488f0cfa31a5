"""Personnel events and the number plan together, in earnest: pools made over HTTP, numbers on cards, all in one transaction."""

from typing import Any

import pytest
from sqlalchemy import text

from tests.hr.calls import applied, post
from tests.hr.events import joined, left, rehired
from tests.hr.test_leaving import crash_at, everything
from tests.support.application import World

TABLES = ("number_assignment", "number")


async def make_pool(world: World, code: str, start: str, end: str, **members: Any) -> None:  # noqa: ANN401 — members of a pool
    """Make a pool whose numbers go to joiners, as IT does."""
    client = await world.as_("it-scripts")
    body = {"code": code, "name": f"号段{code}", "class": "internal", "strategy": "lowest", "joiners": True, **members}
    made = await client.post("/v1/number-pools", json=body)
    assert made.status_code == 201, made.text
    added = await client.post(f"/v1/number-pools/{code}/ranges", json={"start": start, "end": end})
    assert added.status_code == 201, added.text


async def state(world: World, digits: str) -> str:
    answer = await (await world.as_("it-scripts")).get(f"/v1/numbers/{digits}")
    assert answer.status_code == 200, answer.text
    found: str = answer.json()["state"]
    return found


async def numbers_of(world: World, contact: str) -> list[str]:
    found: list[str] = (await (await world.as_("hr")).get(f"/v1/contacts/{contact}")).json()["short_numbers"]
    return found


async def test_a_joiner_gets_a_number_of_the_nearest_pool(world: World) -> None:
    await make_pool(world, "company", "61000", "61009")
    await make_pool(world, "research", "62000", "62009", department="RD")
    for subject, place, digits in (("E9001", "RD-CORE", "62000"), ("E9002", "RD", "62001"), ("E9003", "HR", "61000")):
        told = await applied(world, joined(subject, department=place))
        assert (told["numbers"], told["problem"]) == ([digits], None)
        assert await numbers_of(world, told["contact_id"]) == [digits]
        assert await state(world, digits) == "assigned"


async def test_an_exhausted_pool_keeps_nobody_out(world: World) -> None:
    await make_pool(world, "company", "61000", "61001")
    for subject in ("E9001", "E9002"):
        await applied(world, joined(subject))
    told = await applied(world, joined("E9003"))
    assert (told["numbers"], told["problem"]["code"]) == ([], "pool_exhausted")
    assert await numbers_of(world, told["contact_id"]) == []


async def test_a_leavers_numbers_rest(world: World) -> None:
    await make_pool(world, "company", "61000", "61009")
    first = await applied(world, joined("E9001"))
    await applied(world, left("E9001"))
    assert await state(world, "61000") == "quarantined"
    assert (await applied(world, joined("E9002")))["numbers"] == ["61001"]
    (card,) = (await (await world.as_("steward")).get("/v1/contacts", params={"status": "left"})).json()["items"]
    assert (card["id"], card["short_numbers"]) == (first["contact_id"], [])


async def test_who_comes_back_gets_the_number_of_before(world: World) -> None:
    await make_pool(world, "company", "61000", "61009")
    person = (await applied(world, joined("E9001")))["contact_id"]
    assert (await applied(world, joined("E9002")))["numbers"] == ["61001"]
    await applied(world, left("E9001"))
    assert (await applied(world, joined("E9003")))["numbers"] == ["61002"], "it waits for nobody else"
    told = await applied(world, rehired("E9001"))
    assert (told["contact_id"], told["numbers"], told["problem"]) == (person, ["61000"], None)
    assert await numbers_of(world, person) == ["61000"]
    assert await state(world, "61000") == "assigned"
    history = (await (await world.as_("it-scripts")).get("/v1/numbers/61000/history")).json()["items"]
    assert [(each["reason"], each["ended_at"] is None) for each in history] == [(None, True), ("left", False)]
    await applied(world, left("E9001"))
    assert (await applied(world, rehired("E9001")))["numbers"] == ["61000"], "and again"


async def test_who_comes_back_elsewhere_or_to_an_empty_pool_gets_it_too(world: World) -> None:
    await make_pool(world, "research", "62000", "62000", department="RD")
    await make_pool(world, "sales", "63000", "63009", department="SALES")
    assert (await applied(world, joined("E9001", department="RD")))["numbers"] == ["62000"]
    await applied(world, left("E9001"))
    assert (await applied(world, joined("E9002", department="RD")))["problem"]["code"] == "pool_exhausted"
    told = await applied(world, rehired("E9001", department="SALES"))
    assert (told["numbers"], told["problem"]) == (["62000"], None)


async def test_a_number_that_somebody_else_has_had_since_does_not_come_back(world: World) -> None:
    await make_pool(world, "company", "61000", "61002", quarantine_days=0)
    await applied(world, joined("E9001"))
    await applied(world, left("E9001"))
    assert (await applied(world, joined("E9002")))["numbers"] == ["61000"], "its rest is over"
    await applied(world, left("E9002"))
    assert (await applied(world, joined("E9003")))["numbers"] == ["61000"]
    assert (await applied(world, rehired("E9001")))["numbers"] == ["61001"]
    assert (await applied(world, rehired("E9002")))["numbers"] == ["61002"]
    await applied(world, left("E9003"))
    assert (await applied(world, rehired("E9003")))["numbers"] == ["61000"]


@pytest.mark.parametrize("kind", ["joined", "left", "rehired"])
async def test_numbers_are_part_of_the_one_transaction(world: World, kind: str) -> None:
    """A crash before any statement leaves cards, assignments and numbers as they were."""
    await make_pool(world, "company", "61000", "61009")
    await applied(world, joined("E9001"))
    if kind == "rehired":
        await applied(world, left("E9001"))
    await world.settle()
    body = {"joined": joined("E9002"), "left": left("E9001"), "rehired": rehired("E9001")}[kind]

    async def all_of_it() -> dict[str, list[str]]:
        found = await everything(world)
        async with world.application.database.session() as session:
            for table in TABLES:
                rows = await session.execute(text(f"SELECT * FROM {table}"))
                found[table] = sorted(repr(tuple(row)) for row in rows)
        return found

    before, count = await all_of_it(), 0
    while True:
        count += 1
        with crash_at(world, count) as run:
            answer = await post(world, body)
        if len(run) < count:
            break
        assert answer.status_code == 500, run[-1]
        assert await all_of_it() == before, run[-1]
    assert count > 20
    given = {"joined": ["61001"], "left": [], "rehired": ["61000"]}[kind]
    assert (answer.json()["state"], answer.json()["numbers"]) == ("applied", given)
    assert await state(world, "61000") == ("quarantined" if kind == "left" else "assigned")
