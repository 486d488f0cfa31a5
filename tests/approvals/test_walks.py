"""Requests over HTTP, from filing to their end, on both engines: every type of step, and what each caller is told."""

import pytest

from tests.approvals.kinds import Office


async def test_the_last_yes_has_the_effect_at_once(office: Office) -> None:
    path = await office.filed("staff", "test.two")
    assert (await office.say("head", path)).json()["step"] == "hr"
    assert office.effect.applied == []
    answer = await office.say("hr", path)
    assert (answer.status_code, answer.json()["state"]) == (200, "active")
    (approved,) = office.effect.applied
    assert [str(each) for each in approved.decided_by] == [office.id("head"), office.id("hr")]
    read = await office.read("staff", path)
    assert [(each["id"], each["state"]) for each in read["steps"]] == [("head", "done"), ("hr", "done")]
    assert [each["result"] for each in read["effects"]] == [{"colour": "red"}]
    assert read["form"] == {"reason": "为了测试"}


async def test_what_has_nothing_to_end_is_completed(office: Office) -> None:
    office.effect.lasting = False
    path = await office.filed("staff", "test.any")
    assert (await office.say("hr", path)).json()["state"] == "completed"
    assert (await office.act("staff", path, "returns")).json()["code"] == "not_returnable"


async def test_a_no_ends_it(office: Office) -> None:
    path = await office.filed("staff", "test.two")
    assert (await office.say("head", path, "reject", comment="不需要")).json()["state"] == "rejected"
    read = await office.read("staff", path)
    assert read["steps"][0]["people"][0]["comment"] == "不需要"
    assert office.effect.applied == []
    assert (await office.say("hr", path)).status_code in {403, 409, 404}


async def test_all_must_say_yes(office: Office) -> None:
    path = await office.filed("staff", "test.all")
    assert (await office.say("infosec", path)).json()["state"] == "pending"
    assert (await office.say("infosec", path)).json()["code"] == "already_decided"
    assert (await office.say("hr", path)).json()["state"] == "active"


async def test_some_are_enough_and_a_no_is_survived(office: Office) -> None:
    path = await office.filed("staff", "test.some")
    assert (await office.say("it", path, "reject")).json()["state"] == "pending"
    assert (await office.say("hr", path)).json()["state"] == "pending"
    assert (await office.say("infosec", path)).json()["state"] == "active"


async def test_too_many_noes_end_it(office: Office) -> None:
    path = await office.filed("staff", "test.some")
    assert (await office.say("it", path, "reject")).json()["state"] == "pending"
    assert (await office.say("hr", path, "reject")).json()["state"] == "rejected"


async def test_one_after_the_other(office: Office) -> None:
    path = await office.filed("staff", "test.turns")
    early = await office.say("infosec", path)
    assert (early.status_code, early.json()["code"]) == (403, "not_asked")
    assert (await office.say("hr", path)).json()["state"] == "pending"
    assert (await office.say("infosec", path)).json()["state"] == "active"


async def test_filing_is_the_signature(office: Office) -> None:
    path = await office.filed("staff", "test.attest")
    read = await office.read("staff", path)
    assert [(each["id"], each["state"]) for each in read["steps"]] == [("sign", "done"), ("hr", "active")]
    assert (await office.say("hr", path)).json()["state"] == "active"


async def test_the_person_consents_and_takes_it_back(office: Office) -> None:
    path = await office.filed("staff", "test.consent")
    assert (await office.say("hr", path)).status_code == 404
    assert (await office.say("colleague", path)).json()["state"] == "active"
    answer = await office.act("colleague", path, "revocations", reason="不再同意")
    assert answer.json()["state"] == "revoked"
    assert [cause.value for _, cause in office.effect.ended] == ["consent_withdrawn"]
    assert (await office.act("colleague", path, "revocations", reason="再来")).json()["code"] == "not_returnable"
    assert len(office.effect.ended) == 1


async def test_a_report_is_taken_note_of_and_cannot_be_refused(office: Office) -> None:
    path = await office.filed("staff", "test.note")
    refused = await office.say("hr", path, "reject")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "no_such_word")
    assert (await office.say("hr", path)).json()["state"] == "active"


@pytest.mark.parametrize(("holds", "state"), [(True, "active"), (False, "rejected")])
async def test_a_check_asks_nobody(office: Office, holds: bool, state: str) -> None:  # noqa: FBT001 — a case
    office.check.answer = holds
    assert await office.state(await office.filed("staff", "test.check")) == state


async def test_review_and_provision_are_of_other_people_and_departments(office: Office) -> None:
    path = await office.filed("staff", "test.it")
    assert (await office.say("hr", path)).json()["step"] == "it"
    assert (await office.say("hr", path)).json()["code"] in {"not_asked", "already_decided"}
    assert (await office.say("it", path)).json()["state"] == "active"


async def test_a_review_after_the_effect_takes_it_back(office: Office) -> None:
    path = await office.filed("staff", "test.review")
    assert (await office.say("hr", path)).json() | {"version": ""} == {
        "id": path.rpartition("/")[2],
        "kind": "test.review",
        "state": "active",
        "version": "",
        "step": "review",
    }
    assert (await office.say("auditor", path, "reject")).json()["state"] == "revoked"
    assert [cause.value for _, cause in office.effect.ended] == ["reviewed"]


