"""People taken over from sheets, on both engines: rehearsed, done, done again; who may, and what no file can do."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.imports.calls import hand_in, read, run_all
from tests.jobs.calls import runner
from tests.rosters.calls import HR, codes, told
from tests.support.application import World
from tests.support.clock import FrozenClock
from tests.support.shared import Added, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")


def number(someone: Added) -> str:
    return f"N{someone.number}"


async def card(world: World, employee_no: str, by: str = HR) -> dict[str, Any]:
    found = (await (await world.as_(by)).get("/v1/contacts", params={"q": employee_no})).json()["items"]
    assert len(found) == 1, found
    shown: dict[str, Any] = found[0]
    return shown


async def test_a_directory_is_rehearsed_then_taken_over_then_unchanged(shared: World) -> None:
    someone = await add_person(shared)
    fresh = [f"{each}{someone.number}" for each in ("E", "F", "G")]
    head = "姓名,工号,账号,部门,职务,手机,办公电话,上级,性别,地址\n"
    text = head + "\n".join(
        [
            f"赵一,{fresh[0]},{fresh[0].lower()},RD,工程师,+86 13800007001,010-88887001-12,{fresh[1]},男,某路",
            f"钱二,{fresh[1]},,RD,经理,13800007002,,,女,",
            f"新人{someone.number},{number(someone)},,RD,架构师,{someone.mobile},,{fresh[1]},,",
            "孙三,,,RD,工程师,13800007003,,,,",
            f"李四,{fresh[2]},,RD,工程师,1380000,,,,",
            f"周五,{fresh[2]}x,,NOWHERE,工程师,,,,,",
        ]
    )
    expected = [
        (None, "problem", "no_key"),
        (None, "problem", "malformed_phone"),
        (fresh[1], "adopted", "created"),
        (fresh[0], "adopted", "created"),
        (number(someone), "adopted", "amended"),
        (f"{fresh[2]}x", "problem", "unknown_department"),
    ]
    rehearsed, became = await told(shared, text, apply=False)
    assert codes(became) == expected
    assert [(each["line"], each["column"]) for each in became] == [
        (5, None), (6, "手机"), (3, None), (2, None), (4, None), (7, "部门")
    ]  # fmt: skip
    assert [(each["heading"], each["code"]) for each in rehearsed["proposals"]["columns"]] == [
        ("性别", "not_collected"),
        ("地址", "unknown_column"),
    ]
    assert (rehearsed["profile"], rehearsed["domain"]) == ("generic", None)
    hr = await shared.as_(HR)
    assert (await hr.get("/v1/contacts", params={"q": fresh[0]})).json()["items"] == [], "a rehearsal leaves nothing"
    done, became = await told(shared, text)
    assert codes(became) == expected
    assert done["counts"] == {"adopted": 3, "problem": 3}
    one, two = await card(shared, fresh[0]), await card(shared, fresh[1])
    assert (one["user_name"], one["department"]["code"], one["manager"]) == (fresh[0].lower(), "RD", two["id"])
    reveal = {"fields": ["mobile"], "purpose": "hr_admin", "reason": "to see what was taken over"}
    shown = (await hr.post(f"/v1/contacts/{one['id']}/reveals", json=reveal)).json()["fields"]
    assert shown["mobile"]["value"] == "13800007001"
    assert one["office_phone"]["value"].endswith("88887001-12")
    assert (await card(shared, number(someone)))["title"] == "架构师"
    _, became = await told(shared, text)
    assert [code for _, outcome, code in codes(became) if outcome != "problem"] == ["already_so"] * 3
    await shared.settle()
    events = (await (await shared.as_("siem")).get(f"/v1/access-events?contact={one['id']}")).json()["items"]
    assert [each["actor"]["type"] for each in events if each["action"] == "contact.create"] == ["person"]


async def test_superiors_in_rings_and_ones_own_hold_nobody_up(shared: World) -> None:
    at = (await add_person(shared)).number
    one, two, top, low = (f"{each}{at}" for each in ("RA", "RB", "RC", "RD"))
    named = [(one, two), (two, one), (top, top), (low, top)]
    text = "工号,姓名,部门,上级\n" + "".join(f"{each},环{each},RD,{boss}\n" for each, boss in named)
    _, became = await told(shared, text, apply=False)
    assert {each["code"] for each in became} == {"created"}
    _, became = await told(shared, text)
    assert {each["item"]: (each["code"], [note["code"] for note in each["notes"]]) for each in became} == {
        one: ("created", []),
        two: ("created", ["comes_with_file"]),
        top: ("created", []),
        low: ("created", []),
    }
    _, became = await told(shared, text)
    assert sorted(each["code"] for each in became) == ["already_so"] * 3 + ["amended"]
    shown = {each: await card(shared, each) for each in (one, two, top, low)}
    assert [shown[each]["manager"] for each in (one, two, top, low)] == [
        shown[two]["id"],
        shown[one]["id"],
        None,
        shown[top]["id"],
    ]


async def test_a_rehearsal_knows_who_will_not_be_there(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.imports.running.STRETCH", 2)
    at = (await add_person(shared)).number
    top, one, two, boss, low = (f"{each}{at}" for each in ("SA", "SB", "SC", "SD", "SE"))
    text = f"工号,姓名,部门,上级\n{top},甲,NOWHERE,\n{one},乙,RD,{top}\n{two},丙,RD,{one}\n{boss},丁,RD,\n{low},戊,RD,{boss}\n"
    expected = [(top, "unknown_department"), (one, "unknown_contact"), (two, "unknown_contact"), (boss, "created")]
    rehearsed, became = await told(shared, text, apply=False)
    assert [(each["item"], each["code"]) for each in became] == [*expected, (low, "created")]
    assert [note["code"] for note in became[-1]["notes"]] == ["comes_with_file"]
    done, became = await told(shared, text)
    assert [(each["item"], each["code"]) for each in became] == [*expected, (low, "created")]
    assert (became[-1]["notes"], done["counts"]) == ([], rehearsed["counts"])


async def test_what_no_file_can_do(shared: World) -> None:
    one, two, gone = await add_person(shared), await add_person(shared), await add_person(shared, status="left")
    before = {each.name: await card(shared, number(each)) for each in (one, two)}
    text = "工号,账号,姓名,职务,在职状态,保密级别,状态\n" + "\n".join(
        [
            f"{number(one)},,{one.name},,离职,core,left",
            f"{number(two)},someone.else,,总监,在职,executive,frozen",
            f"{number(gone)},,,总监,在职,,",
            f"X{number(gone)},,不在者,,离职,,",
            f"Y{number(gone)},,将来者,,待入职,,",
            f"{number(one)}9,{two.name},,总监,,,",
            f"Z{number(gone)},z{gone.name},,总监,,,",
            f"W{number(gone)},w{gone.name},甲,,,,",
            f"V{number(gone)},w{gone.name},乙,,,,",
        ]
    )
    done, became = await told(shared, text)
    assert [(each["outcome"], each["code"], each["column"]) for each in became] == [
        ("conflict", "says_gone", None),
        ("conflict", "other_user_name", "账号"),
        ("conflict", "has_left", None),
        ("unchanged", "already_so", None),
        ("unchanged", "not_here_yet", None),
        ("conflict", "names_two_people", "工号"),
        ("problem", "missing", "姓名"),
        ("conflict", "twice_in_file", None),
        ("conflict", "twice_in_file", None),
    ]
    assert {each["code"] for each in done["proposals"]["columns"]} == {"not_imported", "kept_by_service"}
    after = {each.name: await card(shared, number(each)) for each in (one, two)}
    assert after == before
    assert all(each["message_zh"].endswith("。") for each in became)


async def test_departments_are_told_as_the_template_tells_them(shared: World) -> None:
    first, second = await add_department(shared), await add_department(shared, parent="RD")
    one = await add_person(shared, department=first)
    text = f"姓名,帐号,手机号,邮箱,所在部门,职位,性别\n,{one.name},+86 {one.mobile},,临时{second};{first},,女\n"
    _, became = await told(shared, text.encode("gb18030"), profile="wecom")
    assert codes(became) == [(one.name, "adopted", "amended")]
    shown = await card(shared, number(one))
    assert shown["department"]["code"] == first, "who is in the department still has it as the main one"
    assert [each["department"]["code"] for each in shown["memberships"] if not each["main"]] == [second]
    _, became = await told(shared, "\ufeff" + text, profile="wecom")
    assert codes(became) == [(one.name, "unchanged", "already_so")]
    alone = f"姓名,账号,微信号,手机号,邮箱,所在部门,职位\n,{one.name},wy_new_{one.number},,,{second},<清空>\n"
    _, became = await told(shared, alone, profile="wecom")
    assert codes(became) == [(one.name, "adopted", "amended")]
    shown = await card(shared, number(one))
    assert (shown["department"]["code"], [each for each in shown["memberships"] if not each["main"]]) == (second, [])
    assert shown["mobile"]["state"] != "empty", "an empty cell says nothing"


async def test_who_may_hand_in_people(shared: World) -> None:
    someone = await add_person(shared)
    text = f"工号,职务\n{number(someone)},工程师\n"
    for caller in ("staff", "it-scripts", "head"):
        await hand_in(shared, text, by=caller, status=403, kind="contacts")
    assert (await hand_in(shared, text, by=HR, status=422, kind="contacts", profile="nobodys"))["code"] == (
        "unknown_import_profile"
    )
    refused = await hand_in(shared, text, by=HR, status=422, kind="contacts", overrule=True)
    assert refused["code"] == "nothing_kept_back"
    assert (await hand_in(shared, text, by=HR, status=422, kind="contacts", format="asterisk"))["code"] == (
        "unknown_import_format"
    )
    await hand_in(shared, "短号,工号\n1,E1\n", by=HR, status=403)
    done, became = await told(shared, text, by="hr-system")
    assert codes(became) == [(number(someone), "adopted", "amended")]
    answer = await (await shared.as_("it-scripts")).get(f"/v1/imports/{done['id']}")
    assert answer.status_code == 404, "who keeps the number plan is not told of people"
    own = await add_person(shared, roles=("hr",))
    text = f"工号,部门,职务\n{number(own)},RD,主管\n"
    _, became = await told(shared, text, by=own.name)
    assert codes(became) == [(number(own), "adopted", "amended")], "what is so takes no request"
    _, became = await told(shared, text.replace("RD", "SALES"), by=own.name)
    assert codes(became) == [(number(own), "conflict", "approval_required")]


async def test_a_dead_run_of_people_is_taken_over_where_it_stopped(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.imports.running.STRETCH", 2)
    people = [await add_person(shared) for _ in range(5)]
    text = "工号,职务\n" + "".join(f"{number(each)},新职务\n" for each in people)
    taken = await hand_in(shared, text, by=HR, kind="contacts", dry_run=False)
    advance, seen = shared.application.imports.rows.advance, list[UUID]()

    class Killed(BaseException):
        pass

    async def dying(*words: Any, **named: Any) -> bool:  # noqa: ANN401 — as it was called
        seen.append(words[1])
        if len(seen) == 3:
            raise Killed
        return await advance(*words, **named)

    monkeypatch.setattr(shared.application.imports.rows, "advance", dying)
    with pytest.raises(Killed):
        await run_all(shared)
    half = await read(shared, taken["id"], by=HR)
    assert half["progress"] == {"done": 2, "total": 5}
    assert [(await card(shared, number(each)))["title"] for each in people] == ["新职务"] * 2 + [None] * 3
    later = FrozenClock(shared.application.clock.now() + timedelta(minutes=2))
    handlers = {"import.run": shared.application.imports.runner.work}
    assert await runner(shared, handlers, clock=later).once()
    done = await read(shared, taken["id"], by=HR)
    assert (done["state"], done["counts"]) == ("done", {"adopted": 5})
    assert {(await card(shared, number(each)))["title"] for each in people} == {"新职务"}
