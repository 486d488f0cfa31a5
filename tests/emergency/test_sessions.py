"""Break-glass from HTTP to the card: who may, what is shown, for how long. Hard test 66, and d.6 of the reference clause by clause."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.audit.errors import EpochMoved
from app.disclosure.looks import Look
from app.emergency.rules import HARD_STOP
from app.kit.models import new_id
from app.permissions.outcomes import Purpose
from tests.emergency.crisis import ELIGIBILITY, FIRE, REASON, SESSIONS, Crisis
from tests.support.company import PEOPLE
from tests.support.problems import faults, problem

CLEAR = {"state": "shown", "value": PEOPLE["colleague"].mobile}


def state(card: dict[str, Any], field: str) -> str:
    found: str = card[field]["state"]
    return found


class TestWhoMay:
    async def test_only_who_is_appointed_and_has_proved_who_they_are(self, crisis: Crisis) -> None:
        problem(await crisis.call("outsider", "POST", SESSIONS, FIRE), 403, "emergency_not_eligible")
        await crisis.appoint("outsider", days=10)
        refused = await crisis.call("outsider", "POST", SESSIONS, FIRE, proof=False)
        problem(refused, 401, "insufficient_user_authentication")
        assert "acr_values" in refused.headers["WWW-Authenticate"]
        assert (await crisis.call("outsider", "POST", SESSIONS, FIRE)).status_code == 201
        crisis.clock.advance(days=10)
        problem(await crisis.call("outsider", "POST", SESSIONS, FIRE), 403, "emergency_not_eligible")

    async def test_no_service_account_opens_one(self, crisis: Crisis) -> None:
        token = await crisis.world.token("directory-sync")
        client = await crisis.world.as_(None)
        answer = await client.post(SESSIONS, json=FIRE, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 403

    @pytest.mark.parametrize(
        ("members", "pointer"),
        [
            ({"departments": []}, ""),
            ({"departments": ["NOWHERE"]}, "/departments/0"),
            ({"scenario": "curiosity"}, "/scenario"),
            ({"reason": "abc"}, "/reason"),
        ],
    )
    async def test_what_says_nothing_opens_nothing(self, crisis: Crisis, members: dict[str, Any], pointer: str) -> None:
        await crisis.appoint("outsider")
        answer = await crisis.call("outsider", "POST", SESSIONS, {**FIRE, **members})
        problem(answer, 422, "invalid_request")
        assert faults(answer)[0][0] == pointer
        assert (await crisis.call("infosec", "GET", SESSIONS)).json()["items"] == []

    async def test_one_session_at_a_time(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        await crisis.opened()
        problem(await crisis.call("outsider", "POST", SESSIONS, FIRE), 409, "emergency_session_open")

    async def test_of_two_opens_at_once_one_succeeds(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        answers = await asyncio.gather(*(crisis.call("outsider", "POST", SESSIONS, FIRE) for _ in range(4)))
        assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
        assert len((await crisis.call("infosec", "GET", SESSIONS)).json()["items"]) == 1

    async def test_who_is_no_longer_appointed_has_nothing_open(self, crisis: Crisis) -> None:
        (appointment,) = await crisis.appoint("outsider")
        session = await crisis.opened()
        assert (await crisis.call("infosec", "DELETE", f"{ELIGIBILITY}/{appointment}")).status_code == 204
        assert state(await crisis.card("outsider", "colleague"), "mobile") == "masked"
        told = (await crisis.call("outsider", "GET", session)).json()
        assert (told["state"], told["cause"]) == ("ended", "revoked")


class TestWhatIsShown:
    async def test_c1_to_c3_of_its_people_for_its_purpose_and_nothing_else(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        before = await crisis.card("outsider", "colleague")
        assert state(before, "mobile") == "masked"
        await crisis.opened()
        inside = await crisis.card("outsider", "colleague")
        assert inside["mobile"] == CLEAR
        assert state(inside, "email") == "shown"
        for field in ("personal_mobile", "wechat", "id_number", "home_address"):
            assert state(inside, field) == "withheld", field
        assert state(await crisis.card("outsider", "core"), "mobile") == "shown", "what is below is affected too"
        assert state(await crisis.card("outsider", "colleague", purpose="work_contact"), "mobile") == "masked"
        assert state(await crisis.card("outsider", "infosec"), "mobile") == "masked"
        assert state(await crisis.card("it", "colleague"), "mobile") == "withheld"

    @pytest.mark.parametrize("field", ["id_number", "home_address", "wechat", "personal_mobile"])
    async def test_no_session_reveals_c4_or_c5(self, crisis: Crisis, field: str) -> None:
        await crisis.appoint("outsider", "hr")
        for actor in ("outsider", "hr"):
            await crisis.opened(actor)
            body = {"fields": [field], "purpose": "emergency", "reason": "somebody has to call them at home"}
            path = f"/v1/contacts/{crisis.world.people['colleague']}/reveals"
            answer = await crisis.call(actor, "POST", path, body)
            assert answer.status_code == 403, f"{actor} {answer.text}"

    async def test_looks_inside_are_marked_with_the_session(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        session = await crisis.opened()
        identity = session.rpartition("/")[2]
        card = await crisis.card("outsider", "colleague")
        assert card["disclosure"]["watermark"].endswith(identity)
        assert set(card["disclosure"]["obligations"]) == {"watermark", "no_export", "no_forward"}
        (event,) = await crisis.events("contact.read")
        assert (event.purpose, (event.query or {})["emergency"]) == ("emergency", identity)
        await crisis.card("outsider", "colleague", purpose="work_contact")
        assert "emergency" not in ((await crisis.events("contact.read"))[-1].query or {})
        started, *_ = await crisis.events("emergency.open")
        assert (started.purpose, (started.query or {})["emergency"]) == ("emergency", identity)

    async def test_executives_take_a_second_person(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider", "it")
        session = await crisis.opened(departments=["EXEC", "RD"])
        assert state(await crisis.card("outsider", "ceo"), "mobile") == "withheld"
        assert state(await crisis.card("outsider", "colleague"), "mobile") == "shown"
        confirmations = f"{session}/confirmations"
        problem(await crisis.call("outsider", "POST", confirmations), 403, "emergency_own_part")
        problem(await crisis.call("head", "POST", confirmations), 403, "emergency_not_eligible")
        problem(await crisis.call("it", "POST", confirmations, proof=False), 401, "insufficient_user_authentication")
        assert state(await crisis.card("outsider", "ceo"), "mobile") == "withheld"
        assert (await crisis.call("it", "POST", confirmations)).status_code == 200
        problem(await crisis.call("it", "POST", confirmations), 409, "emergency_already_done")
        card = await crisis.card("outsider", "ceo")
        assert (state(card, "mobile"), state(card, "personal_mobile"), state(card, "id_number")) == (
            "shown",
            "withheld",
            "withheld",
        )
        assert state(await crisis.card("it", "ceo"), "mobile") == "withheld", "who confirms sees nothing more"

    async def test_caps_that_nothing_lifts_stay(self, crisis: Crisis) -> None:
        await crisis.appoint("intern")
        await crisis.opened("intern")
        assert state(await crisis.card("intern", "colleague"), "mobile") == "withheld"

    async def test_key_people_by_their_tag(self, crisis: Crisis) -> None:
        await crisis.appoint("staff")
        await crisis.tag_key_people("outsider", "steward")
        await crisis.opened("staff", departments=[], key_people=True)
        assert state(await crisis.card("staff", "outsider"), "mobile") == "shown"
        assert state(await crisis.card("staff", "infosec"), "mobile") == "masked"


class TestItsEnd:
    async def test_after_an_hour_a_plan_that_was_made_inside_shows_nothing_more(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        session = await crisis.opened()
        inside = await crisis.world.viewer("outsider")
        colleague = crisis.world.people["colleague"]
        record = await crisis.world.application.contact_rows.by_id(colleague, inside.tree)
        assert record is not None
        for minutes, shown in ((59, True), (1, False)):
            crisis.clock.advance(minutes=minutes)
            cohort = inside.plan(Purpose.EMERGENCY).cohort(record.cohort, colleague)
            assert (cohort.shows["C3"].name == "CLEAR") is shown  # type: ignore[index]  # a class is its word
        assert state(await crisis.card("outsider", "colleague"), "mobile") == "masked"
        told = (await crisis.call("outsider", "GET", session)).json()
        assert (told["state"], told["cause"]) == ("ended", "expired")

    async def test_ended_between_the_decision_and_the_record_nothing_is_opened(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        session = await crisis.opened()
        inside = await crisis.world.viewer("outsider")
        record = await crisis.world.application.contact_rows.by_id(crisis.world.people["colleague"], inside.tree)
        assert (await crisis.call("outsider", "DELETE", session)).status_code == 204
        look = Look(action="contact.read", purpose=Purpose.EMERGENCY)
        with pytest.raises(EpochMoved):
            await crisis.world.application.gate.disclose_one(inside, record, look)

    async def test_reads_against_the_end_are_clear_before_it_and_masked_after(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        session = await crisis.opened()
        ended = asyncio.Event()

        async def reading() -> list[tuple[bool, str]]:
            found = []
            for _ in range(6):
                known = ended.is_set()
                found.append((known, state(await crisis.card("outsider", "colleague"), "mobile")))
            return found

        async def ending() -> None:
            await asyncio.sleep(0)
            assert (await crisis.call("outsider", "DELETE", session)).status_code == 204
            ended.set()

        seen, _ = await asyncio.gather(reading(), ending())
        assert [told for known, told in seen if known and told != "masked"] == []
        assert state(await crisis.card("outsider", "colleague"), "mobile") == "masked"

    async def test_ending_is_for_its_actor_and_security_and_twice_is_once(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        session = await crisis.opened()
        for stranger in ("staff", "hr"):
            problem(await crisis.call(stranger, "DELETE", session), 404, "not_found")
        for _ in range(2):
            assert (await crisis.call("infosec", "DELETE", session)).status_code == 204
        assert len(await crisis.events("emergency.end")) == 1
        problem(await crisis.call("infosec", "DELETE", f"{SESSIONS}/{new_id()}"), 404, "not_found")

    @pytest.mark.parametrize(("minutes", "taken"), [(181, False), (180, True)])
    async def test_one_renewal_and_never_beyond_four_hours(self, crisis: Crisis, minutes: int, taken: bool) -> None:  # noqa: FBT001
        await crisis.appoint("outsider")
        session = await crisis.opened()
        crisis.clock.advance(minutes=30)
        answer = await crisis.call("outsider", "POST", f"{session}/renewals", {"minutes": minutes})
        if not taken:
            problem(answer, 409, "emergency_hard_stop")
            answer = await crisis.call("outsider", "POST", f"{session}/renewals", {})
        assert answer.status_code == 200, answer.text
        problem(await crisis.call("outsider", "POST", f"{session}/renewals", {}), 409, "emergency_already_done")
        if taken:
            crisis.clock.advance(minutes=209)
            assert state(await crisis.card("outsider", "colleague"), "mobile") == "shown"
            crisis.clock.advance(minutes=1)
            assert state(await crisis.card("outsider", "colleague"), "mobile") == "masked"
            problem(await crisis.call("outsider", "POST", f"{session}/renewals", {}), 409, "emergency_session_over")

    async def test_nobody_renews_anothers(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider", "it")
        session = await crisis.opened()
        problem(await crisis.call("it", "POST", f"{session}/renewals", {}), 404, "not_found")
        problem(await crisis.call("head", "POST", f"{session}/renewals", {}), 403, "emergency_not_eligible")

    @pytest.mark.parametrize(
        "edit",
        [
            "UPDATE emergency_session SET until = :far",
            "UPDATE emergency_session SET confirmed_by = :someone",
            "UPDATE emergency_session SET departments = :exec",
        ],
    )
    async def test_a_row_that_was_edited_past_us_shows_nothing(self, crisis: Crisis, edit: str) -> None:
        await crisis.appoint("outsider")
        await crisis.opened()
        database = crisis.world.application.database
        postgres = database.dialect == "postgresql"
        far = crisis.clock.now() + timedelta(days=1)
        values: dict[str, Any] = {
            "far": far if postgres else int(far.timestamp() * 1_000_000),
            "someone": crisis.world.people["it"] if postgres else crisis.world.people["it"].bytes,
            "exec": f'["{crisis.world.departments["EXEC"]}"]',
        }
        async with database.unit_of_work() as unit:
            given = {name: value for name, value in values.items() if f":{name}" in edit}
            await unit.session.execute(text(edit.replace(":exec", "CAST(:exec AS jsonb)") if postgres else edit), given)
        assert state(await crisis.card("outsider", "colleague"), "mobile") == "masked"
        problem(await crisis.call("outsider", "POST", SESSIONS, FIRE), 403, "emergency_review_overdue")


class TestCallList:
    async def test_a_page_at_a_time_inside_the_session(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        session = await crisis.opened()
        found, cursor = list[dict[str, Any]](), None
        while True:
            params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
            answer = await crisis.call("outsider", "GET", f"{session}/call-list", proof=False, **params)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            assert len(page["items"]) <= 2
            assert page["disclosure"]["watermark"].endswith(session.rpartition("/")[2])
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                break
        names = {each["id"] for each in found}
        assert names == crisis.ids("staff", "colleague", "head", "core", "intern", "bare")
        assert {state(each, "mobile") for each in found} == {"shown"}
        (first, *_) = await crisis.events("emergency.call_list")
        assert (first.query or {})["emergency"] == session.rpartition("/")[2]
        used = await crisis.world.application.events.used(str(crisis.world.people["outsider"]), "2026-11-20")
        assert used["contacts"] == len(found)
        problem(await crisis.call("outsider", "GET", f"{session}/call-list", limit=51), 422, "invalid_request")

    async def test_it_is_nobody_elses_and_over_with_the_session(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider", "it")
        session = await crisis.opened()
        for other in ("infosec", "hr", "it", "staff"):
            problem(await crisis.call(other, "GET", f"{session}/call-list"), 404, "not_found")
        crisis.clock.advance(hours=1)
        problem(await crisis.call("outsider", "GET", f"{session}/call-list"), 409, "emergency_session_over")

    async def test_executives_are_on_it_masked_until_a_second_person_confirms(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider", "it")
        session = await crisis.opened(departments=["EXEC"])
        for confirmed in (False, True):
            page = (await crisis.call("outsider", "GET", f"{session}/call-list")).json()
            assert [state(each, "mobile") for each in page["items"]] == ["shown" if confirmed else "withheld"]
            if not confirmed:
                assert (await crisis.call("it", "POST", f"{session}/confirmations")).status_code == 200


class TestWhoKnows:
    async def test_of_a_session_and_of_its_reason(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider", "it")
        session = await crisis.opened()
        for who, status, reason in (
            ("outsider", 200, REASON),
            ("infosec", 200, REASON),
            ("hr", 200, REASON),
            ("auditor", 200, REASON),
            ("it", 200, None),
            ("staff", 404, None),
            ("head", 404, None),
        ):
            answer = await crisis.call(who, "GET", session)
            assert answer.status_code == status, who
            if status == 200:
                assert answer.json()["reason"] == reason, who
            listed = (await crisis.call(who, "GET", SESSIONS)).json()["items"]
            assert len(listed) == (status == 200), who
        crisis.clock.advance(hours=1)
        assert (await crisis.call("it", "GET", session)).status_code == 404, "nothing to confirm any more"

    async def test_the_reason_stands_in_no_row(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        await crisis.opened()
        async with crisis.world.application.database.unit_of_work() as unit:
            (row,) = (await unit.session.execute(text("SELECT reason FROM emergency_session"))).all()
        assert REASON.encode() not in bytes(row[0])

    async def test_a_repeat_with_its_key_is_the_same_session(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        first = await crisis.opened()
        crisis.clock.advance(seconds=int(HARD_STOP.total_seconds()))
        assert (await crisis.opened()) != first
