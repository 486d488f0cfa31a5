"""Somebody asks why they see what they see; the security team asks for somebody else; nobody learns of whom they may not know."""

from typing import Any

import pytest

from app.kit.models import new_id
from tests.support.application import World
from tests.support.problems import quoted
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")
PATH = "/v1/policy/explanations"


async def explained(shared: World, caller: str, of: str, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 — any JSON
    answer = await (await shared.as_(caller)).post(PATH, json={"contact": str(shared.people[of]), **asked})
    assert answer.status_code == 200, answer.text
    assert quoted(answer) == []
    found: dict[str, Any] = answer.json()
    return found


async def test_it_says_what_the_card_says_field_by_field(shared: World) -> None:
    for caller in ("staff", "outsider", "hr", "infosec", "ceo"):
        card = await shared.card(caller, "colleague")
        told = await explained(shared, caller, "colleague")
        assert told["visible"] is True
        for each in told["fields"]:
            if each["field"] in card and isinstance(card[each["field"]], dict):
                state = card[each["field"]]["state"]
                assert each["state"] == state or state == "empty", (caller, each["field"])


async def test_it_names_the_winning_rule_with_clauses_in_two_languages_and_a_request_to_file(shared: World) -> None:
    told = await explained(shared, "outsider", "colleague", fields=["mobile"])
    (mobile,) = told["fields"]
    assert mobile["decided_by"] == ["staff.directory"]
    (rule,) = [each for each in mobile["grants"] if each["id"] == "staff.directory"]
    assert rule["clauses"]
    assert rule["zh"] != rule["en"]
    assert mobile["change"] == {
        "way": "request",
        "value": "field.reveal",
        "leads_to": "clear",
        "reason": None,
        "request": {
            "kind": "field.reveal",
            "subject": {"type": "contact", "id": str(shared.people["colleague"])},
            "form": {"fields": ["mobile"], "purpose": "work_contact"},
        },
    }
    assert [each["id"] for each in mobile["forbids"] if each["applied"]] == []


async def test_a_cap_that_applied_is_named(shared: World) -> None:
    told = await explained(shared, "staff", "ceo", fields=["mobile"])
    (mobile,) = told["fields"]
    assert (mobile["state"], [each["id"] for each in mobile["caps"] if each["applied"]]) == (
        "withheld",
        ["overlay.executive.staff"],
    )


async def test_security_asks_for_others_and_nobody_else_does(shared: World) -> None:
    other = str(shared.people["outsider"])
    told = await explained(shared, "infosec", "colleague", viewer=other, fields=["mobile"])
    assert told["viewer"]["id"] == other
    assert told["fields"][0]["outcome"] == "mask_coarse"
    body = {"contact": str(shared.people["colleague"]), "viewer": other}
    for caller in ("staff", "head", "hr", "ceo", "it"):
        answer = await (await shared.as_(caller)).post(PATH, json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")


async def test_of_whom_one_may_not_know_it_says_what_it_says_of_nobody(shared: World) -> None:
    """Hard test 26: an explanation is no oracle."""
    caller, gone = await shared.as_("staff"), await add_person(shared)
    assert (await (await shared.as_("hr")).delete(gone.path, headers={"If-Match": "*"})).status_code == 204
    answers = []
    for identity in (gone.id, new_id()):
        answer = await caller.post(PATH, json={"contact": str(identity)})
        found = answer.json()
        answers.append((answer.status_code, found["code"], found["detail"], sorted(found)))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404


async def test_it_is_a_look_on_record(shared: World) -> None:
    told = await explained(shared, "infosec", "colleague", viewer=str(shared.people["staff"]), fields=["mobile"])
    events = await shared.as_("siem")
    event = (await events.get(f"/v1/access-events/{told['disclosure']['event_id']}")).json()
    assert event["action"] == "policy.explanation"
    assert {each["id"] for each in event["contacts"]} == {
        str(shared.people["colleague"]),
        str(shared.people["staff"]),
    }


async def test_a_field_that_the_kind_does_not_carry_is_refused(shared: World) -> None:
    body = {"contact": str(shared.people["colleague"]), "fields": ["delivery_address"]}
    answer = await (await shared.as_("staff")).post(PATH, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_field")
