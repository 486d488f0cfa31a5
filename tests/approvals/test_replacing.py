"""Steps whose deciders are gone, on both engines: others are asked at once, by the rules of filing, and nobody's going is a yes."""

import asyncio
from typing import Any

from app.permissions.marks import MarkReason
from tests.approvals.kinds import Office
from tests.approvals.test_stand_ins import give
from tests.hr.calls import applied
from tests.hr.events import left
from tests.support.application import World
from tests.support.company import PEOPLE
from tests.support.grants import set_mark
from tests.support.problems import problem


async def leaves(world: World, name: str) -> None:
    """Let somebody leave, as personnel says it."""
    await applied(world, left(f"E{PEOPLE[name].number}"))


async def is_only(world: World, name: str, *roles: str) -> None:
    """Give somebody these roles and no others."""
    async with world.application.database.unit_of_work() as unit:
        await world.application.accounts.set_standing(unit.session, name, tier=PEOPLE[name].tier, roles=roles)


async def asked(office: Office, path: str, at: int = 0) -> list[tuple[str, str, bool]]:
    """List who is or was asked in a step: by name, how, and whether somebody else is asked instead."""
    names = {str(identity): name for name, identity in office.world.people.items()}
    people = (await office.read("auditor", path))["steps"][at]["people"]
    return [(names[each["person"]["id"]], each["how"], each["moved"]) for each in people]


async def recorded(office: Office) -> list[dict[str, Any]]:
    """Read what the log says of questions that went to others."""
    await office.world.settle()
    answer = await (await office.world.as_("infosec")).get("/v1/access-events", params={"action": "request.reassign"})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_40_who_leaves_is_replaced_within_the_minute_and_it_is_told(office: Office) -> None:
    path = await office.filed("staff", "test.two")
    other = await office.filed("colleague", "test.all", about="head")
    await office.say("infosec", other)
    assert await office.tick(minutes=1) == 0, "everybody is there"
    due = (await office.read("staff", path))["steps"][0]["due_at"]
    await leaves(office.world, "head")
    assert await office.tick(minutes=1) == 1
    assert await asked(office, path) == [("head", "chain", True), ("steward", "replacement", False)]
    step = (await office.read("staff", path))["steps"][0]
    assert step["people"][1]["by"] == office.id("head")
    assert step["due_at"] >= due
    assert await office.tick(minutes=1) == 0, "once"
    await leaves(office.world, "hr")
    office.clock.advance(minutes=1)
    assert sum(await asyncio.gather(*(office.desk.clock.sweep() for _ in range(4)))) == 1, "however many look"
    assert await office.state(other) == "pending", "that hr is gone is not a yes"
    assert await asked(office, other) == [
        ("hr", "chain", True),
        ("steward", "replacement", False),
        ("infosec", "chain", False),
    ]
    (event, _) = await recorded(office)
    assert event["actor"]["type"] == "system"
    assert (await office.say("steward", other)).json()["state"] == "active"
    assert (await office.say("steward", path)).json()["step"] == "hr"
    inbox = await (await office.world.as_("ceo")).get("/v1/requests", params={"inbox": "true"})
    assert [each["id"] for each in inbox.json()["items"]] == [str(office.uuid(path))], "nor is anybody asked twice"


async def test_a_role_that_is_taken_away_takes_the_questions_with_it(office: Office) -> None:
    path, some = await office.filed("staff", "test.any"), await office.filed("staff", "test.some")
    await is_only(office.world, "hr")
    problem(await office.say("hr", path), 403, "not_asked")
    await is_only(office.world, "it", "it", "hr")
    assert await office.tick(minutes=1) == 2
    assert await asked(office, path) == [("hr", "chain", True), ("it", "replacement", False)]
    assert await asked(office, some) == [("hr", "chain", True), ("infosec", "chain", False), ("it", "chain", False)]
    problem(await office.say("hr", some), 403, "not_asked")
    assert (await office.say("it", path)).json()["state"] == "active"
    assert (await office.say("it", some)).json()["state"] == "pending"
    await leaves(office.world, "infosec")
    assert await office.tick(minutes=1) == 1, "two of three were enough, one of two is not"
    assert (await asked(office, some))[1:3] == [("infosec", "chain", True), ("head", "replacement", False)]
    assert (await office.say("head", some)).json()["state"] == "active"


