"""Who is one person: said by an operator, on record, never taken back by SQL, and unclear rather than wrong."""

import asyncio
import sqlite3
from collections.abc import Mapping
from uuid import UUID

import asyncpg
import pytest
from structlog.testing import capture_logs

from app.approvals.delegation_errors import PersonUnclear, SamePerson
from app.kit.models import new_id
from tests.approvals.delegating import add_people, give, same_person
from tests.policy.tampering import Intruder
from tests.support.application import OPERATOR, World
from tests.support.problems import problem
from tests.support.shared import Added, Company

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def persons(world: World, *people: Added) -> Mapping[UUID, UUID]:
    application = world.application
    wanted = [each.id for each in people]
    outside = await application.delegations.persons.of(application.database.reader, wanted)
    async with application.database.session() as session:
        assert await application.delegations.persons.of(session, wanted) == outside
    return outside


async def part(world: World, who: Added) -> bool:
    async with world.application.database.unit_of_work() as unit:
        return await world.application.delegations.persons.part(unit, OPERATOR, who.id)


async def told(world: World, action: str, who: Added) -> int:
    await world.settle()
    params = {"action": action, "contact": str(who.id)}
    answer = await (await world.as_("infosec")).get("/v1/access-events", params=params)
    return len(answer.json()["items"])


async def test_who_is_not_linked_is_a_person_of_their_own(shared: World) -> None:
    one, other = await add_people(shared, 2)
    assert await persons(shared, one, other) == {one.id: one.id, other.id: other.id}
    assert await shared.application.delegations.persons.of(shared.application.database.reader, []) == {}


async def test_two_cards_of_one_person(shared: World) -> None:
    one, other, stranger = await add_people(shared, 3)
    await same_person(shared, one, other)
    found = await persons(shared, one, other, stranger)
    assert found[one.id] == found[other.id]
    assert found[one.id] not in {one.id, other.id, stranger.id}
    assert found[stranger.id] == stranger.id
    assert (await told(shared, "person.join", one), await told(shared, "person.join", other)) == (1, 1)
    await same_person(shared, other, one)
    assert await persons(shared, one, other, stranger) == found
    assert await told(shared, "person.join", one) == 1, "nothing was said that was not known"


async def test_two_people_who_turn_out_to_be_one_bring_all_their_cards(shared: World) -> None:
    one, second, third, fourth = await add_people(shared, 4)
    await same_person(shared, one, second)
    await same_person(shared, third, fourth)
    await same_person(shared, second, third)
    assert len(set((await persons(shared, one, second, third, fourth)).values())) == 1


async def test_parting(shared: World) -> None:
    one, second, third = await add_people(shared, 3)
    await same_person(shared, one, second, third)
    assert await part(shared, one)
    found = await persons(shared, one, second, third)
    assert found[one.id] == one.id
    assert found[second.id] == found[third.id] != second.id
    assert not await part(shared, one), "there is nothing more to part"
    assert await told(shared, "person.part", one) == 1
    await same_person(shared, one, second)
    assert len(set((await persons(shared, one, second, third)).values())) == 1


async def test_nobody_and_one_card_are_no_two_cards(shared: World) -> None:
    (one,) = await add_people(shared, 1)
    desk = shared.application.delegations.persons
    for pair in ((one.id, one.id), (one.id, None), (None, one.id)):
        with pytest.raises(SamePerson):
            async with shared.application.database.unit_of_work() as unit:
                await desk.join(unit, OPERATOR, *pair)
    with pytest.raises(SamePerson):
        async with shared.application.database.unit_of_work() as unit:
            await desk.part(unit, OPERATOR, None)


async def test_two_operators_at_once(shared: World) -> None:
    one, second, third = await add_people(shared, 3)
    await asyncio.gather(same_person(shared, one, second), same_person(shared, second, third))
    assert len(set((await persons(shared, one, second, third)).values())) == 1


async def test_a_link_forged_by_hand_makes_unclear_and_never_two_people(shared: World, company: Company) -> None:
    one, other, colleague = await add_people(shared, 3)
    await same_person(shared, one, other)
    intruder, kind = Intruder(company.store), "blob" if company.store.dialect == "sqlite" else "uuid"
    await intruder.run(
        "INSERT INTO person_link (id, contact_id, number, person_id, at, actor_type, actor_id, mac)"
        f" SELECT CAST(? AS {kind}), contact_id, number + 1, contact_id, at, actor_type, actor_id, mac"
        " FROM person_link WHERE contact_id = ?",
        new_id(),
        other.id,
    )
    with capture_logs() as logged, pytest.raises(PersonUnclear):
        await persons(shared, one, other)
    assert {each["table"] for each in logged if each["event"] == "row_mac_mismatch"} == {"person_link"}
    assert (await persons(shared, one))[one.id] != one.id
    problem(await give(shared, other, colleague), 503, "person_unclear")
    await same_person(shared, one, other)
    found = await persons(shared, one, other)
    assert found[one.id] == found[other.id], "an operator has said it anew"


async def test_links_are_only_ever_added(shared: World, company: Company) -> None:
    one, other = await add_people(shared, 2)
    await same_person(shared, one, other)
    intruder = Intruder(company.store)
    for statement in (
        "UPDATE person_link SET person_id = contact_id WHERE contact_id = ?",
        "DELETE FROM person_link WHERE contact_id = ?",
    ):
        with pytest.raises((asyncpg.PostgresError, sqlite3.DatabaseError), match="append-only"):
            await intruder.run(statement, other.id)
    found = await persons(shared, one, other)
    assert found[one.id] == found[other.id]
