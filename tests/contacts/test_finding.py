"""Searching over HTTP, on both engines: what is found, in which order, and that hidden people change nothing of it.

The ranking is held to a plain reading of the same people (``plainly``), for random companies, questions and viewers.
"""

import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from itertools import product
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.contacts.criteria import Criteria
from app.contacts.finding import ContactFinder
from app.contacts.listing import criteria_of
from app.contacts.models import Contact, ContactKey
from app.contacts.query_schemas import ListQuery
from app.contacts.schemas import ContactPage
from app.contacts.search import ACCOUNT, DEPARTMENT, FIELDS, LONGEST_WORD, NUMBER, WHOLE, folded, wanted
from app.contacts.tiers import candidates, peopled, ways
from app.contacts.within import FEW
from app.departments.schemas import DepartmentAmend, DepartmentCreate
from app.kit.models import new_id
from app.kit.straight import Writes
from app.permissions.outcomes import Purpose
from app.permissions.pack import load
from app.permissions.plan import Plan
from tests.contacts import plainly
from tests.contacts.plainly import Someone
from tests.support.application import OPERATOR, World
from tests.support.problems import faults, problem
from tests.support.shared import Added, add_department, add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

People = Sequence[dict[str, Any]]


async def ask(world: World, who: str, **query: Any) -> dict[str, Any]:  # noqa: ANN401 — parameters
    answer = await (await world.as_(who)).get("/v1/contacts", params={"limit": 200, **query})
    assert answer.status_code == 200, answer.text
    ContactPage.model_validate_json(answer.content)
    found: dict[str, Any] = answer.json()
    return found


async def names(world: World, q: str, *, department: str, who: str = "staff") -> list[str]:
    return [item["name"] for item in (await ask(world, who, q=q, department=department))["items"]]


