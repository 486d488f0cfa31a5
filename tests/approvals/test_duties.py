"""Separation of duties, by rule and over HTTP: requester, beneficiary, a second account, a second position, the same department."""

from uuid import UUID

import pytest

from app.approvals.chains import StepType
from app.approvals.duties import Conflict, Decider, Duties, StepRule, conflict
from tests.approvals.kinds import Office

ASKS, GAINS, OTHER, DEPARTMENT = (UUID(int=each) for each in range(1, 5))
DUTIES = Duties(requester=ASKS, beneficiary=GAINS, decided={OTHER}, departments={DEPARTMENT})
NOBODY = UUID(int=9)


def decider(person: UUID, *, department: UUID | None = None, in_office: bool = True) -> Decider:
    """Somebody whose contact is another than their person, so that only the person can be what counts."""
    return Decider(contact=UUID(int=100), person=person, department=department, in_office=in_office)


@pytest.mark.parametrize(
    ("who", "rule", "why"),
    [
        (decider(NOBODY), StepRule(StepType.ANY), None),
        (decider(NOBODY, in_office=False), StepRule(StepType.ANY), Conflict.NOT_IN_OFFICE),
        *[(decider(ASKS), StepRule(kind), Conflict.REQUESTER) for kind in StepType if kind.approves],
        *[(decider(GAINS), StepRule(kind), Conflict.BENEFICIARY) for kind in StepType if kind.approves],
        (decider(ASKS), StepRule(StepType.ATTEST), None),
        (decider(GAINS), StepRule(StepType.ATTEST), None),
        (decider(GAINS), StepRule(StepType.CONSENT), None),
        (decider(GAINS), StepRule(StepType.ACKNOWLEDGE), Conflict.BENEFICIARY),
        (decider(OTHER), StepRule(StepType.ANY), Conflict.DECIDED_BEFORE),
        (decider(NOBODY, department=DEPARTMENT), StepRule(StepType.PROVISION, apart=True), Conflict.SAME_DEPARTMENT),
        (decider(NOBODY, department=DEPARTMENT), StepRule(StepType.PROVISION), None),
        (decider(NOBODY), StepRule(StepType.PROVISION, apart=True), None),
    ],
)
def test_who_may_not_be_the_one(who: Decider, rule: StepRule, why: Conflict | None) -> None:
    assert conflict(who, rule, DUTIES) is why


async def test_whoever_asks_is_left_out_and_the_question_goes_up(office: Office) -> None:
    path = await office.filed("hr", "test.any")
    read = await office.read("auditor", path)
    asked = [each["person"]["id"] for each in read["steps"][0]["people"]]
    assert office.id("hr") not in asked
    assert asked
    assert {each["how"] for each in read["steps"][0]["people"]} == {"escalation"}
    assert (await office.say("hr", path)).json()["code"] == "not_asked"


async def test_whoever_gains_does_not_decide_what_a_colleague_files_for_them(office: Office) -> None:
    path = await office.filed("staff", "test.any", beneficiary=office.id("hr"))
    assert (await office.say("hr", path)).json()["code"] == "not_asked"
    assert office.effect.applied == []


async def test_the_question_is_not_passed_on_to_whoever_asks_or_gains(office: Office) -> None:
    path = await office.filed("staff", "test.any", beneficiary=office.id("head"))
    for who in ("staff", "head"):
        answer = await office.act("hr", path, "transfers", to=office.id(who))
        assert (answer.status_code, answer.json()["code"]) == (403, "separation_of_duties")
        answer = await office.act("hr", path, "additions", to=office.id(who))
        assert answer.json()["code"] == "separation_of_duties"


async def test_one_person_in_two_steps_counts_once(office: Office) -> None:
    path = await office.filed("staff", "test.two")
    await office.say("head", path)
    answer = await office.act("hr", path, "transfers", to=office.id("head"))
    assert answer.json() | {"detail": ""} == answer.json() | {
        "code": "separation_of_duties",
        "conflict": "decided_before",
        "detail": "",
    }


async def test_the_head_of_the_head_decides_what_the_head_gains(office: Office) -> None:
    path = await office.filed("head", "test.head")
    asked = [each["person"]["id"] for each in (await office.read("auditor", path))["steps"][0]["people"]]
    assert office.id("head") not in asked
    assert asked


async def test_an_intern_is_asked_nothing(office: Office) -> None:
    refused = await office.act("hr", await office.filed("staff", "test.any"), "transfers", to=office.id("intern"))
    assert refused.status_code == 403


async def test_a_kind_for_heads_is_filed_by_heads(office: Office) -> None:
    assert (await office.file("staff", "test.leaders")).json()["code"] == "may_not_file"
    assert (await office.file("head", "test.leaders")).status_code == 201


@pytest.mark.parametrize("kind", ["test.off", "test.absent"])
async def test_49_a_kind_that_is_not_enabled_is_not_there(office: Office, kind: str) -> None:
    refused = await office.file("staff", kind)
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown_request_kind")
    listed = (await (await office.world.as_("staff")).get("/v1/request-kinds")).json()["items"]
    assert kind not in {each["kind"] for each in listed}


async def test_services_neither_file_nor_decide(office: Office) -> None:
    refused = await office.file("hr-system", "test.any")
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")


async def test_to_whom_it_does_not_concern_it_is_not_there(office: Office) -> None:
    path = await office.filed("staff", "test.any")
    outsider = await office.world.as_("outsider")
    absent = await outsider.get(f"/v1/requests/{UUID(int=7)}")
    hidden = await outsider.get(path)
    assert (hidden.status_code, hidden.json()["code"]) == (absent.status_code, absent.json()["code"])
    assert (await outsider.get("/v1/requests", params={"all": "true"})).json()["items"] == []
    assert (await office.say("outsider", path)).status_code == 404
    assert (
        len((await (await office.world.as_("auditor")).get("/v1/requests", params={"all": "true"})).json()["items"])
        == 1
    )


async def test_the_same_is_asked_for_once(office: Office) -> None:
    await office.filed("staff", "test.any")
    assert (await office.file("staff", "test.any")).json()["code"] == "already_requested"
    assert (await office.file("staff", "test.any", about="head")).status_code == 201


async def test_a_form_that_does_not_fit_says_where(office: Office) -> None:
    refused = await office.file("staff", "test.any", further={"reason": "x", "other": 1})
    assert refused.json()["code"] == "invalid_form"
    assert {each["pointer"] for each in refused.json()["errors"]} == {"/form", "/form/reason"}
