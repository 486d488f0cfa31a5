"""Each kind over HTTP from filing to its end, on both engines: who is asked, what it does, and what nobody is told on the way."""

from typing import Any

import pytest
from sqlalchemy import update

from app.approvals.models import ApprovalValue
from app.audit.repository import EventFilter
from tests.effects.directory_walking import file, filed, read, said
from tests.effects.test_leaving import undertaken
from tests.hr.calls import applied
from tests.hr.events import left
from tests.support.application import World
from tests.support.problems import problem
from tests.support.shared import add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

NEW = "13700004455"


class TestChange:
    async def test_person_then_head_then_hr(self, shared: World) -> None:
        someone = await add_person(shared)
        changes = {"mobile": NEW, "title": "主任工程师"}
        path = await filed(
            shared, someone.name, "contact.change", ("contact", someone.id), changes=changes, reason="a new number"
        )
        assert (await said(shared, "head", path))["step"] == "hr"
        for reader in (someone.name, "head", "hr", "auditor"):
            told = await read(shared, reader, path)
            assert told["form"]["changes"] == {"mobile": {"state": "withheld"}, "title": "主任工程师"}
            assert NEW not in str(told)
        assert (await shared.card(someone.name, someone.name))["title"] is None
        assert (await said(shared, "hr", path))["state"] == "completed"
        card = await shared.card(someone.name, someone.name)
        assert (card["mobile"]["value"], card["title"]) == (NEW, "主任工程师")
        (effect,) = (await read(shared, someone.name, path))["effects"]
        assert effect["result"] == {"contact": str(someone.id), "fields": ["mobile", "title"]}
        history = (await (await shared.as_(someone.name)).get(f"{someone.path}/history")).json()["items"]
        named = {
            each["request_id"] for each in history if each["field"] in changes and each["value"] in changes.values()
        }
        assert named == {path.rpartition("/")[2]}

    async def test_whoever_confirms_it_looks_at_what_is_proposed(self, shared: World) -> None:
        """The person clear, HR and the head masked as any such value, who has nothing to do with it nothing; each look is on record."""
        someone = await add_person(shared)
        path = await filed(
            shared, someone.name, "contact.change", ("contact", someone.id), changes={"mobile": NEW}, reason="a number"
        )
        await said(shared, "head", path)
        told = {}
        for reader in (someone.name, "head", "hr", "auditor"):
            answer = await (await shared.as_(reader)).get(f"{path}/proposal")
            assert answer.status_code == 200, answer.text
            told[reader] = answer.json()["fields"]["mobile"]
            found = await shared.application.events.search(EventFilter(contact_id=someone.id), limit=1)
            assert (found.events[0].event.action, found.events[0].event.actor_id) == (
                "request.proposal",
                str(shared.people[reader]),
            )
        assert told[someone.name] == {"state": "shown", "value": NEW}
        assert told["head"] == told["hr"] == {"state": "masked", "value": "137****4455"}
        assert told["auditor"] == {"state": "withheld"}
        problem(await (await shared.as_("colleague")).get(f"{path}/proposal"), 404, "not_found")

    async def test_whoever_confirms_it_reveals_what_is_proposed_as_policy_lets_them_reveal_such_a_field(
        self, shared: World
    ) -> None:
        someone = await add_person(shared)
        path = await filed(
            shared, someone.name, "contact.change", ("contact", someone.id), changes={"mobile": NEW}, reason="a number"
        )
        wanted = {"fields": ["mobile"], "purpose": "work_contact", "reason": "to confirm the new number"}
        problem(await (await shared.as_("hr")).post(f"{path}/reveals", json=wanted), 404, "not_found")
        await said(shared, "head", path)
        for reader in (someone.name, "head", "hr"):
            answer = await (await shared.as_(reader)).post(f"{path}/reveals", json=wanted)
            assert answer.status_code == 200, answer.text
            assert answer.json()["fields"] == {"mobile": {"state": "shown", "value": NEW}}
            found = await shared.application.events.search(EventFilter(contact_id=someone.id), limit=1)
            (event,) = [each.event for each in found.events]
            assert (event.action, event.actor_id) == ("request.reveal", str(shared.people[reader]))
            assert (event.query or {})["request"] == path.rpartition("/")[2]
        for stranger in ("colleague", "outsider", "it"):
            problem(await (await shared.as_(stranger)).post(f"{path}/reveals", json=wanted), 404, "not_found")
        refused = await (await shared.as_("auditor")).post(f"{path}/reveals", json=wanted)
        assert refused.status_code == 403, "who oversees requests is not for that one who reveals numbers"
        assert NEW not in refused.text
        hr = await shared.as_("hr")
        other = await hr.post(f"{path}/reveals", json={**wanted, "fields": ["mobile", "personal_mobile"]})
        problem(other, 422, "unknown_field")
        assert (await hr.post(f"{path}/reveals", json={**wanted, "reason": ""})).status_code == 422
        assert someone.mobile not in (await hr.post(f"{path}/reveals", json=wanted)).text, (
            "what the card says is not told"
        )
        assert (await said(shared, "hr", path))["state"] == "completed"
        problem(await hr.post(f"{path}/reveals", json=wanted), 409, "request_not_open")

    async def test_a_correction_is_confirmed_by_who_may_see_it_and_its_box_is_nobody_elses(self, shared: World) -> None:
        someone, other = await add_person(shared), await add_person(shared)
        path = await filed(
            shared,
            "colleague",
            "contact.correction",
            ("contact", someone.id),
            field="mobile",
            value=NEW,
            reason="it rang",
        )
        wanted = {"fields": ["mobile"], "purpose": "work_contact", "reason": "to confirm the new number"}
        answer = await (await shared.as_(someone.name)).post(f"{path}/reveals", json=wanted)
        assert answer.json()["fields"]["mobile"]["value"] == NEW
        problem(await (await shared.as_(other.name)).post(f"{path}/reveals", json=wanted), 404, "not_found")
        async with shared.application.database.unit_of_work() as unit:
            rows = update(ApprovalValue).where(ApprovalValue.contact_id == someone.id)
            await unit.session.execute(rows.values(digest=b"\x00" * 16))
        broken = await (await shared.as_(someone.name)).post(f"{path}/reveals", json=wanted)
        assert broken.json()["code"] == "proposal_unreadable"

    async def test_a_head_asks_and_the_person_consents(self, shared: World) -> None:
        someone = await add_person(shared)
        path = await filed(
            shared, "head", "contact.change", ("contact", someone.id), changes={"duties": "值班"}, reason="new duties"
        )
        assert [each["id"] for each in (await read(shared, "head", path))["steps"]] == ["consent", "hr"]
        assert (await said(shared, someone.name, path))["step"] == "hr"
        assert (await said(shared, "hr", path))["state"] == "completed"
        assert (await shared.card("colleague", someone.name))["duties"] == "值班"

    async def test_bad_input_is_refused_at_once_and_nothing_is_kept(self, shared: World) -> None:
        someone = await add_person(shared)
        answer = await file(
            shared, someone.name, "contact.change", ("contact", someone.id), changes={"mobile": "12"}, reason="a number"
        )
        found = problem(answer, 422, "invalid_request")
        assert [(each["pointer"], each["code"]) for each in found["errors"]] == [
            ("/form/changes/mobile", "malformed_phone")
        ]
        listed = await (await shared.as_(someone.name)).get("/v1/requests")
        assert listed.json()["items"] == []

    async def test_what_changed_meanwhile_is_approved_anew(self, shared: World) -> None:
        someone, hr = await add_person(shared), await shared.as_("hr")
        path = await filed(
            shared, someone.name, "contact.change", ("contact", someone.id), changes={"mobile": NEW}, reason="a number"
        )
        await said(shared, "head", path)
        seen = await hr.get(someone.path)
        answer = await hr.patch(
            someone.path, json={"mobile": "13700007788"}, headers={"If-Match": seen.headers["ETag"]}
        )
        assert answer.status_code == 200, answer.text
        assert (await said(shared, "hr", path))["state"] == "needs_reapproval"
        assert (await shared.card(someone.name, someone.name))["mobile"]["value"] == "13700007788"
        asker = await shared.as_(someone.name)
        again = await asker.post(f"{path}/amendments", json={})
        assert problem(again, 422, "invalid_request")["errors"][0]["pointer"] == "/form/changes/mobile"
        anew = await asker.post(
            f"{path}/amendments", json={"form": {"changes": {"mobile": NEW}, "reason": "a number, still"}}
        )
        assert anew.status_code == 200, anew.text
        await said(shared, "head", path)
        assert (await said(shared, "hr", path))["state"] == "completed"
        assert (await shared.card(someone.name, someone.name))["mobile"]["value"] == NEW

    async def test_a_number_that_was_taken_meanwhile_fails_and_says_so(self, shared: World) -> None:
        someone = await add_person(shared)
        path = await filed(
            shared,
            someone.name,
            "contact.change",
            ("contact", someone.id),
            changes={"employee_no": "TAKEN-W", "title": "不会写入"},
            reason="another number",
        )
        await said(shared, "head", path)
        await add_person(shared, employee_no="TAKEN-W")
        assert (await said(shared, "hr", path))["state"] == "failed"
        assert (await read(shared, someone.name, path))["problem"] == "duplicate_employee_no"
        assert (await shared.card(someone.name, someone.name))["title"] is None


