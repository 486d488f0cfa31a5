"""Sheets of people, read: templates of several systems, what a cell says, every fault with its place, and no file that breaks it."""

from datetime import date
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kit.problems import every_problem
from app.rosters.cells import day, plain, several
from app.rosters.profile import LeftOut, load
from app.rosters.reading import Roster, read
from app.rosters.verdicts import COLUMNS, REFUSALS, VERDICTS, Verdict, explain
from tests.exchanges import books

PROFILES: Final = load()
STAFF: Final = frozenset({"home_address", "organisation", "birth_date", "id_number"})


def roster(content: str | bytes, profile: str = "generic", written: str = "csv") -> Roster:
    data = content.encode() if isinstance(content, str) else content
    return read(data, written, PROFILES[profile], collects=lambda name: name not in STAFF, region="CN")


def people(found: Roster) -> list[dict[str, Any]]:
    assert found.problems == []
    return [each.members() for each in found.people]


def faults(found: Roster) -> list[tuple[int, str | None, str]]:
    return [(each.line, each.column, each.code) for each in found.problems]


TEMPLATE: Final = (
    "姓名,帐号,手机号,邮箱,所在部门,职位,性别,地址\n张三,zhangsan,+86 13800000001,a@example.com,1;2,工程师,男,某路\n"
)
SAID: Final = {
    "name": "张三",
    "user_name": "zhangsan",
    "mobile": "+86 13800000001",
    "email": "a@example.com",
    "department": ["1", "2"],
    "title": "工程师",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("spelling", ["帐号", "账号"])
def test_the_wecom_template_in_every_spelling(encoding: str, spelling: str) -> None:
    found = roster(TEMPLATE.replace("帐号", spelling).encode(encoding), "wecom")
    assert people(found) == [SAID]
    assert found.left_out == [("性别", LeftOut.NOT_COLLECTED), ("地址", LeftOut.UNKNOWN)]


def test_a_workbook_says_the_same_and_words_to_readers_above_it_are_passed_over() -> None:
    rows = [["填写须知：请勿改动表头", ""], [], *(line.split(",") for line in TEMPLATE.splitlines())]
    assert people(roster(books.rows(rows), "wecom", "xlsx")) == [SAID]
    assert [each.line for each in roster(books.rows(rows), "wecom", "xlsx").people] == [4]


def test_an_older_template_with_wechat() -> None:
    text = "姓名,帐号,微信号,手机号,邮箱,所在部门,职位\n李四,lisi,wx_lisi,,,,\n"
    assert people(roster(text, "wecom")) == [{"name": "李四", "user_name": "lisi", "wechat": "wx_lisi"}]


@pytest.mark.parametrize(
    ("profile", "text", "said"),
    [
        (
            "dingtalk",
            "员工UserID,姓名,手机号,部门,职位,工号,员工类型,主管\nu1,王五,13800000002,公司-研发部-一组,主管,E2,劳务派遣,赵六\n",
            {
                "user_name": "u1",
                "name": "王五",
                "mobile": "13800000002",
                "department": ["公司-研发部-一组"],
                "title": "主管",
                "employee_no": "E2",
                "worker_kind": "outsourced",
            },
        ),
        (
            "feishu",
            "姓名,用户 ID,工号,部门,企业邮箱,邮箱,人员类型,性别\n王五,u1,E2,公司/研发部,a@example.com,b@example.com,实习,男\n",
            {
                "name": "王五",
                "user_name": "u1",
                "employee_no": "E2",
                "department": ["公司/研发部"],
                "email": "a@example.com",
                "personal_email": "b@example.com",
                "worker_kind": "intern",
            },
        ),
        (
            "beisen",
            "员工编号,姓名,组织编码,职务名称,员工状态,直线经理工号,合同到期日,证件号码\nE2,王五,RD,工程师,试用,E1,2027/3/1,无\n",
            {
                "employee_no": "E2",
                "name": "王五",
                "department": ["RD"],
                "title": "工程师",
                "state": "in_service",
                "manager": "E1",
                "contract_until": "2027-03-01",
            },
        ),
    ],
    ids=["dingtalk", "feishu", "beisen"],
)
def test_what_other_systems_export(profile: str, text: str, said: dict[str, Any]) -> None:
    assert people(roster(text, profile)) == [said]


def test_every_fault_of_a_row_is_told_with_its_column_and_never_its_value() -> None:
    text = (
        "工号,姓名,手机,邮箱,用工形式,合同到期,标签,出生日期\n"
        "E1,张三,123,none,长工,昨天,a,1990-01-01\n"
        "E 2,,,,,,,\n"
        "E3,=1+1,,,,,,\n"
        ",李四,,,,,,\n"
        "E5,<清空>,,,,,<清空>,\n"
        "E6," + "长" * 101 + ",,,,,,\n"
        "E7,王五,<clear>,,,45000,甲;乙；甲;丙,\n"
        "E8,王\u200b五,,,,,,\n"
    )
    found = roster(text)
    assert sorted(faults(found)) == sorted(
        [
            (2, "手机", "malformed_phone"),
            (2, "邮箱", "malformed_email"),
            (2, "用工形式", "unknown_value"),
            (2, "合同到期", "malformed_date"),
            (3, "工号", "malformed_employee_no"),
            (4, "姓名", "formula"),
            (5, None, "no_key"),
            (6, "姓名", "not_removable"),
            (7, "姓名", "too_long"),
            (9, "姓名", "invalid_text"),
        ]
    )
    assert found.left_out == [("出生日期", LeftOut.NOT_COLLECTED)]
    (kept,) = found.people
    assert kept.members() == {
        "employee_no": "E7",
        "name": "王五",
        "mobile": None,
        "contract_until": "2023-03-15",
        "tags": ["甲", "乙", "丙"],
    }


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "no_header"),
        ("姓名,手机\n张三,13800000001\n", "no_key_column"),
        ("工号,工号\nE1,E1\n", "twice_the_column"),
        (b"\xff\xff\xff", "not_text"),
        ("工号\n" + '"' * 3, "malformed_row"),
    ],
    ids=["nothing", "no key", "twice", "no text", "quotes"],
)
def test_what_is_no_sheet_of_people(content: str | bytes, code: str) -> None:
    found = roster(content)
    assert ([each.code for each in found.problems], found.people) == ([code], [])


