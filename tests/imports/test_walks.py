"""A live plan taken over, on both engines: rehearsed, done, done again; what others have, rests or is kept back; who may."""

from datetime import timedelta
from typing import Final
from uuid import UUID

import pytest
from sqlalchemy import select

from app.application import Application
from app.imports.keeping import UNFINISHED, ImportKeeper
from app.imports.models import ImportPiece, ImportRun
from app.numbers.models import NumberAssignment
from tests.devices.calls import register
from tests.imports.calls import hand_in, imported, read, rows, run_all, sheet
from tests.jobs.calls import runner
from tests.numbers.calls import TestPool, add_pool, allocate, release
from tests.numbers.test_telling import pool_id, subscribed
from tests.numbers.test_telling import told as notices_of
from tests.policy.tampering import Intruder
from tests.support.application import World
from tests.support.clock import FrozenClock
from tests.support.problems import problem
from tests.support.shared import Added, Company, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

IT: Final = "it"


def number(someone: Added) -> str:
    return f"N{someone.number}"


async def card(world: World, someone: Added) -> tuple[list[str], str | None]:
    body = (await (await world.as_("hr")).get(someone.path)).json()
    return body["short_numbers"], body["extension"]


async def pieces(application: Application, identity: str) -> int:
    async with application.database.unit_of_work() as unit:
        found = select(ImportPiece.place).where(ImportPiece.import_id == UUID(identity))
        return len((await unit.session.execute(found)).all())


async def test_a_plan_is_rehearsed_then_taken_over_then_unchanged(shared: World) -> None:
    pool, one, two = await add_pool(shared, 30), await add_person(shared), await add_person(shared)
    other = await add_person(shared)
    taken, resting = await allocate(shared, pool, other.id, 2)
    await release(shared, resting)
    outside_range = [pool.digits(100 + at) for at in (0, 1, 2, 5)]
    text = "姓名,短号,分机,工号,账号,会议室,权限\n" + "\n".join(
        [
            f"甲,{pool.digits(5)},{pool.digits(6)},{number(one)},,,长途",
            f"乙,{pool.digits(7)},,,{two.name.upper()},,",
            f"会议室,{pool.digits(8)},,,,3-101,",
            f"乙,{taken},,{number(two)},,,",
            f"乙,{resting},,{number(two)},,,",
            f"丙,{pool.digits(9)},,NOBODY,,,",
            f"丁,{pool.digits(10)},,,,,",
            f",{pool.digits(12)},,,,,",
            f"甲,{pool.digits(11)},,{number(one)},,,",
            f"乙,{pool.digits(11)},,{number(two)},,,",
            f"甲,{pool.digits(5)},,{number(one)},,,",
            "戊,6a,,E1,,,",
            *(f"甲,{each},,{number(one)},,," for each in outside_range),
        ]
    )
    expected = [
        (None, "problem", "malformed_number"),
        (pool.digits(5), "adopted", "adopted"),
        (pool.digits(6), "adopted", "adopted"),
        (pool.digits(7), "adopted", "adopted"),
        (pool.digits(8), "adopted", "adopted"),
        (taken, "conflict", "held_by_another"),
        (resting, "conflict", "resting"),
        (pool.digits(9), "problem", "unknown_holder"),
        (pool.digits(10), "problem", "named_only"),
        (pool.digits(12), "problem", "no_holder"),
        (pool.digits(11), "conflict", "twice_in_file"),
        (pool.digits(11), "conflict", "twice_in_file"),
        (pool.digits(5), "unchanged", "twice_the_same"),
        *((each, "problem", "no_such_number") for each in outside_range),
    ]
    rehearsed, told = await imported(shared, text)
    assert told == expected
    assert await card(shared, one) == ([], None), "a rehearsal leaves nothing"
    counts = {"adopted": 4, "unchanged": 1, "conflict": 4, "problem": 8}
    assert rehearsed["counts"] == counts
    assert rehearsed["progress"] == {"done": 17, "total": 17}
    assert rehearsed["proposals"] == {
        "ranges": [
            {"start": outside_range[0], "end": outside_range[2], "size": 3},
            {"start": outside_range[3], "end": outside_range[3], "size": 1},
        ],
        "left_out": 0,
    }
    assert await pieces(shared.application, rehearsed["id"]) == 0, "the file is gone when it is done with"
    done, told = await imported(shared, text, dry_run=False)
    assert (told, done["counts"]) == (expected, counts)
    assert await card(shared, one) == ([pool.digits(5)], pool.digits(6))
    assert await card(shared, two) == ([pool.digits(7)], None)
    shown = (await (await shared.as_("it-scripts")).get(f"/v1/numbers/{pool.digits(8)}")).json()
    assert [(each["type"], each["code"]) for each in shown["holders"]] == [("room", "3-101")]
    _, told = await imported(shared, text, dry_run=False)
    assert [code for _, _, code in told if code in {"adopted", "already_so"}] == ["already_so"] * 4
    (row,) = [each for each in await rows(shared, done["id"], outcome="problem", limit=1) if each["line"] == 13]
    assert (row["column"], row["message_zh"]) == ("短号", "号码应为 1 至 15 位数字。")
    noted = await rows(shared, done["id"], outcome="adopted")
    assert [each["code"] for each in noted[0]["notes"]] == ["privileges_by_request"]
    await shared.settle()
    events = (await (await shared.as_("siem")).get(f"/v1/access-events?contact={one.id}")).json()["items"]
    assert [each["actor"]["id"] for each in events if each["action"] == "number.adopt"] == ["it-scripts"]


