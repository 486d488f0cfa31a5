"""Whether cards are right: asked of people themselves and of heads, marked where nobody answers, unmarked by who confirms."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.audit.repository import EventFilter
from app.deadlines import CampaignsSettings
from tests.campaigns.reviews import Reviews
from tests.campaigns.test_silence import BEGIN, DUE
from tests.support.problems import problem

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def passed(reviews: Reviews) -> None:
    """Let the deadline come."""
    for moment in (BEGIN + timedelta(days=7, hours=9), DUE):
        reviews.clock.move_to(moment)
        await reviews.sweep()


async def test_people_are_asked_about_their_own_cards_and_heads_about_lists(reviews: Reviews) -> None:
    reviews.clock.move_to(BEGIN)
    campaign = await reviews.start("accuracy", by="hr")
    world = reviews.world
    card = await reviews.item(campaign, "card", "staff")
    assert (card["reviewer"], card["post"], card["verdicts"]) == (
        str(world.people["staff"]),
        "self",
        ["confirm", "dispute"],
    )
    lists = {each["about"]: each for each in await reviews.items(campaign) if each["kind"] == "list"}
    assert lists["部门RD"]["reviewer"] == str(world.people["head"])
    assert lists["部门RD"]["detail"] == {"cards": 5}
    assert lists["部门HR"]["reviewer"] == str(world.people["steward"])
    assert "部门EXEC" in lists
    assert [each["holder"] for each in lists.values()] == [None] * len(lists)
    hotlines = [each for each in await reviews.items(campaign) if each["reference"] == str(world.people["hotline"])]
    assert hotlines == []
    problem(await reviews.decide(campaign, card, "staff", verdict="keep"), 422, "unfit_verdict")
    assert (await reviews.decide(campaign, card, "staff", verdict="confirm")).json()["state"] == "confirmed"
    assert (await reviews.decide(campaign, lists["部门RD"], "head", verdict="dispute")).json()["state"] == "disputed"


async def test_an_unanswered_card_says_since_when_and_to_everybody_alike(reviews: Reviews) -> None:
    reviews.clock.move_to(BEGIN)
    world = reviews.world
    campaign = await reviews.start("accuracy", by="hr")
    confirmed = await (await reviews.as_("colleague")).post("/v1/me/card-confirmations")
    assert (confirmed.status_code, confirmed.json()["answered"]) == (201, 1)
    before = {
        name: await (await reviews.as_(name)).get(f"/v1/contacts/{world.people['staff']}")
        for name in ("outsider", "hr")
    }
    await passed(reviews)
    told = (await (await reviews.as_("hr")).get(campaign)).json()
    assert (told["stage"], told["progress"]["states"]["confirmed"]) == ("closed", 1)
    assert (await reviews.item(campaign, "card", "staff"))["state"] == "unconfirmed"
    for name, was in before.items():
        assert "unconfirmed_since" not in was.json()
        card = await (await reviews.as_(name)).get(f"/v1/contacts/{world.people['staff']}")
        assert card.json()["unconfirmed_since"] == "2026-12-07"
        assert card.headers["ETag"] != was.headers["ETag"]
        fresh = await (await reviews.as_(name)).get(f"/v1/contacts/{world.people['colleague']}")
        assert "unconfirmed_since" not in fresh.json()
    assert world.people["staff"] in reviews.listener.people("campaign.unconfirmed")
    page = (await (await reviews.as_("outsider")).get("/v1/contacts?unconfirmed=true&limit=200&total=true")).json()
    found = {each["id"] for each in page["items"]}
    assert str(world.people["staff"]) in found
    assert not found & {str(world.people["colleague"]), str(world.people["hotline"])}
    assert page["total"] == len(found)

    late = await (await reviews.as_("staff")).post("/v1/me/card-confirmations")
    assert (late.status_code, late.json()["answered"]) == (201, 1)
    card = await (await reviews.as_("outsider")).get(f"/v1/contacts/{world.people['staff']}")
    assert "unconfirmed_since" not in card.json()
    assert card.headers["ETag"] == before["outsider"].headers["ETag"]
    assert (await reviews.item(campaign, "card", "staff"))["state"] == "confirmed"
    again = await (await reviews.as_("staff")).post("/v1/me/card-confirmations")
    assert (again.status_code, again.json()["answered"]) == (201, 0)


async def test_a_card_can_be_written_and_read_while_it_is_marked(reviews: Reviews) -> None:
    reviews.clock.move_to(BEGIN)
    await reviews.start("accuracy", by="hr")
    await passed(reviews)
    path, client = f"/v1/contacts/{reviews.world.people['core']}", await reviews.as_("hr")
    version = (await client.get(path)).headers["ETag"]
    changed = await client.patch(path, json={"title": "测试"}, headers={"If-Match": version})
    assert changed.status_code == 200, changed.text
    assert changed.json()["unconfirmed_since"] == "2026-12-07"
    card = await client.get(path)
    assert (card.json()["title"], card.json()["unconfirmed_since"]) == ("测试", "2026-12-07")
    assert card.headers["ETag"] == changed.headers["ETag"]
    refused = await client.patch(path, json={"unconfirmed_since": None}, headers={"If-Match": "*"})
    assert refused.status_code == 422


async def test_a_confirmation_is_on_record_and_services_have_no_card(reviews: Reviews) -> None:
    reviews.clock.move_to(BEGIN)
    assert (await (await reviews.as_("staff")).post("/v1/me/card-confirmations")).json()["answered"] == 0
    await reviews.world.settle()
    staff = str(reviews.world.people["staff"])
    found = await reviews.application.events.search(EventFilter(actor_id=staff, action="contact.confirm"), limit=2)
    assert len(found.events) == 1
    answer = await (await reviews.as_("hr-system")).post("/v1/me/card-confirmations")
    assert answer.status_code == 403


async def test_disputed_and_then_confirmed_is_confirmed(reviews: Reviews) -> None:
    reviews.clock.move_to(BEGIN)
    campaign = await reviews.start("accuracy", by="hr")
    card = await reviews.item(campaign, "card", "staff")
    assert (await reviews.decide(campaign, card, "staff", verdict="dispute")).json()["state"] == "disputed"
    await passed(reviews)
    await reviews.as_("staff")
    assert "unconfirmed_since" not in (await reviews.world.card("staff", "staff"))
    assert (await (await reviews.as_("staff")).post("/v1/me/card-confirmations")).json()["answered"] == 1
    assert (await reviews.item(campaign, "card", "staff"))["state"] == "confirmed"


async def test_quarters_begin_by_themselves_and_once(reviews: Reviews) -> None:
    reviews.clock.move_to(BEGIN)
    await reviews.sweep()
    assert (await (await reviews.as_("hr")).get("/v1/campaigns")).json()["items"] == []
    reviews.clock.move_to(BEGIN.replace(year=2027, month=1, day=1, hour=0, minute=59))
    await reviews.sweep()
    assert (await (await reviews.as_("hr")).get("/v1/campaigns")).json()["items"] == []
    reviews.clock.move_to(BEGIN.replace(year=2027, month=1, day=1, hour=1))
    await reviews.sweep()
    await reviews.sweep()
    items = (await (await reviews.as_("hr")).get("/v1/campaigns")).json()["items"]
    assert sorted((each["kind"], each["scheduled"], each["stage"]) for each in items) == [
        ("accuracy", True, "asked"),
        ("rights", True, "asked"),
    ]
    async with reviews.application.database.session() as session:
        slots = (await session.execute(text("SELECT slot FROM campaign ORDER BY slot"))).scalars().all()
    assert slots == ["accuracy:2027-Q1", "rights:2027-Q1"]


async def test_what_is_switched_off_does_not_begin(reviews: Reviews) -> None:
    reviews.equip(rights="off", accuracy="off")
    reviews.clock.move_to(BEGIN)
    await reviews.sweep()
    reviews.clock.move_to(BEGIN + timedelta(days=365))
    await reviews.sweep()
    assert (await (await reviews.as_("hr")).get("/v1/campaigns")).json()["items"] == []
    assert CampaignsSettings().rights == "quarterly"
