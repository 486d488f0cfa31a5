"""The summary over HTTP: exact counts with names, over a bounded time, honest about how far it came, and a look like any other."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from app.disclosure.log_queries import SummaryQuery
from app.disclosure.log_summary import LONGEST_WINDOW
from app.kit.models import new_id
from tests.api.log_calls import EVENTS, ask, every, log, summary
from tests.support.application import World
from tests.support.company import PEOPLE
from tests.support.problems import faults, problem


async def busy(world: World) -> None:
    """Let a few people look, and some in vain."""
    for reader, of in (("staff", "colleague"), ("staff", "head"), ("outsider", "head"), ("siem", "head")):
        await (await world.as_(reader)).get(f"/v1/contacts/{world.people[of]}")
    for _ in range(2):
        await (await world.as_("intern")).get(f"/v1/contacts/{new_id()}")
    await (await world.as_("staff")).get("/v1/contacts", params={"department": "RD"})


async def test_a_summary_is_what_counting_the_list_gives(world: World) -> None:
    await busy(world)
    until = world.application.clock.now().isoformat()
    events = await every(world, limit=200, to=until)
    told = await summary(world, top=50, to=until)
    refused = [item for item in events if item["decision"] == "refused"]
    looks = [item for item in events if item["decision"] == "allowed" and item["purpose"] is not None]
    assert (told["events"], told["looks"]) == (len(events), len(looks))
    assert told["contacts"] == sum(item["contact_count"] for item in looks)
    readers = Counter(item["actor"]["id"] for item in looks)
    assert {each["actor"]["id"]: each["looks"] for each in told["readers"]} == dict(readers)
    subjects = Counter(each["id"] for item in looks for each in item["contacts"])
    assert {each["contact"]["id"]: each["looks"] for each in told["subjects"] if each["looks"]} == dict(subjects)
    assert {each["name"]: each["events"] for each in told["actions"]} == Counter(item["action"] for item in events)
    assert {each["name"]: each["events"] for each in told["purposes"]} == Counter(item["purpose"] for item in events)
    departments = Counter((item["actor"]["department"] or {}).get("code") for item in events)
    assert {(each["department"] or {}).get("code"): each["events"] for each in told["departments"]} == departments
    assert sum(each["events"] for each in told["hours"]) == len(events)
    assert told["refusals"]["total"] == len(refused) == 3
    assert told["refusals"]["codes"] == [
        {"code": "not_found", "events": 2},
        {"code": "insufficient_scope", "events": 1},
    ]
    assert [(each["actor"]["name"], each["refusals"]) for each in told["refusals"]["actors"]] == [
        (PEOPLE["intern"].full_name, 2),
        ("SIEM", 1),
    ]
    assert told["scanned"]["complete"]
    assert told["scanned"]["events"] == len(events)


async def test_names_stand_beside_ids_and_the_list_is_as_long_as_asked(world: World) -> None:
    await busy(world)
    told = await summary(world, top=1, action="contact.*")
    (reader,), (subject,) = told["readers"], told["subjects"]
    assert (reader["actor"]["name"], reader["actor"]["department"]["code"]) == (PEOPLE["staff"].full_name, "RD")
    assert (reader["looks"], reader["contacts"]) == (
        3,
        2 + (await ask(world, action="contact.list"))["items"][0]["contact_count"],
    )
    assert subject["contact"]["name"] == PEOPLE["head"].full_name
    assert subject["looks"] == 3


async def test_the_filters_are_those_of_the_list(world: World) -> None:
    await busy(world)
    until = world.application.clock.now().isoformat()
    for asked in (
        {"decision": "refused"},
        {"contact": world.people["head"]},
        {"actor": world.people["staff"], "field": "mobile"},
        {"department": "RD", "state": "masked"},
        {"action": "contact.list", "purpose": "work_contact"},
        {"ip": "127.0.0.1"},
    ):
        told = await summary(world, to=until, **asked)
        assert told["events"] == len(await every(world, limit=200, to=until, **asked)) > 0
    about = await summary(world, contact=world.people["head"])
    assert [each["contact"]["id"] for each in about["subjects"]] == [str(world.people["head"])]
    assert about["contacts"] == about["looks"] == 3


async def test_a_window_is_seven_days_or_what_was_asked(world: World) -> None:
    now = world.application.clock.now()
    for days in (0, 6, 8, 92, 94):
        await log(world, at=now - timedelta(days=days), action="test.days")
    told = await summary(world, action="test.days")
    assert told["events"] == 2
    longest = (now - timedelta(days=92.9)).isoformat()
    assert (await summary(world, action="test.days", from_=longest))["events"] == 4
    to = (now - timedelta(days=7)).isoformat()
    assert (await summary(world, action="test.days", to=to))["events"] == 1
    old = await summary(world, action="test.days", from_=(now - timedelta(days=95)).isoformat(), to=to)
    assert (old["events"], old["to"]) == (3, to.replace("+00:00", "Z"))


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("from=2020-01-01T00:00:00Z", "?from", "window_too_long"),
        ("from=2026-01-01T00:00:00Z&to=2026-04-05T00:00:00Z", "?from", "window_too_long"),
        ("from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z", "?from", "window_too_long"),
        ("from=2026-04-05T00:00:00Z&to=2026-01-01T00:00:00Z", "?to", "reversed_range"),
        ("top=0", "?top", "invalid_value"),
        ("top=51", "?top", "invalid_value"),
        ("utc_offset=8", "?utc_offset", "invalid_value"),
        ("utc_offset=%2B15:00", "?utc_offset", "invalid_value"),
        ("limit=5", "?limit", "unknown_member"),
        ("cursor=abcdefgh", "?cursor", "unknown_member"),
        ("sort=at", "?sort", "unknown_member"),
        ("department=NOWHERE", "?department", "unknown_department"),
        ("field=nothing", "?field", "unknown_value"),
    ],
)
@pytest.mark.asyncio(loop_scope="session")
async def test_a_malformed_question_is_refused_where_it_is_wrong(
    shared: World, query: str, pointer: str, code: str
) -> None:
    answer = await (await shared.as_("infosec")).get(f"{EVENTS}/summary?{query}")
    problem(answer, 422, "invalid_request")
    assert faults(answer) == [(pointer, code)]


@pytest.mark.asyncio(loop_scope="session")
async def test_the_edges_of_time_are_no_failure(shared: World) -> None:
    for query in ("to=0001-01-03T00:00:00Z", "from=2999-01-01T00:00:00Z", "to=9999-12-31T23:59:59Z"):
        answer = await (await shared.as_("infosec")).get(f"{EVENTS}/summary?{query}")
        assert (query, answer.status_code, answer.json()["scanned"]["complete"]) == (query, 200, True)


async def test_a_window_of_93_days_is_not_too_long(world: World) -> None:
    until = world.application.clock.now()
    told = await summary(world, from_=(until - LONGEST_WINDOW).isoformat(), to=until.isoformat())
    assert told["scanned"]["complete"]


async def test_hours_are_those_of_the_offset(world: World) -> None:
    at = world.application.clock.now().replace(hour=22, minute=40) - timedelta(days=1)
    await log(world, at=at, action="test.hours")
    for offset, hour in (("+00:00", 22), ("+08:00", 6), ("-03:30", 19), ("+01:30", 0)):
        told = await summary(world, action="test.hours", utc_offset=offset)
        assert [each["hour"] for each in told["hours"] if each["events"]] == [hour]
        assert told["utc_offset"] == offset


async def test_a_count_that_was_cut_says_so(world: World) -> None:
    now = world.application.clock.now() + timedelta(hours=1)
    for minutes in range(6):
        await log(world, at=now - timedelta(minutes=minutes), action="test.cut", actor_id=f"job:{minutes}")
    summaries = replace(world.application.log_summaries, most_scanned=4)
    viewer = await world.viewer("infosec")
    asked = SummaryQuery.model_validate({"action": "test.cut", "to": (now + timedelta(microseconds=1)).isoformat()})
    answer = await summaries.summary(viewer, asked)
    told = await summary(world, action="test.cut", to=(now + timedelta(microseconds=1)).isoformat())
    cut: dict[str, Any] = orjson.loads(answer.body)
    assert (cut["scanned"]["events"], cut["scanned"]["complete"], cut["events"]) == (4, False, 4)
    assert cut["scanned"]["reached"] == (now - timedelta(minutes=3)).isoformat().replace("+00:00", "Z")
    assert [each["name"] for each in cut["actions"]] == ["test.cut"]
    assert told["events"] == 6


async def test_a_summary_is_on_record_with_its_filter_and_its_count(world: World) -> None:
    told = await summary(world, action="contact.*", decision="refused", department="RD")
    (item,) = await every(world, action="access_event.summary")
    assert item["id"] == told["disclosure"]["event_id"]
    whole = (await (await world.as_("auditor")).get(f"{EVENTS}/{item['id']}")).json()
    assert whole["count"] == told["events"]
    assert whole["query"] == {
        "action": "contact.*",
        "decision": "refused",
        "department": "RD",
        "from": told["from"].replace("Z", "+00:00"),
        "to": told["to"].replace("Z", "+00:00"),
    }
