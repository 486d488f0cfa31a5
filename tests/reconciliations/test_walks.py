"""A head-count from the file to the directory, on both engines: the diff first, exactly that applied; a fuse that two people let pass."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.departments.schemas import DepartmentAmend
from app.hr.models import HrEvent
from app.reconciliations.allowing import APPLY
from app.reconciliations.kinds import ReconciliationState
from app.reconciliations.models import ReconciliationPiece, ReconciliationRow
from tests.effects.walking import filed
from tests.exchanges.books import rows as workbook
from tests.jobs.calls import runner
from tests.policy.tampering import Intruder
from tests.reconciliations.calls import (
    AT,
    SENDER,
    applied,
    ask,
    compared,
    hand_in,
    lines,
    read,
    rows,
    run_all,
    said,
    told,
)
from tests.support.application import OPERATOR, World
from tests.support.clock import FrozenClock
from tests.support.problems import problem
from tests.support.shared import Added, Company, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

REASON: Final = {"reason": "the branch office is sold"}


async def team(world: World, size: int, department: str) -> list[Added]:
    return [await add_person(world, department=department) for _ in range(size)]


async def card(world: World, someone: Added, by: str = "hr") -> dict[str, Any]:
    answer = await (await world.as_(by)).get(someone.path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_diff_is_shown_then_applied_and_nothing_is_left_of_it(shared: World) -> None:
    began = shared.application.clock.now()
    place = await add_department(shared, parent="RD")
    below = await add_department(shared, parent=place)
    same, changed, moved, back, *leavers = await team(shared, 6, place)
    gone = (await (await shared.as_(SENDER)).post("/v1/hr/events", json=_left(back))).json()
    assert gone["state"] == "applied", gone
    people = [
        said(same, place),
        said(changed, place, mobile="13900001111", title="工程师", wechat=None),
        said(moved, below, manager="X-NEW-1", email="moved@example.com"),
        said(back, place),
        said(same, place, employee_no="X-NEW-2", user_name="x.new.2", mobile="13900001112", manager="X-NEW-1"),
        said(same, place, employee_no="X-NEW-1", user_name="x.new.1", mobile="13900001113"),
        said(same, "NOWHERE-1", employee_no="X-3"),
        said(same, "SALES", employee_no="X-4"),
        said(same, place, employee_no="X-5", mobile="not a number"),
        said(same, place, employee_no="X-6", salary="9"),
        said(same, place, employee_no="X-7", manager="X-NOBODY"),
        said(same, place, employee_no="X-8", manager="X-8"),
    ]
    found = await compared(shared, lines(people), department=place)
    expected = [
        ("changed", f"N{changed.number}", ("mobile", "title")),
        ("changed", f"N{moved.number}", ("department", "email", "manager")),
        ("returned", f"N{back.number}", ("department", "email", "memberships", "mobile", "name", "user_name")),
        ("joiner", "X-NEW-2", ("department", "email", "manager", "mobile", "name", "user_name")),
        ("joiner", "X-NEW-1", ("department", "email", "mobile", "name", "user_name")),
        ("unknown_department", "X-3", "unknown_department"),
        ("unreadable", "X-4", "out_of_scope"),
        ("unreadable", "X-5", "malformed_phone"),
        ("unreadable", "X-6", "unknown_member"),
        ("unreadable", "X-7", "unknown_contact"),
        ("unreadable", "X-8", "names_oneself"),
        *(("leaver", f"N{each.number}", ()) for each in leavers),
    ]
    differences = await rows(shared, found["id"])
    assert told(differences) == [
        (kind, who, tuple(m for m in what if m != "memberships") if isinstance(what, tuple) else what)
        for kind, who, what in expected
    ]
    assert found["counts"] == {
        "unchanged": 1,
        "changed": 2,
        "returned": 1,
        "joiner": 2,
        "leaver": 2,
        "unknown_department": 1,
        "unreadable": 5,
    }
    assert (found["people"], found["unknown_departments"]) == (5, {"NOWHERE-1": 1})
    assert found["fuse"] == {
        "blown": False,
        "reason": "within_limits",
        "extent": "this_reconciliation",
        "leavers": 2,
        "people": 5,
        "released_by": None,
    }
    shown = json.dumps([found, differences])
    assert not any(value in shown for value in ("1390000", "moved@example.com", *changed.secrets))
    assert (await card(shared, changed))["title"] is None, "a diff changes nothing"
    async with shared.application.database.session() as session:
        assert not list(await session.scalars(select(ReconciliationPiece.place))), (
            "the file is gone once it is compared"
        )
    done = await applied(shared, found)
    assert done["outcomes"] == {"applied": 7}, [
        (each["employee_no"], each["result"], each["members"])
        for each in await rows(shared, found["id"], outcome="failed")
    ]
    assert (await card(shared, changed))["title"] == "工程师"
    head = await card(shared, moved)
    assert (head["department"]["code"], head["status"]) == (below, "active")
    assert (await card(shared, back))["status"] == "active"
    for each in leavers:
        assert (await (await shared.as_("hr")).get(each.path)).status_code == 404
    async with shared.application.database.session() as session:
        events = await session.execute(
            select(HrEvent.type, HrEvent.state)
            .where(HrEvent.source == f"reconcile:{SENDER}", HrEvent.received_at >= began)
            .order_by(HrEvent.id)
        )
        assert [tuple(each) for each in events][:8] == [
            ("employee.rehired", "applied"),
            ("employee.joined", "applied"),
            ("employee.joined", "applied"),
            ("employee.updated", "applied"),
            ("employee.moved", "applied"),
            ("employee.updated", "applied"),
            ("employee.left", "applied"),
            ("employee.left", "applied"),
        ]
        boxes = select(ReconciliationRow.box).where(ReconciliationRow.reconciliation_id == UUID(found["id"]))
        assert set(await session.scalars(boxes)) == {None}, "what the file said is gone once it is applied"
    problem(await ask(shared, found), 409, "already_applied")
    again = await compared(shared, lines(people), department=place)
    assert set(again["counts"]) == {"unchanged", "unknown_department", "unreadable"}
    await shared.settle()
    looked = (await (await shared.as_("siem")).get(f"/v1/access-events?contact={changed.id}")).json()["items"]
    assert "hr.reconcile.rows" in {each["action"] for each in looked}


def _left(someone: Added) -> dict[str, Any]:
    return {
        "id": f"left-{someone.number}",
        "source": "https://hr.example.com",
        "type": "employee.left",
        "subject": f"N{someone.number}",
        "time": "2026-01-05T09:00:00+08:00",
        "data": {},
    }


async def test_a_blown_fuse_leaves_the_diff_readable_and_two_people_let_it_pass(shared: World) -> None:
    office = await add_department(shared)
    head = await add_person(shared, department=office)
    async with shared.application.database.unit_of_work() as unit:
        node = await shared.application.departments.current(unit, office)
        assert node is not None
        await shared.application.departments.amend(unit, OPERATOR, node, DepartmentAmend(head=head.id))
    place = await add_department(shared, parent="SALES")
    stays, *leavers = await team(shared, 6, place)
    file = lines([said(stays, place)])
    found = await compared(shared, file, department=place)
    assert (found["fuse"]["blown"], found["fuse"]["reason"]) == (True, "nearly_all_leave")
    refused = await ask(shared, found)
    problem(refused, 409, "fuse_blown")
    assert {name: refused.json()[name] for name in ("leavers", "people", "extent", "request_kind")} == {
        "leavers": 5,
        "people": 6,
        "extent": "this_reconciliation",
        "request_kind": "hr.mass_leaving",
    }
    assert refused.json()["limits"] == {"people": 50, "percent_of_many": 20, "percent_of_few": 80}
    for reader, status in (("hr", 200), ("infosec", 200), ("staff", 403), ("directory-sync", 403)):
        answer = await (await shared.as_(reader)).get(f"{AT}/{found['id']}/rows")
        assert answer.status_code == status, reader
    assert (await (await shared.as_("hr")).get(f"{AT}/{found['id']}")).json()["mine"] is False
    filer = await add_person(shared, department=office, roles=("hr",), tier="T4")
    walk = await filed(shared, filer.name, "hr.mass_leaving", ("reconciliation", found["id"]), REASON)
    assert await walk.through(head.name) != "completed"
    problem(await ask(shared, found), 409, "fuse_blown")
    assert await walk.through("infosec") == "completed"
    again = await compared(shared, file, department=place)
    assert again["digest"] != found["digest"]
    problem(await ask(shared, again), 409, "fuse_blown")
    problem(await ask(shared, found, digest=again["digest"]), 409, "diff_digest")
    released = (await read(shared, found["id"]))["fuse"]
    assert (released["blown"], released["released_by"]) == (True, walk.path.rpartition("/")[2])
    done = await applied(shared, found)
    assert done["outcomes"] == {"applied": 5}
    assert (await card(shared, stays))["status"] == "active"
    for each in leavers:
        assert (await (await shared.as_("hr")).get(each.path)).status_code == 404


async def test_a_split_file_is_judged_by_what_its_parts_do(shared: World) -> None:
    place = await add_department(shared, parent="SALES")
    people = await team(shared, 6, place)
    first = await compared(shared, lines([said(each, place) for each in people[:4]]), department=place, source="one")
    assert not first["fuse"]["blown"]
    await applied(shared, first)
    second = await compared(shared, lines([said(each, place) for each in people[:1]]), department=place, source="two")
    assert (second["fuse"]["extent"], second["fuse"]["leavers"], second["fuse"]["people"]) == (
        "day_in_this_scope",
        5,
        6,
    )
    refused = await ask(shared, second)
    problem(refused, 409, "fuse_blown")
    third = await compared(shared, lines([said(each, place) for each in people[:2]]), department=place)
    assert not third["fuse"]["blown"]
    await applied(shared, third)


async def test_what_stopped_a_day_ago_is_judged_with_what_went_since(shared: World) -> None:
    place = await add_department(shared, parent="SALES")
    people = await team(shared, 6, place)
    first = await compared(shared, lines([said(each, place) for each in people[4:]]), department=place, source="first")
    begun = await ask(shared, first)
    assert begun.status_code == 202
    stopped = await (await shared.as_(SENDER)).delete(f"/v1/jobs/{begun.json()['job_id']}")
    assert stopped.status_code == 204, stopped.text
    await run_all(shared)
    rows_of = shared.application.reconciliations.rows
    async with shared.application.database.unit_of_work() as unit:
        found = await rows_of.one(unit.session, UUID(first["id"]))
        assert found is not None
        assert found.begun_at is not None
        ago = replace(found, begun_at=found.begun_at - timedelta(hours=25))
        await rows_of.put(unit.session, ago, ReconciliationState.APPLYING)
    second = await compared(
        shared, lines([said(each, place) for each in people[:5]]), department=place, source="second"
    )
    assert (await applied(shared, second))["outcomes"] == {"applied": 1}
    refused = await ask(shared, first)
    problem(refused, 409, "fuse_blown")
    assert (refused.json()["leavers"], refused.json()["people"]) == (5, 6)


class Killed(BaseException):
    """A process that dies."""


async def test_a_dead_run_is_gone_on_with_and_nothing_is_done_twice(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await add_department(shared, parent="RD")
    people = await team(shared, 4, place)
    file = [
        said(each, place, title=f"职务{at}", email=f"new{each.number}@example.com") for at, each in enumerate(people)
    ]
    found = await compared(shared, lines([{**file[0], "location": "3F"}, *file[1:]]), department=place)
    desk = shared.application.reconciliations
    settle, seen = desk.rows.settle, list[int]()

    async def dying(*words: Any, **named: Any) -> bool:  # noqa: ANN401 — as it was called
        seen.append(words[2])
        if len(seen) == 3:
            raise Killed
        return await settle(*words, **named)

    monkeypatch.setattr(type(desk.rows), "settle", lambda _, *words, **named: dying(*words, **named))
    assert (await ask(shared, found)).status_code == 202
    with pytest.raises(Killed):
        await run_all(shared)
    half = await read(shared, found["id"])
    assert (half["state"], half["progress"], half["outcomes"]) == ("applying", {"done": 2, "total": 4}, {"applied": 2})
    assert [(await card(shared, each))["title"] for each in people] == ["职务0", "职务1", None, None]
    later = FrozenClock(shared.application.clock.now() + timedelta(minutes=2))
    assert await runner(shared, {APPLY: desk.application.work}, clock=later).once()
    assert (await ask(shared, found)).json()["code"] == "already_applied"
    done = await read(shared, found["id"])
    assert (done["state"], done["outcomes"]) == ("applied", {"applied": 4})
    assert seen == [0, 1, 2, 2, 3]
    ids = select(HrEvent.event_id).where(HrEvent.event_id.startswith(UUID(found["id"]).hex))
    async with shared.application.database.session() as session:
        events = sorted(await session.scalars(ids))
    assert [each.partition(".")[2] for each in events] == ["0.u", "1.u", "2.u", "3.u"]


async def test_who_changed_since_is_compared_again(shared: World) -> None:
    place = await add_department(shared, parent="RD")
    one, two, three, four, *rest = await team(shared, 9, place)
    file = [
        said(one, place, title="职务", location="3F"),
        said(two, place, title="职务"),
        said(three, place, title="职务"),
        *(said(each, place) for each in rest),
    ]
    found = await compared(shared, lines(file), department=place)
    hr = await shared.as_("hr")
    for each, members in (
        (one, {"title": "职务", "duties": "值班"}),
        (two, {"title": "职务"}),
        (three, {"title": "另一"}),
    ):
        shown = await hr.get(each.path)
        changed = await hr.patch(each.path, json=members, headers={"If-Match": shown.headers["ETag"]})
        assert changed.status_code == 200, changed.text
    assert (await (await shared.as_(SENDER)).post("/v1/hr/events", json=_left(four))).json()["state"] == "applied"
    done = await applied(shared, found)
    assert [(each["employee_no"], each["outcome"], each["result"]) for each in await rows(shared, done["id"])] == [
        (f"N{one.number}", "applied", None),
        (f"N{two.number}", "settled", "nothing_left"),
        (f"N{three.number}", "applied", None),
        (f"N{four.number}", "settled", "no_longer_so"),
    ]
    shown_card = await card(shared, one)
    assert (shown_card["title"], shown_card["location"], shown_card["duties"]) == ("职务", "3F", "值班")


async def test_what_cannot_be_applied_is_refused(shared: World, company: Company) -> None:
    place = await add_department(shared, parent="RD")
    people = await team(shared, 3, place)
    now = datetime.now(UTC)
    older, newer = ((now - timedelta(hours=each)).isoformat() for each in (5, 4))
    file = lines([said(each, place, title="新") for each in people])
    before = await compared(shared, file, department=place, source="dated", as_of=older)
    assert before["counts"] == {"changed": 3}
    await applied(shared, await compared(shared, file, department=place, source="dated", as_of=newer))
    problem(await ask(shared, before), 409, "reconciliation_outdated")
    nameless = await compared(shared, file + '{"name": "谁"}\nnot json\n', department=place)
    assert nameless["nameless"] == 2
    refused = await ask(shared, nameless)
    problem(refused, 409, "reconciliation_incomplete")
    assert refused.json()["rows"] == 2
    waiting = await hand_in(shared, file, department=place)
    problem(await ask(shared, {**before, "id": waiting["id"]}), 409, "not_compared")
    await run_all(shared)
    failed = await hand_in(shared, "姓名,部门\n张,RD\n", format="csv", department=place)
    await run_all(shared)
    assert [(await read(shared, failed["id"]))[name] for name in ("state", "problem")] == [
        "failed",
        "no_employee_no_column",
    ]
    assert (await hand_in(shared, "", status=422))["code"] == "empty_head_count"
    assert (await hand_in(shared, file, department="NOWHERE-9", status=422))["errors"][0]["pointer"] == "?department"
    late = (now + timedelta(days=1)).isoformat()
    assert (await hand_in(shared, file, as_of=late, status=422))["code"] == "unfit_as_of"
    assert (await hand_in(shared, file, by="it-scripts", status=403))["code"] == "insufficient_scope"
    once = await hand_in(shared, file, key="count-once")
    assert (await hand_in(shared, file, key="count-once"))["id"] == once["id"]
    changed = lines([said(each, place, title="再") for each in people])
    found = await compared(shared, changed, department=place)
    async with Intruder(company.store).edited("reconciliation", "id", UUID(found["id"]), leavers=0, people=99):
        problem(await (await shared.as_(SENDER)).get(f"{AT}/{found['id']}"), 404, "not_found")
    async with shared.application.database.unit_of_work() as unit:
        table = ReconciliationRow
        this = (table.reconciliation_id == UUID(found["id"])) & (table.number == 0)
        await unit.session.execute(update(table).where(this).values(kind="leaver"))
    assert (await ask(shared, found)).status_code == 202
    await run_all(shared)
    stopped = await read(shared, found["id"])
    assert (stopped["state"], stopped["problem"], stopped["outcomes"]) == ("applying", "diff_altered", {})
    assert (await card(shared, people[0]))["title"] == "新"


async def test_what_no_store_can_keep_is_a_fault_of_its_row(shared: World) -> None:
    place = await add_department(shared, parent="RD")
    (one,) = await team(shared, 1, place)
    people = [
        said(one, place, title="新"),
        said(one, "NO\0", employee_no="X-11"),
        said(one, place, employee_no="X-12", **{"a\0b": "c"}),
        said(one, place, employee_no="X-13", manager="E\0"),
        said(one, place, employee_no="X-14", mobile="1\0"),
        said(one, place, employee_no="X-15", memberships=[{"department": "\0"}]),
    ]
    found = await compared(shared, lines(people), department=place)
    assert found["unknown_departments"] == {"NO": 1, "": 1}
    told_rows = [(each["employee_no"], each["column"], each["code"]) for each in await rows(shared, found["id"])]
    assert told_rows == [
        (f"N{one.number}", None, None),
        ("X-11", "department", "unknown_department"),
        ("X-12", "ab", "unknown_member"),
        ("X-13", "manager", "invalid_value"),
        ("X-14", "mobile", "invalid_text"),
        ("X-15", "memberships", "unknown_department"),
    ]


async def test_sheets_say_the_same(shared: World) -> None:
    place = await add_department(shared, parent="RD")
    one, two, *rest = await team(shared, 8, place)
    head = ["工号", "姓名", "部门", "手机号码", "直属上级", "工龄", "其他部门"]
    body = [
        [f"N{one.number}", f"新人{one.number}", place, "13900002222", "E2104", "3", "RD-CORE;HR"],
        [f"N{two.number}", f"新人{two.number}", place, "", "", "", ""],
        *([f"N{each.number}", f"新人{each.number}", place, each.mobile, "", "", ""] for each in rest),
    ]
    text = "\n".join(",".join(each) for each in [head, *body])
    for_csv = await compared(shared, text.encode("gb18030"), format="csv", department=place)
    found = await compared(shared, workbook([head, *body]), format="xlsx", department=place)
    for each in (for_csv, found):
        expected = [("changed", f"N{one.number}", ("manager", "memberships", "mobile"))]
        assert told(await rows(shared, each["id"])) == expected
        assert each["ignored_columns"] == ["工龄"]
    await applied(shared, found)
    assert (await card(shared, one))["manager"] == str(shared.people["head"])