class TestCorrection:
    async def test_a_colleague_then_the_person_then_hr(self, shared: World) -> None:
        someone = await add_person(shared)
        path = await filed(
            shared,
            "outsider",
            "contact.correction",
            ("contact", someone.id),
            field="mobile",
            value=NEW,
            reason="somebody else answers",
        )
        assert (await said(shared, someone.name, path))["step"] == "hr"
        assert (await said(shared, "hr", path))["state"] == "completed"
        assert (await shared.card(someone.name, someone.name))["mobile"]["value"] == NEW

    async def test_the_requester_learns_nothing_of_the_value(self, shared: World) -> None:
        """Right, wrong or without one to compare with: every answer on the way is the same but for ids and times."""
        told = []
        cases: list[tuple[dict[str, Any], str | None]] = [({}, None), ({}, NEW), ({"mobile": None}, NEW)]
        for members, value in cases:
            someone = await add_person(shared, **members)
            guess = value or someone.mobile
            answers = []
            path = await filed(
                shared,
                "outsider",
                "contact.correction",
                ("contact", someone.id),
                field="mobile",
                value=guess,
                reason="somebody else answers",
            )
            answers.append(await read(shared, "outsider", path))
            await said(shared, someone.name, path)
            await said(shared, "hr", path)
            answers.append(await read(shared, "outsider", path))
            told.append(
                [
                    (
                        each["state"],
                        each["form"],
                        each["chain"],
                        each["problem"],
                        sorted(each),
                        [sorted(effect["result"]) for effect in each["effects"]],
                    )
                    for each in answers
                ]
            )
        assert told[0] == told[1] == told[2]

    async def test_without_a_value_the_person_is_asked_to_check(self, shared: World) -> None:
        someone = await add_person(shared)
        path = await filed(
            shared, "colleague", "contact.correction", ("contact", someone.id), field="mobile", reason="nobody answers"
        )
        assert (await said(shared, someone.name, path))["state"] == "completed"
        assert (await shared.card(someone.name, someone.name))["mobile"]["value"] == someone.mobile

    async def test_the_person_says_no(self, shared: World) -> None:
        someone = await add_person(shared)
        path = await filed(
            shared,
            "colleague",
            "contact.correction",
            ("contact", someone.id),
            field="title",
            value="总裁",
            reason="so it is said",
        )
        assert (await said(shared, someone.name, path, "reject"))["state"] == "rejected"
        assert (await shared.card("colleague", someone.name))["title"] is None