def test_nobody_is_taken_from_a_workbook_that_breaks_off() -> None:
    cells = '<row><c t="str"><v>工号</v></c></row><row><c t="str"><v>E1</v></c></row>'
    found = roster(books.book(cells + "<row/>" * 20_000 + "</row>"), written="xlsx")
    assert ([each.code for each in found.problems], found.people) == (["no_workbook"], [])


def test_rows_that_name_one_long_text_say_no_more_than_a_file_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.rosters.reading.MOST_SAID", 4_500)
    texts = "<si><t>工号</t></si><si><t>职责</t></si><si><t>" + "x" * 400 + "</t></si>"
    head = '<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>'
    rows = "".join(f'<row><c t="str"><v>E{at}</v></c><c t="s"><v>2</v></c></row>' for at in range(50))
    found = roster(books.book(head + rows, texts), written="xlsx")
    assert (len(found.people), faults(found)) == (10, [(12, None, "too_large")])


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (" 张三 ", "张三"),
        ('="007"', "007"),
        ("'=1+1", "=1+1"),
        ("''t", "'t"),
        ("+86 138", "+86 138"),
        ("-", "-"),
        ("=1", None),
        (" =cmd|' /C calc'!A0", None),
    ],
)
def test_what_a_cell_says(cell: str, said: str | None) -> None:
    assert plain(cell) == said


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-03-01", date(2026, 3, 1)),
        ("2026/3/1", date(2026, 3, 1)),
        ("2026年3月1日", date(2026, 3, 1)),
        ("2026.3.1", date(2026, 3, 1)),
        ("2026-03-01 00:00:00", date(2026, 3, 1)),
        ("45000", date(2023, 3, 15)),
        ("2026-02-30", None),
        ("3/1/2026", None),
        ("长期", None),
    ],
)
def test_days_as_people_and_sheets_write_them(text: str, found: date | None) -> None:
    assert day(text) == found


def test_several_things_in_a_cell_each_once() -> None:
    assert list(several(" a;b；a; ", ";；")) == ["a", "b"]


words = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["工号", "姓名", "E1", "+86 13800000001", "=1", "<clear>", "RD;SALES", '"', "\n", ",", "离职"]),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(words, max_size=5), max_size=6), st.sampled_from(sorted(PROFILES)), st.booleans())
def test_no_sheet_breaks_the_reader(rows: list[list[str]], profile: str, headed: bool) -> None:  # noqa: FBT001 — drawn
    told = [["工号", "姓名", "手机", "部门"], *rows] if headed else rows
    found = roster("\n".join(",".join(each) for each in told).encode("utf-8", "surrogatepass"), profile)
    assert all(each.employee_no or each.user_name for each in found.people)
    assert all(explain(each.code) != VERDICTS[Verdict.REFUSED] for each in found.problems)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=200), st.sampled_from(["csv", "xlsx"]))
def test_no_bytes_break_the_reader(content: bytes, written: str) -> None:
    assert roster(content, "wecom", written).people == []


def test_every_code_is_explained_in_both_languages() -> None:
    assert set(VERDICTS) == set(Verdict)
    assert set(COLUMNS) == set(LeftOut)
    told = [*VERDICTS.values(), *COLUMNS.values(), *REFUSALS.values()]
    assert all(english.endswith(".") and chinese.endswith("。") for english, chinese in told)
    titles = {each.code: each.title_zh for each in every_problem()}
    assert all(len(code) <= 32 for code in {*REFUSALS, *(each.value for each in Verdict)})
    assert titles["unknown_department"] + "。" == REFUSALS["unknown_department"][1]
