"""Working days over HTTP: what everybody is told, who may revise, what a revision leaves behind, and what bad input changes: nothing."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from app.calendar.rules import LAW
from app.kit.models import new_id
from app.notices.models import NoticeRow
from tests.calendar.calls import NOTICE, actions, day, due, epoch, post, revise
from tests.support.application import World
from tests.support.problems import faults, problem
from tests.support.shared import add_person


def with_year(**members: object) -> dict[str, Any]:
    return {"source": NOTICE["source"], "year": {**NOTICE["year"], **members}}


def own(*days: object, source: object = "行政部通知") -> dict[str, Any]:
    return {"source": source, "days": list(days)}


OFF = {"date": "2026-09-11", "kind": "off", "name_zh": "厂庆日", "name_en": "Founding day"}


@pytest.mark.asyncio(loop_scope="session")
async def test_days_are_told_with_their_kind_status_and_source(shared: World) -> None:
    staff = await shared.as_("staff")
    answer = await staff.get("/v1/calendar", params={"from": "2026-02-09", "to": "2026-02-28"})
    body = answer.json()
    assert (body["working_days"], body["predicted"], len(body["days"])) == (11, False, 20)
    assert (body["cut_off"], body["utc_offset"]) == ("18:00", "+08:00")
    (year,) = body["years"]
    assert (year["year"], year["status"]) == (2026, "confirmed")
    kinds = {each["date"]: each["kind"] for each in body["days"]}
    assert [kinds[f"2026-02-{each}"] for each in (13, 14, 15, 23, 24, 28)] == [
        *("working", "working", "off", "off", "working", "working")
    ]
    turn = (await staff.get("/v1/calendar", params={"from": "2026-12-31", "to": "2027-01-04"})).json()
    assert [each["status"] for each in turn["days"]] == ["confirmed", *["predicted"] * 4]
    assert [each["status"] for each in turn["years"]] == ["confirmed", "predicted"]
    assert (turn["working_days"], turn["predicted"], turn["days"][1]["source"]) == (2, True, LAW)


@pytest.mark.asyncio(loop_scope="session")
async def test_a_copy_is_asked_about_by_its_tag(shared: World) -> None:
    staff, path = await shared.as_("staff"), "/v1/calendar?from=2026-02-09&to=2026-02-28"
    answer = await staff.get(path)
    assert answer.headers["Cache-Control"] == "private, no-cache"
    again = await staff.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await staff.get(
        "/v1/calendar?from=2026-02-09&to=2026-02-27", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert other.status_code == 200
    path = "/v1/calendar/due-dates?from=2026-02-13T10:00:00Z&days=3"
    tag = (await staff.get(path)).headers["ETag"]
    assert (await staff.get(path, headers={"If-None-Match": tag})).status_code == 304


@pytest.mark.asyncio(loop_scope="session")
async def test_due_dates(shared: World) -> None:
    before, at = [await due(shared, f"2026-02-13T{each}+08:00", 1) for each in ("17:59:59", "18:00:00")]
    assert (before["counted_from"], before["due_on"], before["due_at"]) == (
        *("2026-02-13", "2026-02-14", "2026-02-14T10:00:00Z"),
    )
    assert (at["counted_from"], at["due_on"], at["predicted"]) == ("2026-02-14", "2026-02-24", False)
    turn = await due(shared, "2026-12-31T10:00:00+08:00", 1)
    assert (turn["due_on"], turn["predicted"]) == ("2027-01-04", True)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    ("path", "pointer", "code"),
    [
        ("", "?from", "missing"),
        ("?from=2026-02-01", "?to", "missing"),
        ("?from=2026-02-02&to=2026-02-01", "?to", "reversed_range"),
        ("?from=2026-01-01&to=2027-01-02", "?to", "too_long"),
        ("?from=2026-02-30&to=2026-03-01", "?from", "invalid_value"),
        ("?from=1999-12-31&to=2000-01-01", "?from", "invalid_value"),
        ("?from=9999-12-31&to=9999-12-31", "?from", "invalid_value"),
        ("?from=2026-02-01&to=2026-02-02&year=2026", "?year", "unknown_member"),
        ("/due-dates?days=1", "?from", "missing"),
        ("/due-dates?from=2026-02-13&days=1", "?from", "malformed_time"),
        ("/due-dates?from=2026-02-13T10:00:00&days=1", "?from", "malformed_time"),
        ("/due-dates?from=2026-02-13T10:00:00Z&days=-1", "?days", "invalid_value"),
        ("/due-dates?from=2026-02-13T10:00:00Z&days=251", "?days", "invalid_value"),
        ("/due-dates?from=2026-02-13T10:00:00Z&days=1.5", "?days", "invalid_value"),
        ("/due-dates?from=9999-12-31T23:59:59Z&days=1", "?from", "out_of_range"),
        ("/due-dates?from=0001-01-01T00:00:00Z&days=1", "?from", "out_of_range"),
        ("/revisions?cursor=xxxxxxxxxx", "?cursor", "bad_cursor"),
    ],
)
async def test_questions_that_cannot_be_answered(shared: World, path: str, pointer: str, code: str) -> None:
    answer = await (await shared.as_("staff")).get(f"/v1/calendar{path}")
    assert answer.status_code == 422
    assert (pointer, code) in faults(answer)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("caller", ["staff", "head", "infosec", "auditor", "it", "ceo", "intern"])
async def test_who_may_not_revise_is_told_no_more_for_good_input_than_for_bad(shared: World, caller: str) -> None:
    before = await epoch(shared)
    for body in (NOTICE, own(OFF), {"source": "x"}, with_year(working_days=["2027-02-22"])):
        problem(await post(shared, caller, body), 403, "not_permitted")
    for at in ("2026-09-11", "2026-02-14"):
        problem(await (await shared.as_(caller)).delete(f"/v1/calendar/days/{at}"), 403, "not_permitted")
    assert await epoch(shared) == before


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("caller", ["hr-system", "it-scripts", "crm", "siem", "directory-sync"])
async def test_machines_revise_nothing(shared: World, caller: str) -> None:
    problem(await post(shared, caller, own(OFF)), 403, "insufficient_scope")


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, ("/source", "missing")),
        ({"source": "x"}, ("", "one_of")),
        ({"source": "x", "days": [OFF], "year": NOTICE["year"]}, ("", "one_of")),
        (own(), ("/days", "too_few")),
        (own(OFF, source=" "), ("/source", "too_short")),
        (own(OFF, source="a\x00b"), ("/source", "invalid_value")),
        (own(OFF, OFF), ("/days/1", "named_twice")),
        (own(OFF, {"date": "2026-09-11", "kind": "working"}), ("/days/1", "named_twice")),
        (own({"date": "2026-09-31", "kind": "off"}), ("/days/0/date", "invalid_value")),
        (own({"date": "1999-12-31", "kind": "off"}), ("/days/0/date", "invalid_value")),
        (own({"date": "2026-09-11", "kind": "half"}), ("/days/0/kind", "unknown_value")),
        (own({"date": "2026-09-11"}), ("/days/0/kind", "missing")),
        (own({**OFF, "status": "confirmed"}), ("/days/0/status", "unknown_member")),
        (with_year(year=2024), ("/year/year", "invalid_value")),
        (with_year(year=2060), ("/year/year", "too_far")),
        (with_year(off_days=[]), ("/year/off_days", "too_few")),
        (with_year(off_days=NOTICE["year"]["off_days"][:4]), ("/year/off_days", "statutory_day_missing")),
        (with_year(working_days=["2027-02-22"]), ("/year/working_days/0", "not_a_weekend")),
        (with_year(working_days=["2027-02-06"]), ("/year/working_days/0", "named_twice")),
        (with_year(working_days=["2028-02-05"]), ("/year/working_days/0", "other_year")),
    ],
)
async def test_bad_input_is_named_and_changes_nothing(shared: World, body: object, fault: tuple[str, str]) -> None:
    before, events = await epoch(shared), len(await actions(shared))
    answer = await post(shared, "hr", body)
    assert answer.status_code == 422, answer.text
    assert fault in faults(answer)
    assert (await epoch(shared), len(await actions(shared))) == (before, events)


@pytest.mark.asyncio(loop_scope="session")
async def test_a_day_that_was_not_set_cannot_be_taken_back(shared: World) -> None:
    hr = await shared.as_("hr")
    for at in ("2026-02-14", "2026-09-12"):
        problem(await hr.delete(f"/v1/calendar/days/{at}"), 404, "not_found")
    assert (await hr.delete("/v1/calendar/days/yesterday")).status_code == 422


async def test_a_confirmed_year_moves_what_was_due_and_both_values_are_kept(world: World) -> None:
    begins = "2027-02-04T10:00:00+08:00"
    before = await due(world, begins, 2)
    held = await world.application.calendar.service.current()
    receipt = await revise(world, "hr", NOTICE)
    after = await due(world, begins, 2)
    assert (before["due_on"], before["predicted"]) == ("2027-02-08", True)
    assert (after["due_on"], after["predicted"]) == ("2027-02-15", False)
    assert after["epoch"] == before["epoch"] + 1 == receipt["epoch"] == await epoch(world)
    assert held.epoch == before["epoch"]
    assert held is not await world.application.calendar.service.current()
    changed = {each["date"]: each for each in receipt["changes"]}
    assert changed["2027-02-08"]["before"] == {"kind": "working", "status": "predicted", "source": LAW}
    assert changed["2027-02-08"]["after"] == {"kind": "off", "status": "confirmed", "source": NOTICE["source"]}
    assert changed["2027-01-30"]["after"]["kind"] == "working"
    assert "2027-01-01" not in changed  # off before and after
    told = await (await world.as_("staff")).get(f"/v1/calendar/revisions/{receipt['id']}")
    assert told.json() == receipt
    assert (await day(world, "2027-04-05"))["name_zh"] == "清明节"
    assert (await day(world, "2028-01-03"))["status"] == "predicted"
    (*_, event) = await actions(world)
    assert (event["action"], event["actor"]["id"]) == ("calendar.revise", str(world.people["hr"]))


async def test_a_notice_takes_the_place_of_what_was_known_and_leaves_the_companys_own(world: World) -> None:
    await revise(world, "hr", own({"date": "2027-02-12", "kind": "off"}, {"date": "2027-02-05", "kind": "working"}))
    await revise(world, "hr", NOTICE)
    shorter = with_year(
        off_days=[
            {**each, "to": "2027-02-10"} if each["from"] == "2027-02-05" else each
            for each in NOTICE["year"]["off_days"]
        ],
        working_days=["2026-12-26"],
    )
    receipt = await revise(world, "steward", shorter)
    changed = {each["date"]: each["after"]["kind"] for each in receipt["changes"]}
    assert changed == {
        "2026-12-26": "working",
        "2027-01-30": "off",
        "2027-02-11": "working",
        "2027-02-20": "off",
    }
    assert (await day(world, "2027-02-12"))["kind"] == "off"
    assert (await day(world, "2027-02-05"))["kind"] == "working"
    assert (await day(world, "2026-12-26"))["source"] == NOTICE["source"]


async def test_the_administration_sets_days_and_takes_them_back(world: World) -> None:
    clerk = await add_person(world, department="ADMIN", roles=("administration",))
    before = await day(world, "2026-09-11")
    receipt = await revise(world, clerk.name, own(OFF))
    assert [each["date"] for each in receipt["changes"]] == ["2026-09-11"]
    told = await day(world, "2026-09-11")
    assert (told["kind"], told["status"], told["source"]) == ("off", "confirmed", "行政部通知")
    assert (told["name_zh"], told["name_en"]) == ("厂庆日", "Founding day")
    await revise(world, "hr", own({"date": "2026-09-11", "kind": "working"}, source="改期"))
    assert (await day(world, "2026-09-11"))["source"] == "改期"
    client = await world.as_(clerk.name)
    assert (await client.delete("/v1/calendar/days/2026-09-11")).status_code == 204
    assert await day(world, "2026-09-11") == before
    problem(await client.delete("/v1/calendar/days/2026-09-11"), 404, "not_found")
    assert [each["action"] for each in await actions(world)][1:] == [
        "calendar.revise",
        "calendar.revise",
        "calendar.withdraw",
    ]
    page = (await client.get("/v1/calendar/revisions?limit=2")).json()
    assert [each["kind"] for each in page["items"]] == ["withdrawal", "days"]
    rest = (await client.get("/v1/calendar/revisions", params={"limit": "2", "cursor": page["next"]})).json()
    assert [each["kind"] for each in rest["items"]] == ["days", "package"]
    assert str(clerk.id) not in (await client.get("/v1/calendar/revisions")).text


async def test_one_key_revises_once(world: World) -> None:
    first, again = [await post(world, "hr", NOTICE, **{"Idempotency-Key": "notice-2027"}) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.headers["Location"] == f"/v1/calendar/revisions/{first.json()['id']}"
    other = await post(world, "hr", own(OFF), **{"Idempotency-Key": "notice-2027"})
    problem(other, 422, "idempotency_key_reused")
    problem(await post(world, "staff", NOTICE, **{"Idempotency-Key": "notice-2027"}), 403, "not_permitted")


async def test_revisions_at_once_are_all_made_one_after_the_other(world: World) -> None:
    before = await epoch(world)
    bodies = [own({"date": f"2026-09-{each}", "kind": "off"}) for each in range(14, 19)]
    answers = await asyncio.gather(*(post(world, name, each) for each in bodies for name in ("hr", "steward")))
    assert {each.status_code for each in answers} == {201}
    assert sorted(each.json()["epoch"] for each in answers) == list(range(before + 1, before + 11))
    week = await (await world.as_("staff")).get("/v1/calendar?from=2026-09-14&to=2026-09-18")
    assert week.json()["working_days"] == 0


async def test_nobody_finds_a_revision_that_there_is_not(world: World) -> None:
    problem(await (await world.as_("staff")).get(f"/v1/calendar/revisions/{new_id()}"), 404, "not_found")


async def test_a_year_that_is_confirmed_is_told_once(world: World) -> None:
    await revise(world, "hr", own(OFF))
    await revise(world, "hr", NOTICE)
    async with world.application.database.unit_of_work() as unit:
        rows = select(NoticeRow.type, NoticeRow.body).where(NoticeRow.type.startswith("calendar."))
        ((kind, body),) = await unit.session.execute(rows)
    assert (kind, body["year"]) == ("calendar.confirmed", 2027)