async def test_exchanges_are_taken_over_as_they_are(shared: World) -> None:
    pool, one = await add_pool(shared, 20, confirms=True), await add_person(shared)
    pjsip = f"[t](!)\ntype=endpoint\n[{pool.digits(1)}](t)\nset_var=employee_no={number(one)}\n#include x\n"
    _, told = await imported(shared, pjsip, format="asterisk", dry_run=False)
    assert told == [(None, "problem", "include"), (pool.digits(1), "adopted", "adopted")]
    named = f"<variables><variable name='user_name' value='{one.name}'/></variables>"
    xml = f"<include><user id='{pool.digits(2)}' number-alias='{pool.digits(3)}'>{named}</user></include>"
    _, told = await imported(shared, xml, format="freeswitch", dry_run=False)
    assert told == [(pool.digits(2), "adopted", "adopted"), (pool.digits(3), "adopted", "adopted")]
    assert await card(shared, one) == ([pool.digits(3)], pool.digits(1))
    shown = (await (await shared.as_("it-scripts")).get(f"/v1/numbers/{pool.digits(3)}")).json()
    assert shown["state"] == "assigned", "the exchange has it already; nothing is to be confirmed"
    short = f"[{pool.digits(3)}]\ntype=endpoint\nset_var=employee_no={number(one)}\n"
    _, told = await imported(shared, short, format="asterisk", dry_run=False)
    assert told == [(pool.digits(3), "unchanged", "already_so")], "to an exchange every line is an extension"


async def test_kept_numbers_take_two_people_with_the_same_file(shared: World) -> None:
    pool, one = await add_pool(shared, 0, keeps_nice=True), await add_person(shared)
    it = await shared.as_("it-scripts")
    made = await it.post(f"{pool.path}/ranges", json={"start": pool.digits(8880), "end": pool.digits(8889)})
    assert made.status_code == 201, made.text
    second = await add_person(shared, department="IT", roles=(IT,))
    text = sheet([(pool.digits(8888), number(one))])
    asked = {"dry_run": False, "overrule": True}
    kept = [(pool.digits(8888), "conflict", "needs_second_operator")]
    assert (await imported(shared, text, dry_run=False, by=IT))[1] == [(pool.digits(8888), "conflict", "kept_back")]
    assert (await imported(shared, text, by="it-scripts", **asked))[1] == kept
    assert (await imported(shared, text, by=IT, **asked))[1] == kept, "a program is no person"
    assert (await imported(shared, text, by=IT, **asked))[1] == kept, "nor is the same person a second one"
    assert (await imported(shared, text + "\n", by=second.name, **asked))[1] == kept, "another file is another"
    assert (await imported(shared, text, by=second.name, overrule=True))[1] == [
        (pool.digits(8888), "adopted", "adopted")
    ]
    assert await card(shared, one) == ([], None)
    assert (await imported(shared, text, by=second.name, **asked))[1] == [(pool.digits(8888), "adopted", "adopted")]
    assert await card(shared, one) == ([pool.digits(8888)], None)


