"""Security opens what it has a case for: with its number, on record under it, found again by it, and nothing without."""

from typing import Any, Final
from uuid import UUID

import httpx
import pytest

from tests.support.application import World
from tests.support.company import PEOPLE
from tests.support.problems import faults, problem
from tests.support.shared import Added, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

REASON: Final = "a phone was lost and rang"
EVENTS: Final = "/v1/access-events"


async def reveal(world: World, who: str, of: Added, *fields: str, **members: Any) -> httpx.Response:  # noqa: ANN401 — JSON
    body = {"fields": list(fields), "purpose": "incident", "reason": REASON, **members}
    return await (await world.as_(who)).post(f"{of.path}/reveals", json=body)


async def found(world: World, **query: str) -> list[dict[str, Any]]:
    answer = await (await world.as_("infosec")).get(EVENTS, params={"limit": "200", **query})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_a_case_opens_what_the_tier_table_gives_and_no_more(shared: World) -> None:
    someone = await add_person(shared, department="SALES", id_number="11010519491231002X")
    names = ("mobile", "personal_mobile", "id_number")
    answer = await reveal(shared, "infosec", someone, *names, case="INC-20260042")
    assert answer.status_code == 200, answer.text
    assert answer.json()["fields"] == {
        "mobile": {"state": "shown", "value": someone.mobile},
        "personal_mobile": {"state": "shown", "value": someone.personal_mobile},
        "id_number": {"state": "masked", "value": "1****************X"},
    }
    (event,) = await found(shared, contact=str(someone.id), action="contact.reveal")
    assert event["contacts"][0]["fields"] == {"mobile": "shown", "personal_mobile": "shown", "id_number": "masked"}
    assert (event["case"], event["purpose"], event["decision"]) == ("INC-20260042", "incident", "allowed")


@pytest.mark.parametrize("purpose", ["audit", "incident"])
async def test_without_a_case_nothing_is_opened_and_the_member_is_missing(shared: World, purpose: str) -> None:
    someone = await add_person(shared, department="SALES")
    before = shared.application.opener.opened
    for name in ("mobile", "personal_mobile", "id_number"):
        answer = await reveal(shared, "infosec", someone, "office_phone", name, purpose=purpose)
        document = problem(answer, 422, "invalid_request")
        assert faults(answer) == [("/case", "missing")]
        unreasoned = await reveal(shared, "infosec", someone, name, purpose=purpose, reason=None, case="INC-20260042")
        assert {each: document[each] for each in ("type", "title", "status", "code")} == {
            each: problem(unreasoned, 422, "invalid_request")[each] for each in ("type", "title", "status", "code")
        }
        null = await reveal(shared, "infosec", someone, name, purpose=purpose, case=None)
        assert faults(null) == [("/case", "missing")]
    assert shared.application.opener.opened == before
    assert await found(shared, contact=str(someone.id), action="contact.reveal", decision="allowed") == []


async def test_that_a_case_is_asked_for_does_not_hang_on_the_value(shared: World) -> None:
    bare = await add_person(shared, department="SALES", personal_mobile=None)
    answer = await reveal(shared, "infosec", bare, "personal_mobile")
    assert faults(answer) == [("/case", "missing")]
    told = await reveal(shared, "infosec", bare, "personal_mobile", case="INC-20260042")
    assert told.json()["fields"] == {"personal_mobile": {"state": "empty"}}


async def test_what_the_card_shows_and_what_a_reason_gives_takes_no_case(shared: World) -> None:
    someone = await add_person(shared, department="SALES")
    assert (await reveal(shared, "infosec", someone, "office_phone")).status_code == 200
    mate = await add_person(shared, department="SEC")
    answer = await reveal(shared, "infosec", mate, "mobile")
    assert answer.json()["fields"]["mobile"]["value"] == mate.mobile
    assert faults(await reveal(shared, "infosec", mate, "mobile", "wechat")) == [("/case", "missing")]


@pytest.mark.parametrize(
    ("who", "fields", "purpose", "code"),
    [
        ("infosec", ("mobile",), "work_contact", "approval_required"),
        ("infosec", ("id_number",), "hr_admin", "not_permitted"),
        ("auditor", ("mobile",), "audit", "approval_required"),
        ("auditor", ("id_number",), "incident", "not_permitted"),
        ("colleague", ("personal_mobile",), "incident", "approval_required"),
        ("it", ("id_number",), "incident", "not_permitted"),
    ],
)
async def test_a_case_gives_nothing_to_others_or_for_other_purposes(
    shared: World, who: str, fields: tuple[str, ...], purpose: str, code: str
) -> None:
    someone = await add_person(shared)
    before = shared.application.opener.opened
    problem(await reveal(shared, who, someone, *fields, purpose=purpose, case="INC-20260042"), 403, code)
    assert shared.application.opener.opened == before


