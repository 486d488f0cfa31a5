"""Who moves is elsewhere at once, with the rights of there; what changes on a card is written where it differs, and nowhere else."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.auth.models import AccountRow
from app.contacts.models import Contact, ContactChange
from app.hr.models import HrEvent
from tests.hr.calls import applied, counted, grant_to, grown, kept, live_grants, post
from tests.hr.events import joined, left, moved, updated
from tests.support.application import World


async def card(world: World, reader: str, contact: str) -> dict[str, Any]:
    answer = await (await world.as_(reader)).get(f"/v1/contacts/{contact}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def version(world: World, contact: str) -> int:
    async with world.application.database.session() as session:
        return await session.scalar(select(Contact.row_version).where(Contact.id == UUID(contact))) or 0


async def test_moving_changes_place_title_and_manager(world: World) -> None:
    person = (await applied(world, joined("E9001", manager="E2104")))["contact_id"]
    further = [{"department": "HR", "title": "顾问", "leader": True}]
    body = moved("E9001", department="SALES", title="客户经理", manager="E2103", memberships=further)
    told = await applied(world, body)
    assert (told["contact_id"], told["numbers"], told["problem"]) == (person, [], None)
    found = await card(world, "colleague", person)
    assert (found["department"]["code"], found["title"]) == ("SALES", "客户经理")
    assert found["manager"] == str(world.people["outsider"])
    (membership,) = found["memberships"]
    assert (membership["department"]["code"], membership["title"], membership["leader"]) == ("HR", "顾问", True)
    assert {each["id"] for each in await in_department(world, "RD")} & {person} == set()
    for code in ("SALES", "HR"):
        assert person in {each["id"] for each in await in_department(world, code)}


async def in_department(world: World, code: str) -> list[dict[str, Any]]:
    answer = await (await world.as_("hr")).get("/v1/contacts", params={"department": code, "limit": 200})
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_what_a_move_does_not_name_stays_and_null_removes(world: World) -> None:
    person = (await applied(world, joined("E9001", manager="E2104")))["contact_id"]
    await applied(world, moved("E9001", memberships=[{"department": "HR"}]))
    await applied(world, moved("E9001", department="SALES", manager=None))
    found = await card(world, "hr", person)
    assert (found["department"]["code"], found["title"], found["manager"]) == ("SALES", "工程师", None)
    assert [each["department"]["code"] for each in found["memberships"]] == ["HR"]
    await applied(world, moved("E9001", memberships=[]))
    assert (await card(world, "hr", person))["memberships"] == []


async def test_a_mover_has_the_rights_of_the_new_place_at_once(world: World) -> None:
    """No pause and no new token: the next look is decided where the person now is, and exceptions for the former work are over."""
    await applied(world, joined("E9001"))
    mover = await world.as_("test.e9001")
    path = f"/v1/contacts/{world.people['core']}"
    account = await grant_to(world, "E9001", of="outsider")
    assert (await mover.get("/v1/contacts", params={"department": "RD"})).status_code == 200
    assert await live_grants(world, account) == 1
    await applied(world, moved("E9001", title="高级工程师"))
    assert await live_grants(world, account) == 1
    before = (await world.viewer("test.e9001")).standing
    await applied(world, moved("E9001", department="SALES"))
    after = (await world.viewer("test.e9001")).standing
    assert (before.main_department, after.main_department) == (world.departments["RD"], world.departments["SALES"])
    assert await live_grants(world, account) == 0
    assert (await mover.get(path)).status_code == 200


async def test_a_move_that_changes_nothing_leaves_no_version(world: World) -> None:
    person = (await applied(world, joined("E9001", manager="E2104")))["contact_id"]
    before, at = await counted(world), await version(world, person)
    body = moved("E9001", department="RD", title="工程师", manager=str(world.people["head"]), memberships=[])
    assert (await applied(world, body))["contact_id"] == person
    assert grown(before, await counted(world)) == {"hr_event": 1, "audit_intent": 1}
    assert await version(world, person) == at


SEALED = {
    "office_phone": ("010-88889001", "+861088889001"),
    "email": ("New.E9001@Example.COM", "New.E9001@example.com"),
    "mobile": ("13700007777", "+8613700007777"),
    "personal_mobile": ("13700008888", "+8613700008888"),
    "wechat": ("wx_new_9001", "wx_new_9001"),
    "plate": ("京A12345", "京A12345"),
    "home_address": ("北京市海淀区无名路 9 号", "北京市海淀区无名路 9 号"),
    "birth_date": ("1990-01-02", "1990-01-02"),
    "id_number": ("11010519491231002x", "11010519491231002X"),
}
"""Fields of C2 to C5, as a source writes them and as they are kept."""


async def test_any_collected_field_is_updated_sealed_and_only_where_it_differs(world: World) -> None:
    person = (await applied(world, joined("E9001")))["contact_id"]
    at = await version(world, person)
    data = {name: written for name, (written, _) in SEALED.items()} | {"title": "架构师", "name": "逄改名"}
    await applied(world, updated("E9001", **data))
    assert await version(world, person) == at + 1
    client = await world.as_("test.e9001")
    own = (await client.get(f"/v1/contacts/{person}")).json()
    assert (own["name"], own["title"]) == ("逄改名", "架构师")
    shown = {name: own[name].get("value") for name in SEALED if own[name]["state"] == "shown"}
    assert {"mobile", "email", "office_phone"} <= shown.keys()
    assert all(shown[name] in {SEALED[name][0], SEALED[name][1], SEALED[name][1].removeprefix("+86")} for name in shown)
    async with world.application.database.session() as session:
        changes = (await session.scalars(select(ContactChange).where(ContactChange.contact_id == UUID(person)))).all()
    last = [each for each in changes if each.row_version == at + 1]
    assert {each.field for each in last} == data.keys()
    assert {(each.actor_type, each.actor_id) for each in last} == {("service", "hr-system")}

    before = await counted(world)
    again = {name: kept_as for name, (_, kept_as) in SEALED.items()} | {"title": "架构师"}
    await applied(world, updated("E9001", **again))
    assert grown(before, await counted(world)) == {"hr_event": 1, "audit_intent": 1}
    await applied(world, updated("E9001", **again | {"wechat": "wx_other"}))
    assert grown(before, await counted(world)) == {"hr_event": 2, "audit_intent": 3, "contact_change": 1}
    assert await version(world, person) == at + 2


async def test_null_removes_a_value_and_removing_what_is_not_there_changes_nothing(world: World) -> None:
    person = (await applied(world, joined("E9001", wechat="wx_9001")))["contact_id"]
    await applied(world, updated("E9001", wechat=None, title=None))
    async with world.application.database.session() as session:
        contact = await session.get_one(Contact, UUID(person))
    assert (contact.wechat, contact.title) == (None, None)
    at = await version(world, person)
    await applied(world, updated("E9001", wechat=None, qq=None, title=None))
    assert await version(world, person) == at


async def test_a_new_user_name_is_bound_and_the_old_one_is_dead(world: World) -> None:
    person = (await applied(world, joined("E9001")))["contact_id"]
    former = await world.as_("test.e9001")
    assert (await former.get(f"/v1/contacts/{person}")).status_code == 200
    await applied(world, updated("E9001", user_name="Test.New"))
    assert (await former.get(f"/v1/contacts/{person}")).status_code == 401
    current = await (await world.as_("test.new")).get(f"/v1/contacts/{person}")
    assert current.json()["mobile"]["state"] == "shown"
    async with world.application.database.session() as session:
        rows = await session.execute(
            select(AccountRow.user_name_key, AccountRow.state).where(AccountRow.user_name_key.like("test.%"))
        )
        states = {str(name): str(state) for name, state in rows}
    assert states == {"test.e9001": "disabled", "test.new": "active"}


@pytest.mark.parametrize("body", [moved("E9001", department="SALES"), updated("E9001", mobile="13700007777")])
async def test_nothing_changes_about_somebody_who_left(world: World, body: dict[str, Any]) -> None:
    person = (await applied(world, joined("E9001")))["contact_id"]
    await applied(world, left("E9001"))
    before, at = await counted(world), await version(world, person)
    told = (await post(world, body)).json()
    assert (told["state"], told["problem"]["code"], told["contact_id"]) == ("waiting", "subject_left", person)
    assert grown(before, await counted(world)) == {"hr_event": 1, "audit_intent": 1}
    assert await version(world, person) == at
    row: HrEvent = await kept(world, body["id"])
    assert row.payload is not None


async def test_a_hotline_is_not_the_personnel_systems_to_change(sqlite_world: World) -> None:
    """Policy gives it employees and temporary workers; the refusal is on record and names whom it was about."""
    hotline = sqlite_world.people["hotline"]
    answer = await (await sqlite_world.as_("steward")).get(f"/v1/contacts/{hotline}")
    changed = await (await sqlite_world.as_("steward")).patch(
        f"/v1/contacts/{hotline}", json={"employee_no": "H1"}, headers={"If-Match": answer.headers["ETag"]}
    )
    assert changed.status_code == 200, changed.text
    await sqlite_world.settle()
    before = await counted(sqlite_world)
    for body in (updated("H1", title="x"), moved("H1", department="RD"), left("H1")):
        refused = await post(sqlite_world, body)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted")
    assert await counted(sqlite_world) == before
    query = {"decision": "refused", "action": "hr.event", "contact": str(hotline)}
    events = (await (await sqlite_world.as_("infosec")).get("/v1/access-events", params=query)).json()["items"]
    assert [(event["actor"]["id"], event["code"]) for event in events] == [("hr-system", "not_permitted")] * 3