async def test_given_back_before_its_time(office: Office) -> None:
    path = await office.filed("staff", "test.return", further={"minutes": 60})
    await office.say("hr", path)
    assert (await office.act("hr", path, "returns")).json()["code"] == "not_asked"
    assert (await office.act("staff", path, "returns")).json()["state"] == "returned"
    assert await office.tick(hours=2) == 0


async def test_amended_after_being_sent_back(office: Office) -> None:
    path = await office.filed("staff", "test.two")
    await office.say("head", path)
    assert (await office.say("hr", path, "return", comment="写清楚")).json()["state"] == "amending"
    assert (await office.act("head", path, "amendments")).status_code == 404
    answer = await office.act("staff", path, "amendments", form={"reason": "为了测试，写清楚了"})
    assert (answer.json()["state"], answer.json()["step"]) == ("pending", "head")
    read = await office.read("hr", path)
    assert (read["round"], read["form"]["reason"]) == (2, "为了测试，写清楚了")
    assert (await office.say("head", path)).json()["step"] == "hr"
    assert (await office.say("hr", path)).json()["state"] == "active"


async def test_withdrawn_and_decided_no_more(office: Office) -> None:
    path = await office.filed("staff", "test.any")
    assert (await office.act("hr", path, "withdrawals")).json()["code"] == "not_asked"
    assert (await office.act("staff", path, "withdrawals")).json()["state"] == "withdrawn"
    assert (await office.say("hr", path)).json()["code"] == "request_not_open"


async def test_passed_on_and_asked_beside(office: Office) -> None:
    path = await office.filed("staff", "test.any")
    assert (await office.act("hr", path, "additions", to=office.id("infosec"))).status_code == 200
    assert (await office.say("hr", path)).json()["state"] == "pending", "not without whom hr asked beside"
    assert (await office.act("infosec", path, "transfers", to=office.id("it"))).status_code == 200
    assert (await office.say("infosec", path)).json()["code"] == "not_asked"
    assert (await office.say("it", path)).json()["state"] == "active"


async def test_a_decision_may_shorten_and_never_lengthen(office: Office) -> None:
    path = await office.filed("staff", "test.two", further={"minutes": 60})
    longer = await office.say("head", path, shorten={"duration_minutes": 61})
    assert (longer.status_code, longer.json()["code"]) == (422, "not_shorter")
    assert (await office.say("head", path, shorten={"duration_minutes": 30})).status_code == 200
    await office.say("hr", path)
    (approved,) = office.effect.applied
    assert approved.ends is not None
    assert (approved.ends - approved.begins).total_seconds() == 1800


async def test_a_decision_on_an_older_version_is_refused(office: Office) -> None:
    path = await office.filed("staff", "test.any")
    hr = await office.world.as_("hr")
    seen = (await hr.get(path)).headers["ETag"]
    await office.act("staff", path, "comments", text="还有一点")
    stale = await hr.post(f"{path}/decisions", json={"decision": "approve"}, headers={"If-Match": seen})
    assert stale.status_code == 412
    now = (await hr.get(path)).headers["ETag"]
    assert (
        await hr.post(f"{path}/decisions", json={"decision": "approve"}, headers={"If-Match": now})
    ).status_code == 200


async def test_many_at_once_each_on_its_own(office: Office) -> None:
    mine = await office.filed("staff", "test.any")
    other = await office.filed("colleague", "test.any", about="staff")
    own = await office.filed("hr", "test.any")
    ids = [path.rpartition("/")[2] for path in (mine, own, other)]
    answer = await (await office.world.as_("hr")).post(
        "/v1/request-decisions", json={"items": [{"request": each, "decision": "approve"} for each in ids]}
    )
    told = answer.json()["items"]
    assert [each["request"] for each in told] == ids
    assert [each["state"] for each in told] == ["active", None, "active"]
    assert told[1]["problem"]["code"] in {"not_asked", "separation_of_duties"}
    assert len(office.effect.applied) == 2


async def test_the_inbox_holds_what_awaits_the_caller(office: Office) -> None:
    paths = [await office.filed(who, "test.any", about="head") for who in ("staff", "colleague", "it")]
    hr = await office.world.as_("hr")
    first = (await hr.get("/v1/requests", params={"inbox": "true", "limit": 2})).json()
    rest = (await hr.get("/v1/requests", params={"inbox": "true", "limit": 2, "cursor": first["next"]})).json()
    told = [each["id"] for each in (*first["items"], *rest["items"])]
    assert sorted(told) == sorted(path.rpartition("/")[2] for path in paths)
    assert (first["waiting"], rest["next"]) == (3, None)
    assert {each["awaits_me"] for each in first["items"]} == {True}
    await office.say("hr", paths[0])
    assert (await hr.get("/v1/requests", params={"inbox": "true"})).json()["waiting"] == 2
    assert (await (await office.world.as_("staff")).get("/v1/requests", params={"inbox": "true"})).json()["items"] == []


async def test_the_chain_is_shown_before_filing(office: Office) -> None:
    body = {
        "kind": "test.two",
        "subject": {"type": "contact", "id": office.id("colleague")},
        "form": {"reason": "为了测试"},
    }
    staff = await office.world.as_("staff")
    shown = (await staff.post("/v1/request-previews", json=body)).json()
    assert [[each["id"] for each in found["people"]] for found in shown["steps"]] == [
        [office.id("head")],
        [office.id("hr")],
    ]
    assert shown["steps"][0]["due_at"] == "2026-11-25T10:00:00Z"
    assert (await staff.get("/v1/requests")).json()["items"] == [], "nothing is kept"
