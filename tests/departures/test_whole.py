"""After whole lives, one on top of another, the service examines itself and finds every store sound."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.doctor.examination import examine
from app.doctor.findings import Level
from app.numbers.fact_repository import FactRepository
from app.switching.checking import Examination, Tally
from tests.departures.somebody import somebody
from tests.hr.calls import applied, post
from tests.hr.events import department, joined, left, moved, rehired
from tests.support.application import World
from tests.support.shared import Added

pytestmark = pytest.mark.slow
DURABILITY = "durability"
"""The store of the tests keeps nothing through a power cut, which is their own affair."""


async def sound(world: World) -> None:
    """Find nothing wrong with any row, number, key or entry of the log."""
    await world.settle()
    application, tally = world.application, Tally(20)
    checks = Examination(FactRepository(), application.calling.rows)
    await checks.run(application.database.reader, tally, datetime.now(UTC))
    assert tally.broken.total() == 0
    found = [each for each in await examine(application.settings) if each.level is not Level.OK]
    assert [(each.check, each.what.en) for each in found if each.check != DURABILITY] == []


async def archived(world: World, *people: Added) -> None:
    """Let the days that the cards have be over, and the sweep come."""
    departures = world.application.departures
    rows = departures.departing.book.rows
    async with world.application.database.unit_of_work() as unit:
        for one in people:
            waiting = await rows.waiting(unit.session, one.id)
            assert waiting is not None
            await rows.save(unit.session, replace(waiting, remove_by=waiting.left_at - timedelta(minutes=1)))
    assert await departures.sweep() == len(people)


async def test_a_life_and_the_next_one_under_its_number_leave_everything_sound(world: World) -> None:
    one = await somebody(world)
    number = f"N{one.me.number}"
    await one.leave(hand_over_to=f"N{one.heir.number}")
    await sound(world)
    await applied(world, rehired(number, department="RD"))
    await applied(world, left(number))
    await applied(world, left(f"N{one.heir.number}"))
    await archived(world, one.me, one.heir)
    await sound(world)

    taken = joined(number, user_name=one.me.name)
    told = (await post(world, taken)).json()
    assert (told["state"], told["problem"]["code"]) == ("failed", "account_exists")
    ledger = await world.as_("hr-system")
    skipped = await ledger.post(f"/v1/hr/events/{taken['id']}/skips", json={"reason": "另一人，另给用户名"})
    assert skipped.json()["state"] == "superseded"
    other = await applied(world, joined(number, user_name="another.human"))
    assert other["contact_id"] != str(one.me.id)
    told = (await post(world, rehired(number, name="逄归来"))).json()
    assert (told["state"], told["problem"]["code"]) == ("waiting", "subject_in_service")
    await sound(world)


async def test_departments_that_go_into_another_while_people_come_and_go(world: World) -> None:
    for code in ("M-0", "M-1", "M-2"):
        await applied(world, department("created", code, name=code, parent="RD"))
    people = [f"E7{at:03d}" for at in range(12)]
    for at, who in enumerate(people):
        await applied(world, joined(who, department=f"M-{at % 3}"))
    bodies: Sequence[dict[str, Any]] = [
        department("merged", "M-0", into="M-1"),
        department("merged", "M-2", into="M-1"),
        *(left(who) for who in people[::2]),
        *(moved(who, department="M-1", title="合并") for who in people[1::2]),
    ]
    answers = await asyncio.gather(*(post(world, each) for each in bodies))
    assert {each.status_code for each in answers} <= {202, 503}
    for body in bodies:
        await applied(world, body)
    tree = await world.application.standings.tree()
    assert [tree.find(code) is None for code in ("M-0", "M-1", "M-2")] == [True, False, True]
    await sound(world)