async def everybody(world: World, who: str, *, limit: int, **query: Any) -> list[str]:  # noqa: ANN401 — parameters
    """Follow the pages to the end."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(200):
        page = await ask(world, who, limit=limit, **query, **cursor)
        found += [item["id"] for item in page["items"]]
        if page["next"] is None:
            return found
        assert len(page["items"]) == limit
        cursor = {"cursor": page["next"]}
    pytest.fail("the pages do not end")


async def team(world: World, people: People) -> tuple[str, list[Added]]:
    code = await add_department(world, name="队")
    return code, [await add_person(world, department=code, **each) for each in people]


RANKED: Final[list[tuple[str, People, list[str]]]] = [
    (
        "李明",
        [
            {"name": "王王李明"},
            {"name": "阿依·李明"},
            {"name": "李明"},
            {"name": "甲", "title": "李明工作室"},
            {"name": "李明月"},
            {"name": "乙", "title": "李明"},
            {"name": "王李明"},
        ],
        ["李明", "乙", "李明月", "甲", "王李明", "阿依·李明", "王王李明"],
    ),
    (
        "lun",
        [
            {"name": "王伦"},
            {"name": "甲", "title": "Lun"},
            {"name": "伦"},
            {"name": "乙", "user_name": "lun"},
            {"name": "丙", "name_en": "Lun"},
            {"name": "Lea Ulla Nin"},
            {"name": "丁", "user_name": "lun.ding"},
            {"name": "伦明"},
            {"name": "戊", "name_en": "Lunar"},
            {"name": "己", "name_en": "Blun Kris"},
            {"name": "庚", "title": "Chief Lunatic"},
        ],
        ["丙", "伦", "Lea Ulla Nin", "乙", "甲", "戊", "伦明", "丁", "王伦", "庚", "己"],
    ),
    (
        "zhangwei",
        [{"name": "张卫国"}, {"name": "张伟"}, {"name": "章炜"}, {"name": "王张维"}, {"name": "张小伟"}],
        ["张伟", "章炜", "张卫国", "王张维"],
    ),
    (
        "zw",
        [{"name": "张小伟"}, {"name": "张伟明"}, {"name": "曾文"}, {"name": "欧阳志文"}, {"name": "Zoe Wu"}],
        ["Zoe Wu", "曾文", "张伟明", "欧阳志文"],
    ),
    (
        "zhang wei",
        [{"name": "张小伟"}, {"name": "伟章"}, {"name": "张伟"}, {"name": "张小"}, {"name": "张", "name_en": "Wei"}],
        ["张伟", "张", "张小伟", "伟章"],
    ),
    ("zeng", [{"name": "曾国"}, {"name": "增国"}, {"name": "郑国"}], ["增国", "曾国"]),
    ("ceng", [{"name": "曾国"}, {"name": "郑国"}, {"name": "层国"}], ["层国", "曾国"]),
    ("yuchi", [{"name": "尉迟恭"}, {"name": "于池"}, {"name": "魏迟"}], ["于池", "尉迟恭"]),
    ("612", [{"name": "甲", "short_numbers": ["61234"]}, {"name": "乙", "extension": "612"}], ["乙", "甲"]),
    ("61", [{"name": "甲", "short_numbers": ["61234"]}, {"name": "乙", "extension": "61"}], ["乙"]),
    ("老曾", [{"name": "曾国", "alias": "老曾"}, {"name": "老曾头"}], ["曾国", "老曾头"]),
    ("abudu", [{"name": "阿卜杜拉·买买提"}, {"name": "阿不都"}], ["阿不都", "阿卜杜拉·买买提"]),
    ("买买提", [{"name": "阿卜杜拉·买买提"}, {"name": "买买提江"}], ["买买提江", "阿卜杜拉·买买提"]),
    ("阿卜杜拉买买提", [{"name": "阿卜杜拉·买买提"}], ["阿卜杜拉·买买提"]),
    ("李lei", [{"name": "李雷"}, {"name": "李Lei"}, {"name": "雷震"}], ["李Lei", "李雷"]),
    ("ouyang锋", [{"name": "欧阳锋"}, {"name": "欧阳"}, {"name": "歐陽鋒"}], ["欧阳锋", "歐陽鋒"]),
    ("欧阳", [{"name": "歐陽修"}, {"name": "欧阳修"}, {"name": "阳欧"}], ["欧阳修", "歐陽修"]),
    ("歐陽", [{"name": "歐陽修"}, {"name": "欧阳修"}], ["欧阳修", "歐陽修"]),
    ("shanyu", [{"name": "單宇"}, {"name": "单宇"}, {"name": "单于"}], ["单于", "单宇", "單宇"]),
    ("danyu", [{"name": "單宇"}, {"name": "但宇"}], ["但宇", "單宇"]),
    ("财务", [{"name": "甲", "title": "財務總監"}, {"name": "乙", "title": "财务"}], ["乙", "甲"]),
    ("王𬱟", [{"name": "王𬱟"}, {"name": "王伟"}], ["王𬱟"]),
    ("wangwei", [{"name": "王𬱟"}, {"name": "王未名"}], ["王𬱟", "王未名"]),
    ("王\U00031351", [{"name": "王\U00031351明"}, {"name": "王明"}], ["王\U00031351明"]),
    ("wangming", [{"name": "王\U00031351明"}, {"name": "王明"}], ["王明", "王\U00031351明"]),
    (
        "阿卜杜拉.买买提",
        [{"name": "阿卜杜拉·买买提"}, {"name": "阿卜杜拉•买买提江"}],
        ["阿卜杜拉·买买提", "阿卜杜拉•买买提江"],
    ),
    ("阿卜杜拉 ‧ 买买提", [{"name": "阿卜杜拉\uff0e买买提"}, {"name": "阿卜杜拉"}], ["阿卜杜拉\uff0e买买提"]),
    ("lyu", [{"name": "吕布"}], ["吕布"]),
    ("lu", [{"name": "吕布"}, {"name": "卢布"}, {"name": "陆"}], ["陆", "卢布", "吕布"]),
    ("lml", [{"name": "李明亮"}, {"name": "王李明亮"}, {"name": "李敏"}], ["李明亮", "王李明亮"]),
    (
        "565",
        [
            {"name": "王李明亮"},
            {"name": "李明亮"},
            {"name": "甲", "title": "3565室"},
            {"name": "乙", "short_numbers": ["56512"]},
            {"name": "丙", "extension": "565"},
            {"name": "Kolya"},
            {"name": "丁", "title": "565 号"},
        ],
        ["丙", "乙", "丁", "李明亮", "Kolya", "甲", "王李明亮"],
    ),
    ("9266", [{"name": "王明"}, {"name": "赵明"}, {"name": "Wanda", "alias": "Xanoo"}], ["Wanda"]),
    ("94", [{"name": "张三"}, {"name": "甲", "short_numbers": ["94"]}], ["甲"]),
    ("lilei", [{"name": "李Lei"}, {"name": "李雷"}], ["李Lei", "李雷"]),
    ("MÜLLER", [{"name": "Anna Müller"}, {"name": "Muller"}], ["Muller", "Anna Müller"]),
    ("lv", [{"name": "吕布"}], ["吕布"]),
    ("lü bu", [{"name": "吕布"}], ["吕布"]),
    ("chongqing", [{"name": "王重庆"}, {"name": "虫青"}], ["虫青", "王重庆"]),
    ("zhongqing", [{"name": "王重庆"}], ["王重庆"]),
]


@pytest.mark.parametrize(("q", "people", "order"), RANKED, ids=[each[0] for each in RANKED])
async def test_ranking(shared: World, q: str, people: People, order: list[str]) -> None:
    code, _ = await team(shared, people)
    assert await names(shared, q, department=code) == order


async def test_a_department_finds_its_people_by_name_and_code_after_everything_else_of_a_place(shared: World) -> None:
    code, (first, second) = await team(shared, [{"name": "甲"}, {"name": "乙", "alias": "量子"}])
    application = shared.application
    tree = await application.standings.tree()
    async with application.database.unit_of_work() as unit:
        await application.departments.amend(unit, OPERATOR, tree.by_code[code], DepartmentAmend(name=f"量子{code}组"))
    tree = await application.standings.tree()
    assert tree.by_code[code].name == f"量子{code}组"
    for q in (f"量子{code}组", f"量子{code}", code, code.lower(), f"{code}组"):
        assert await names(shared, q, department=code) == ["乙", "甲"], q
    assert await names(shared, "量子", department=code) == ["乙", "甲"]
    assert await names(shared, f"甲 量子{code}", department=code) == ["甲"]
    assert await names(shared, f"{code} 乙", department=code) == ["乙"]
    assert {str(first.id), str(second.id)} == set(await everybody(shared, "staff", limit=1, q=f"量子{code}"))


async def test_ties_go_by_matched_text_then_name_then_id(shared: World) -> None:
    code, people = await team(shared, [{"name": each} for each in ("王芳", "王方", "王方", "汪芳", "王放歌", "王芳菲")])
    found = (await ask(shared, "staff", q="wangfang", department=code))["items"]
    assert [item["name"] for item in found] == ["汪芳", "王方", "王方", "王芳", "王芳菲", "王放歌"]
    same = [str(each.id) for each in people[1:3]]
    assert [item["id"] for item in found[1:3]] == sorted(same)


async def test_a_word_that_is_typed_twice_is_one_word_however_many_it_finds(shared: World) -> None:
    """More than are looked at before other words are asked for, of which there are none."""
    code, people = await team(shared, [{"name": f"叠叠{at}"} for at in "一二三"])
    viewer, rows = await shared.viewer("staff"), shared.application.contact_rows
    reader, now = shared.application.database.reader, shared.application.clock.now()
    plan = Plan(load("default"), viewer.standing, Purpose.WORK_CONTACT, now)
    finder = ContactFinder(reader, rows, few=-1, many=-1, sparse=10**9, look=1)
    asked = Criteria(wanted=wanted("叠叠 叠叠", viewer.tree))
    found = await finder.search(asked, plan, after=None, limit=9, tree=viewer.tree)
    assert {each.position.id for each in found} == {each.id for each in people}
    assert len(await names(shared, "叠叠 叠叠", department=code)) == len(people)


async def test_a_change_is_found_at_once_and_what_was_before_no_more(shared: World) -> None:
    code, (someone,) = await team(shared, [{"name": "旧名", "title": "旧职"}])
    client = await shared.as_("hr")
    seen = await client.get(someone.path)
    changed = {"name": "曾新", "title": "新职", "alias": "小新"}
    answer = await client.patch(someone.path, json=changed, headers={"If-Match": seen.headers["ETag"]})
    assert answer.status_code == 200, answer.text
    for q in ("旧名", "jiuming", "旧职"):
        assert await names(shared, q, department=code) == []
    for q in ("曾新", "zengxin", "zx", "新职", "小新", "xiaoxin"):
        assert await names(shared, q, department=code) == ["曾新"], q
    seen = await client.get(someone.path)
    answer = await client.patch(someone.path, json={"department": "SALES"}, headers={"If-Match": seen.headers["ETag"]})
    assert answer.status_code == 200, answer.text
    assert await names(shared, "曾新", department=code) == []
    assert await names(shared, "zengxin SALES", department="SALES") == ["曾新"]
    seen = await client.get(someone.path)
    answer = await client.delete(someone.path, headers={"If-Match": seen.headers["ETag"]})
    assert answer.status_code == 204, answer.text
    assert await names(shared, "zengxin", department="SALES", who="steward") == []
    statement = select(ContactKey.term).where(ContactKey.contact_id == someone.id)
    reader = shared.application.database.reader
    assert await reader.fetch(reader.prepare(statement)) == []


async def test_numbers_that_are_given_are_found_and_those_taken_back_are_not(shared: World) -> None:
    code, (someone,) = await team(shared, [{"name": "甲"}])
    application = shared.application

    async def carry(numbers: list[str]) -> None:
        cards = application.contact_writer.cards
        async with application.database.unit_of_work() as unit:
            card = await cards.locked(unit.session, someone.id, among={"active"})
            writes = Writes()
            assert cards.put(writes, OPERATOR, card, {"short_numbers": numbers})
            await writes.run(unit.session)

    await carry(["68123", "68124"])
    assert await names(shared, "681", department=code) == ["甲"]
    await carry([])
    assert await names(shared, "681", department=code) == []


async def test_an_explicit_order_overrides_the_rank_and_finds_the_same(shared: World) -> None:
    code, people = await team(shared, [{"name": each} for each in ("王李明", "李明", "李明月", "不是")])
    three = {str(each.id) for each in people[:3]}
    assert await names(shared, "李明", department=code) == ["李明", "李明月", "王李明"]
    for sort in ("name", "-name", "employee_no", "-employee_no"):
        found = await everybody(shared, "staff", limit=2, q="李明", department=code, sort=sort)
        assert set(found) == three
        assert len(found) == 3
    page = await ask(shared, "staff", q="liming", department=code, sort="-name", total=True)
    assert [item["name"] for item in page["items"]] == ["王李明", "李明月", "李明"]
    assert page["total"] == 3


HIDDEN_AND_SHOWN: Final[list[dict[str, Any]]] = [
    {"q": "皇甫端"},
    {"q": "huangfuduan"},
    {"q": "hfd"},
    {"q": "huangfu duan"},
    {"q": "皇甫", "limit": 2, "total": True},
    {"q": "huang", "limit": 1},
    {"q": "皇甫端", "sort": "-name", "limit": 2, "total": True},
]


async def test_hidden_people_of_the_very_name_change_nothing(shared: World) -> None:
    """Order, count, pages, cursors and suggestions are to the byte what they were before anybody was hidden among them."""
    code, _ = await team(shared, [{"name": "皇甫端"}, {"name": "皇甫端木"}, {"name": "皇甫一"}, {"name": "皇甫端"}])

    async def told() -> list[Any]:
        answers: list[Any] = []
        for query in HIDDEN_AND_SHOWN:
            cursor: dict[str, str] = {}
            for _ in range(9):
                page = await ask(shared, "outsider", department=code, **query, **cursor)
                answers.append({name: value for name, value in page.items() if name != "disclosure"})
                if page["next"] is None:
                    break
                cursor = {"cursor": page["next"]}
        client = await shared.as_("outsider")
        answers += [
            (await client.get("/v1/suggestions", params={"q": q, "limit": limit})).json()["items"]
            for q in ("皇甫端", "huangfu", "hf")
            for limit in (1, 2, 10)
        ]
        return answers

    before = await told()
    for name in ("皇甫端", "皇甫", "皇甫端", "皇", "皇甫丁"):
        for status in ("prehire", "left"):
            await add_person(shared, department=code, name=name, status=status)
    assert await told() == before
    assert len(await names(shared, "皇甫", department=code, who="hr")) == 8


async def test_a_page_is_full_however_many_hidden_people_stand_before(shared: World) -> None:
    code, _ = await team(shared, [{"name": "淳于乙"}, {"name": "淳于丙"}])
    for _ in range(40):
        await add_person(shared, department=code, name="淳于", status="prehire")
    found = await ask(shared, "outsider", q="chunyu", department=code, limit=1)
    assert len(found["items"]) == 1
    assert found["next"] is not None
    assert len(await everybody(shared, "outsider", limit=1, q="chunyu", department=code)) == 2


async def test_the_index_is_not_believed_about_who_may_be_seen(shared: World) -> None:
    """Somebody who writes keys by SQL can make a visible person be found by another word, and nobody else."""
    code, (hidden, shown) = await team(shared, [{"name": "独孤甲", "status": "prehire"}, {"name": "独孤乙"}])
    application = shared.application
    async with application.database.unit_of_work() as unit:
        for each in (hidden, shown):
            unit.session.add(ContactKey(contact_id=each.id, rank=8, term="伪造的", name=""))
    assert await names(shared, "伪造的", department=code) == ["独孤乙"]
    async with application.database.unit_of_work() as unit:
        await unit.session.execute(update(Contact).where(Contact.id == hidden.id).values(status="active"))
    assert await names(shared, "独孤", department=code) == ["独孤乙"]


HOSTILE: Final = (
    "%", "_", "\\", "%%", "a%b", "' OR 1=1 --", '"; DROP TABLE contact_key; --', "🙂", "👩‍💻", "\u202e", "\u200b", "D" + "0" * 32,
    "·", "a" * 64, "㍿" * 64, "\U0010ffff", "\u3000", "0x00", "null", "[]", "{}", "(?i)", "*", "🇨🇳",
)  # fmt: skip


@pytest.mark.parametrize("q", HOSTILE)
@pytest.mark.parametrize("path", ["/v1/contacts", "/v1/suggestions"])
async def test_hostile_text_finds_nobody(shared: World, path: str, q: str) -> None:
    answer = await (await shared.as_("staff")).get(path, params={"q": q})
    if not q.strip():
        problem(answer, 422, "invalid_request")
        return
    assert answer.status_code == 200, answer.text
    assert answer.json()["items"] == []


@pytest.mark.parametrize("q", HOSTILE)
async def test_hostile_text_is_found_where_it_stands(shared: World, q: str) -> None:
    told = folded(q)
    if not told.strip("· ") or len(told) > LONGEST_WORD:
        return
    code, _ = await team(shared, [{"title": f"甲{q}乙"[:100], "status": "prehire"}])
    assert len(await names(shared, q[:60], department=code, who="hr")) == 1


@pytest.mark.parametrize(
    ("q", "code"),
    [
        ("", "too_short"),
        ("   ", "too_short"),
        ("a" * 65, "too_long"),
        ("a\x00b", "invalid_text"),
        ("a b c d e f g", "too_many_words"),
        ("ﷺ" * 20, "too_many_words"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/contacts", "/v1/suggestions"])
async def test_what_is_no_question_is_refused(shared: World, path: str, q: str, code: str) -> None:
    answer = await (await shared.as_("staff")).get(path, params={"q": q})
    problem(answer, 422, "invalid_request")
    assert faults(answer) == [("?q", code)]


PLANNED: Final = ("王", "wang", "wangmin", "wm", "612", "wang ming", "研发", "工程师 王")


@pytest.mark.parametrize("q", PLANNED)
async def test_every_tier_is_a_range_of_the_index_in_its_order(sqlite_world: World, q: str) -> None:
    """No table is scanned and no tier sorted whole, so that a page costs the same in any directory.

    Sorted are exact accounts, of which there are few, departments where a word names several, and hits within several departments.
    """
    application = sqlite_world.application
    tree = await application.standings.tree()
    asked = Criteria(wanted=wanted(q, tree))
    assert asked.wanted is not None
    reader, shape = application.database.reader, asked.wanted.shape
    every = [each.tier for each in ways(shape)]
    assert every == sorted(set(every)) == [each.tier for each in ways(shape, 1)]
    with closing(sqlite3.connect(application.database.business_path)) as store:
        for departments, tier, paged in product((0, 1, 4), (-1, *every), (False, True)):
            written = candidates(shape, tier, paged=paged, departments=departments)
            statement = peopled(shape, departments) if tier == -1 else written
            assert statement is not None
            prepared = reader.prepare(statement)
            arguments = prepared.arguments({**asked.values, "page": 21})
            plan = [line for *_, line in store.execute("EXPLAIN QUERY PLAN " + prepared.sql, arguments)]
            reads = [line for line in plan if line.startswith(("SCAN", "SEARCH")) and "_key" in line]
            place, field = divmod(tier % 32, FIELDS)
            assert any("department_key" in line for line in reads) == (
                departments > 0 and (tier == -1 or field != NUMBER)
            )
            for line in reads:
                assert any(each in line for each in RANGES), line
            may_sort = tier == -1 or departments > 1 or field == DEPARTMENT or (place, field) == (WHOLE, ACCOUNT)
            assert may_sort or not any("TEMP B-TREE" in line for line in plan), plan


RANGES: Final = (
    "USING COVERING INDEX ix_contact_key_rank_term (rank=? AND term",
    "USING COVERING INDEX ix_contact_key_rank_term (rank=? AND (term,name,contact_id)>",
    "USING PRIMARY KEY (department_id=? AND rank=? AND term",
    "USING PRIMARY KEY (department_id=? AND rank=? AND (term,name,contact_id)>",
    "USING PRIMARY KEY (contact_id=?",
)


async def test_a_cursor_of_one_search_is_of_no_use_in_another(shared: World) -> None:
    code, _ = await team(shared, [{"name": "亓官甲"}, {"name": "亓官乙"}])
    asked: dict[str, Any] = {"q": "亓官", "department": code, "limit": 1}
    cursor = (await ask(shared, "staff", **asked))["next"]
    assert len((await ask(shared, "staff", **asked, cursor=cursor))["items"]) == 1
    others: list[tuple[str, dict[str, Any]]] = [
        ("staff", {"q": "亓官甲"}),
        ("staff", {"q": "qiguan"}),
        ("staff", {"sort": "name"}),
        ("colleague", {}),
    ]
    for who, other in others:
        answer = await (await shared.as_(who)).get("/v1/contacts", params={**asked, **other, "cursor": cursor})
        problem(answer, 422, "bad_cursor")
    by_name = (await ask(shared, "staff", **asked, sort="name"))["next"]
    answer = await (await shared.as_("staff")).get("/v1/contacts", params={**asked, "cursor": by_name})
    problem(answer, 422, "bad_cursor")


async def test_the_longest_names_have_cursors_too(shared: World) -> None:
    long = "🙂" * 99
    same = {"status": "prehire"}
    code, _ = await team(shared, [{"name": long + "甲", **same}, {"name": long + "乙", **same}, {"name": long, **same}])
    for query in ({"q": "🙂"}, {"q": "🙂" * 64}, {"sort": "name"}):
        assert len(await everybody(shared, "hr", limit=1, department=code, **query)) == 3


class TestBatch:
    async def test_answers_stand_in_the_order_asked_each_once(self, shared: World) -> None:
        _, people = await team(shared, [{}, {}, {}, {"status": "prehire"}])
        first, second, third, hidden = (str(each.id) for each in people)
        asked = [third, hidden, first, str(new_id()), third, second, first]
        for given_as in (asked, ",".join(asked), [",".join(asked[:3]), *asked[3:]]):
            page = await ask(shared, "staff", ids=given_as)
            assert [item["id"] for item in page["items"]] == [third, first, second]
            assert page["next"] is None

    async def test_pages_of_a_batch_follow_the_order_asked(self, shared: World) -> None:
        _, people = await team(shared, [{}, {}, {}, {"status": "prehire"}, {}])
        wanted = [str(each.id) for each in reversed(people)]
        shown = [each for each in wanted if each != str(people[3].id)]
        for limit in (1, 2, 3, 4, 5):
            assert await everybody(shared, "staff", limit=limit, ids=wanted) == shown

    async def test_hidden_and_unknown_ids_are_absent_alike(self, shared: World) -> None:
        _, (shown, hidden) = await team(shared, [{}, {"status": "prehire"}])
        told = []
        for other in (hidden.id, new_id()):
            page = await ask(shared, "outsider", ids=f"{other},{shown.id}", total=True)
            told.append((page["items"], page["next"], page["total"]))
        assert told[0] == told[1]
        assert told[0][2] == 1

    async def test_a_batch_can_be_narrowed_sorted_and_searched(self, shared: World) -> None:
        _, people = await team(shared, [{"name": "慕容乙"}, {"name": "慕容甲"}, {"name": "丙"}])
        ids = ",".join(str(each.id) for each in people)
        assert [each["name"] for each in (await ask(shared, "staff", ids=ids, q="murong"))["items"]] == [
            "慕容甲",
            "慕容乙",
        ]
        told = (await ask(shared, "staff", ids=ids, sort="-name"))["items"]
        assert [each["name"] for each in told] == ["慕容甲", "慕容乙", "丙"]

    @pytest.mark.parametrize("ids", ["x", ",", "01a1fffb-0a2d-721a-a7a7-c6bb17fe4e62,", ",".join(["x"] * 201)])
    async def test_what_is_no_id_is_refused(self, shared: World, ids: str) -> None:
        answer = await (await shared.as_("staff")).get("/v1/contacts", params={"ids": ids})
        problem(answer, 422, "invalid_request")

    async def test_more_than_two_hundred_with_commas_are_too_many(self, shared: World) -> None:
        client = await shared.as_("staff")
        many = [str(new_id()) for _ in range(201)]
        assert (await client.get("/v1/contacts", params={"ids": ",".join(many[:200])})).status_code == 200
        answer = await client.get("/v1/contacts", params={"ids": ",".join(many)})
        assert faults(answer) == [("?ids", "too_many")]


async def test_a_list_names_the_same_next_steps_as_the_card(shared: World) -> None:
    page = await ask(shared, "outsider", ids=str(shared.people["staff"]))
    card = await shared.card("outsider", "staff")
    (item,) = page["items"]
    assert item["mobile"] == card["mobile"]
    assert item["mobile"]["next"] == "request:field.reveal"


# ------------------------------------------------------------------------------------------------------ held to a plain reading

DEPARTMENTS: Final = {"ZRD": "研发一组", "ZRD2": "研发 Core", "ZMK": "市场部"}
FAMILIES: Final = ("王", "曾", "单", "乐", "欧阳", "尉迟")
CHARACTERS: Final = ("明", "海", "重", "乐", "林", "小", "王")
WORDS: Final = ("Li", "Na", "Wang", "Ming", "O", "Hai", "zr")
TITLES: Final = (None, "工程师", "高级工程师", "Senior Engineer", "王明", "市场 Lead", "zrd")
PIECES: Final = (
    *("王", "曾", "明", "海", "重", "小", "单", "欧阳", "尉迟", "阳", "工程", "师", "研发", "一组", "市场"),
    *(
        "zeng",
        "ceng",
        "z",
        "w",
        "wang",
        "ming",
        "wm",
        "zm",
        "li",
        "na",
        "ln",
        "ouyang",
        "oy",
        "yu",
        "chi",
        "shan",
        "dan",
    ),
    *("le", "yue", "zhong", "chong", "eng", "senior", "zrd", "zrd2", "core", "6", "61", "612", "61200", "e1", "e10"),
    *("9", "64", "646", "964", "9266", "54", "62", "wang明", "王ming"),
    *("user", "user1", ".", " ", " ", " ", "·"),
)


def drawn(chance: random.Random, at: int) -> Someone:
    """Invent a person whose texts meet those of others often."""
    latin = chance.random() < 0.25
    name = (
        " ".join(chance.choices(WORDS, k=chance.randint(1, 3)))
        if latin
        else chance.choice(FAMILIES) + "".join(chance.choices(CHARACTERS, k=chance.randint(1, 2)))
    )
    return Someone(
        name=name,
        name_en=" ".join(chance.choices(WORDS, k=2)) if chance.random() < 0.3 else None,
        alias=" ".join(chance.choices(WORDS, k=1)) if chance.random() < 0.3 else None,
        title=chance.choice(TITLES),
        user_name=f"user{at}",
        employee_no=f"E{at}" if chance.random() < 0.7 else None,
        numbers=tuple(f"612{chance.randint(0, 3):02d}" for _ in range(chance.randint(0, 1))),
        department=chance.choice(tuple(DEPARTMENTS)),
        status=chance.choices(("active", "frozen", "prehire", "left"), (6, 1, 2, 2))[0],
    )


async def company(world: World, seed: int) -> list[Someone]:
    """Write a random company below one department; give it as it was written."""
    chance, application = random.Random(seed), world.application
    async with application.database.unit_of_work() as unit:
        await application.departments.create(unit, OPERATOR, DepartmentCreate(code="TOP", name="顶"))
    async with application.database.unit_of_work() as unit:
        for code, name in DEPARTMENTS.items():
            await application.departments.create(unit, OPERATOR, DepartmentCreate(code=code, name=name, parent="TOP"))
    tree, people = await application.standings.tree(), []
    async with application.database.unit_of_work() as unit:
        for at in range(45):
            person = drawn(chance, at)
            given = {
                "name": person.name,
                "name_en": person.name_en,
                "alias": person.alias,
                "title": person.title,
                "user_name": person.user_name,
                "employee_no": person.employee_no,
                "short_numbers": list(person.numbers),
                "department": person.department,
                "status": person.status,
            }
            kept = {name: value for name, value in given.items() if value is not None}
            written = await application.contact_writer.create(unit, OPERATOR, tree, "employee", kept)
            people.append(replace(person, id=written.record.subject))
    return people


SEES: Final = {"prehire": {"hr", "steward"}, "left": {"steward"}}
"""Who sees people of a status that is not everybody's."""