async def test_a_new_head_is_asked_instead_of_the_old_one(office: Office) -> None:
    path = await office.filed("staff", "test.two")
    hr = await office.world.as_("hr")
    seen = await hr.get("/v1/departments/RD")
    answer = await hr.patch(
        "/v1/departments/RD", json={"head": office.id("core")}, headers={"If-Match": seen.headers["ETag"]}
    )
    assert answer.status_code == 200, answer.text
    problem(await office.say("head", path), 403, "not_asked")
    assert await office.tick(minutes=1) == 1
    assert await asked(office, path) == [("head", "chain", True), ("core", "replacement", False)]
    assert (await office.say("core", path)).json()["step"] == "hr"


async def test_who_is_away_answers_through_a_stand_in_until_that_ends(office: Office) -> None:
    path = await office.filed("staff", "test.any")
    delegation = await give(office, "hr", "it")
    await set_mark(office.world, "hr", reason=MarkReason.LEAVE, at=office.clock.now())
    assert await office.tick(minutes=1) == 0, "the stand-in is there"
    ended = await (await office.world.as_("infosec")).delete(delegation)
    assert ended.status_code == 204, ended.text
    assert await office.tick(minutes=1) == 1
    assert await asked(office, path) == [("hr", "chain", True), ("head", "replacement", False)]
    later = await office.filed("colleague", "test.any", about="staff")
    assert await asked(office, later) == [("head", "escalation", False)], "filing goes by the same rules"


async def test_who_asks_is_not_who_comes_instead(office: Office) -> None:
    path = await office.filed("steward", "test.any")
    await leaves(office.world, "hr")
    assert await office.tick(minutes=1) == 1
    assert await asked(office, path) == [("hr", "chain", True), ("ceo", "replacement", False)]
    problem(await office.say("steward", path), 403, "not_asked")
    assert (await office.say("ceo", path)).json()["state"] == "active"


async def test_with_nobody_in_the_company_it_waits_and_is_asked_when_there_is(office: Office) -> None:
    path, later = await office.filed("outsider", "test.any"), await office.filed("outsider", "test.two")
    for name in ("hr", "ceo"):
        await is_only(office.world, name)
    assert (await office.say("steward", later)).json()["step"] == "hr", (
        "which nobody may answer but steward, who has said yes"
    )
    await is_only(office.world, "steward")
    assert await office.tick(minutes=1) == 0
    assert [await office.state(each) for each in (path, later)] == ["pending", "pending"]
    assert office.effect.applied == []
    await is_only(office.world, "it", "administration")
    assert await office.tick(minutes=1) == 2
    assert (await asked(office, path))[-1] == ("it", "replacement", False)
    assert await asked(office, later, 1) == [("it", "escalation", False)]
    assert [(await office.say("it", each)).json()["state"] for each in (path, later)] == ["active", "active"]


async def test_nobody_consents_for_who_is_gone(office: Office) -> None:
    path = await office.filed("staff", "test.consent")
    await leaves(office.world, "colleague")
    assert await office.tick(minutes=1) == 1
    assert await office.state(path) == "rejected"
    assert office.effect.applied == []
    assert await office.tick(days=30) == 0, "nobody is asked any more"


async def test_passed_back_and_forth_it_comes_to_whoever_is_there(office: Office) -> None:
    path = await office.filed("staff", "test.any")
    assert (await office.act("hr", path, "transfers", to=office.id("it"))).status_code == 200
    assert (await office.act("it", path, "transfers", to=office.id("hr"))).status_code == 200
    assert (await office.act("hr", path, "transfers", to=office.id("it"))).status_code == 200
    await leaves(office.world, "it")
    assert await office.tick(minutes=1) == 1
    assert (await asked(office, path))[-1] == ("hr", "replacement", False)
    assert (await office.say("hr", path)).json()["state"] == "active"
