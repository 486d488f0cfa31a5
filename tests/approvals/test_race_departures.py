"""People who go and rules that move while others decide, at the same moment and just before and after, on both engines."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from tests.approvals.kinds import Office
from tests.approvals.test_replacing import asked, is_only, leaves
from tests.effects.test_reveals import wanted
from tests.effects.walking import Walk, filed
from tests.hr.calls import applied, post
from tests.hr.events import left, moved
from tests.packs.test_versions import closed
from tests.support.application import World
from tests.support.policy import activate
from tests.support.problems import problem
from tests.support.shared import Added, add_person


async def test_40_a_decider_who_leaves_before_decides_nothing_and_after_has_decided(office: Office) -> None:
    before, after = await office.filed("staff", "test.two"), await office.filed("colleague", "test.two", about="staff")
    assert (await office.say("head", after)).json()["step"] == "hr"
    await leaves(office.world, "head")
    assert (await office.say("head", before)).status_code in {401, 403}
    assert (await office.say("hr", after)).json()["state"] == "active", "a word counts that was said in office"
    assert await office.tick(minutes=1) == 1
    assert (await office.say("steward", before)).json()["step"] == "hr"
    assert (await office.say("hr", before)).json()["state"] == "active"
    assert len(office.effect.applied) == 2


async def test_40_a_decider_leaves_at_the_same_moment(office: Office) -> None:
    path = await office.filed("staff", "test.any")
    said, _, _ = await asyncio.gather(office.say("hr", path), leaves(office.world, "hr"), office.desk.clock.sweep())
    await office.tick(minutes=1)
    state = await office.state(path)
    assert state == ("active" if said.status_code == 200 else "pending")
    assert len(office.effect.applied) == (state == "active")
    assert (await asked(office, path))[-1][0] == ("hr" if state == "active" else "head")


async def test_40_the_role_is_taken_away_at_the_same_moment(office: Office) -> None:
    path = await office.filed("staff", "test.any")
    said, _ = await asyncio.gather(office.say("hr", path), is_only(office.world, "hr"))
    await office.tick(minutes=1)
    state = await office.state(path)
    assert state == ("active" if said.status_code == 200 else "pending")
    assert len(office.effect.applied) == (state == "active")


@pytest.mark.parametrize(("who", "why"), [("staff", "requester_left"), ("bare", "facts_changed")])
async def test_who_asks_or_gains_leaves_while_it_is_pending(office: Office, who: str, why: str) -> None:
    path = await office.filed("staff", "test.two", about="colleague", beneficiary=office.id("bare"))
    await office.say("head", path)
    await leaves(office.world, who)
    assert (await office.say("hr", path)).json()["state"] == "needs_reapproval"
    assert (await office.read("auditor", path))["problem"] == why
    assert office.effect.applied == []
    assert await office.tick(days=30) == 1
    assert await office.state(path) == "timed_out"


@pytest.mark.parametrize("change", ["facts", "left", "moved"])
async def test_47_what_was_approved_for_later_is_looked_at_again_before_it_acts(office: Office, change: str) -> None:
    office.effect.begins = office.clock.now() + timedelta(days=1)
    path = await office.filed("staff", "test.any")
    assert (await office.say("hr", path)).json()["state"] == "approved"
    match change:
        case "facts":
            office.effect.facts["colour"] = "blue"
        case "left":
            await leaves(office.world, "staff")
        case _:
            await applied(office.world, moved("E2101", department="SALES"))
    assert await office.tick(days=1) == 1
    assert await office.state(path) == "needs_reapproval"
    assert office.effect.applied == []


async def test_37_passed_on_and_decided_at_the_same_moment(office: Office) -> None:
    path = await office.filed("staff", "test.any")
    said, passed = await asyncio.gather(office.say("hr", path), office.act("hr", path, "transfers", to=office.id("it")))
    assert sorted((said.status_code, passed.status_code)) in ([200, 403], [200, 409])
    if said.status_code == 200:
        assert await office.state(path) == "active"
        assert [name for name, _, _ in await asked(office, path)] == ["hr"]
    else:
        assert await asked(office, path) == [("hr", "chain", True), ("it", "transfer", False)]
        assert (await office.say("it", path)).json()["state"] == "active"
    assert len(office.effect.applied) == 1


async def test_37_decided_twice_in_one_batch_and_in_two_at_once(office: Office) -> None:
    paths = [await office.filed(who, "test.any", about="head") for who in ("staff", "colleague")]
    twice = [{"request": path.rpartition("/")[2], "decision": "approve"} for path in paths for _ in range(2)]
    hr = await office.world.as_("hr")
    answers = await asyncio.gather(*(hr.post("/v1/request-decisions", json={"items": twice}) for _ in range(3)))
    outcomes = [each for answer in answers for each in answer.json()["items"]]
    assert {answer.status_code for answer in answers} == {200}
    for path in paths:
        of = [each for each in outcomes if each["request"] == path.rpartition("/")[2]]
        assert sorted(each["state"] or each["problem"]["code"] for each in of)[:1] == ["active"]
        assert sum(each["state"] is not None for each in of) == 1
        assert len((await office.read("auditor", path))["effects"]) == 1
    assert len(office.effect.applied) == 2


async def revealing(world: World, who: Added, about: str) -> Walk:
    """File a look at somebody of another department, and bring it to its last word, which is steward's."""
    walk = await filed(world, who.name, "field.reveal", ("contact", world.people[about]), wanted("mobile"))
    assert await walk.through("head") == "pending"
    return walk


async def live(world: World, who: Added) -> int:
    """Count what somebody was granted and still has."""
    application = world.application
    account = await application.accounts.by_contact(application.database.reader, who.id)
    assert account is not None
    return len(await application.grants.live(application.database.reader, account.id, application.clock.now()))


async def test_who_gains_leaves_in_the_moment_of_the_last_word_and_keeps_nothing(world: World) -> None:
    people = [await add_person(world) for _ in range(4)]
    walks = [await revealing(world, each, "outsider") for each in people]

    async def goes(who: Added, after: float) -> httpx.Response:
        await asyncio.sleep(after)
        return await post(world, left(f"N{who.number}"))

    for at, (who, walk) in enumerate(zip(people, walks, strict=True)):
        said, gone = await asyncio.gather(walk.act("steward", "decisions", decision="approve"), goes(who, at * 0.004))
        assert (said.status_code, gone.json()["state"]) == (200, "applied"), (said.text, gone.text)
        assert said.json()["state"] in {"active", "needs_reapproval"}
        assert await live(world, who) == 0, "what was given is gone with them"


async def test_50_the_rules_are_tightened_in_the_moment_of_the_last_word(world: World) -> None:
    who = await add_person(world)
    pending, late = await revealing(world, who, "outsider"), await revealing(world, who, "it")
    said, _ = await asyncio.gather(
        pending.act("steward", "decisions", decision="approve"), activate(world.application, closed())
    )
    assert said.json()["state"] in {"active", "needs_reapproval"}, said.text
    assert await late.through("steward") == "needs_reapproval"
    client = await world.as_(who.name)
    for name in ("outsider", "it"):
        card = await client.get(f"/v1/contacts/{world.people[name]}")
        assert card.json()["mobile"]["state"] == "withheld"
    problem(await late.act("steward", "decisions", decision="approve"), 409, "request_not_open")
