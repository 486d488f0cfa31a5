"""What the policy tells of itself: who can see somebody, which clause is alive, how strong masks are, and a page for the notice board."""

from typing import Any

import pytest

from app.contacts.fields import CATALOGUE
from app.disclosure.masks import shown
from app.permissions.outcomes import Outcome
from app.worker import Worker
from tests.support.application import World
from tests.support.problems import quoted


async def got(world: World, caller: str, path: str) -> dict[str, Any]:
    answer = await (await world.as_(caller)).get(path)
    assert answer.status_code == 200, answer.text
    assert quoted(answer) == []
    found: dict[str, Any] = answer.json()
    return found


def group_of(report: dict[str, Any], name: str, world: World) -> dict[str, Any]:
    (found,) = [
        each for each in report["groups"] if str(world.people[name]) in {member["id"] for member in each["members"]}
    ]
    return found  # type: ignore[no-any-return]  # JSON


async def test_security_sees_who_can_see_what_and_it_is_what_cards_show(world: World) -> None:
    report = await got(world, "infosec", f"/v1/contacts/{world.people['colleague']}/access-report")
    assert report["asked"] == sum(each["people"] for each in report["groups"])
    for viewer, wanted in (
        ("staff", "mask_fine"),
        ("outsider", "mask_coarse"),
        ("colleague", "clear"),
        ("it", "hidden"),
    ):
        group = group_of(report, viewer, world)
        assert group["sight"]["C3"]["shown"] == wanted
        card = await world.card(viewer, "colleague")
        assert card["mobile"]["state"] == {"hidden": "withheld", "clear": "shown"}.get(wanted, "masked")
    assert group_of(report, "staff", world)["sight"]["C3"]["revealed"] == "clear"
    assert "staff.own_department" in {rule["id"] for rule in group_of(report, "staff", world)["rules"]}


async def test_a_person_is_told_how_many_and_by_which_rules_and_nobodys_name(world: World) -> None:
    report = await got(world, "colleague", "/v1/me/access-report?purpose=hr_admin")
    assert report["contact"] == str(world.people["colleague"])
    assert all(each["members"] is None for each in report["groups"])
    assert "区静" not in str(report)
    hr = [each for each in report["groups"] if each["roles"].get("hr")]
    assert [each["roles"]["hr"] for each in hr] == [1]
    assert hr[0]["sight"]["C4"] == {"shown": "mask_fine", "revealed": "clear"}


async def test_a_report_is_a_look_on_record(world: World) -> None:
    report = await got(world, "infosec", f"/v1/contacts/{world.people['staff']}/access-report")
    event = await got(world, "siem", f"/v1/access-events/{report['disclosure']['event_id']}")
    assert (event["action"], event["contacts"][0]["id"]) == ("policy.access_report", str(world.people["staff"]))


async def test_a_clause_tells_its_rules_their_tests_and_when_they_last_decided(world: World) -> None:
    before = {each["clause"]: each for each in (await got(world, "staff", "/v1/policy/clauses"))["items"]}
    assert all(rule["tests"] for each in before.values() for rule in each["rules"])
    (rule,) = [each for each in before["S1c-10.2"]["rules"] if each["id"] == "head.subtree"]
    assert rule["last_decided_at"] is None
    await world.card("head", "staff")
    after = {each["clause"]: each for each in (await got(world, "staff", "/v1/policy/clauses"))["items"]}
    assert after["S1c-10.2"]["last_decided_at"] is not None
    (safety,) = [each for each in after["S1b-3"]["rules"] if each["id"] == "safety.officers"]
    assert safety["last_decided_at"] is None


async def test_what_rules_decided_outlives_the_process(world: World) -> None:
    await world.card("head", "staff")
    await world.application.policy.evidence.write()
    last = await world.application.policy.evidence.last()
    assert "head.subtree" in last
    assert "safety.officers" not in last


@pytest.mark.parametrize(("lang", "said"), [("zh", "谁可以看什么"), ("en", "Who may see what")])
async def test_the_notice_board_has_every_rule_in_plain_words_and_nothing_that_runs(
    world: World, lang: str, said: str
) -> None:
    answer = await (await world.as_("staff")).get("/v1/policy/page", params={"lang": lang})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["content-security-policy"] == "default-src 'none'"
    assert said in answer.text
    assert "<script" not in answer.text
    policy = await got(world, "staff", "/v1/policy")
    for rule in policy["rules"]:
        assert answer.text.count(rule[lang].replace("'", "&#x27;").replace('"', "&quot;")) >= 1, rule["id"]


async def test_masks_are_measured_by_a_job_that_keeps_counts_alone(world: World) -> None:
    infosec = await world.as_("infosec")
    asked = await infosec.post("/v1/policy/mask-strengths", headers={"Idempotency-Key": "measure-once"})
    assert asked.status_code == 202, asked.text
    again = await infosec.post("/v1/policy/mask-strengths", headers={"Idempotency-Key": "measure-once"})
    assert again.json() == asked.json()
    assert await Worker(world.application).jobs.once()
    job = (await infosec.get(f"/v1/jobs/{asked.json()['job_id']}")).json()
    assert job["state"] == "done", job
    found = {(each["field"], each["outcome"]): each for each in job["result"]["strengths"]}
    fine, coarse = found["mobile", "mask_fine"], found["mobile", "mask_coarse"]
    assert fine["least"] == 1
    assert fine["weak"]
    assert (coarse["least"], coarse["median"], coarse["weak"]) == (coarse["contacts"], coarse["contacts"], False)
    assert "id_number" in job["result"]["unmeasured"]
    assert quoted(await infosec.get(f"/v1/jobs/{asked.json()['job_id']}")) == []


async def test_measuring_is_on_record_and_costs_no_quota(world: World) -> None:
    infosec = await world.as_("infosec")
    before = (await infosec.get("/v1/me")).json()["standing"]["quotas"]
    asked = await infosec.post("/v1/policy/mask-strengths")
    assert await Worker(world.application).jobs.once()
    await world.settle()
    events = await got(world, "siem", "/v1/access-events?action=policy.mask_strength&limit=50")
    assert sum(each["contact_count"] for each in events["items"]) >= len(world.people) - 2
    assert (await infosec.get("/v1/me")).json()["standing"]["quotas"] == before
    assert asked.status_code == 202


async def test_nobody_else_measures(world: World) -> None:
    for caller in ("staff", "head", "hr", "ceo"):
        answer = await (await world.as_(caller)).post("/v1/policy/mask-strengths")
        assert answer.status_code == 403


def test_every_mask_of_the_catalogue_can_be_tallied() -> None:
    for field in CATALOGUE.declared:
        for outcome in (Outcome.MASK_FINE, Outcome.MASK_COARSE):
            assert shown(field.mask, "x", outcome) != "x"