async def test_who_left_is_given_nothing_and_strangers_are_not_told_of(shared: World) -> None:
    pool = await add_pool(shared, 10)
    gone = await add_person(shared, status="left")
    temporary = await add_pool(shared, 5, **{"class": "temporary"})
    someone = await add_person(shared)
    text = sheet([(pool.digits(0), number(gone)), (temporary.digits(0), number(someone))])
    _, told = await imported(shared, text, dry_run=False)
    assert told == [(pool.digits(0), "problem", "unknown_holder"), (temporary.digits(0), "problem", "needs_end")]


async def test_a_dead_run_is_taken_over_where_it_stopped(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that dies between two stretches leaves the first one written, and the next run goes on after it, without settling it again."""
    monkeypatch.setattr("app.imports.running.STRETCH", 2)
    pool, one = await add_pool(shared, 10), await add_person(shared)
    text = sheet([(pool.digits(at), number(one)) for at in range(5)])
    taken = await hand_in(shared, text, dry_run=False)
    advance, seen = shared.application.imports.rows.advance, list[int]()

    class Killed(BaseException):
        pass

    async def dying(*words: object, **named: object) -> bool:
        seen.append(words[2])  # type: ignore[arg-type]  # the number of the first row
        if len(seen) == 3:
            raise Killed
        return await advance(*words, **named)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(shared.application.imports.rows, "advance", dying)
    with pytest.raises(Killed):
        await run_all(shared)
    half = await read(shared, taken["id"])
    assert (half["state"], half["progress"]) == ("running", {"done": 2, "total": 5})
    assert len((await card(shared, one))[0]) == 2
    later = FrozenClock(shared.application.clock.now() + timedelta(minutes=2))
    handlers = {"import.run": shared.application.imports.runner.work}
    assert await runner(shared, handlers, clock=later).once()
    assert seen == [0, 0, 2, 2, 4]
    done = await read(shared, taken["id"])
    assert (done["state"], done["counts"]) == ("done", {"adopted": 5})
    assert (await card(shared, one))[0] == [pool.digits(at) for at in range(5)]


async def test_a_file_may_be_for_a_domain_of_the_longest_code(shared: World) -> None:
    code = "d" * 32
    it = await shared.as_("it-scripts")
    assert (await it.post("/v1/number-domains", json={"code": code, "name": "长代码"})).status_code == 201
    told, _ = await imported(shared, sheet([("1", "E1")]), domain=code)
    assert (told["state"], told["domain"]) == ("done", code)
    longer = await hand_in(shared, sheet([("1", "E1")]), domain="d" * 36, status=422)
    assert longer["code"] == "unknown_number_domain", "the form takes it, and no domain has such a code"


async def test_who_may_and_what_is_refused(shared: World, company: Company) -> None:
    text = sheet([("1", "E1")])
    for name in ("staff", "head"):
        answer = await (await shared.as_(name)).get("/v1/imports")
        assert answer.status_code == 403
    others = (await (await shared.as_("hr")).get("/v1/imports?limit=200")).json()["items"]
    assert {each["kind"] for each in others} <= {"contacts"}, "who keeps people is not told of the number plan"
    refused = await hand_in(shared, text, format="pdf", status=422)
    assert refused["errors"][0]["pointer"] == "?format"
    assert (await hand_in(shared, text, domain="nowhere", status=422))["code"] == "unknown_number_domain"
    assert (await hand_in(shared, "", status=422))["code"] == "empty_import"
    it = await shared.as_("it-scripts")
    missing = await it.post("/v1/imports?kind=number_plan&format=csv", content=b"x")
    problem(missing, 415, "unsupported_media_type")
    one = await hand_in(shared, text, key="import-once")
    assert (await hand_in(shared, text, key="import-once"))["id"] == one["id"]
    assert (await hand_in(shared, text + "2,E2", key="import-once", status=422))["code"] == "idempotency_key_reused"
    assert [each["id"] for each in (await it.get("/v1/imports?limit=1")).json()["items"]] == [one["id"]]
    stolen = await (await shared.as_("staff")).get(f"/v1/imports/{one['id']}")
    assert stolen.status_code == 403
    missing = await it.get("/v1/imports/01936b00-0000-7000-8000-000000000001")
    problem(missing, 404, "not_found")
    async with Intruder(company.store).edited("import_run", "id", UUID(one["id"]), format="xlsx"):
        problem(await it.get(f"/v1/imports/{one['id']}"), 404, "not_found")


async def test_what_nobody_finished_ends_and_what_is_long_past_is_forgotten(shared: World) -> None:
    one = await hand_in(shared, sheet([("1", "E1")]))
    desk, clock = shared.application.imports, FrozenClock(shared.application.clock.now() + UNFINISHED * 2)
    assert await pieces(shared.application, one["id"]) == 1
    later: ImportKeeper = desk.keeper
    before = later._clock
    later._clock = clock
    try:
        assert await desk.sweep() >= 1
        stopped = await read(shared, one["id"])
        assert (stopped["state"], stopped["problem"]) == ("failed", "import_stopped")
        assert await pieces(shared.application, one["id"]) == 0
        await run_all(shared)
        assert (await read(shared, one["id"]))["state"] == "failed"
        clock.advance(days=40)
        assert await desk.sweep() >= 1
    finally:
        later._clock = before
    async with shared.application.database.unit_of_work() as unit:
        left = await unit.session.execute(select(ImportRun.id).where(ImportRun.id == UUID(one["id"])))
        assert left.all() == []


async def test_an_import_says_who_assigned_and_by_which(shared: World) -> None:
    pool, one = await add_pool(shared, 3), await add_person(shared)
    done, _ = await imported(shared, sheet([(pool.digits(0), number(one))]), dry_run=False)
    async with shared.application.database.unit_of_work() as unit:
        found = select(NumberAssignment.caller, NumberAssignment.actor_id).where(NumberAssignment.holder_id == one.id)
        (row,) = (await unit.session.execute(found)).all()
    assert tuple(row) == (f"import:{done['id']}", "it-scripts")
    assert isinstance(pool, TestPool)


async def test_a_device_that_is_registered_is_found_by_its_serial_number(shared: World) -> None:
    pool, device = await add_pool(shared, 4), await register(shared)
    text = sheet([(pool.digits(0), device["serial"].lower()), (pool.digits(1), "sn 0")], "短号,设备序列号")
    _, told = await imported(shared, text, dry_run=False)
    assert told == [(pool.digits(0), "adopted", "adopted"), (pool.digits(1), "problem", "unknown_device")]
    held = (await (await shared.as_(IT)).get(f"/v1/numbers/{pool.digits(0)}")).json()["holders"]
    assert [(each["type"], each["id"]) for each in held] == [("device", device["id"])]


async def test_what_is_adopted_is_told_to_programs_that_subscribe(shared: World) -> None:
    pool, someone = await add_pool(shared, 4), await add_person(shared)
    async with subscribed(shared):
        await imported(shared, sheet([(pool.digits(0), number(someone))]), dry_run=False)
        found = await notices_of(shared, await pool_id(await shared.as_(IT), pool))
    assert [(each["type"], each["state"]) for each in found][-1] == ("allocated", "assigned")