COMPANIES: Final[dict[tuple[str, int], list[Someone]]] = {}


@pytest.mark.asyncio(loop_scope="function")
@pytest.mark.parametrize("seed", [1, 2])
@settings(max_examples=70, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=3),
    who=st.sampled_from(("staff", "outsider", "intern", "hr", "steward", "directory-sync")),
    status=st.sampled_from((None, None, None, "prehire", "left", "frozen")),
    limit=st.sampled_from((1, 2, 5, 50)),
)
async def test_any_search_of_anybody_is_the_plain_reading(
    world: World, seed: int, pieces: list[str], who: str, status: str | None, limit: int
) -> None:
    place = (str(world.application.settings.data_dir), seed)
    if place not in COMPANIES:
        COMPANIES[place] = await company(world, seed)
    q = "".join(pieces).strip()
    assume(q)
    narrowed: dict[str, Any] = {
        "q": q,
        "department": "TOP",
        "recursive": True,
        **({"status": status} if status else {}),
    }
    statuses = {status} if status else {"active", "frozen", "prehire"}
    scope = [each for each in COMPANIES[place] if each.status in statuses and who in SEES.get(each.status, {who})]
    tree = await world.application.standings.tree()
    departments = {node.code: node.name for node in tree.nodes.values()}
    expected = [str(each) for each in plainly.found(scope, q, departments)]
    event("somebody is found" if expected else "nobody is found")
    assert await everybody(world, who, limit=limit, **narrowed) == expected
    counted = await ask(world, who, limit=1, total=True, **narrowed)
    assert counted["total"] == len(expected)
    assert sorted(await everybody(world, who, limit=50, sort="-employee_no", **narrowed)) == sorted(expected)