async def test_org_change_is_signed_decided_and_published(shared: World) -> None:
    someone = await add_person(shared)
    code = await add_department(shared, head=someone.id)
    path = await filed(
        shared,
        someone.name,
        "org.change",
        ("department", code),
        action="create",
        changes={"code": f"{code}-X", "name": "新设小组"},
        reason="the team has grown",
    )
    assert (await read(shared, someone.name, path))["step"] == "executive"
    assert (await said(shared, "ceo", path))["step"] == "publish"
    assert f"{code}-X" not in (await shared.application.standings.tree()).by_code
    assert (await said(shared, "steward", path))["state"] == "completed"
    seen = await (await shared.as_("staff")).get(f"/v1/departments/{code}-X")
    assert (seen.status_code, seen.json()["name"]) == (200, "新设小组")
    refused = await file(
        shared, "staff", "org.change", ("department", code), action="amend", changes={"name": "x"}, reason="because"
    )
    problem(refused, 403, "may_not_file")


async def test_leaving_is_done_when_nothing_is_left(shared: World) -> None:
    someone = await add_person(shared)
    form = {"last_day": "2026-11-30", "devices": ["laptop"], "accounts": ["crm"]}
    early = await filed(shared, "hr", "contact.leave", ("contact", someone.id), **form)
    assert (await said(shared, "it", early))["state"] == "failed"
    assert (await read(shared, "hr", early))["problem"] == "contact_still_live"
    path = await filed(shared, "hr", "contact.leave", ("contact", someone.id), **form)
    await undertaken(shared, someone)
    await applied(shared, left(f"N{someone.number}"))
    assert (await said(shared, "it", path))["state"] == "completed"
    (effect,) = (await read(shared, "hr", path))["effects"]
    assert effect["result"]["contact"] == str(someone.id)
    problem(await file(shared, "head", "contact.leave", ("contact", someone.id), **form), 403, "may_not_file")
