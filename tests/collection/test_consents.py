"""Consents: whose word they are, what rests on them, and what becomes of it when they are taken back."""

import asyncio
from typing import Any, Final

import pytest
from structlog.testing import capture_logs

from app.kit.models import new_id
from tests.collection.people import add_applicant, consent, row, withdraw, write
from tests.policy.tampering import Intruder
from tests.support.application import World
from tests.support.pictures import picture
from tests.support.problems import faults, problem
from tests.support.shared import Added, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")
PLATE: Final = "沪A12345"
PROOF: Final = "纸质同意书，档案 2026-117"


async def person(world: World, **members: Any) -> Added:  # noqa: ANN401 — members of a contact
    """Add somebody with an account and nothing that rests on consent."""
    return await add_person(world, **members)


async def consents(world: World, reader: str, of: Added) -> dict[str, Any]:
    """Read somebody's consents."""
    answer = await (await world.as_(reader)).get(f"{of.path}/consents")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def with_plate(world: World) -> Added:
    """Add somebody who consented to a number plate that HR then wrote down."""
    someone = await person(world)
    assert (await consent(world, someone.name, someone.id, "plate")).status_code == 201
    assert (await write(world, someone.id, plate=PLATE)).status_code == 200
    return someone


class TestWriting:
    async def test_takes_a_consent_that_is_live(self, collecting: World) -> None:
        someone = await person(collecting)
        before = await row(collecting, someone.id)
        answer = await write(collecting, someone.id, plate=PLATE, title="x")
        problem(answer, 422, "consent_required")
        assert faults(answer) == [("/plate", "consent_required")]
        assert (await row(collecting, someone.id))["mac"] == before["mac"]
        given = await consent(collecting, someone.name, someone.id, "plate")
        assert (given.status_code, given.json()["live"]) == (201, ["plate"])
        assert (await write(collecting, someone.id, plate=PLATE)).status_code == 200
        card = (await (await collecting.as_("hr")).get(someone.path)).json()
        assert card["plate"]["state"] == "masked"

    async def test_a_new_contact_has_consented_to_nothing(self, collecting: World) -> None:
        before = await collecting.application.contact_rows.size()
        for body, named in (
            ({"name": "仇新", "plate": PLATE, "qq": "100200300"}, ["/plate", "/qq"]),
            ({"kind": "applicant", "name": "仇新", "wechat": "wx"}, ["/wechat"]),
        ):
            answer = await (await collecting.as_("hr")).post("/v1/contacts", json=body)
            problem(answer, 422, "consent_required")
            assert faults(answer) == [(pointer, "consent_required") for pointer in named]
        assert await collecting.application.contact_rows.size() == before

    async def test_to_remove_takes_no_consent(self, collecting: World) -> None:
        someone = await person(collecting)
        assert (await write(collecting, someone.id, plate=None)).status_code == 200

    async def test_a_photo_rests_on_consent_like_any_field(self, collecting: World) -> None:
        someone, hr = await person(collecting), await collecting.as_("hr")
        headers = {"If-Match": "*", "Content-Type": "image/jpeg"}
        refused = await hr.post(f"{someone.path}/photo", content=picture(), headers=headers)
        problem(refused, 422, "consent_required")
        assert (await consent(collecting, someone.name, someone.id, "photo")).status_code == 201
        assert (await hr.post(f"{someone.path}/photo", content=picture(), headers=headers)).status_code == 200
        assert (await withdraw(collecting, someone.name, someone.id, "photo")).status_code == 200
        problem(await hr.get(f"{someone.path}/photo"), 404, "not_found")
        again = await hr.post(f"{someone.path}/photo", content=picture(), headers=headers)
        problem(again, 422, "consent_required")