async def test_the_guarded_stay_masked_and_the_gone_stay_gone(shared: World) -> None:
    guarded = await add_person(shared, department="EXEC", secrecy="executive")
    problem(await reveal(shared, "infosec", guarded, "mobile", case="INC-20260042"), 403, "approval_required")
    for case in ({}, {"case": "INC-20260042"}):
        absent = Added("nobody", UUID(int=7), 7)
        problem(await reveal(shared, "infosec", absent, "mobile", **case), 404, "not_found")


@pytest.mark.parametrize(
    "case",
    [
        "",
        "INC",
        "INC-",
        "INC-123",
        "INC-13700004411",
        "inc-20260042",
        "INC 20260042",
        "INC-2026\n1",
        "INC-\uff12\uff10\uff12\uff16",
        "1NC-2026",
        "ABCDEFGHIJKLMNOPQ-2026",
        "*",
        20260042,
        ["INC-20260042"],
    ],
)
async def test_what_is_no_case_number_is_refused(shared: World, case: object) -> None:
    """A number in the log as it is leaves no room for a mobile or an identity number."""
    path = f"/v1/contacts/{shared.people['staff']}/reveals"
    body = {"fields": ["mobile"], "purpose": "incident", "reason": REASON, "case": case}
    answer = await (await shared.as_("infosec")).post(path, json=body)
    problem(answer, 422, "invalid_request")
    assert [pointer for pointer, _ in faults(answer)] == ["/case"]
    if isinstance(case, str):
        asked = await (await shared.as_("infosec")).get(EVENTS, params={"case": case})
        assert (problem(asked, 422, "invalid_request"), faults(asked)[0][0])[1] == "?case"


async def test_reveals_are_found_by_their_case_and_questions_about_it_are_not(shared: World) -> None:
    someone, other = await add_person(shared, department="SALES"), await add_person(shared)
    for of, case in ((someone, "AUD-70010001"), (other, "AUD-70010001"), (other, "AUD-70010002")):
        assert (await reveal(shared, "infosec", of, "mobile", purpose="audit", case=case)).status_code == 200
    assert (await reveal(shared, "colleague", other, "mobile", case="AUD-70010001")).status_code == 200
    first = await found(shared, case="AUD-70010001", **{"from": "2026-01-01T00:00:00Z"})
    events = await found(shared, case="AUD-70010001")
    assert first == events
    assert [(each["action"], each["case"]) for each in events] == [("contact.reveal", "AUD-70010001")] * 3
    assert {each["actor"]["id"] for each in events} == {str(shared.people[name]) for name in ("infosec", "colleague")}
    assert len(await found(shared, case="AUD-70010001", contact=str(other.id))) == 2
    assert await found(shared, case="AUD-70019999", contact=str(other.id)) == []
    one = (await (await shared.as_("auditor")).get(f"{EVENTS}/{events[0]['id']}")).json()
    assert (one["case"], one["query"]) == ("AUD-70010001", {"case": "AUD-70010001"})
    asked = (await found(shared, action="access_event.list", actor=str(shared.people["infosec"])))[1]
    assert asked["case"] is None


async def test_the_person_is_told_who_looked_and_not_for_which_case(shared: World) -> None:
    someone = await add_person(shared, department="SALES")
    assert (await reveal(shared, "infosec", someone, "mobile", case="INC-80010001")).status_code == 200
    answer = await (await shared.as_(someone.name)).get("/v1/me/viewed-by")
    assert PEOPLE["infosec"].full_name in answer.text
    assert "INC-80010001" not in answer.text


async def test_the_card_and_the_explanation_lead_there(shared: World) -> None:
    someone, client = await add_person(shared, department="SALES"), await shared.as_("infosec")
    card = (await client.get(someone.path, params={"purpose": "incident"})).json()
    assert {name: card[name]["next"] for name in ("mobile", "wechat", "id_number")} == dict.fromkeys(
        ("mobile", "wechat", "id_number"), "reveal"
    )
    body: dict[str, Any] = {"contact": str(someone.id), "fields": ["mobile", "office_phone", "id_number"]}
    (mobile, office, number) = (await client.post("/v1/policy/explanations", json=body)).json()["fields"]
    assert (mobile["reason"], mobile["change"]["way"], mobile["change"]["value"]) == ("none", "purpose", "audit")
    assert (mobile["change"]["reason"], mobile["change"]["leads_to"]) == ("case", "clear")
    assert (office["reason"], office["change"]) == ("none", None)
    assert (number["change"]["reason"], number["change"]["leads_to"]) == ("case", "mask_fine")
    body["purpose"] = "incident"
    (mobile, _, number) = (await client.post("/v1/policy/explanations", json=body)).json()["fields"]
    assert (mobile["reason"], number["reason"], mobile["change"]["way"]) == ("case", "case", "reveal")
    reasons = {each["id"]: each["reason"] for each in mobile["grants"]}
    assert reasons["infosec.staff.case"] == "case"
