"""Type-ahead: C1 alone, the viewer's people alone, one compact event for each answer, on both engines."""

import pytest
from sqlalchemy import update

from app.audit.events import EventDraft
from app.audit.repository import EventFilter
from app.contacts.models import Contact
from app.contacts.suggestion_schemas import SuggestionList
from tests.support.application import World
from tests.support.company import SECRETS
from tests.support.problems import faults, problem
from tests.support.shared import add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def newest(world: World) -> EventDraft:
    found = await world.application.events.search(EventFilter(action="suggestion.list"), limit=1)
    return found.events[0].event


async def test_a_suggestion_is_who_and_where_and_nothing_else(shared: World) -> None:
    code = await add_department(shared)
    await add_person(shared, department=code, name="濮阳端", title="工程师", short_numbers=["69001"])
    answer = await (await shared.as_("outsider")).get("/v1/suggestions", params={"q": "puyangd"})
    SuggestionList.model_validate_json(answer.content)
    (item,) = answer.json()["items"]
    named = ["id", "name", "kind", "organisation", "department", "title", "short_numbers"]
    assert list(item) == [*named, "away_until", "backup_contact"]
    assert (item["name"], item["department"], item["title"]) == ("濮阳端", f"临时{code}", "工程师")
    assert item["short_numbers"] == ["69001"]
    assert answer.headers["Cache-Control"] == "no-store"


async def test_nothing_protected_is_told_or_opened_to_anybody(shared: World) -> None:
    for who in ("staff", "colleague", "head", "hr", "infosec", "ceo"):
        for q in ("尉迟", "ren", "空白", "曾", "rd"):
            answer = await (await shared.as_(who)).get("/v1/suggestions", params={"q": q})
            assert answer.status_code == 200, answer.text
            assert [secret for secret in SECRETS if secret in answer.text] == []


async def test_an_answer_is_one_event_with_everybody_named_and_the_term_as_a_mac(shared: World) -> None:
    code = await add_department(shared)
    people = [await add_person(shared, department=code, name=f"闾丘{each}") for each in "甲乙丙"]
    answer = await (await shared.as_("outsider")).get("/v1/suggestions", params={"q": "闾丘", "limit": 2})
    told = answer.json()
    event = await newest(shared)
    assert str(event.id) == told["disclosure"]["event_id"]
    assert (event.decision, event.count, event.actor_id) == ("allowed", 2, str(shared.people["outsider"]))
    assert event.query == {"q": shared.application.terms.masked("闾丘")}
    (cohort,) = event.cohorts
    assert [str(each) for each in cohort.contacts] == [item["id"] for item in told["items"]]
    assert dict(cohort.states) == {}
    assert {each.id for each in people} > set(cohort.contacts)


async def test_nobody_found_is_a_look_too(shared: World) -> None:
    answer = await (await shared.as_("staff")).get("/v1/suggestions", params={"q": "niemand"})
    event = await newest(shared)
    assert str(event.id) == answer.json()["disclosure"]["event_id"]
    assert (event.count, event.cohorts) == (0, ())


async def test_ten_are_the_most_and_the_best_stand_first(shared: World) -> None:
    code = await add_department(shared)
    for number in range(12):
        await add_person(shared, department=code, name=f"公冶{number}")
    await add_person(shared, department=code, name="公冶")
    client = await shared.as_("staff")
    items = (await client.get("/v1/suggestions", params={"q": "公冶"})).json()["items"]
    assert len(items) == 10
    assert items[0]["name"] == "公冶"
    answer = await client.get("/v1/suggestions", params={"q": "公冶", "limit": 11})
    assert faults(answer) == [("?limit", "invalid_value")]
    answer = await client.get("/v1/suggestions")
    problem(answer, 422, "invalid_request")
    answer = await client.get("/v1/suggestions", params={"q": "x", "cursor": "A" * 20})
    problem(answer, 422, "invalid_request")


async def test_who_left_or_has_not_come_is_suggested_to_nobody_without_the_right(shared: World) -> None:
    await add_person(shared, name="颛孙来", status="prehire")
    await add_person(shared, name="颛孙去", status="left")
    for who, seen in (("staff", []), ("infosec", []), ("hr", ["颛孙来"]), ("steward", ["颛孙来"])):
        answer = await (await shared.as_(who)).get("/v1/suggestions", params={"q": "zhuansun"})
        assert [item["name"] for item in answer.json()["items"]] == seen, who


async def test_a_row_that_somebody_edited_is_not_suggested(shared: World) -> None:
    someone = await add_person(shared, name="段干潜", status="prehire")
    async with shared.application.database.unit_of_work() as unit:
        await unit.session.execute(update(Contact).where(Contact.id == someone.id).values(status="active"))
    answer = await (await shared.as_("staff")).get("/v1/suggestions", params={"q": "段干潜"})
    assert answer.json()["items"] == []
    assert (await newest(shared)).count == 0


async def test_a_stranger_gets_nothing(shared: World) -> None:
    for who, status in ((None, 401), ("it-scripts", 403), ("siem", 403)):
        answer = await (await shared.as_(who)).get("/v1/suggestions", params={"q": "曾"})
        assert answer.status_code == status, who
        assert "items" not in answer.json()