class TestWithdrawing:
    async def test_erases_the_value_and_closes_the_field(self, collecting: World) -> None:
        someone = await with_plate(collecting)
        answer = await withdraw(collecting, someone.name, someone.id, "plate")
        assert (answer.status_code, answer.json()) == (
            200,
            {"id": str(someone.id), "basis": "consent", "fields": ["plate"], "live": []},
        )
        stored = await row(collecting, someone.id)
        assert (stored["plate"], stored["consented"]) == (None, None)
        hr = await collecting.as_("hr")
        assert (await hr.get(someone.path)).json()["plate"]["state"] == "empty"
        asked = {"fields": ["plate"], "purpose": "hr_admin", "reason": "what did the plate say"}
        told = await hr.post(f"{someone.path}/reveals", json=asked)
        assert told.json()["fields"]["plate"] == {"state": "empty"}
        problem(await write(collecting, someone.id, plate=PLATE), 422, "consent_required")

    async def test_leaves_the_past_to_the_person_alone(self, collecting: World) -> None:
        someone = await with_plate(collecting)

        async def past(reader: str) -> list[str | None]:
            told = await (await collecting.as_(reader)).get(
                f"{someone.path}/history", params={"limit": 200, "purpose": "hr_admin"}
            )
            return [each.get("value") for each in told.json()["items"] if each["field"] == "plate"]

        assert len(await past("hr")) == 1
        assert (await withdraw(collecting, someone.name, someone.id, "plate")).status_code == 200
        assert await past("hr") == []
        assert await past("steward") == []
        assert await past(someone.name) == [None, PLATE]

    async def test_is_as_easy_a_second_time(self, collecting: World) -> None:
        someone = await with_plate(collecting)
        assert (await withdraw(collecting, someone.name, someone.id, "plate")).json()["fields"] == ["plate"]
        before = await row(collecting, someone.id)
        again = await withdraw(collecting, someone.name, someone.id, "plate", "qq", "nonsense")
        assert (again.status_code, again.json()["fields"]) == (200, [])
        assert (await row(collecting, someone.id))["mac"] == before["mac"]

    async def test_of_another_basis_erases_nothing(self, collecting: World) -> None:
        someone = await with_plate(collecting)
        given = await consent(collecting, someone.name, someone.id, "plate", "mobile", basis="provision")
        assert given.status_code == 201
        taken = await withdraw(collecting, someone.name, someone.id, "plate", "mobile", basis="provision")
        assert taken.json()["fields"] == ["plate", "mobile"] or taken.json()["fields"] == ["mobile", "plate"]
        assert (await row(collecting, someone.id))["plate"] is not None
        assert (await row(collecting, someone.id))["consented"] == "plate:consent"

    async def test_consent_can_be_given_anew(self, collecting: World) -> None:
        someone = await with_plate(collecting)
        await withdraw(collecting, someone.name, someone.id, "plate")
        assert (await consent(collecting, someone.name, someone.id, "plate")).status_code == 201
        assert (await write(collecting, someone.id, plate=PLATE)).status_code == 200
        events = [(each["event"], each["field"]) for each in (await consents(collecting, "hr", someone))["items"]]
        assert events == [("given", "plate"), ("withdrawn", "plate"), ("given", "plate")]

    async def test_a_replayed_consent_stays_withdrawn(self, collecting: World) -> None:
        someone = await person(collecting)
        client = await collecting.as_(someone.name)
        body = {"fields": ["plate"], "basis": "consent", "purpose": "work_contact"}
        headers = {"Idempotency-Key": f"once-{someone.id}"}
        first = await client.post(f"{someone.path}/consents", json=body, headers=headers)
        assert first.status_code == 201
        await withdraw(collecting, someone.name, someone.id, "plate")
        replay = await client.post(f"{someone.path}/consents", json=body, headers=headers)
        assert (replay.status_code, replay.headers["Idempotency-Replayed"]) == (201, "true")
        assert (await row(collecting, someone.id))["consented"] is None
        problem(await write(collecting, someone.id, plate=PLATE), 422, "consent_required")


