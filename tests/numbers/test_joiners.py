"""What the personnel events ask of the number plan: a number for who joins, an end for who leaves."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.contacts.models import Contact
from app.kit.errors import NotFound
from app.numbers.errors import PoolExhausted
from tests.numbers.calls import add_pool, allocate, it_client
from tests.support.application import OPERATOR, World
from tests.support.shared import Added, add_department, add_person


async def join(world: World, person: Added, department: UUID | None) -> Sequence[str]:
    """Give a number to somebody who joins."""
    async with world.application.database.unit_of_work() as unit:
        return await world.application.numbers.service.number_for_joiner(
            unit, OPERATOR, contact_id=person.id, department_id=department
        )


async def test_the_nearest_pool_up_the_tree_gives_the_number(world: World) -> None:
    person = await add_person(world)
    top, middle, low = (
        world.departments["RD"],
        world.departments["RD-CORE"],
        await add_department(world, parent="RD-CORE"),
    )
    lowest = world.departments[low]
    assert await join(world, person, lowest) == ()
    company = await add_pool(world, joiners=True)
    assert await join(world, person, lowest) == (company.digits(0),)
    assert await join(world, person, None) == (company.digits(1),)
    await add_pool(world, department="RD", joiners=False)
    assert await join(world, person, lowest) == (company.digits(2),)
    upper = await add_pool(world, department="RD", joiners=True)
    assert await join(world, person, lowest) == (upper.digits(0),)
    near = await add_pool(world, department="RD-CORE", joiners=True)
    assert await join(world, person, lowest) == (near.digits(0),)
    assert await join(world, person, middle) == (near.digits(1),)
    assert await join(world, person, top) == (upper.digits(1),)
    assert await join(world, person, world.departments["SALES"]) == (company.digits(3),)
    card = (await (await world.as_("hr")).get(person.path)).json()
    assert len(card["short_numbers"]) == 8


async def test_an_empty_pool_changes_nothing_and_is_not_passed_over(world: World) -> None:
    person = await add_person(world)
    await add_pool(world, joiners=True)
    await add_pool(world, 0, department="SALES", joiners=True)
    with pytest.raises(PoolExhausted):
        await join(world, person, world.departments["SALES"])
    assert (await (await world.as_("hr")).get(person.path)).json()["short_numbers"] == []


async def test_somebody_made_in_the_same_transaction_gets_a_number(world: World) -> None:
    pool = await add_pool(world, joiners=True)
    application = world.application
    tree = await application.standings.tree()
    async with application.database.unit_of_work() as unit:
        made = await application.contact_writer.create(
            unit, OPERATOR, tree, "employee", {"name": "新", "department": "RD"}
        )
        digits = await application.numbers.service.number_for_joiner(
            unit, OPERATOR, contact_id=made.record.subject, department_id=world.departments["RD"]
        )
    assert digits == (pool.digits(0),)
    card = (await (await world.as_("hr")).get(f"/v1/contacts/{made.record.subject}")).json()
    assert card["short_numbers"] == [pool.digits(0)]


async def test_leaving_ends_everything_in_one_transaction(world: World) -> None:
    desk, lines = await add_pool(world), await add_pool(world, quarantine_days=180)
    person, colleague = await add_person(world), await add_person(world)
    await allocate(world, desk, person.id, 2)
    await allocate(world, desk, person.id, role="extension")
    await allocate(world, lines, person.id, digits=lines.digits(5), role="shared")
    await allocate(world, lines, colleague.id, digits=lines.digits(5), role="shared")
    application = world.application
    service, tree = application.numbers.service, await application.standings.tree()
    async with application.database.unit_of_work() as unit:
        record = await application.contact_rows.by_id(person.id, tree)
        assert record is not None
        await application.contact_writer.hide(unit, OPERATOR, record)
        ended = await service.end_assignments(unit, OPERATOR, contact_id=person.id, cause="left")
    assert sorted(ended) == sorted([*(desk.digits(at) for at in range(3)), lines.digits(5)])
    it = await it_client(world)
    states = {}
    for digits in ended:
        told = (await it.get(f"/v1/numbers/{digits}")).json()
        states[digits] = (told["state"], [each["id"] for each in told["holders"]])
    assert states == {
        **{desk.digits(at): ("quarantined", []) for at in range(3)},
        lines.digits(5): ("assigned", [str(colleague.id)]),
    }
    async with application.database.session() as session:
        contact = await session.get_one(Contact, person.id)
        assert (contact.short_numbers, contact.extension, contact.status) == ([], None, "left")
    async with application.database.unit_of_work() as unit:
        assert await service.end_assignments(unit, OPERATOR, contact_id=person.id, cause="left") == ()
        with pytest.raises(ValueError, match="boredom"):
            await service.end_assignments(unit, OPERATOR, contact_id=person.id, cause="boredom")


async def test_a_row_edited_past_us_is_never_signed_anew(world: World) -> None:
    pool, person = await add_pool(world), await add_person(world)
    await allocate(world, pool, person.id)
    async with world.application.database.unit_of_work() as unit:
        contact = await unit.session.get_one(Contact, person.id)
        contact.secrecy = "executive"
    with pytest.raises(NotFound):
        async with world.application.database.unit_of_work() as unit:
            await world.application.numbers.service.end_assignments(unit, OPERATOR, contact_id=person.id, cause="left")
    assert (await (await it_client(world)).get(f"/v1/numbers/{pool.digits()}")).json()["state"] == "assigned"


FORBIDDEN = (
    "UPDATE number_assignment SET holder_type = 'department'",
    "UPDATE number_assignment SET started_at = started_at, role = 'shared'",
    "UPDATE number_assignment SET cause = 'moved' WHERE ended_at IS NOT NULL",
    "UPDATE number_assignment SET ended_at = NULL, cause = NULL WHERE ended_at IS NOT NULL",
    "DELETE FROM number_assignment",
)


async def test_who_held_a_number_cannot_be_rewritten(world: World) -> None:
    pool, person = await add_pool(world), await add_person(world)
    await allocate(world, pool, person.id, 2)
    it = await it_client(world)
    assert (await it.post(f"/v1/numbers/{pool.digits()}/releases", json={})).status_code == 201
    for statement in FORBIDDEN:
        with pytest.raises(DBAPIError, match=r"is history|permission denied"):
            async with world.application.database.unit_of_work() as unit:
                await unit.session.execute(text(statement))
