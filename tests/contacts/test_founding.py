"""Making contacts by the batch leaves what making them one by one leaves, and refuses what that refuses."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import select

from app.application import Application
from app.audit.repository import EventFilter
from app.auth.errors import AccountExists, MalformedName
from app.contacts.errors import (
    DuplicateEmployeeNumber,
    DuplicateUserName,
    NotCollected,
    UnknownContact,
    UnknownDepartment,
)
from app.contacts.forms import Forms
from app.contacts.forms import load as load_forms
from app.contacts.founding import ContactFounder, NewContact
from app.contacts.members import MemberReader
from app.contacts.models import Contact, ContactChange, ContactDepartment, ContactKey, ContactTag
from app.contacts.schemas import Membership
from app.crypto.models import DataKeyRow
from app.kit.models import new_id
from tests.support.application import OPERATOR, SENSITIVE, World

ONE: Final[Mapping[str, Any]] = {
    "name": "欧阳若砚",
    "name_en": "Ruoyan Ouyang",
    "user_name": "Ruoyan.Ouyang",
    "employee_no": "E7001",
    "department": "RD",
    "title": "架构师",
    "memberships": [Membership(department="RD-CORE", title="顾问")],
    "tags": ["研发", "顾问"],
    "secrecy": "core",
    "office_phone": "010-8888 1001",
    "mobile": "138 0000 4001",
    "email": "Ruoyan@EXAMPLE.com",
    "id_number": None,
    "birth_date": "1990-01-02",
}
OTHER: Final[Mapping[str, Any]] = {
    **ONE,
    "name": "欧阳若衡", "user_name": "ruoheng.ouyang", "employee_no": "E7002", "mobile": "13800004002",
}  # fmt: skip


def founder(application: Application) -> ContactFounder:
    return ContactFounder(
        repository=application.contact_rows,
        members=MemberReader(application.contact_rows, region="CN", forms=Forms(load_forms(), switched_on=SENSITIVE)),
        sealer=application.sealer,
        accounts=application.accounts,
        tagger=application.lookups.tagger,
        clock=application.clock,
    )


async def found(world: World, *given: Mapping[str, Any], kind: str = "employee") -> list[UUID]:
    application = world.application
    new = [NewContact(new_id(), kind, each) for each in given]
    async with application.database.unit_of_work() as unit:
        await founder(application).create(unit, OPERATOR, await application.standings.tree(), new)
    await world.settle()
    return [each.id for each in new]


async def left(world: World, identity: UUID) -> dict[str, Any]:
    """Tell what a contact's creation left in the store, but for ids, times, keys and what is sealed under them."""
    async with world.application.database.session() as session:
        contact = await session.get_one(Contact, identity)
        row = {name: getattr(contact, name) for name in Contact.__table__.columns.keys()}  # noqa: SIM118 — not a mapping
        for name in ("id", "created_at", "updated_at", "mac", "digests"):
            row.pop(name)
        boxes = {name: len(value.envelope) for name, value in row.items() if hasattr(value, "envelope")}
        changes = await session.scalars(select(ContactChange).where(ContactChange.contact_id == identity))
        keys = await session.execute(select(ContactKey.rank, ContactKey.term).where(ContactKey.contact_id == identity))
        departments = await session.scalars(
            select(ContactDepartment.department_id).where(ContactDepartment.contact_id == identity)
        )
        tags = await session.scalars(select(ContactTag.tag).where(ContactTag.contact_id == identity))
        key = await session.get_one(DataKeyRow, identity)
        account = await world.application.accounts.by_contact(session, identity)
        return {
            **row,
            **boxes,
            "digests": len(contact.digests),
            "changes": sorted((each.row_version, each.field, each.actor_id, each.value is None) for each in changes),
            "keys": sorted(map(tuple, keys)),
            "departments": set(departments),
            "tags": set(tags),
            "key": (key.version, key.kek_version),
            "account": account and (account.tier, account.roles, account.state, account.epoch),
        }


def told(found: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the two contacts of a comparison differ in."""
    own = {"name", "user_name", "user_name_key", "employee_no", "keys"}
    return {name: value for name, value in found.items() if name not in own}


async def test_a_batch_leaves_what_single_writes_leave(world: World) -> None:
    application = world.application
    tree = await application.standings.tree()
    async with application.database.unit_of_work() as unit:
        single = await application.contact_writer.create(unit, OPERATOR, tree, "employee", dict(ONE))
    await world.settle()
    (batched,) = await found(world, OTHER)
    one, other = await left(world, single.record.subject), await left(world, batched)
    assert told(one) == told(other)
    assert len(one["keys"]) == len(other["keys"]) > 10
    events = [
        (await application.events.search(EventFilter(contact_id=identity), limit=10)).events
        for identity in (single.record.subject, batched)
    ]
    (first,), (second,) = events
    for name in ("action", "actor_id", "decision", "fields", "count"):
        assert getattr(first.event, name) == getattr(second.event, name)


async def test_a_batch_is_read_found_and_its_values_open(world: World) -> None:
    await found(world, ONE, OTHER)
    answer = await (await world.as_("hr")).get("/v1/contacts", params={"q": "ouyang"})
    cards = {each["user_name"].lower(): each for each in answer.json()["items"]}
    assert {"ruoyan.ouyang", "ruoheng.ouyang"} <= cards.keys()
    assert cards["ruoyan.ouyang"]["email"]["value"] == "R***@example.com"
    own = (await (await world.as_("ruoheng.ouyang")).get("/v1/me")).json()
    assert own["card"]["mobile"]["value"] == "13800004002"


async def test_people_of_a_batch_may_name_one_another(world: World) -> None:
    application = world.application
    boss, member = (NewContact(new_id(), "employee", each) for each in (ONE, OTHER))
    member = NewContact(
        member.id, member.kind, {**member.given, "manager": boss.id, "dotted_manager": world.people["hr"]}
    )
    async with application.database.unit_of_work() as unit:
        await founder(application).create(unit, OPERATOR, await application.standings.tree(), [boss, member])
    async with application.database.session() as session:
        row = await session.get_one(Contact, member.id)
    assert (row.manager_id, row.dotted_manager_id) == (boss.id, world.people["hr"])


async def test_nobody_is_no_batch(sqlite_world: World) -> None:
    assert await found(sqlite_world) == []


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"manager": new_id()}, UnknownContact),
        ({"department": "NOWHERE"}, UnknownDepartment),
        ({"employee_no": ONE["employee_no"]}, DuplicateEmployeeNumber),
        ({"user_name": "RUOYAN.ouyang"}, DuplicateUserName),
        ({"user_name": "hr-system"}, AccountExists),
        ({"business_phone": "13800004003"}, NotCollected),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else each.__name__,
)
async def test_one_that_is_refused_takes_the_batch_with_it(
    sqlite_world: World, given: Mapping[str, Any], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await found(sqlite_world, ONE, {**OTHER, **given})
    async with sqlite_world.application.database.session() as session:
        assert not list(await session.scalars(select(Contact.id).where(Contact.employee_no == ONE["employee_no"])))


async def test_accounts_by_the_batch_are_refused_as_single_ones_are(sqlite_world: World) -> None:
    accounts, database = sqlite_world.application.accounts, sqlite_world.application.database
    for names, refusal in (({"": new_id()}, MalformedName), ({"staff": new_id()}, AccountExists)):
        with pytest.raises(refusal):
            async with database.unit_of_work() as unit:
                await accounts.add_all(unit.session, names)