class TestWhoseWord:
    @pytest.mark.parametrize("other", ["colleague", "head", "ceo", "it"])
    async def test_nobody_consents_for_somebody_else_or_reads_it(self, collecting: World, other: str) -> None:
        someone, client = await with_plate(collecting), await collecting.as_(other)
        problem(await consent(collecting, other, someone.id, "qq"), 404, "not_found")
        problem(await withdraw(collecting, other, someone.id, "plate"), 404, "not_found")
        problem(await client.get(f"{someone.path}/consents"), 404, "not_found")
        assert (await row(collecting, someone.id))["consented"] == "plate:consent"

    async def test_absent_and_not_for_the_caller_are_one_answer(self, collecting: World) -> None:
        someone = await with_plate(collecting)
        client = await collecting.as_("colleague")
        for path in ("consents", "consents/withdrawals"):
            body = {"fields": ["plate"], "basis": "consent"} | (
                {"purpose": "work_contact"} if path == "consents" else {}
            )
            there, absent = [
                await client.post(f"/v1/contacts/{each}/{path}", json=body) for each in (someone.id, new_id())
            ]
            assert {**there.json(), "instance": 0} == {**absent.json(), "instance": 0}

    @pytest.mark.parametrize("keeper", ["hr", "steward"])
    async def test_hr_puts_on_record_with_proof_that_few_read(self, collecting: World, keeper: str) -> None:
        someone = await person(collecting)
        problem(await consent(collecting, keeper, someone.id, "plate"), 422, "proof_required")
        assert (await row(collecting, someone.id))["consented"] is None
        assert (await consent(collecting, keeper, someone.id, "plate", proof=PROOF)).status_code == 201
        for reader in (someone.name, "hr", "steward"):
            (entry,) = (await consents(collecting, reader, someone))["items"]
            assert entry["proof"] == {"state": "shown", "value": PROOF}
            assert (entry["source"], entry["actor"]["id"]) == ("recorded", str(collecting.people[keeper]))
        for reader in ("infosec", "auditor"):
            (entry,) = (await consents(collecting, reader, someone))["items"]
            assert entry["proof"] == {"state": "withheld"}

    async def test_security_reads_and_does_not_speak(self, collecting: World) -> None:
        someone = await with_plate(collecting)
        problem(await consent(collecting, "infosec", someone.id, "qq", proof=PROOF), 403, "not_permitted")
        problem(await withdraw(collecting, "infosec", someone.id, "plate", proof=PROOF), 403, "not_permitted")
        assert (await row(collecting, someone.id))["consented"] == "plate:consent"

    async def test_services_have_no_word(self, collecting: World) -> None:
        someone = await with_plate(collecting)
        problem(await consent(collecting, "directory-sync", someone.id, "qq"), 403, "insufficient_scope")
        sync = await collecting.as_("directory-sync")
        problem(await sync.get(f"{someone.path}/consents"), 404, "not_found")

    async def test_of_an_applicant_is_recorded_by_hr(self, collecting: World) -> None:
        someone = await add_applicant(collecting)
        problem(await consent(collecting, "staff", someone.id, "wechat", proof=PROOF), 404, "not_found")
        assert (await consent(collecting, "hr", someone.id, "wechat", proof=PROOF)).status_code == 201
        assert (await write(collecting, someone.id, wechat="wx_apply")).status_code == 200