@pytest.mark.asyncio(loop_scope="function")
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=3),
    who=st.sampled_from(("staff", "intern", "hr", "steward", "directory-sync")),
    narrowed=st.sampled_from(
        (
            {"department": "TOP", "recursive": True},
            {"department": "ZRD"},
            {"department": "NOBODYS"},
            {"kind": "hotline"},
            {"status": "prehire"},
            {"tag": "none"},
            {},
        )
    ),
    limit=st.sampled_from((1, 3, 50)),
    pack=st.sampled_from(("default", "strict")),
)
async def test_from_whichever_end_a_search_begins_it_finds_the_same_in_the_same_order(
    world: World, pieces: list[str], who: str, narrowed: dict[str, Any], limit: int, pack: str
) -> None:
    """Candidates first, a small set, departments, or the one after the other: hit by hit and page by page alike."""
    place = (str(world.application.settings.data_dir), 1)
    if place not in COMPANIES:
        COMPANIES[place] = await company(world, 1)
    q = "".join(pieces).strip()
    assume(q)
    viewer = await world.viewer(who)
    rows, now = world.application.contact_rows, world.application.clock.now()
    plan = Plan(load(pack), viewer.standing, Purpose.WORK_CONTACT, now)
    criteria = criteria_of(ListQuery.model_validate({"q": q, **narrowed}), plan, viewer.tree)
    reader = world.application.database.reader
    answers = []
    for begun in BEGUN:
        finder, after, found = ContactFinder(reader, rows, **begun), None, []
        while True:
            hits = await finder.search(criteria, plan, after=after, limit=limit, tree=viewer.tree)
            found += [each.position for each in hits]
            if len(hits) < limit:
                break
            after = hits[-1].position
        answers.append(found)
    event("somebody is found" if answers[0] else "nobody is found")
    assert answers == answers[:1] * len(BEGUN)


BEGUN: Final[tuple[dict[str, Any], ...]] = (
    {"few": FEW},
    {"few": -1, "many": -1, "sparse": 10**9},
    {"few": -1, "many": -1, "sparse": 1},
    {"few": -1, "enough": 10**9},
    {"few": -1, "enough": 1},
    {"few": -1, "many": -1, "sparse": 10**9, "look": 1, "long": -1},
    {"few": -1, "many": -1, "sparse": 10**9, "look": 1},
    {"few": -1, "many": 10**6, "enough": 10**9, "sparse": 10**9, "look": 1},
)
"""From a small set; from everybody; from everybody, then from departments; from departments; from departments, then from a small set; from
everybody, where the words beside the first are not read as sets, after a second look, and after the first."""
