"""Who joins gets a number from the pool; who comes back is the person they were, without the rights that they had."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from app.contacts.models import Contact
from tests.hr.calls import applied, counted, grant_to, live_grants, post
from tests.hr.conftest import with_pool
from tests.hr.events import joined, left, moved, rehired, updated
from tests.hr.numbers import FakeNumbers
from tests.support.application import World


async def test_a_joiner_gets_a_number_of_the_departments_pool(world: World, pool: FakeNumbers) -> None:
    body = joined("E9001", department="RD-CORE")
    told = await applied(world, body)
    assert (told["numbers"], told["problem"]) == (["61001"], None)
    assert pool.asked == [("join", UUID(told["contact_id"]), world.departments["RD-CORE"])]
    assert pool.held == {"61001": UUID(told["contact_id"])}
    again = await post(world, body)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (told, "true")
    assert len(pool.asked) == 1
    client = await world.as_("hr-system")
    assert (await client.get(f"/v1/hr/events/{body['id']}")).json()["numbers"] == ["61001"]


async def test_where_no_pool_takes_joiners_there_is_no_number_and_no_problem(world: World) -> None:
    told = await applied(world, joined("E9001"))
    assert (told["numbers"], told["problem"]) == ([], None)


async def test_an_exhausted_pool_keeps_nobody_out(world: World) -> None:
    pool = with_pool(world)
    body = joined("E9001")
    told = await applied(world, body)
    assert told["numbers"] == []
    assert told["problem"]["code"] == "pool_exhausted"
    found = await (await world.as_("test.e9001")).get(f"/v1/contacts/{told['contact_id']}")
    assert (found.status_code, found.json()["short_numbers"]) == (200, [])
    again = await post(world, body, **{"Accept-Language": "zh"})
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json()["problem"] == {"code": "pool_exhausted", "detail": "号段池可用号码不足"}
    assert (len(pool.asked), pool.held) == (1, {})
    await world.settle()
    events = await (await world.as_("infosec")).get("/v1/access-events", params={"action": "hr.event"})
    (logged,) = events.json()["items"]
    told_of = await (await world.as_("infosec")).get(f"/v1/access-events/{logged['id']}")
    assert told_of.json()["query"] | {"entry": 0} == {
        "type": "employee.joined", "state": "applied", "problem": "pool_exhausted", "entry": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (joined("E9001", department="NOWHERE"), "unknown_department"),
        (joined("E2101", user_name="test.other"), "duplicate_employee_no"),
    ],
)
async def test_who_does_not_join_gets_no_number(
    world: World, pool: FakeNumbers, body: dict[str, Any], code: str
) -> None:
    told = (await post(world, body)).json()
    assert (told["state"], told["problem"]["code"], told["numbers"]) == ("failed", code, [])
    assert pool.asked == []


async def test_further_memberships_of_a_joiner(world: World) -> None:
    further = [{"department": "HR", "title": "联络人"}, {"department": "IT"}]
    told = await applied(world, joined("E9001", memberships=further))
    found = (await (await world.as_("hr")).get(f"/v1/contacts/{told['contact_id']}")).json()
    assert [each["department"]["code"] for each in found["memberships"]] == ["HR", "IT"]


async def test_who_comes_back_is_the_same_person_with_the_number_of_before(world: World, pool: FakeNumbers) -> None:
    first = await applied(world, joined("E9001", manager="E2104", wechat="wx_9001", until="2026-12-31"))
    await applied(world, joined("E9002"))
    person, before = first["contact_id"], await world.as_("test.e9001")
    assert (await before.get(f"/v1/contacts/{person}")).status_code == 200
    await applied(world, left("E9001"))
    assert (await (await world.as_("hr")).get(f"/v1/contacts/{person}")).status_code == 404
    told = await applied(world, rehired("E9001", title="客户经理", email="back@example.com"))
    assert (told["contact_id"], told["numbers"], told["problem"]) == (person, ["61001"], None)
    assert (pool.held["61001"], pool.quarantined) == (UUID(person), {})
    assert pool.asked[-1] == ("join", UUID(person), world.departments["SALES"])
    found = (await (await world.as_("hr")).get(f"/v1/contacts/{person}")).json()
    assert (found["status"], found["employee_no"], found["user_name"]) == ("active", "E9001", "test.e9001")
    assert (found["department"]["code"], found["title"]) == ("SALES", "客户经理")
    assert (found["manager"], found["contract_until"], found["memberships"]) == (None, None, [])
    assert (await before.get(f"/v1/contacts/{person}")).status_code == 401, "tokens of before stay dead"
    fresh = {"Authorization": f"Bearer {await world.token('test.e9001')}"}
    own = await (await world.as_(None)).get(f"/v1/contacts/{person}", headers=fresh)
    assert own.json()["mobile"] == {"state": "shown", "value": "13700009001"}
    assert own.json()["email"] == {"state": "shown", "value": "back@example.com"}
    await applied(world, moved("E9001", department="HR"))
    await applied(world, updated("E9001", wechat=None))
    async with world.application.database.session() as session:
        assert await session.scalar(select(Contact.wechat).where(Contact.id == UUID(person))) is None


async def test_a_number_that_did_not_wait_is_replaced_by_another(world: World, pool: FakeNumbers) -> None:
    await applied(world, joined("E9001"))
    await applied(world, left("E9001"))
    pool.quarantined.clear()
    assert (await applied(world, rehired("E9001")))["numbers"] == ["61002"]


async def test_coming_back_to_an_exhausted_pool(world: World) -> None:
    with_pool(world)
    await applied(world, joined("E9001"))
    await applied(world, left("E9001"))
    told = await applied(world, rehired("E9001"))
    assert (told["numbers"], told["problem"]["code"]) == ([], "pool_exhausted")


async def test_nothing_that_was_granted_comes_back(world: World) -> None:
    """Tier, roles, grants and positions of before are over; who comes back starts as everybody does."""
    application = world.application
    await applied(world, joined("E9001"))
    account = await grant_to(world, "E9001", of="outsider")
    async with application.database.unit_of_work() as unit:
        await application.accounts.set_standing(unit.session, "test.e9001", tier="T5", roles=("infosec", "hr"))
        contact = await unit.session.scalar(select(Contact.id).where(Contact.employee_no == "E9001"))
    assert contact is not None
    before = (await world.viewer("test.e9001")).standing
    assert (before.tier.value, before.roles) == ("T5", frozenset({"infosec", "hr"}))
    await applied(world, left("E9001"))
    await applied(world, rehired("E9001", department="RD"))
    after = (await world.viewer("test.e9001")).standing
    assert (after.tier.value, after.roles, after.headed, after.grants) == ("T1", frozenset(), frozenset(), ())
    assert after.user_id == account
    assert await live_grants(world, account) == 0


async def test_a_position_that_a_leaver_kept_is_vacated_when_they_come_back(world: World) -> None:
    """Versions before this one let leavers keep their positions: as if such a store had been taken over."""
    person = UUID((await applied(world, joined("E9001")))["contact_id"])
    await applied(world, left("E9001"))
    application = world.application
    tree = await application.standings.tree()
    node = tree.by_code["SALES"]
    async with application.database.unit_of_work() as unit:
        kept_by = type(node)(**{**{name: getattr(node, name) for name in node.__slots__}, "head_id": person})
        await application.department_rows.update(unit.session, kept_by, seen=node.row_version, at=datetime.now(UTC))
        await unit.session.execute(text("UPDATE epoch SET value = value + 1 WHERE key = 'departments'"))
    assert (await application.standings.tree()).headed_by(person)
    await applied(world, rehired("E9001"))
    assert not (await world.viewer("test.e9001")).standing.headed
    assert not (await application.standings.tree()).headed_by(person)


async def test_coming_back_under_another_user_name(world: World) -> None:
    person = (await applied(world, joined("E9001")))["contact_id"]
    await applied(world, left("E9001"))
    await applied(world, rehired("E9001", user_name="test.again"))
    own = await (await world.as_("test.again")).get(f"/v1/contacts/{person}")
    assert own.json()["mobile"]["state"] == "shown"
    async with world.application.database.session() as session:
        rows = await session.execute(
            text("SELECT user_name_key, state FROM user_account WHERE user_name_key LIKE 'test.%' ORDER BY 1")
        )
        assert [tuple(row) for row in rows] == [("test.again", "active"), ("test.e9001", "disabled")]


async def test_a_user_name_that_was_given_to_somebody_else_does_not_come_back(world: World) -> None:
    """Rehire of one person and reuse of a user name by another are different: the second cannot take what the first has."""
    await applied(world, joined("E9001"))
    await applied(world, left("E9001"))
    other = (await post(world, joined("E9002", user_name="test.e9001"))).json()
    assert (other["state"], other["problem"]["code"]) == ("failed", "duplicate_user_name")
    before = await counted(world)
    again = (await post(world, joined("E9001", user_name="test.other"))).json()
    assert (again["state"], again["problem"]["code"]) == ("failed", "duplicate_employee_no")
    assert (await counted(world))["contact"] == before["contact"]
