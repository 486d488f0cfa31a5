"""What time does to requests: reminders, superiors, time-outs, ends, what is to be given back, and re-validation, on both engines."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.approvals.kinds import MONDAY, Office


async def test_reminded_then_the_superior_then_closed(office: Office) -> None:
    path = await office.filed("staff", "test.two")
    due = (await office.read("staff", path))["steps"][0]["due_at"]
    assert due == "2026-11-25T10:00:00Z"
    assert await office.tick(days=1, hours=5) == 1, "reminded half way"
    assert await office.tick(minutes=1) == 0, "and once"
    office.clock.move_to(MONDAY + timedelta(days=2, hours=9))
    assert await office.tick() == 1, "nobody answered by the due date"
    step = (await office.read("staff", path))["steps"][0]
    assert [(each["how"], each["moved"]) for each in step["people"]][-1] == ("escalation", False)
    assert await office.state(path) == "pending"
    assert await office.tick(days=9) == 1
    assert await office.state(path) == "timed_out"
    assert (await office.say("head", path)).status_code in {403, 409}
    assert office.effect.applied == []


async def test_what_nobody_amends_is_closed(office: Office) -> None:
    path = await office.filed("staff", "test.any")
    await office.say("hr", path, "return")
    assert await office.tick(days=20) == 1
    assert await office.state(path) == "timed_out"


async def test_a_term_ends_by_itself_once(office: Office) -> None:
    path = await office.filed("staff", "test.any", further={"minutes": 60})
    await office.say("hr", path)
    assert await office.tick(minutes=59) == 0
    assert await office.tick(minutes=1) == 1
    assert await office.state(path) == "expired"
    assert [cause.value for _, cause in office.effect.ended] == ["expired"]
    assert await office.tick(days=1) == 0


async def test_what_is_not_given_back_in_time_is_overdue_until_it_is(office: Office) -> None:
    path = await office.filed("staff", "test.return", further={"minutes": 60})
    await office.say("hr", path)
    assert await office.tick(hours=2) == 1
    assert await office.state(path) == "overdue"
    assert (await office.act("staff", path, "returns")).json()["state"] == "returned"
    assert await office.state(path) == "returned"


async def test_47_what_it_rests_on_has_changed_so_it_is_asked_again(office: Office) -> None:
    path = await office.filed("staff", "test.two")
    await office.say("head", path)
    office.effect.facts["colour"] = "blue"
    answer = await office.say("hr", path)
    assert answer.json()["state"] == "needs_reapproval"
    assert (await office.read("staff", path))["problem"] == "facts_changed"
    assert office.effect.applied == []
    again = await office.act("staff", path, "amendments")
    assert (again.json()["state"], again.json()["step"]) == ("pending", "head")
    await office.say("head", path)
    assert (await office.say("hr", path)).json()["state"] == "active"
    assert len(office.effect.applied) == 1


async def test_an_effect_that_fails_says_why_and_leaves_nothing(office: Office) -> None:
    office.effect.fails = True
    path = await office.filed("staff", "test.any")
    assert (await office.say("hr", path)).json()["state"] == "failed"
    read = await office.read("staff", path)
    assert (read["problem"], read["effects"]) == ("unable", [])
    assert read["steps"][0]["people"][0]["decision"] == "approve", "the word stands"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE approval_request SET state = 'active'",
        "UPDATE approval_request SET requester_id = beneficiary_id, version = version + 1",
        "UPDATE approval_request SET next_at = NULL",
    ],
)
async def test_a_row_edited_past_us_is_not_there(office: Office, change: str) -> None:
    path = await office.filed("staff", "test.any", beneficiary=office.id("colleague"))
    async with office.world.application.database.unit_of_work() as unit:
        await unit.session.execute(text(change))
    assert (await (await office.world.as_("staff")).get(path)).status_code == 404
    assert (await office.say("hr", path)).status_code == 404
    assert await office.tick(days=30) == 0


async def test_what_was_said_is_never_changed(office: Office) -> None:
    path = await office.filed("staff", "test.two")
    await office.say("head", path)
    with pytest.raises(Exception, match=r"append-only|append_only|permission denied"):
        async with office.world.application.database.unit_of_work() as unit:
            await unit.session.execute(text("UPDATE approval_decision SET word = 'reject'"))


async def test_a_signature_that_is_not_on_record_counts_for_nothing(office: Office) -> None:
    path = await office.filed("staff", "test.two")
    await office.say("head", path)
    desk = office.desk
    async with office.world.application.database.unit_of_work() as unit:
        request = await desk.requests.locked(unit.session, office.uuid(path))
        assert request is not None
        asked = await desk.requests.asked(unit.session, request.id)
        other = request.happened(request.course, request.updated_at, digest=b"\x00" * 32)
        await desk.requests.save(unit.session, request, other, asked=asked)
    assert (await office.say("hr", path)).json()["state"] == "needs_reapproval"
    assert office.effect.applied == []


async def test_48_a_revised_calendar_moves_what_is_open_and_keeps_what_was_said(office: Office) -> None:
    path = await office.filed("staff", "test.two")
    revision = {
        "days": [{"date": "2026-11-24", "kind": "off", "name_zh": "停电", "name_en": "No power"}],
        "source": "notice 7",
    }
    given = await (await office.world.as_("hr")).post("/v1/calendar/revisions", json=revision)
    assert given.status_code == 201, given.text
    assert await office.tick() == 1
    step = (await office.read("staff", path))["steps"][0]
    assert (step["first_due_at"], step["due_at"]) == ("2026-11-25T10:00:00Z", "2026-11-26T10:00:00Z")
    assert await office.tick() == 0
