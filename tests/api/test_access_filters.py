"""Every filter of the access log, alone and combined, in both orders; and that a question to the log is an event like any other."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.audit.events import EventDraft
from app.audit.matching import EventFilter
from app.kit.models import new_id
from tests.api.log_calls import EVENTS, ask, every, log
from tests.audit.questions import FIELDS, PURPOSES, STATES, expected, some_events
from tests.support.application import World
from tests.support.problems import faults, problem
from tests.support.stores import SqliteTestStore

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALONE: Final = pytest.mark.asyncio(loop_scope="function")
"""For tests with a company of their own."""

MARK: Final = "filters"
NETWORKS: Final = {
    "10.1.2.3": "10.1.2.3/32",
    "::ffff:10.1.2.3": "10.1.2.3/32",
    "::FFFF:10.1.0.0/112": "10.1.0.0/16",
    "10.1.0.0/16": "10.1.0.0/16",
    "2001:DB8::/32": "2001:db8::/32",
}
"""Addresses as a caller may write them, and the networks that they are."""

_KEPT: Final[dict[int, list[EventDraft]]] = {}


async def kept(world: World) -> list[EventDraft]:
    """Put a hundred drawn events into the shared log, once per engine; their actions are this module's own."""
    if id(world) not in _KEPT:
        departments = sorted(world.departments.items())
        drafts = [
            replace(
                each,
                id=new_id(),
                action=f"{MARK}.{each.action.replace('.', '_')}",
                department_id=None if each.department_id is None else departments[each.department_id.int % 3][1],
                at=each.at - timedelta(days=1000),
            )
            for each in some_events(7, 100)
        ]
        for each in drafts:
            await world.application.log.record(each)
        _KEPT[id(world)] = drafts
    return _KEPT[id(world)]


@st.composite
def questions(draw: st.DrawFn) -> dict[str, Any]:
    """Draw filters as a caller writes them, some at a time."""
    members: dict[str, st.SearchStrategy[object]] = {
        "actor": st.sampled_from(("0193e5a0-0000-7000-8000-00000000aaaa", "siem", "nobody")),
        "action": st.sampled_from((f"{MARK}.contact_read", f"{MARK}.access_event_list")),
        "field": st.sampled_from((*FIELDS, "fax")),
        "state": st.sampled_from(STATES),
        "decision": st.sampled_from(("allowed", "refused")),
        "purpose": st.sampled_from(PURPOSES[:2]),
        "request": st.sampled_from(("request-0001", "request-0009")),
        "ip": st.sampled_from(sorted(NETWORKS)),
        "sort": st.sampled_from(("at", "-at")),
        "limit": st.sampled_from((1, 7, 200)),
    }
    names = draw(st.sets(st.sampled_from(sorted(members)), max_size=5))
    return {"action": f"{MARK}.*", **{name: draw(members[name]) for name in names}}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=questions(), since=st.none() | st.integers(0, 99), who=st.none() | st.integers(0, 99))
async def test_any_combination_finds_what_a_plain_reading_finds(
    shared: World, asked: dict[str, Any], since: int | None, who: int | None
) -> None:
    drafts = await kept(shared)
    asked = dict(asked)
    contact = None
    if who is not None:
        contact = next((each for cohort in drafts[who].cohorts for each in cohort.contacts), new_id())
        asked["contact"] = contact
    if since is not None:
        asked["from"] = drafts[since].at.isoformat()
    wanted = EventFilter(
        contact_id=contact,
        actor_id=asked.get("actor"),
        action=asked["action"],
        decision=asked.get("decision"),
        since=None if since is None else drafts[since].at,
        field=asked.get("field"),
        state=asked.get("state"),
        purpose=asked.get("purpose"),
        request_id=asked.get("request"),
        network=ip_network(NETWORKS[asked["ip"]]) if "ip" in asked else None,
    )
    found = [item["id"] for item in await every(shared, **asked)]
    order = expected(drafts, wanted, oldest_first=asked.get("sort") == "at")
    assert found == [str(drafts[index].id) for index in order]


@ALONE
async def test_a_department_is_that_of_the_actor_with_all_below_it(world: World) -> None:
    for code in ("RD", "RD-CORE", "SALES"):
        await log(world, actor_id=f"job:{code}", department_id=world.departments[code])
    gone = UUID(int=404)
    await log(world, actor_id="job:gone", department_id=gone)

    async def actors(department: object) -> list[str]:
        return sorted(item["actor"]["id"] for item in await every(world, action="test.made", department=department))

    assert await actors("RD") == await actors(world.departments["RD"]) == ["job:RD", "job:RD-CORE"]
    assert await actors("RD-CORE") == ["job:RD-CORE"]
    assert await actors(gone) == ["job:gone"]
    assert await actors(new_id()) == []
    colleague = await world.card("core", "outsider")
    read = (await ask(world, department="RD", action="contact.read"))["items"][0]
    assert read["id"] == colleague["disclosure"]["event_id"], "and not that of the contact"
    assert colleague["disclosure"]["event_id"] not in {
        item["id"] for item in await every(world, department="SALES", action="contact.read")
    }


