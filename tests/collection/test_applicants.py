"""Applicants and students: known to HR alone, named under seal, kept for a time; who joins is the contact that they were."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.kit.models import new_id
from tests.collection.people import add_applicant, consent, next_number, row, write
from tests.hr import events
from tests.hr.calls import post
from tests.support.application import World
from tests.support.problems import faults, problem

pytestmark = pytest.mark.asyncio(loop_scope="session")
REASON = "ask when the interview could be"


class TestAnApplicant:
    async def test_is_seen_by_hr_and_the_steward_alone(self, collecting: World) -> None:
        someone = await add_applicant(collecting)
        for reader in ("hr", "steward"):
            card = (await (await collecting.as_(reader)).get(someone.path)).json()
            assert (card["kind"], card["title"]) == ("applicant", "应聘工程师")
            assert card["name"] == {"state": "shown", "value": someone.name}
            assert card["personal_mobile"]["state"] == "masked"
            assert "mobile" not in card
        for reader in ("staff", "head", "infosec", "ceo", "intern", "it", "directory-sync"):
            client = await collecting.as_(reader)
            problem(await client.get(someone.path), 404, "not_found")
            listed = await client.get("/v1/contacts", params={"kind": "applicant", "total": "true"})
            assert (listed.json()["items"], listed.json()["total"]) == ([], 0)

    async def test_is_kept_until_a_day_that_the_card_tells(self, collecting: World) -> None:
        someone = await add_applicant(collecting)
        card = (await (await collecting.as_("hr")).get(someone.path)).json()
        assert card["retain_until"] == str(datetime.now(UTC).date() + timedelta(days=180))
        answer = await write(collecting, someone.id, retain_until="2099-01-01")
        problem(answer, 422, "invalid_request")
        assert faults(answer) == [("/retain_until", "unknown_member")]

    async def test_is_reached_by_a_reveal_with_a_reason(self, collecting: World) -> None:
        someone = await add_applicant(collecting)
        asked = {"fields": ["personal_mobile"], "purpose": "hr_admin", "reason": REASON}
        told = await (await collecting.as_("hr")).post(f"{someone.path}/reveals", json=asked)
        assert told.json()["fields"]["personal_mobile"]["value"] == someone.mobile

    async def test_can_be_taken_out_like_anybody(self, collecting: World) -> None:
        someone = await add_applicant(collecting)
        hr = await collecting.as_("hr")
        assert (await hr.delete(someone.path, headers={"If-Match": "*"})).status_code == 204
        problem(await hr.get(someone.path), 404, "not_found")


class TestJoining:
    async def test_is_the_same_contact_with_a_plain_name(self, collecting: World) -> None:
        someone = await add_applicant(collecting)
        subject = f"E{next_number()}"
        event = events.joined(subject, name=someone.name, applicant=str(someone.id))
        answer = await post(collecting, event)
        assert (answer.json()["state"], answer.json()["contact_id"]) == ("applied", str(someone.id)), answer.text
        card = (await (await collecting.as_("staff")).get(someone.path)).json()
        assert (card["kind"], card["name"], card["employee_no"]) == ("employee", someone.name, subject)
        assert (card["worker_kind"], card["retain_until"]) == ("regular", None)
        assert card["personal_mobile"] == {
            "state": "masked",
            "value": f"{someone.mobile[:3]}********",
            "next": "request:field.reveal",
        }
        stored = await row(collecting, someone.id)
        assert (stored["name"], stored["sealed_name"], stored["consented"]) == (someone.name, None, None)
        found = await (await collecting.as_("staff")).get("/v1/contacts", params={"q": someone.name})
        assert [each["id"] for each in found.json()["items"]] == [str(someone.id)]
        assert (await (await collecting.as_(f"test.{subject.lower()}")).get("/v1/me")).status_code == 200
        assert (await post(collecting, event)).headers["Idempotency-Replayed"] == "true"

    async def test_ends_what_was_consented_to_for_applying(self, collecting: World) -> None:
        someone = await add_applicant(collecting)
        proof = "Application form, signed"
        assert (await consent(collecting, "hr", someone.id, "qq", "wechat", proof=proof)).status_code == 201
        assert (await write(collecting, someone.id, qq="100200300", wechat="wx_applies")).status_code == 200
        event = events.joined(f"E{next_number()}", name=someone.name, applicant=str(someone.id))
        assert (await post(collecting, event)).json()["state"] == "applied"
        stored = await row(collecting, someone.id)
        assert (stored["qq"], stored["consented"]) == (None, None)
        hr = await collecting.as_("hr")
        assert (await hr.get(someone.path)).json()["wechat"]["state"] == "empty"

    async def test_tells_colleagues_nothing_of_the_time_before(self, collecting: World) -> None:
        someone = await add_applicant(collecting)
        await write(collecting, someone.id, title="应聘者甲")
        event = events.joined(f"E{next_number()}", name=someone.name, applicant=str(someone.id))
        assert (await post(collecting, event)).json()["state"] == "applied"

        async def history(reader: str) -> list[tuple[str, Any]]:
            told = await (await collecting.as_(reader)).get(f"{someone.path}/history", params={"limit": 200})
            return [(each["field"], each.get("value")) for each in told.json()["items"]]

        colleague, hr = await history("staff"), await history("hr")
        assert ("kind", "employee") in colleague
        assert not {("kind", "applicant"), ("title", "应聘者甲")} & set(colleague)
        assert {("kind", "applicant"), ("title", "应聘者甲")} <= set(hr)

    @pytest.mark.parametrize("who", ["nobody", "staff", "joined"])
    async def test_of_somebody_who_is_no_applicant_fails_and_does_nothing(self, collecting: World, who: str) -> None:
        named = new_id() if who == "nobody" else collecting.people["staff"]
        if who == "joined":
            someone = await add_applicant(collecting)
            named = someone.id
            first = events.joined(f"E{next_number()}", name=someone.name, applicant=str(named))
            assert (await post(collecting, first)).json()["state"] == "applied"
        before = await collecting.application.contact_rows.size()
        answer = await post(collecting, events.joined(f"E{next_number()}", applicant=str(named)))
        assert (answer.json()["state"], answer.json()["problem"]["code"]) == ("failed", "unknown_applicant")
        assert answer.json()["contact_id"] is None
        assert await collecting.application.contact_rows.size() == before

    async def test_under_a_taken_number_fails_and_leaves_the_applicant_as_they_were(self, collecting: World) -> None:
        someone = await add_applicant(collecting)
        before = await row(collecting, someone.id)
        answer = await post(collecting, events.joined("E2101", name=someone.name, applicant=str(someone.id)))
        assert answer.json()["problem"]["code"] == "duplicate_employee_no"
        assert (await row(collecting, someone.id))["mac"] == before["mac"]
        problem(await (await collecting.as_("staff")).get(someone.path), 404, "not_found")

    async def test_with_a_field_that_rests_on_consent_fails_and_says_so(self, collecting: World) -> None:
        answer = await post(collecting, events.joined(f"E{next_number()}", qq="100200300"))
        assert (answer.json()["state"], answer.json()["problem"]["code"]) == ("failed", "consent_required")


class TestRelations:
    PEOPLE = ({"kind": "emergency", "name": "仇静", "phone": "138 0000 7777"},)
    KEPT = ({"kind": "emergency", "name": "仇静", "phone": "+8613800007777"},)

    async def student(self, world: World) -> str:
        hr = await world.as_("hr")
        given = {"kind": "student", "name": f"逄学{next_number()}", "department": "RD"}
        answer = await hr.post("/v1/contacts", json=given)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def test_are_one_sealed_value_masked_whole_and_revealed_as_a_list(self, collecting: World) -> None:
        identity, hr = await self.student(collecting), await collecting.as_("hr")
        body = {"fields": ["relations"], "basis": "separate_consent", "purpose": "emergency", "proof": "监护人签字"}
        assert (await hr.post(f"/v1/contacts/{identity}/consents", json=body)).status_code == 201
        answer = await hr.patch(f"/v1/contacts/{identity}", json={"relations": self.PEOPLE}, headers={"If-Match": "*"})
        assert answer.status_code == 200, answer.text
        assert "7777" not in answer.text
        read = await hr.get(f"/v1/contacts/{identity}")
        assert read.json()["relations"] == {"state": "masked", "value": "***", "next": "reveal"}
        assert answer.json()["version"] == read.json()["version"]
        asked = {"fields": ["relations"], "purpose": "emergency", "reason": REASON}
        told = await hr.post(f"/v1/contacts/{identity}/reveals", json=asked)
        assert told.json()["fields"]["relations"] == {"state": "shown", "value": list(self.KEPT)}
        history = (await hr.get(f"/v1/contacts/{identity}/history")).json()["items"]
        assert [each["value"] for each in history if each["field"] == "relations"] == ["***"]
        gone = await hr.patch(f"/v1/contacts/{identity}", json={"relations": []}, headers={"If-Match": "*"})
        assert gone.status_code == 200
        assert (await hr.get(f"/v1/contacts/{identity}")).json()["relations"]["state"] == "empty"

    @pytest.mark.parametrize(
        ("wrong", "fault"),
        [
            ([{"kind": "emergency", "name": "仇静", "phone": "nope"}], ("/relations", "malformed_phone")),
            ([{"kind": "friend", "name": "仇静", "phone": "13800000009"}], ("/relations/0/kind", "unknown_value")),
            ([{"kind": "guardian", "name": "仇静"}], ("/relations/0/phone", "missing")),
            (
                [{"kind": "guardian", "name": "仇静", "phone": "13800000009", "age": 4}],
                ("/relations/0/age", "unknown_member"),
            ),
            ([{"kind": "guardian", "name": "x", "phone": "13800000009"}] * 11, ("/relations", "too_many")),
        ],
    )
    async def test_that_cannot_be_read_are_named_and_nothing_changes(
        self, collecting: World, wrong: object, fault: tuple[str, str]
    ) -> None:
        identity, hr = await self.student(collecting), await collecting.as_("hr")
        body = {"fields": ["relations"], "basis": "separate_consent", "purpose": "emergency", "proof": "监护人签字"}
        assert (await hr.post(f"/v1/contacts/{identity}/consents", json=body)).status_code == 201
        answer = await hr.patch(f"/v1/contacts/{identity}", json={"relations": wrong}, headers={"If-Match": "*"})
        problem(answer, 422, "invalid_request")
        assert faults(answer) == [fault]
        assert (await hr.get(f"/v1/contacts/{identity}")).json()["relations"]["state"] == "empty"
