"""What becomes of a device when its person leaves or moves, over HTTP on both engines, and what nobody hands over in time."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.notices.models import NoticeRow
from tests.devices.calls import admits, assign, call, read, register
from tests.hr.calls import applied
from tests.hr.events import left, moved
from tests.support.application import World
from tests.support.problems import problem
from tests.support.shared import Added, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def told(world: World, device: str) -> list[tuple[str, list[str], list[str]]]:
    """List what was told of a device: which notice, to which people and offices."""
    wanted = select(NoticeRow).where(NoticeRow.type.startswith("device.")).order_by(NoticeRow.id)
    async with world.application.database.session() as session:
        rows = (await session.scalars(wanted)).all()
        return [
            (each.type, each.audience["people"], each.audience["roles"])
            for each in rows
            if each.body["device"]["id"] == device
        ]


async def equipped(world: World, **members: Any) -> tuple[Added, str, str]:  # noqa: ANN401 — members of a device
    """Give a new colleague of RD a telephone."""
    person, device = await add_person(world), await register(world, **members)
    await assign(world, device["id"], person.id)
    return person, device["id"], device["secret"]


async def make_late(world: World, device: str) -> None:
    """Let the day by which a device was to be handed over be past."""
    application = world.application
    async with application.database.unit_of_work() as unit:
        found = await application.devices.rows.locked(unit.session, UUID(device))
        assert found is not None
        now = application.clock.now()
        await application.devices.rows.change(unit.session, replace(found, due_at=now - timedelta(seconds=1)), at=now)


@pytest.mark.parametrize("follows", ["person", "place"])
async def test_a_leavers_device_waits_for_the_head_to_hand_it_over(shared: World, follows: str) -> None:
    person, device, secret = await equipped(shared, follows=follows)
    head = str(shared.people["head"])
    await applied(shared, left(f"N{person.number}"))

    seen = await read(shared, "it", device)
    assert (seen["state"], seen["holder"], seen["answerable"]) == ("to_hand_over", None, head)
    assert seen["hand_over_by"] is not None
    assert (seen["holders"][0]["cause"], seen["holders"][0]["id"]) == ("left", None), "who left is told to nobody"
    assert await admits(shared, device, secret) is (follows == "place")
    assert await told(shared, device) == [("device.handed_over", [head], [])]

    successor = await add_person(shared)
    for who in ("colleague", successor.name):
        problem(await call(shared, who, "GET", f"/{device}"), 404, "device_not_found")
    after = await assign(shared, device, f"N{successor.number}", who="head")
    assert (after["state"], after["holder"]["id"], after["hand_over_by"]) == ("in_use", str(successor.id), None)
    assert (await told(shared, device))[1:] == [("device.taken_over", [head], [])]
    assert (await read(shared, successor.name, device))["state"] == "in_use"


async def test_a_card_that_is_taken_out_of_the_directory_leaves_its_device_too(shared: World) -> None:
    person, device, secret = await equipped(shared, follows="person")
    steward = await shared.as_("steward")
    card = await steward.get(f"/v1/contacts/{person.id}")
    gone = await steward.delete(f"/v1/contacts/{person.id}", headers={"If-Match": card.headers["ETag"]})
    assert gone.status_code == 204, gone.text
    assert (await read(shared, "it", device))["state"] == "to_hand_over"
    assert not await admits(shared, device, secret)


async def test_who_moves_takes_along_what_follows_them_and_leaves_what_stands_there(shared: World) -> None:
    person, mine, own = await equipped(shared, follows="person")
    desk = await register(shared, follows="place")
    await assign(shared, desk["id"], person.id)
    await applied(shared, moved(f"N{person.number}", department="SALES"))

    seen = await read(shared, "it", mine)
    assert (seen["state"], seen["holder"]["id"]) == ("in_use", str(person.id))
    assert seen["department"] == str(shared.departments["SALES"])
    assert await admits(shared, mine, own)
    seen = await read(shared, "it", desk["id"])
    assert (seen["state"], seen["holders"][0]["cause"]) == ("to_hand_over", "moved")
    assert seen["department"] == str(shared.departments["RD"])
    assert [each[0] for each in await told(shared, desk["id"])] == ["device.handed_over"]
    assert await told(shared, mine) == []


async def test_without_a_head_above_somebody_of_it_hands_it_over(shared: World) -> None:
    code = await add_department(shared)
    person = await add_person(shared, department=code)
    device = (await register(shared))["id"]
    await assign(shared, device, person.id)
    await applied(shared, left(f"N{person.number}"))
    assert (await read(shared, "it", device))["answerable"] == str(shared.people["it"])


async def test_a_device_that_nobody_hands_over_in_time_is_shut_out(shared: World) -> None:
    person, device, secret = await equipped(shared, follows="place")
    await applied(shared, left(f"N{person.number}"))
    await shared.application.devices.sweep()
    assert await admits(shared, device, secret)
    await make_late(shared, device)
    await shared.application.devices.sweep()
    assert (await read(shared, "it", device))["state"] == "suspended"
    assert not await admits(shared, device, secret)
    head = str(shared.people["head"])
    assert (await told(shared, device))[1:] == [("device.overdue", [head], ["it"])]
    await shared.application.devices.sweep()
    assert len(await told(shared, device)) == 2


async def test_a_lost_device_is_told_to_security_and_one_that_is_handed_over_stays_its_loss(shared: World) -> None:
    person, device, _ = await equipped(shared)
    await call(shared, person.name, "POST", f"/{device}/losses", status=200)
    assert await told(shared, device) == [("device.lost", [str(person.id)], ["infosec", "it"])]


async def test_an_event_that_fails_hands_nothing_over(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    person, device, secret = await equipped(shared, follows="person")

    async def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(shared.application.contact_writer, "hide", fail)
    answer = await (await shared.as_("hr-system")).post("/v1/hr/events", json=left(f"N{person.number}"))
    assert answer.status_code == 500
    assert (await read(shared, "it", device))["state"] == "in_use"
    assert await admits(shared, device, secret)