class TestWhatIsAsked:
    @pytest.mark.parametrize(
        ("fields", "basis", "code", "at"),
        [
            (["organisation"], "consent", "not_collected", 0),
            (["plate", "nonsense"], "consent", "not_collected", 1),
            (["delivery_address"], "provision", "not_collected", 0),
            (["mobile"], "consent", "consent_not_asked", 0),
            (["plate"], "separate_consent", "consent_not_asked", 0),
            (["qq", "relations"], "consent", "consent_not_asked", 1),
        ],
    )
    async def test_a_consent_that_no_form_asks_for_is_refused(
        self, collecting: World, fields: list[str], basis: str, code: str, at: int
    ) -> None:
        someone = await person(collecting)
        answer = await consent(collecting, someone.name, someone.id, *fields, basis=basis)
        problem(answer, 422, code)
        assert faults(answer) == [(f"/fields/{at}", code)]
        assert (await row(collecting, someone.id))["consented"] is None
        assert (await consents(collecting, someone.name, someone))["items"] == []

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"fields": [], "basis": "consent", "purpose": "work_contact"},
            {"fields": ["Plate "], "basis": "consent", "purpose": "work_contact"},
            {"fields": ["plate"], "basis": "habit", "purpose": "work_contact"},
            {"fields": ["plate"], "basis": "consent", "purpose": "curiosity"},
            {"fields": ["plate"], "basis": "consent", "purpose": "work_contact", "proof": "\x00 ok"},
            {"fields": ["plate"], "basis": "consent", "purpose": "work_contact", "forms": "x"},
            {"fields": ["plate"] * 41, "basis": "consent", "purpose": "work_contact"},
        ],
    )
    async def test_what_cannot_be_read_changes_nothing(self, collecting: World, body: dict[str, Any]) -> None:
        someone = await person(collecting)
        answer = await (await collecting.as_(someone.name)).post(f"{someone.path}/consents", json=body)
        problem(answer, 422, "invalid_request")
        assert (await row(collecting, someone.id))["consented"] is None

    async def test_separate_consent_opens_sensitive_fields_in_both_languages(self, collecting: World) -> None:
        someone = await person(collecting)
        people = [{"kind": "emergency", "name": "仇静", "phone": "13800000009"}]
        hr = await collecting.as_("hr")
        for language, title in (("zh", "须先取得有效的个人同意"), ("en", "This takes a consent that is live")):
            answer = await hr.patch(
                someone.path, json={"relations": people}, headers={"If-Match": "*", "Accept-Language": language}
            )
            assert problem(answer, 422, "consent_required")["title"] == title
        given = await consent(collecting, someone.name, someone.id, "relations", basis="separate_consent")
        assert given.status_code == 201
        assert (await write(collecting, someone.id, relations=people)).status_code == 200