async def test_a_field_in_a_state_is_that_of_the_contact_who_is_named(shared: World) -> None:
    card = await shared.card("outsider", "staff")
    event = card["disclosure"]["event_id"]
    who = shared.people["staff"]
    for state in ("shown", "masked", "withheld", "empty"):
        page = await ask(shared, contact=who, field="mobile", state=state, limit=1)
        assert (event in {item["id"] for item in page["items"]}) == (state == card["mobile"]["state"])
    assert (await ask(shared, contact=who, field="mobile", limit=1))["items"][0]["id"] == event


@ALONE
async def test_reads_of_the_log_are_found_by_action_and_actor(world: World) -> None:
    await ask(world, "auditor", field="mobile", state="shown", ip="10.0.0.0/8", purpose="audit", department="RD")
    await (await world.as_("siem")).get("/v1/access-log/checkpoint")
    one = (await ask(world, "auditor", limit=1))["items"][0]["id"]
    await (await world.as_("auditor")).get(f"{EVENTS}/{one}")
    found = await every(world, action="access_event.*", actor=world.people["auditor"], sort="at")
    assert [item["action"] for item in found] == ["access_event.list", "access_event.list", "access_event.read"]
    whole = (await (await world.as_("infosec")).get(f"{EVENTS}/{found[0]['id']}")).json()
    assert (whole["query"], whole["count"]) == (
        {"field": "mobile", "state": "shown", "ip": "10.0.0.0/8", "purpose": "audit", "department": "RD"},
        0,
    )
    assert [item["action"] for item in await every(world, action="access_log.*")] == ["access_log.checkpoint"]


@ALONE
async def test_a_refusal_before_the_operation_is_found_by_its_path(world: World) -> None:
    refused = await (await world.as_("staff")).get(EVENTS)
    (found,) = await every(world, action=f"GET {EVENTS}")
    assert (found["request_id"], found["code"]) == (refused.headers["X-Request-ID"], "insufficient_scope")
    (again,) = await every(world, request=refused.headers["X-Request-ID"])
    assert again == found


@pytest.mark.parametrize(
    ("name", "text"),
    [("action", "zhangsan"), ("action", "GET /13800002101"), ("request", "13800002101"), ("actor", "person2101")],
)
async def test_text_that_could_be_anything_stands_hashed_in_the_log(shared: World, name: str, text: str) -> None:
    page = await ask(shared, **{name: text})
    whole = (await (await shared.as_("auditor")).get(f"{EVENTS}/{page['disclosure']['event_id']}")).json()
    assert whole["query"] == {name: shared.application.terms.masked(text)}


async def test_who_is_not_there_is_an_empty_list_like_who_was_never_seen(shared: World) -> None:
    unseen = shared.people["bare"]
    answers = [await ask(shared, contact=who, action="nothing.at_all") for who in (unseen, new_id(), UUID(int=0))]
    for answer in answers:
        assert {**answer, "disclosure": None} == {"items": [], "next": None, "prev": None, "disclosure": None}
    assert (await ask(shared, actor=new_id()))["items"] == (await ask(shared, actor="nobody"))["items"] == []


async def test_oldest_first_is_newest_first_turned_round(shared: World) -> None:
    drafts = await kept(shared)
    since, until = drafts[0].at.isoformat(), (drafts[50].at + timedelta(days=1)).isoformat()
    for asked in ({}, {"from": since, "to": until}, {"actor": "siem"}):
        down = await every(shared, action=f"{MARK}.*", limit=9, **asked)
        assert len(down) > 9
        assert (await every(shared, action=f"{MARK}.*", limit=9, sort="at", **asked)) == down[::-1]


async def test_a_cursor_does_not_change_its_direction(shared: World) -> None:
    await kept(shared)
    cursor = (await ask(shared, action=f"{MARK}.*", limit=2))["next"]
    infosec = await shared.as_("infosec")
    for other in ({"sort": "at"}, {"field": "mobile"}, {"to": "2030-01-01T00:00:00Z"}):
        answer = await infosec.get(EVENTS, params={"action": f"{MARK}.*", "limit": "2", "cursor": cursor, **other})
        assert faults(answer) == [("?cursor", "bad_cursor")]
        problem(answer, 422, "bad_cursor")


@ALONE
async def test_damaged_evidence_is_shown_and_hides_behind_no_filter(
    sqlite_world: World, sqlite_store: SqliteTestStore
) -> None:
    draft = await log(sqlite_world, sqlite_world.people["staff"])
    with closing(sqlite3.connect(sqlite_store.log_path)) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE event SET payload = ? WHERE id = ?", (b"nothing", draft.id.bytes))
        connection.commit()
    page = await ask(sqlite_world, purpose="incident", field="mobile")
    (item,) = page["items"]
    assert (item["id"], item["action"], item["code"]) == (str(draft.id), "access_log.unreadable", "event_unreadable")
    one = await (await sqlite_world.as_("auditor")).get(f"{EVENTS}/{draft.id}")
    assert (one.status_code, one.json()["action"]) == (200, "access_log.unreadable")
