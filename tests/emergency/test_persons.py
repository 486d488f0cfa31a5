"""Break-glass and separation of duties: two accounts of one human are no two people, and nobody gets past what they owe alone."""

from typing import Any

from sqlalchemy import select

from app.audit.authors import Author
from app.notices.models import NoticeRow
from app.permissions.marks import MarkKind, MarkReason
from tests.emergency.crisis import ELIGIBILITY, FIRE, SESSIONS, Crisis
from tests.emergency.test_sessions import state
from tests.support.problems import problem

OPERATOR = Author(type="operator", id="os:somebody")


async def same(crisis: Crisis, one: str, other: str) -> None:
    """Say that two people of the company are one human."""
    people, application = crisis.world.people, crisis.world.application
    async with application.database.unit_of_work() as unit:
        await application.delegations.persons.join(unit, OPERATOR, people[one], people[other])


async def owing(crisis: Crisis, who: str) -> None:
    """Let somebody not have given back what was due."""
    application = crisis.world.application
    async with application.database.unit_of_work() as unit:
        account = await application.accounts.by_contact(unit.session, crisis.world.people[who])
        assert account is not None
        await application.marks.add(
            unit.session,
            account.id,
            MarkKind.OVERDUE_RETURN,
            MarkReason.NOT_RETURNED,
            at=application.clock.now(),
            request_id=account.id,
        )


async def opened_notice(crisis: Crisis) -> dict[str, Any]:
    """Give what was told of the last opening."""
    wanted = select(NoticeRow.body, NoticeRow.audience).where(NoticeRow.type == "emergency.opened")
    async with crisis.world.application.database.unit_of_work() as unit:
        rows = (await unit.session.execute(wanted.order_by(NoticeRow.id))).all()
    assert "infosec" in rows[-1][1]["roles"]
    return dict(rows[-1][0])


async def test_66_a_second_account_is_no_second_person(crisis: Crisis) -> None:
    await crisis.appoint("outsider", "it", "staff")
    session = await crisis.opened(departments=["EXEC", "RD"])
    await same(crisis, "outsider", "it")
    problem(await crisis.call("it", "POST", f"{session}/confirmations"), 403, "emergency_own_part")
    assert state(await crisis.card("outsider", "ceo"), "mobile") == "withheld"
    assert (await crisis.call("staff", "POST", f"{session}/confirmations")).status_code == 200


async def test_66_nobody_judges_their_own_session_under_another_account(crisis: Crisis) -> None:
    await crisis.appoint("outsider")
    session = await crisis.opened()
    await crisis.call("outsider", "DELETE", session)
    await same(crisis, "outsider", "hr")
    problem(await crisis.review(session, "hr", "hr"), 403, "emergency_own_part")
    await same(crisis, "infosec", "auditor")
    assert (await crisis.review(session, "infosec", "infosec")).status_code == 201


async def test_66_an_overdue_review_locks_every_account_of_its_actor(crisis: Crisis) -> None:
    await crisis.appoint("outsider", "it")
    await same(crisis, "outsider", "it")
    session = await crisis.opened()
    await crisis.call("outsider", "DELETE", session)
    crisis.clock.advance(days=12)
    problem(await crisis.call("it", "POST", SESSIONS, FIRE), 403, "emergency_review_overdue")


async def test_security_appoints_nobody_who_is_the_same_human(crisis: Crisis) -> None:
    await same(crisis, "infosec", "colleague")
    body = {"person": str(crisis.world.people["colleague"]), "until": "2026-11-30T00:00:00Z"}
    problem(await crisis.call("infosec", "POST", ELIGIBILITY, body), 403, "emergency_own_part")


async def test_66_what_is_owed_keeps_its_mask_until_a_second_person_stands_behind(crisis: Crisis) -> None:
    await crisis.appoint("outsider", "it")
    await owing(crisis, "outsider")
    session = await crisis.opened()
    assert (await opened_notice(crisis))["held"] == ["overdue_return"]
    assert state(await crisis.card("outsider", "colleague"), "mobile") == "masked"
    assert (await crisis.card("outsider", "colleague"))["mobile"]["value"] == "***"
    assert (await crisis.call("it", "POST", f"{session}/confirmations")).status_code == 200
    assert state(await crisis.card("outsider", "colleague"), "mobile") == "shown"


async def test_66_nobody_breaks_the_glass_across_a_border_alone(crisis: Crisis) -> None:
    steward = await crisis.world.as_("steward")
    path = f"/v1/departments/{crisis.world.departments['SALES']}"
    assert (await steward.patch(path, json={"region": "DE"}, headers={"If-Match": "*"})).status_code == 200
    await crisis.appoint("outsider", "it")
    session = await crisis.opened()
    assert (await opened_notice(crisis))["held"] == ["foreign_region"]
    assert state(await crisis.card("outsider", "colleague"), "mobile") == "masked"
    assert (await crisis.call("it", "POST", f"{session}/confirmations")).status_code == 200
    assert state(await crisis.card("outsider", "colleague"), "mobile") == "shown"


async def test_who_owes_nothing_is_held_by_nothing(crisis: Crisis) -> None:
    await crisis.appoint("outsider")
    await crisis.opened()
    assert (await opened_notice(crisis))["held"] == []
    assert state(await crisis.card("outsider", "colleague"), "mobile") == "shown"