class TestTheList:
    async def test_tells_what_was_said_and_what_stands(self, collecting: World) -> None:
        someone = await with_plate(collecting)
        await consent(collecting, someone.name, someone.id, "mobile", basis="cross_border")
        told = await consents(collecting, someone.name, someone)
        newest, oldest = told["items"]
        assert (newest["field"], newest["basis"], newest["source"]) == ("mobile", "cross_border", "person")
        assert (oldest["event"], oldest["purpose"], oldest["proof"]) == ("given", "work_contact", {"state": "empty"})
        assert oldest["forms"].startswith("forms-1.0.0+")
        assert told["states"] == [
            {"field": "mobile", "basis": "cross_border", "live": True},
            {"field": "photo", "basis": "consent", "live": False},
            {"field": "plate", "basis": "consent", "live": True},
            {"field": "qq", "basis": "consent", "live": False},
            {"field": "relations", "basis": "separate_consent", "live": False},
        ]

    async def test_is_paged_and_each_page_is_on_record(self, collecting: World) -> None:
        someone = await person(collecting)
        assert (await consent(collecting, someone.name, someone.id, "plate", "qq", "photo")).status_code == 201
        hr, found, cursor = await collecting.as_("hr"), [], None
        while True:
            params = {"limit": "2", **({"cursor": cursor} if cursor else {})}
            page = (await hr.get(f"{someone.path}/consents", params=params)).json()
            found += [each["field"] for each in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        assert sorted(found) == ["photo", "plate", "qq"]
        event = await (await collecting.as_("siem")).get(f"/v1/access-events/{page['disclosure']['event_id']}")
        assert (event.json()["action"], event.json()["contacts"][0]["id"]) == ("contact.consents", str(someone.id))
        other = await (await collecting.as_("steward")).get(
            f"{someone.path}/consents", params={"limit": "2", "cursor": "x" * 40}
        )
        problem(other, 422, "bad_cursor")

    async def test_words_are_on_record_with_the_fields_they_are_about(self, collecting: World) -> None:
        someone = await with_plate(collecting)
        await withdraw(collecting, someone.name, someone.id, "plate")
        await collecting.settle()
        siem = await collecting.as_("siem")
        listed = await siem.get("/v1/access-events", params={"contact": str(someone.id), "limit": "50"})
        found = {each["action"]: each for each in listed.json()["items"]}
        assert {"contact.consent", "contact.withdraw"} <= set(found)
        assert PLATE not in listed.text


class TestHostile:
    async def test_a_forged_row_of_consent_opens_nothing_and_is_reported(
        self, collecting: World, intruder: Intruder
    ) -> None:
        someone, other = await with_plate(collecting), await person(collecting)
        columns = "field, basis, event, purpose, source, proof, notice_version, forms, at, actor_type, actor_id, request_id, mac"
        await intruder.run(
            f"INSERT INTO consent (id, contact_id, {columns}) SELECT ?, ?, {columns} FROM consent WHERE contact_id = ?",
            new_id(),
            other.id,
            someone.id,
        )
        problem(await write(collecting, other.id, plate=PLATE), 422, "consent_required")
        with capture_logs() as logged:
            told = await consents(collecting, "hr", other)
        assert told["items"] == []
        assert [line["table"] for line in logged if line["event"] == "row_mac_mismatch"] == ["consent"]

    async def test_a_forged_live_consent_takes_the_card_away(self, collecting: World, intruder: Intruder) -> None:
        someone = await person(collecting)
        async with intruder.edited("contact", "id", someone.id, consented="plate:consent"):
            problem(await write(collecting, someone.id, plate=PLATE), 404, "not_found")
            problem(await consent(collecting, "hr", someone.id, "plate", proof=PROOF), 404, "not_found")
            problem(await (await collecting.as_("hr")).get(f"{someone.path}/consents"), 404, "not_found")
        assert (await write(collecting, someone.id, title="x")).status_code == 200

    async def test_a_withdrawn_consent_put_back_by_sql_takes_the_card_away(
        self, collecting: World, intruder: Intruder
    ) -> None:
        someone = await with_plate(collecting)
        await withdraw(collecting, someone.name, someone.id, "plate")
        async with intruder.edited("contact", "id", someone.id, consented="plate:consent"):
            problem(await write(collecting, someone.id, plate=PLATE), 404, "not_found")

    async def test_a_moved_value_of_relations_takes_the_card_away(self, collecting: World, intruder: Intruder) -> None:
        someone = await with_plate(collecting)
        box = await intruder.column("contact", "id", someone.id, "plate")
        async with intruder.edited("contact", "id", someone.id, relations=box):
            problem(await (await collecting.as_("hr")).get(someone.path), 404, "not_found")

    async def test_a_withdrawal_and_a_write_do_not_pass_each_other(self, collecting: World) -> None:
        for _ in range(8):
            someone = await person(collecting)
            assert (await consent(collecting, someone.name, someone.id, "plate")).status_code == 201
            taken, written = await asyncio.gather(
                withdraw(collecting, someone.name, someone.id, "plate"), write(collecting, someone.id, plate=PLATE)
            )
            assert taken.status_code == 200, taken.text
            assert written.status_code in {200, 412, 422}, written.text
            stored = await row(collecting, someone.id)
            assert (stored["plate"], stored["consented"]) == (None, None)

    async def test_consents_at_once_are_all_kept(self, collecting: World) -> None:
        someone = await person(collecting)
        answers = await asyncio.gather(
            *(consent(collecting, someone.name, someone.id, name) for name in ("plate", "qq", "photo"))
        )
        assert [each.status_code for each in answers] == [201, 201, 201]
        assert (await row(collecting, someone.id))["consented"] == "photo:consent plate:consent qq:consent"
