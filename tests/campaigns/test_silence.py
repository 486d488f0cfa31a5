"""What silence does, and when: hard test 70, on both engines."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

import pytest
from sqlalchemy import text

from app.audit.repository import EventFilter
from app.permissions.plan import GrantScope
from tests.campaigns.reviews import Reviews
from tests.support.grants import give

pytestmark = pytest.mark.asyncio(loop_scope="session")

BEGIN: Final = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""Ten in the morning of a Monday in China."""
DUE: Final = datetime(2026, 12, 7, 10, 0, tzinfo=UTC)
SUSPENDED: Final = datetime(2026, 12, 14, 10, 0, tzinfo=UTC)
MONTHS: Final = timedelta(days=80)
SECOND: Final = timedelta(seconds=1)


async def long_grant(reviews: Reviews, holder: str = "staff", scope: GrantScope | None = None) -> str:
    """Give a grant that outlives a review; give its id."""
    now = reviews.clock.now()
    target = scope or GrantScope("contact", str(reviews.world.people["outsider"]))
    return str(await give(reviews.world, holder, target, starts_at=now, ends_at=now + MONTHS))


async def actions(reviews: Reviews) -> list[str]:
    """List what campaigns did by themselves, oldest first."""
    await reviews.world.settle()
    found = await reviews.application.events.search(EventFilter(actor_id="campaigns"), limit=200)
    return [each.event.action for each in reversed(found.events)]


async def test_70_silence_suspends_on_the_right_working_day(reviews: Reviews) -> None:
    reviews.clock.move_to(BEGIN)
    await long_grant(reviews)
    campaign = await reviews.start()
    told = (await (await reviews.as_("infosec")).get(campaign)).json()
    assert (told["stage"], told["due_at"], told["suspend_at"]) == (
        "asked",
        "2026-12-07T10:00:00Z",
        "2026-12-14T10:00:00Z",
    )
    assert reviews.world.people["head"] in reviews.listener.people("campaign.opened")
    grant, role = await reviews.item(campaign, "grant", "staff"), await reviews.item(campaign, "role", "hr")
    assert grant["reviewer"] == str(reviews.world.people["head"])
    assert role["reviewer"] == str(reviews.world.people["steward"])

    reviews.clock.move_to(datetime(2026, 11, 30, 10, 0, tzinfo=UTC))
    await reviews.sweep()
    assert (await (await reviews.as_("infosec")).get(campaign)).json()["stage"] == "reminded"
    assert reviews.world.people["head"] in reviews.listener.people("campaign.reminder")

    reviews.clock.move_to(DUE)
    await reviews.sweep()
    assert (await (await reviews.as_("infosec")).get(campaign)).json()["stage"] == "escalated"
    assert (await reviews.item(campaign, "grant", "staff"))["post"] == "administration"

    reviews.clock.move_to(SUSPENDED - SECOND)
    await reviews.sweep()
    assert await reviews.marks("hr") == []
    assert [each["live"] for each in (await (await reviews.as_("staff")).get("/v1/grants")).json()["items"]] == [True]

    reviews.clock.move_to(SUSPENDED)
    await reviews.sweep()
    assert await reviews.marks("hr") == ["suspended"]
    me = (await (await reviews.as_("hr")).get("/v1/me")).json()["standing"]
    assert me["marks"][0]["reason"] == "not_recertified"
    assert [each["live"] for each in (await (await reviews.as_("staff")).get("/v1/grants")).json()["items"]] == [False]
    states = {each["state"] for each in await reviews.items(campaign)}
    assert states == {"suspended"}
    assert (await (await reviews.as_("infosec")).get(campaign)).json()["stage"] == "closed"
    done = await actions(reviews)
    assert done.count("campaign.close") == 1
    assert {"campaign.ask", "campaign.pass_on", "campaign.silence", "grant.end", "mark.set"} <= set(done)
    assert reviews.world.people["hr"] in reviews.listener.people("campaign.suspended")


async def test_holidays_and_worked_weekends_move_the_day(reviews: Reviews) -> None:
    reviews.clock.move_to(BEGIN)
    reviews.calendar.off |= {date(2026, 12, 9), date(2026, 12, 10)}
    reviews.calendar.worked |= {date(2026, 12, 12)}
    campaign = await reviews.start()
    assert (await (await reviews.as_("infosec")).get(campaign)).json()["suspend_at"] == "2026-12-15T10:00:00Z"
    reviews.clock.move_to(DUE)
    await reviews.sweep()
    await reviews.sweep()
    reviews.clock.move_to(SUSPENDED + SECOND)
    await reviews.sweep()
    assert await reviews.marks("hr") == []
    reviews.clock.move_to(SUSPENDED + timedelta(days=1))
    await reviews.sweep()
    assert await reviews.marks("hr") == ["suspended"]


async def test_a_calendar_that_changes_moves_the_day_of_a_campaign_under_way(reviews: Reviews) -> None:
    reviews.clock.move_to(BEGIN)
    campaign = await reviews.start()
    reviews.clock.move_to(DUE)
    await reviews.sweep()
    reviews.calendar.off |= {date(2026, 12, 14)}
    reviews.calendar.changes += 1
    await reviews.sweep()
    assert (await (await reviews.as_("infosec")).get(campaign)).json()["suspend_at"] == "2026-12-15T10:00:00Z"
    reviews.clock.move_to(SUSPENDED)
    await reviews.sweep()
    assert await reviews.marks("hr") == []
    assert "campaign.reschedule" in await actions(reviews)
    reviews.calendar.off = {date(2026, 12, 8)}
    reviews.clock.move_to(SUSPENDED + timedelta(days=1))
    await reviews.sweep()
    assert await reviews.marks("hr") == ["suspended"]


