"""Answers: who may give them, what they do at once, and who of two wins."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from app.audit.authors import Author
from app.audit.repository import EventFilter
from app.auth.repository import Source
from app.campaigns.errors import OwnRight
from app.campaigns.joints import Holding
from app.campaigns.rules import Item, State, Verdict
from app.campaigns.service import Answer
from app.departments.schemas import DepartmentAmend
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound
from app.permissions.plan import GrantScope
from tests.campaigns.reviews import Reviews
from tests.campaigns.test_silence import BEGIN, DUE, MONTHS, SUSPENDED, long_grant
from tests.support.application import OPERATOR
from tests.support.grants import give
from tests.support.problems import problem, quoted

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def lives(reviews: Reviews, name: str) -> list[bool]:
    """Tell of each grant of somebody whether it is live."""
    return [each["live"] for each in (await (await reviews.as_(name)).get("/v1/grants")).json()["items"]]


def name_of(reviews: Reviews, item: dict[str, Any]) -> str:
    """Name who is asked."""
    return next(name for name, identity in reviews.world.people.items() if str(identity) == item["reviewer"])


class TestWhoIsAsked:
    async def test_owners_answer_and_nobody_for_themselves(self, reviews: Reviews) -> None:
        reviews.clock.move_to(BEGIN)
        await long_grant(reviews, "staff")
        await long_grant(reviews, "head")
        await long_grant(reviews, "core")
        campaign = await reviews.start()
        items, people = await reviews.items(campaign), reviews.world.people
        assert items
        assert all(each["reviewer"] is not None and each["reviewer"] != each["holder"]["id"] for each in items)
        asked = {
            (each["kind"], name): (name_of(reviews, each), each["post"])
            for each in items
            for name, identity in people.items()
            if str(identity) == each["holder"]["id"]
        }
        assert asked["grant", "staff"] == ("head", "head")
        assert asked["grant", "core"] == ("head", "head"), "no head of its own: the next one above"
        assert asked["grant", "head"] == ("steward", "administration"), "nobody above"
        assert asked["role", "steward"] == ("infosec", "infosec")
        assert asked["tier", "hr"] == ("infosec", "infosec")
        assert asked["tier", "infosec"] == ("steward", "administration")
        assert {each["reference"] for each in items if each["kind"] == "tier"} == {"T4", "T5"}

    async def test_empty_grants_and_people_without_rights_are_left_out(self, reviews: Reviews) -> None:
        reviews.clock.move_to(BEGIN)
        world = reviews.world
        await long_grant(reviews, scope=GrantScope("contact", str(world.people["outsider"])))
        await long_grant(reviews, scope=GrantScope("region", "nowhere"))
        gone = await (await reviews.as_("hr")).delete(
            f"/v1/contacts/{world.people['outsider']}", headers={"If-Match": "*"}
        )
        assert gone.status_code == 204, gone.text
        campaign = await reviews.start()
        assert "grant" not in {each["kind"] for each in await reviews.items(campaign)}

    async def test_an_item_is_for_who_is_asked_and_for_overseers(self, reviews: Reviews) -> None:
        reviews.clock.move_to(BEGIN)
        await long_grant(reviews)
        campaign = await reviews.start()
        item = await reviews.item(campaign, "grant", "staff")
        assert [each["id"] for each in await reviews.items(campaign, "head", reviewer="me")] == [item["id"]]
        assert await reviews.items(campaign, "colleague", reviewer="me") == []
        problem(await (await reviews.as_("head")).get(f"{campaign}/items?reviewer=all"), 403, "not_permitted")
        problem(await reviews.read(campaign, item, "colleague"), 404, "not_found")
        assert (await reviews.read(campaign, item, "auditor")).status_code == 200
        problem(await reviews.decide(campaign, item, "auditor", verdict="revoke"), 404, "not_found")
        problem(await reviews.decide(campaign, item, "staff", verdict="revoke"), 404, "not_found")
        seen = (await (await reviews.as_("head")).get(campaign)).json()
        assert (seen["own"]["open"], seen["progress"]) == (1, None)
        assert (await (await reviews.as_("auditor")).get("/v1/campaigns")).json()["items"][0]["progress"]["total"] > 1
        problem(await (await reviews.as_("staff")).post("/v1/campaigns", json={"kind": "rights"}), 403, "not_permitted")
        problem(
            await (await reviews.as_("hr-system")).post("/v1/campaigns", json={"kind": "rights"}),
            403,
            "insufficient_scope",
        )

    async def test_pages_lead_through_all_items_once(self, reviews: Reviews) -> None:
        reviews.clock.move_to(BEGIN)
        campaign = await reviews.start()
        client, found, query = await reviews.as_("infosec"), list[str](), {"reviewer": "all", "limit": "3"}
        while True:
            page = (await client.get(f"{campaign}/items", params=query)).json()
            found += [each["id"] for each in page["items"]]
            if page["next"] is None:
                break
            query = {**query, "cursor": page["next"]}
        assert found == [each["id"] for each in await reviews.items(campaign)]
        other = await (await reviews.as_("auditor")).get(f"{campaign}/items", params=query)
        problem(other, 422, "bad_cursor")

    async def test_a_reviewer_who_leaves_is_followed_by_the_next_one_above(self, reviews: Reviews) -> None:
        reviews.clock.move_to(BEGIN)
        await long_grant(reviews, "core")
        world = reviews.world
        tree = await reviews.application.standings.tree()
        async with reviews.application.database.unit_of_work() as unit:
            amended = DepartmentAmend(head=world.people["colleague"])
            await reviews.application.departments.amend(unit, OPERATOR, tree.by_code["RD-CORE"], amended)
        campaign = await reviews.start()
        assert name_of(reviews, item := await reviews.item(campaign, "grant", "core")) == "colleague"
        left = {
            "type": "employee.left",
            "subject": "E2102",
            "id": "e-1",
            "source": "hr",
            "time": BEGIN.isoformat(),
            "data": {},
        }
        answer = await (await reviews.as_("hr-system")).post("/v1/hr/events", json=left)
        assert answer.status_code in {200, 201, 202}, answer.text
        await reviews.sweep()
        item = await reviews.item(campaign, "grant", "core")
        assert (name_of(reviews, item), item["post"]) == ("head", "head")
        assert world.people["head"] in reviews.listener.people("campaign.escalated")

    async def test_who_is_head_no_more_answers_no_more(self, reviews: Reviews) -> None:
        reviews.clock.move_to(BEGIN)
        await long_grant(reviews)
        campaign = await reviews.start()
        item = await reviews.item(campaign, "grant", "staff")
        tree = await reviews.application.standings.tree()
        async with reviews.application.database.unit_of_work() as unit:
            amended = DepartmentAmend(head=reviews.world.people["colleague"])
            await reviews.application.departments.amend(unit, OPERATOR, tree.by_code["RD"], amended)
        problem(await reviews.decide(campaign, item, "head", verdict="revoke"), 403, "reviewer_not_in_post")
        assert await lives(reviews, "staff") == [True]
        await reviews.sweep()
        assert (await reviews.decide(campaign, item, "colleague", verdict="revoke")).status_code == 201

    async def test_one_who_became_holder_and_reviewer_is_refused_by_the_service_itself(self, reviews: Reviews) -> None:
        reviews.clock.move_to(BEGIN)
        await long_grant(reviews)
        campaign = await reviews.start()
        told = await reviews.item(campaign, "grant", "staff")
        keeper, holder = reviews.application.campaigns.keeper, reviews.world.people["staff"]
        author = Author(type="person", id=str(holder))
        async with reviews.application.database.unit_of_work() as unit:
            review = await keeper._rows.review(unit.session, UUID(campaign.rpartition("/")[2]))
            (item,) = (await keeper._service.locked(unit, [UUID(told["id"])])).values()
            assert review is not None
            assert item.post is not None
            own = replace(item, post=replace(item.post, person=holder))
            answer = Answer(item=item.id, verdict=Verdict.REVOKE)
            with pytest.raises(OwnRight):
                await keeper._service.answer(unit, author, holder, review, own, answer)
            with pytest.raises(NotFound):
                await keeper._service.answer(unit, author, holder, review, item, answer)

    async def test_nobody_is_asked_about_a_right_of_their_own_second_card(self, reviews: Reviews) -> None:
        reviews.clock.move_to(BEGIN)
        await long_grant(reviews)
        people, persons = reviews.world.people, reviews.application.delegations.persons
        async with reviews.application.database.unit_of_work() as unit:
            await persons.join(unit, Author(type="operator", id="os:test"), people["staff"], people["head"])
        item = await reviews.item(await reviews.start(), "grant", "staff")
        assert item["reviewer"] not in {str(people["head"]), str(people["staff"])}
        assert item["reviewer"] is not None


class TestWhatAnswersDo:
    async def test_revoking_ends_a_grant_at_once_and_moves_its_holders_epoch(self, reviews: Reviews) -> None:
        reviews.clock.move_to(BEGIN)
        grant = await long_grant(reviews)
        campaign = await reviews.start()
        item = await reviews.item(campaign, "grant", "staff")
        before = (await reviews.world.viewer("staff")).standing.epochs
        answer = await reviews.decide(campaign, item, "head", verdict="revoke")
        assert (answer.status_code, answer.json()["state"]) == (201, "revoked")
        assert quoted(answer) == []
        assert await lives(reviews, "staff") == [False]
        assert (await reviews.world.viewer("staff")).standing.epochs != before
        await reviews.world.settle()
        events = await reviews.application.events.search(
            EventFilter(actor_id=str(reviews.world.people["head"]), action="grant.end"), limit=5
        )
        assert events.events[0].event.query is not None
        assert events.events[0].event.query["grant"] == grant
        problem(await reviews.decide(campaign, item, "head", verdict="keep"), 409, "campaign_item_answered")

    async def test_a_role_and_a_tier_are_taken(self, reviews: Reviews) -> None:
        reviews.clock.move_to(BEGIN)
        campaign = await reviews.start()
        for kind, reference in (("role", "hr"), ("tier", "T4")):
            item = await reviews.item(campaign, kind, "hr", reference)
            assert (await reviews.decide(campaign, item, name_of(reviews, item), verdict="revoke")).status_code == 201
        standing = (await reviews.world.viewer("hr")).standing
        assert ("hr" in standing.roles, standing.tier.value) == (False, "T1")

    async def test_a_grant_is_shortened_and_never_lengthened(self, reviews: Reviews) -> None:
        reviews.clock.move_to(BEGIN)
        await long_grant(reviews)
        campaign = await reviews.start()
        item = await reviews.item(campaign, "grant", "staff")
        await reviews.read(campaign, item, "head")
        for until in (None, BEGIN + MONTHS, BEGIN + 2 * MONTHS, BEGIN):
            body = {} if until is None else {"until": until.isoformat()}
            problem(await reviews.decide(campaign, item, "head", verdict="shorten", **body), 422, "unfit_end")
        problem(
            await reviews.decide(campaign, item, "head", verdict="keep", until=(BEGIN + MONTHS / 2).isoformat()),
            422,
            "unfit_end",
        )
        problem(await reviews.decide(campaign, item, "head", verdict="confirm"), 422, "unfit_verdict")
        end = BEGIN + timedelta(days=1)
        answer = await reviews.decide(campaign, item, "head", verdict="shorten", until=end.isoformat())
        assert (answer.status_code, answer.json()["state"]) == (201, "shortened")
        reviews.clock.move_to(end - timedelta(seconds=1))
        assert await lives(reviews, "staff") == [True]
        reviews.clock.move_to(end)
        assert await lives(reviews, "staff") == [False]

    async def test_a_role_that_is_kept_for_a_while_is_taken_when_it_is_over(self, reviews: Reviews) -> None:
        reviews.clock.move_to(BEGIN)
        campaign = await reviews.start()
        item, end = await reviews.item(campaign, "role", "hr"), BEGIN + timedelta(hours=5)
        who = name_of(reviews, item)
        problem(
            await reviews.decide(campaign, item, who, verdict="shorten", until=end.isoformat()),
            409,
            "campaign_item_unopened",
        )
        await reviews.read(campaign, item, who)
        answer = await reviews.decide(campaign, item, who, verdict="shorten", until=end.isoformat())
        assert answer.status_code == 201, answer.text
        await reviews.sweep()
        assert "hr" in (await reviews.world.viewer("hr")).standing.roles
        reviews.clock.move_to(end)
        await reviews.sweep()
        assert "hr" not in (await reviews.world.viewer("hr")).standing.roles
        assert (await reviews.item(campaign, "role", "hr"))["state"] == "ended"

    async def test_what_is_gone_already_is_moot(self, reviews: Reviews) -> None:
        reviews.clock.move_to(BEGIN)
        grant = await long_grant(reviews)
        campaign = await reviews.start()
        assert (await (await reviews.as_("staff")).delete(f"/v1/grants/{grant}")).status_code == 204
        item = await reviews.item(campaign, "grant", "staff")
        assert (await reviews.decide(campaign, item, "head", verdict="revoke")).json()["state"] == "moot"

    async def test_a_risky_right_is_kept_only_by_who_has_read_it(self, reviews: Reviews) -> None:
        reviews.clock.move_to(BEGIN)
        await long_grant(reviews, scope=GrantScope("company"))
        campaign = await reviews.start()
        item = await reviews.item(campaign, "grant", "staff")
        assert (item["risk"], item["opened"]) == ("high", False)
        assert {each["code"] for each in item["hints"]} >= {"company_wide"}
        problem(await reviews.decide(campaign, item, "head", verdict="keep"), 409, "campaign_item_unopened")
        await reviews.items(campaign, "head", reviewer="me")
        assert (await reviews.read(campaign, item, "auditor")).status_code == 200
        problem(await reviews.decide(campaign, item, "head", verdict="keep"), 409, "campaign_item_unopened")
        read = (await reviews.read(campaign, item, "head")).json()
        assert read["opened"] is True
        events = await reviews.application.events.search(
            EventFilter(actor_id=str(reviews.world.people["head"]), action="campaign.item"), limit=1
        )
        assert str(events.events[0].event.id) == read["disclosure"]["event_id"]
        async with reviews.application.database.session() as session:
            kept = (await session.execute(text("SELECT count(*) FROM campaign_opening"))).scalar_one()
        assert kept == 1
        await reviews.read(campaign, item, "head")
        assert (await reviews.decide(campaign, item, "head", verdict="keep")).status_code == 201
        assert await lives(reviews, "staff") == [True]

    async def test_an_opening_that_was_written_by_hand_opens_nothing(self, reviews: Reviews) -> None:
        reviews.clock.move_to(BEGIN)
        await long_grant(reviews, scope=GrantScope("company"))
        await long_grant(reviews, "colleague", scope=GrantScope("company"))
        campaign = await reviews.start()
        item, other = [await reviews.item(campaign, "grant", each) for each in ("staff", "colleague")]
        await reviews.read(campaign, other, "head")
        name = "item_id"
        async with reviews.application.database.unit_of_work() as unit:
            await unit.session.execute(
                text(
                    f"INSERT INTO campaign_opening ({name}, person_id, event_id, at, mac) "
                    f"SELECT i.id, o.person_id, o.event_id, o.at, o.mac FROM campaign_opening o, campaign_item i "
                    "WHERE i.id <> o.item_id AND i.kind = 'grant'"
                )
            )
        assert (await reviews.item(campaign, "grant", "staff"))["opened"] is False
        problem(await reviews.decide(campaign, item, "head", verdict="keep"), 409, "campaign_item_unopened")


class TestSeveral:
    async def both(self, reviews: Reviews) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """Start a campaign in which the head is asked about a harmless and a risky grant."""
        reviews.clock.move_to(BEGIN)
        scope = GrantScope("contact", str(reviews.world.people["outsider"]))
        now = reviews.clock.now()
        await give(reviews.world, "colleague", scope, starts_at=now, ends_at=now + MONTHS, fields=("email",))
        await long_grant(reviews, scope=GrantScope("company"))
        client = await reviews.as_("colleague")
        await client.get(f"/v1/contacts/{reviews.world.people['outsider']}")
        campaign = await reviews.start()
        harmless, risky = [await reviews.item(campaign, "grant", each) for each in ("colleague", "staff")]
        assert (harmless["risk"], risky["risk"]) == ("low", "high"), harmless["hints"]
        return campaign, harmless, risky

    async def post(self, reviews: Reviews, campaign: str, who: str, body: object) -> dict[str, Any]:
        """Answer for several."""
        answer = await (await reviews.as_(who)).post(f"{campaign}/decisions", json=body)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def test_keeping_all_keeps_what_is_harmless_and_nothing_else(self, reviews: Reviews) -> None:
        campaign, harmless, risky = await self.both(reviews)
        told = await self.post(reviews, campaign, "head", {"keep": "low_risk"})
        assert (told["taken"], told["refused"], told["left"]) == (1, 0, 1)
        assert told["items"] == [{"item": harmless["id"], "state": "kept", "problem": None}]
        assert (await reviews.item(campaign, "grant", "staff"))["state"] == "open"
        again = await self.post(reviews, campaign, "head", {"keep": "low_risk"})
        assert (again["taken"], again["left"]) == (0, 1)
        del risky

    async def test_each_answer_of_several_stands_by_itself(self, reviews: Reviews) -> None:
        campaign, harmless, risky = await self.both(reviews)
        theirs = await reviews.item(campaign, "role", "hr")
        body = {
            "decisions": [
                {"item": risky["id"], "verdict": "keep"},
                {"item": harmless["id"], "verdict": "revoke"},
                {"item": harmless["id"], "verdict": "keep"},
                {"item": theirs["id"], "verdict": "revoke"},
                {"item": campaign.rpartition("/")[2], "verdict": "keep"},
            ]
        }
        told = await self.post(reviews, campaign, "head", body)
        codes = [each["problem"] and each["problem"]["code"] for each in told["items"]]
        assert codes == ["campaign_item_unopened", None, "campaign_item_answered", "not_found", "not_found"]
        assert (told["taken"], told["refused"], told["left"]) == (1, 4, 1)
        assert await lives(reviews, "colleague") == [False]
        await reviews.read(campaign, risky, "head")
        told = await self.post(reviews, campaign, "head", {"decisions": [{"item": risky["id"], "verdict": "keep"}]})
        assert told["items"][0]["state"] == "kept"

    @pytest.mark.parametrize("body", [{}, {"keep": "all"}, {"decisions": [], "keep": None}])
    async def test_there_is_no_other_way_to_keep_all(self, reviews: Reviews, body: object) -> None:
        reviews.clock.move_to(BEGIN)
        campaign = await reviews.start()
        answer = await (await reviews.as_("head")).post(f"{campaign}/decisions", json=body)
        assert answer.status_code == 422


class TestRaces:
    async def test_of_two_answers_at_once_one_counts(self, reviews: Reviews) -> None:
        reviews.clock.move_to(BEGIN)
        await long_grant(reviews)
        campaign = await reviews.start()
        item = await reviews.item(campaign, "grant", "staff")
        await reviews.read(campaign, item, "head")
        client = await reviews.as_("head")
        at, verdicts = f"{campaign}/items/{item['id']}/decisions", ("keep", "revoke", "keep", "revoke")
        answers = await asyncio.gather(*(client.post(at, json={"verdict": each}) for each in verdicts))
        assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
        (won,) = [verdict for verdict, each in zip(verdicts, answers, strict=True) if each.status_code == 201]
        assert await lives(reviews, "staff") == [won == "keep"]
        async with reviews.application.database.session() as session:
            rows = (await session.execute(text("SELECT verdict FROM campaign_decision"))).all()
        assert [row[0] for row in rows] == [won]

    async def test_an_answer_and_the_end_of_patience_at_once_leave_one_of_them(self, reviews: Reviews) -> None:
        reviews.clock.move_to(BEGIN)
        await long_grant(reviews)
        campaign = await reviews.start()
        for moment in (BEGIN + timedelta(days=7, hours=9), DUE):
            reviews.clock.move_to(moment)
            await reviews.sweep()
        reviews.clock.move_to(SUSPENDED)
        item = await reviews.item(campaign, "grant", "staff")
        who = name_of(reviews, item)
        await reviews.read(campaign, item, who)
        client = await reviews.as_(who)

        async def answer() -> httpx.Response:
            return await client.post(f"{campaign}/items/{item['id']}/decisions", json={"verdict": "keep"})

        told, _, _ = await asyncio.gather(answer(), reviews.sweep(), reviews.sweep())
        state = (await reviews.item(campaign, "grant", "staff"))["state"]
        assert (told.status_code, state) in {(201, "kept"), (409, "suspended")}
        assert await lives(reviews, "staff") == [state == "kept"]
        async with reviews.application.database.session() as session:
            rows = (await session.execute(text("SELECT item_id FROM campaign_decision"))).all()
        assert len(rows) == len({row[0] for row in rows})

    async def test_two_sweeps_at_once_ask_and_suspend_once(self, reviews: Reviews) -> None:
        reviews.clock.move_to(BEGIN)
        await long_grant(reviews)
        client = await reviews.as_("infosec")
        started = await client.post("/v1/campaigns", json={"kind": "rights"}, headers={"Idempotency-Key": "once"})
        again = await client.post("/v1/campaigns", json={"kind": "rights"}, headers={"Idempotency-Key": "once"})
        assert (again.status_code, again.json()["id"]) == (201, started.json()["id"])
        campaign = f"/v1/campaigns/{started.json()['id']}"
        await asyncio.gather(reviews.sweep(), reviews.sweep())
        opened = [each for each in reviews.listener.heard if each.type == "campaign.opened"]
        assert len({person for each in opened for person in each.audience.people}) == sum(
            len(each.audience.people) for each in opened
        )
        for moment in (BEGIN + timedelta(days=7, hours=9), DUE, SUSPENDED):
            reviews.clock.move_to(moment)
            await asyncio.gather(reviews.sweep(), reviews.sweep())
        assert {each["state"] for each in await reviews.items(campaign)} == {"suspended"}


@dataclass(slots=True)
class Desks:
    """Desks that people hold, as a holding of another part would be."""

    holder: UUID
    ended: list[str] = field(default_factory=list)
    kind: str = "privilege"

    async def held(self, source: Source, now: datetime) -> Sequence[Holding]:
        """List the one."""
        del source, now
        return [] if self.ended else [Holding(reference="international", holder_id=self.holder, flags=("power_role",))]

    async def is_held(self, source: Source, item: Item, now: datetime) -> bool:
        """Tell whether it is held."""
        del source, item, now
        return not self.ended

    async def end(self, unit: UnitOfWork, author: Author, item: Item, *, why: str) -> None:
        """Take it."""
        del unit, author
        self.ended.append(f"{item.reference} {why}")


async def test_other_things_that_people_hold_are_reviewed_alike(reviews: Reviews) -> None:
    reviews.clock.move_to(BEGIN)
    desks = Desks(reviews.world.people["staff"])
    reviews.equip(desks)
    campaign = await reviews.start()
    item = await reviews.item(campaign, "privilege", "staff")
    assert (name_of(reviews, item), item["risk"]) == ("head", "high")
    assert (await reviews.decide(campaign, item, "head", verdict="revoke")).json()["state"] == State.REVOKED.value
    assert desks.ended == ["international review"]
