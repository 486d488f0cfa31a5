"""A contact that is taken out of the directory gives its numbers back in the same transaction, over HTTP, on both engines."""

import pytest
from sqlalchemy import text

from tests.hr.test_leaving import crash_at, everything
from tests.numbers.calls import add_pool, allocate, it_client
from tests.support.application import World
from tests.support.shared import add_person

TABLES = ("number", "number_assignment", "contact_key")


async def rows(world: World) -> dict[str, list[str]]:
    found = await everything(world)
    async with world.application.database.session() as session:
        for table in TABLES:
            told = await session.execute(text(f"SELECT * FROM {table}"))
            found[table] = sorted(repr(tuple(row)) for row in told)
    return found


async def test_an_archived_contacts_numbers_rest_and_history_tells_it(world: World) -> None:
    desk, lines = await add_pool(world), await add_pool(world)
    person, colleague = await add_person(world), await add_person(world)
    await allocate(world, desk, person.id, 2)
    await allocate(world, desk, person.id, role="extension")
    for each in (person, colleague):
        await allocate(world, lines, each.id, digits=lines.digits(1), role="shared")
    hr, it = await world.as_("hr"), await it_client(world)
    seen = await hr.get(person.path)
    gone = await hr.delete(person.path, headers={"If-Match": seen.headers["ETag"]})
    assert gone.status_code == 204, gone.text
    assert (await hr.get(person.path)).status_code == 404
    for at in range(3):
        told = (await it.get(f"/v1/numbers/{desk.digits(at)}")).json()
        assert (told["state"], told["holders"]) == ("quarantined", [])
        (held,) = (await it.get(f"/v1/numbers/{desk.digits(at)}/history")).json()["items"]
        assert (held["reason"], held["ended_at"] is None) == ("left", False)
    shared_line = (await it.get(f"/v1/numbers/{lines.digits(1)}")).json()
    assert (shared_line["state"], [each["id"] for each in shared_line["holders"]]) == ("assigned", [str(colleague.id)])
    assert (await hr.get("/v1/contacts", params={"q": desk.digits(0)})).json()["items"] == []
    await world.settle()
    async with world.application.database.session() as session:
        kept = (
            await session.execute(text("SELECT short_numbers, extension FROM contact WHERE status = 'archived'"))
        ).one()
    assert kept[0] in ("[]", [])
    assert kept[1] is None


@pytest.mark.parametrize("numbers", [0, 2])
async def test_a_crash_in_between_leaves_all_or_nothing(world: World, numbers: int) -> None:
    pool, person = await add_pool(world), await add_person(world)
    if numbers:
        await allocate(world, pool, person.id, numbers)
    hr = await world.as_("hr")
    await hr.get(person.path)
    await world.settle()
    before, count = await rows(world), 0
    while True:
        count += 1
        with crash_at(world, count) as run:
            answer = await hr.delete(person.path, headers={"If-Match": "*"})
        if len(run) < count:
            break
        assert answer.status_code == 500, run[-1]
        assert await rows(world) == before, run[-1]
    assert count > (20 if numbers else 10)
    assert answer.status_code == 204
    it = await it_client(world)
    for at in range(numbers):
        assert (await it.get(f"/v1/numbers/{pool.digits(at)}")).json()["state"] == "quarantined"


async def test_the_api_lets_nobody_leave_by_a_status(world: World) -> None:
    """``left`` and ``archived`` are reached by the personnel event and by DELETE alone, and both take the numbers back."""
    pool, person = await add_pool(world), await add_person(world)
    await allocate(world, pool, person.id)
    hr = await world.as_("hr")
    for status in ("left", "archived", "prehire"):
        answer = await hr.patch(person.path, json={"status": status}, headers={"If-Match": "*"})
        assert answer.status_code == 422, answer.text
    assert (await (await it_client(world)).get(f"/v1/numbers/{pool.digits(0)}")).json()["state"] == "assigned"