async def test_a_company_may_keep_instead_and_that_is_on_record(reviews: Reviews) -> None:
    reviews.clock.move_to(BEGIN)
    await long_grant(reviews)
    campaign = await reviews.start(on_silence="keep")
    for moment in (BEGIN + timedelta(days=7, hours=9), DUE, SUSPENDED):
        reviews.clock.move_to(moment)
        await reviews.sweep()
    assert {each["state"] for each in await reviews.items(campaign)} == {"retained"}
    assert await reviews.marks("hr") == []
    assert [each["live"] for each in (await (await reviews.as_("staff")).get("/v1/grants")).json()["items"]] == [True]
    done = await actions(reviews)
    assert done.count("campaign.silence") == len(await reviews.items(campaign))
    assert "mark.set" not in done


async def silent(reviews: Reviews) -> str:
    """Let a campaign end without an answer."""
    reviews.clock.move_to(BEGIN)
    await long_grant(reviews)
    campaign = await reviews.start()
    for moment in (BEGIN + timedelta(days=7, hours=9), DUE, SUSPENDED):
        reviews.clock.move_to(moment)
        await reviews.sweep()
    return campaign


async def test_a_late_answer_takes_the_mark_off_when_nothing_else_is_open(reviews: Reviews) -> None:
    campaign = await silent(reviews)
    role, tier = await reviews.item(campaign, "role", "hr"), await reviews.item(campaign, "tier", "hr")
    by_id = {str(identity): name for name, identity in reviews.world.people.items()}
    for at, item in enumerate((role, tier)):
        who = by_id[item["reviewer"]]
        assert (await reviews.read(campaign, item, who)).status_code == 200
        answer = await reviews.decide(campaign, item, who, verdict="keep")
        assert (answer.status_code, answer.json()["state"]) == (201, "kept")
        assert await reviews.marks("hr") == (["suspended"] if at == 0 else [])
    grant = await reviews.item(campaign, "grant", "staff")
    late = await reviews.decide(campaign, grant, by_id[grant["reviewer"]], verdict="revoke")
    assert (late.status_code, late.json()["code"]) == (409, "campaign_item_answered")


async def test_another_mark_stays_when_a_late_answer_comes(reviews: Reviews) -> None:
    reviews.clock.move_to(BEGIN)
    campaign = await reviews.start()
    account = await reviews.application.accounts.by_user_name(reviews.application.database.reader, "ceo")
    assert account is not None
    from app.permissions.marks import MarkKind, MarkReason  # noqa: PLC0415 — beside its use

    async with reviews.application.database.unit_of_work() as unit:
        await reviews.application.marks.add(
            unit.session, account.id, MarkKind.SUSPENDED, MarkReason.MISUSE, at=BEGIN, operator="os:test"
        )
    for moment in (BEGIN + timedelta(days=7, hours=9), DUE, SUSPENDED):
        reviews.clock.move_to(moment)
        await reviews.sweep()
    item = await reviews.item(campaign, "role", "ceo")
    who = next(name for name, identity in reviews.world.people.items() if str(identity) == item["reviewer"])
    await reviews.read(campaign, item, who)
    assert (await reviews.decide(campaign, item, who, verdict="keep")).status_code == 201
    assert await reviews.marks("ceo") == ["suspended"]


async def test_a_cancelled_campaign_has_no_consequences(reviews: Reviews) -> None:
    reviews.clock.move_to(BEGIN)
    campaign = await reviews.start()
    again = await (await reviews.as_("steward")).post("/v1/campaigns", json={"kind": "rights"})
    assert (again.status_code, again.json()["code"]) == (409, "campaign_running")
    assert (await (await reviews.as_("staff")).delete(campaign)).status_code == 403
    assert (await (await reviews.as_("steward")).delete(campaign)).status_code == 204
    over = await (await reviews.as_("steward")).delete(campaign)
    assert (over.status_code, over.json()["code"]) == (409, "campaign_over")
    reviews.clock.move_to(SUSPENDED + timedelta(days=30))
    await reviews.sweep()
    assert await reviews.marks("hr") == []
    item = await reviews.item(campaign, "role", "hr")
    who = next(name for name, identity in reviews.world.people.items() if str(identity) == item["reviewer"])
    late = await reviews.decide(campaign, item, who, verdict="revoke")
    assert (late.status_code, late.json()["code"]) == (409, "campaign_item_answered")


@pytest.mark.parametrize("edit", ["state = 'kept'", "reviewer_id = NULL", "ends_at = started"])
async def test_an_item_that_is_edited_away_does_not_keep_its_right(reviews: Reviews, edit: str) -> None:
    reviews.clock.move_to(BEGIN)
    await long_grant(reviews)
    campaign = await reviews.start()
    statement = "UPDATE campaign_item SET " + edit.replace("started", "held_since") + " WHERE kind = 'grant'"
    async with reviews.application.database.unit_of_work() as unit:
        await unit.session.execute(text(statement))
    assert "grant" not in {each["kind"] for each in await reviews.items(campaign)}
    for moment in (BEGIN + timedelta(days=7, hours=9), DUE, SUSPENDED):
        reviews.clock.move_to(moment)
        await reviews.sweep()
    assert [each["live"] for each in (await (await reviews.as_("staff")).get("/v1/grants")).json()["items"]] == [False]
    assert (await reviews.item(campaign, "grant", "staff"))["state"] == "suspended"
