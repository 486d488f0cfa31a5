"""A session is accounted for: two judges who had no part in it, a lock until they have spoken, everybody told in time. Hard test 66."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.audit.events import encode_event
from app.auth.repository import Source
from tests.emergency.crisis import ELIGIBILITY, FIRE, REASON, SESSIONS, Crisis
from tests.support.problems import faults, problem

DIGEST = datetime(2026, 11, 24, 9, tzinfo=UTC)
"""An hour before the end of the working day after a Friday evening's session, which counts from Monday."""
REVIEW_DUE = datetime(2026, 11, 26, 10, tzinfo=UTC)


async def finished(crisis: Crisis, actor: str = "outsider") -> str:
    """Open and end a session."""
    session = await crisis.opened(actor)
    assert (await crisis.call(actor, "DELETE", session)).status_code == 204
    return session


class TestJudges:
    async def test_one_of_security_and_one_of_hr_and_the_harsher_stands(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        session = await crisis.opened()
        problem(await crisis.review(session, "infosec", "infosec"), 409, "emergency_session_open")
        await crisis.call("outsider", "DELETE", session)
        problem(await crisis.review(session, "auditor", "infosec"), 403, "not_permitted")
        problem(await crisis.review(session, "infosec", "hr"), 403, "not_permitted")
        problem(await crisis.review(session, "staff", "hr"), 404, "not_found")
        half = await crisis.review(session, "infosec", "infosec", "excessive")
        assert (half.status_code, half.json()["state"], half.json()["verdict"]) == (201, "ended", None)
        problem(await crisis.review(session, "infosec", "infosec"), 409, "emergency_already_done")
        whole = (await crisis.review(session, "hr", "hr")).json()
        assert (whole["state"], whole["verdict"]) == ("reviewed", "excessive")
        told = (await crisis.call("hr", "GET", session)).json()
        assert {(each["side"], each["verdict"]) for each in told["reviews"]} == {
            ("infosec", "excessive"),
            ("hr", "justified"),
        }

    async def test_nobody_judges_their_own(self, crisis: Crisis) -> None:
        """Hard test 66: the actor is of security, the second person of HR."""
        (appointment,) = await crisis.appoint("hr")
        application = crisis.world.application
        async with application.database.unit_of_work() as unit:
            await application.accounts.set_standing(unit.session, "auditor", tier="T5", roles=("infosec",))
        until = (crisis.clock.now() + timedelta(days=9)).isoformat()
        body = {"person": str(crisis.world.people["infosec"]), "until": until}
        problem(await crisis.call("infosec", "POST", ELIGIBILITY, body), 403, "emergency_own_part")
        assert (await crisis.call("auditor", "POST", ELIGIBILITY, body)).status_code == 201
        session = await crisis.opened("infosec")
        assert (await crisis.call("hr", "POST", f"{session}/confirmations")).status_code == 200
        assert (await crisis.call("infosec", "DELETE", session)).status_code == 204
        problem(await crisis.review(session, "infosec", "infosec"), 403, "emergency_own_part")
        problem(await crisis.review(session, "hr", "hr"), 403, "emergency_own_part")
        assert (await crisis.review(session, "auditor", "infosec")).status_code == 201
        assert appointment

    async def test_who_has_both_roles_speaks_for_one_side(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        application = crisis.world.application
        async with application.database.unit_of_work() as unit:
            await application.accounts.set_standing(unit.session, "steward", tier="T4", roles=("hr", "infosec"))
        session = await finished(crisis)
        assert (await crisis.review(session, "steward", "hr")).status_code == 201
        problem(await crisis.review(session, "steward", "infosec"), 409, "emergency_already_done")

    async def test_both_at_once_make_one_verdict(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        session = await finished(crisis)
        said = [("infosec", "abuse"), ("hr", "justified")] * 2
        answers = await asyncio.gather(*(crisis.review(session, who, who, what) for who, what in said))
        assert sorted(each.status_code for each in answers) == [201, 201, 409, 409]
        told = (await crisis.call("hr", "GET", session)).json()
        assert (told["state"], told["verdict"], len(told["reviews"])) == ("reviewed", "abuse", 2)
        kinds = [each.type for each in await crisis.told()]
        assert (kinds.count("incident"), kinds.count("reviewed")) == (1, 1)

    @pytest.mark.parametrize("verdict", ["justified", "excessive", "abuse"])
    async def test_abuse_is_an_incident_for_security_with_the_first_word(self, crisis: Crisis, verdict: str) -> None:
        await crisis.appoint("outsider")
        session = await finished(crisis)
        await crisis.review(session, "hr", "hr", verdict)
        incidents = [each.roles for each in await crisis.told() if each.type == "incident"]
        assert incidents == ([["infosec"]] if verdict == "abuse" else [])

    async def test_what_was_said_stays_said(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        await crisis.review(await finished(crisis), "hr", "hr")
        for edit in ("UPDATE emergency_review SET verdict = 'justified'", "DELETE FROM emergency_review"):
            with pytest.raises(Exception, match=r"append-only|permission denied"):
                async with crisis.world.application.database.unit_of_work() as unit:
                    await unit.session.execute(text(edit))


class TestLock:
    async def test_an_overdue_review_locks_the_next_session_until_it_is_made(self, crisis: Crisis) -> None:
        """Hard test 66: a second session with an overdue review."""
        await crisis.appoint("outsider", "it")
        session = await finished(crisis)
        crisis.clock.move_to(REVIEW_DUE - timedelta(seconds=1))
        second = await finished(crisis)
        crisis.clock.move_to(REVIEW_DUE)
        problem(await crisis.call("outsider", "POST", SESSIONS, FIRE), 403, "emergency_review_overdue")
        assert (await crisis.call("it", "POST", SESSIONS, FIRE)).status_code == 201, "others are free"
        assert (await crisis.review(session, "infosec", "infosec")).status_code == 201
        problem(await crisis.call("outsider", "POST", SESSIONS, FIRE), 403, "emergency_review_overdue")
        assert (await crisis.review(session, "hr", "hr")).status_code == 201
        assert (await crisis.call("outsider", "POST", SESSIONS, FIRE)).status_code == 201
        assert second != session

    async def test_a_row_made_to_look_reviewed_counts_as_overdue(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        await finished(crisis)
        crisis.clock.move_to(REVIEW_DUE)
        async with crisis.world.application.database.unit_of_work() as unit:
            await unit.session.execute(
                text("UPDATE emergency_session SET reviewed_at = opened_at, verdict = 'justified'")
            )
        problem(await crisis.call("outsider", "POST", SESSIONS, FIRE), 403, "emergency_review_overdue")

    async def test_a_session_that_expired_and_was_never_swept_counts_too(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        session = await crisis.opened()
        crisis.clock.move_to(REVIEW_DUE)
        problem(await crisis.call("outsider", "POST", SESSIONS, FIRE), 403, "emergency_review_overdue")
        await crisis.reviewed(session)
        assert (await crisis.call("outsider", "POST", SESSIONS, FIRE)).status_code == 201


class TestTelling:
    async def test_security_and_the_heads_affected_at_once(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        await crisis.opened(departments=["RD-CORE"])
        (notice,) = await crisis.told()
        assert (notice.type, notice.roles, notice.people) == ("opened", ["infosec"], crisis.ids("head"))

    async def test_whom_somebody_looked_at_within_a_working_day_and_nobody_else(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        session = await crisis.opened()
        await crisis.card("outsider", "colleague")
        await crisis.card("outsider", "core")
        await crisis.card("outsider", "infosec", purpose="work_contact")
        await crisis.card("staff", "bare")
        assert await crisis.sweep() == 0
        crisis.clock.advance(hours=1)
        assert await crisis.sweep() == 1
        assert [each.type for each in await crisis.told()] == ["opened", "ended", "review_due"]
        crisis.clock.move_to(DIGEST - timedelta(seconds=1))
        assert await crisis.sweep() == 0
        crisis.clock.move_to(DIGEST)
        assert await crisis.sweep() == 1
        *_, digest = await crisis.told()
        assert (digest.type, digest.people) == ("subject_told", crisis.ids("colleague", "core"))
        assert await crisis.sweep() == 0
        assert (await crisis.call("hr", "GET", session)).json()["subjects_told_at"] is not None

    async def test_security_may_put_it_off_with_a_reason(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        session = await finished(crisis)
        later = DIGEST + timedelta(days=3)
        body = {"reason": "The police asked us to wait", "until": later.isoformat()}
        path = f"{session}/deferrals"
        problem(await crisis.call("hr", "POST", path, body), 403, "not_permitted")
        problem(await crisis.call("outsider", "POST", path, body), 403, "not_permitted")
        for until in (DIGEST, DIGEST + timedelta(days=40)):
            answer = await crisis.call("infosec", "POST", path, {**body, "until": until.isoformat()})
            problem(answer, 422, "invalid_request")
            assert faults(answer) == [("/until", "out_of_range")]
        assert (await crisis.call("infosec", "POST", path, body)).status_code == 200
        crisis.clock.move_to(DIGEST)
        assert await crisis.sweep() == 0
        crisis.clock.move_to(later)
        assert await crisis.sweep() == 1
        problem(await crisis.call("infosec", "POST", path, body), 409, "emergency_already_done")

    async def test_an_overdue_review_is_told_once_to_both_sides(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        await finished(crisis)
        crisis.clock.move_to(REVIEW_DUE)
        assert await crisis.sweep() == 1
        assert await crisis.sweep() == 0
        overdue = [each for each in await crisis.told() if each.type == "review_overdue"]
        assert [(each.roles, each.people) for each in overdue] == [(["infosec", "hr"], crisis.ids("outsider"))]

    async def test_two_workers_do_everything_once(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider", "it")
        for actor in ("outsider", "it"):
            await crisis.opened(actor)
        crisis.clock.move_to(REVIEW_DUE)
        await asyncio.gather(*(crisis.sweep() for _ in range(3)))
        kinds = [each.type for each in await crisis.told()]
        assert {kind: kinds.count(kind) for kind in set(kinds)} == dict.fromkeys(
            ("opened", "ended", "review_due", "subject_told", "review_overdue"), 2
        )

    async def test_no_notice_holds_a_reason(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider")
        await finished(crisis)
        assert all(REASON.encode() not in encode_event(each) for each in await crisis.events("emergency.*"))


@dataclass(frozen=True, slots=True)
class Said:
    """What a calendar says of one day."""

    at: datetime
    predicted: bool


@dataclass(frozen=True, slots=True)
class Fixed:
    """A calendar that says one thing of every day; both a calendar and where it is."""

    said: Said
    revision: int

    async def current(self, source: Source) -> "Fixed":
        del source
        return self

    async def epoch(self, source: Source) -> int:
        del source
        return self.revision

    def due(self, start: datetime, days: int) -> Said:
        del start, days
        return self.said


async def test_a_revised_calendar_moves_what_was_predicted_and_both_days_are_on_record(crisis: Crisis) -> None:
    emergency = crisis.world.application.emergency
    emergency.sessions._calendars = Fixed(Said(REVIEW_DUE, predicted=True), 1)
    await crisis.appoint("outsider")
    session = await finished(crisis)
    later = REVIEW_DUE + timedelta(days=2)
    emergency._sweep._calendars = Fixed(Said(later, predicted=False), 2)
    assert await crisis.sweep() == 1
    assert await crisis.sweep() == 0
    told = (await crisis.call("hr", "GET", session)).json()
    assert (datetime.fromisoformat(told["review_due"]), told["review_predicted"]) == (later, False)
    (event,) = await crisis.events("emergency.reschedule")
    assert event.query is not None
    assert [event.query[day] for day in ("before", "after")] == [REVIEW_DUE.isoformat(), later.isoformat()]
    crisis.clock.move_to(REVIEW_DUE)
    assert (await crisis.call("outsider", "POST", SESSIONS, FIRE)).status_code == 201


class TestAppointments:
    async def test_security_names_others_for_a_hundred_days_at_most(self, crisis: Crisis) -> None:
        def body(who: str, days: float) -> dict[str, str]:
            until = crisis.clock.now() + timedelta(days=days)
            return {"person": str(crisis.world.people[who]), "until": until.isoformat()}

        for stranger in ("hr", "ceo", "it", "staff"):
            problem(await crisis.call(stranger, "POST", ELIGIBILITY, body("outsider", 9)), 403, "not_permitted")
        problem(await crisis.call("infosec", "POST", ELIGIBILITY, body("infosec", 9)), 403, "emergency_own_part")
        for who, days, pointer in (("outsider", 101, "/until"), ("outsider", -1, "/until"), ("hotline", 9, "/person")):
            answer = await crisis.call("infosec", "POST", ELIGIBILITY, body(who, days))
            problem(answer, 422, "invalid_request")
            assert faults(answer)[0][0] == pointer

    async def test_named_anew_is_named_once(self, crisis: Crisis) -> None:
        first = await crisis.appoint("outsider", days=30)
        second = await crisis.appoint("outsider", days=90)
        listed = (await crisis.call("infosec", "GET", ELIGIBILITY)).json()["items"]
        assert [each["id"] for each in listed] == second != first
        for who, count in (("outsider", 1), ("hr", 1), ("staff", 0)):
            assert len((await crisis.call(who, "GET", ELIGIBILITY)).json()["items"]) == count

    async def test_who_is_named_may_give_it_back_and_nobody_else_may(self, crisis: Crisis) -> None:
        (appointment,) = await crisis.appoint("outsider")
        path = f"{ELIGIBILITY}/{appointment}"
        problem(await crisis.call("staff", "DELETE", path), 404, "not_found")
        problem(await crisis.call("hr", "DELETE", path), 403, "not_permitted")
        for _ in range(2):
            assert (await crisis.call("outsider", "DELETE", path)).status_code == 204
        problem(await crisis.call("outsider", "POST", SESSIONS, FIRE), 403, "emergency_not_eligible")

    async def test_a_row_put_into_the_table_appoints_nobody(self, crisis: Crisis) -> None:
        await crisis.appoint("outsider", days=1)
        crisis.clock.advance(days=2)
        far = crisis.clock.now() + timedelta(days=9)
        database = crisis.world.application.database
        value = far if database.dialect == "postgresql" else int(far.timestamp() * 1_000_000)
        async with database.unit_of_work() as unit:
            await unit.session.execute(text("UPDATE emergency_appointment SET until = :far"), {"far": value})
        problem(await crisis.call("outsider", "POST", SESSIONS, FIRE), 403, "emergency_not_eligible")
