"""What giving and taking write on a card is what writing the card whole would have written: columns, MAC, version, history and keys."""

from typing import Any, Final

import pytest
from sqlalchemy import select, text

from app.contacts.indexing import index_again
from app.contacts.models import Contact, ContactChange, ContactKey
from app.contacts.rows import covered
from app.crypto.stored import stored_key
from app.numbers.pool_repository import PoolRepository
from app.numbers.repository import Grant, Holder
from app.numbers.values import Wanted
from tests.numbers.calls import TestPool, add_pool, allocate, release
from tests.support.application import OPERATOR, World
from tests.support.shared import Added, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

KINDS: Final[dict[str, dict[str, Any]]] = {
    "employee": {"memberships": None, "title": "工程师"},
    "external": {"user_name": None, "employee_no": None, "mobile": None, "email": None, "office_phone": None,
                 "personal_mobile": None, "wechat": None, "organisation": "供货商"},
}  # fmt: skip


async def give(world: World, pool: TestPool, person: Added, count: int, role: str = "short") -> None:
    """Give numbers as somebody would who may name everybody."""
    async with world.application.database.unit_of_work() as unit:
        found = await PoolRepository().pool(unit.session, pool.code)
        assert found is not None
        grant = Grant(holder=Holder("contact", person.id), role=role, caller="operator:test", author=OPERATOR)
        await world.application.numbers.service.allocate(unit, found, grant, Wanted(count))


async def keys(world: World, person: Added) -> list[tuple[Any, ...]]:
    async with world.application.database.session() as session:
        rows = await session.execute(
            select(ContactKey.rank, ContactKey.term, ContactKey.name).where(ContactKey.contact_id == person.id)
        )
        return sorted(map(tuple, rows))


async def is_whole(world: World, person: Added, version: int) -> None:
    """Fail unless the row is under its MAC, at this version, and found by what it would be found by if it were indexed anew."""
    found = await keys(world, person)
    async with world.application.database.unit_of_work() as unit:
        contact = await unit.session.get_one(Contact, person.id)
        assert contact.row_version == version
        sealer = world.application.sealer.existing(contact.id, await stored_key(unit.session, person.id))
        assert sealer.verify(covered(contact), contact.mac)
        await unit.session.execute(ContactKey.__table__.delete().where(ContactKey.contact_id == person.id))  # type: ignore[attr-defined]
        await index_again(unit.session, contact, {"short_numbers"})
    assert found == await keys(world, person)


@pytest.mark.parametrize("kind", KINDS)
async def test_giving_and_taking_leave_a_card_as_if_written_whole(shared: World, kind: str) -> None:
    pool, person = await add_pool(shared), await add_person(shared, kind=kind, **KINDS[kind])
    await is_whole(shared, person, 1)
    await give(shared, pool, person, 3)
    await is_whole(shared, person, 2)
    await give(shared, pool, person, 1, "extension")
    await is_whole(shared, person, 3)
    await release(shared, pool.digits(1))
    await is_whole(shared, person, 4)
    async with shared.application.database.unit_of_work() as unit:
        await shared.application.numbers.service.end_assignments(unit, OPERATOR, contact_id=person.id, cause="moved")
    await is_whole(shared, person, 5)
    async with shared.application.database.session() as session:
        rows = await session.execute(
            select(ContactChange.row_version, ContactChange.field, ContactChange.actor_id)
            .where(ContactChange.contact_id == person.id, ContactChange.row_version > 1)
            .order_by(ContactChange.row_version, ContactChange.field)
        )
        assert [tuple(row) for row in rows] == [
            (2, "short_numbers", OPERATOR.id),
            (3, "extension", OPERATOR.id),
            (4, "short_numbers", "it-scripts"),
            (5, "extension", OPERATOR.id),
            (5, "short_numbers", OPERATOR.id),
        ]


async def test_a_key_that_is_there_already_hinders_nobody(shared: World) -> None:
    """Keys decide what a search looks at, so one too many is no reason to give nobody a number."""
    pool, person = await add_pool(shared), await add_person(shared)
    await allocate(shared, pool, person.id)
    async with shared.application.database.unit_of_work() as unit:
        await unit.session.execute(
            text("UPDATE contact_key SET term = :next WHERE term = :now"),
            {"next": pool.digits(1), "now": pool.digits(0)},
        )
    assert await allocate(shared, pool, person.id) == [pool.digits(1)]
