"""Profiles that ship mean what they say; one that is not wholly understood is refused; one of the operator's own extends what ships."""

from pathlib import Path
from typing import Final

import pytest

from app.rosters.profile import BadProfileError, LeftOut, load, parse, shipped

LEAST: Final = """
profile: ours
zh: 本公司
en: Ours
labels: false
matches: [employee_no]
columns: {employee_no: [工号]}
"""


@pytest.mark.parametrize(
    ("profile", "headings"),
    [
        (
            "wecom",
            {
                "姓名": "name",
                "帐号": "user_name",
                "账号": "user_name",
                "微信号": "wechat",
                "手机号": "mobile",
                "邮箱": "email",
                "所在部门": "department",
                "职位": "title",
                "性别": LeftOut.NOT_COLLECTED,
                "地址": None,
                "直属上级": LeftOut.BY_NAME_ALONE,
            },
        ),
        (
            "dingtalk",
            {
                "员工UserID": "user_name",
                "工号": "employee_no",
                "部门": "department",
                "职位": "title",
                "主管": LeftOut.BY_NAME_ALONE,
            },
        ),
        (
            "feishu",
            {
                "用户 ID": "user_name",
                "Employee ID": "employee_no",
                "企业邮箱": "email",
                "邮箱": "personal_email",
                "人员类型": "worker_kind",
            },
        ),
        (
            "beisen",
            {
                "员工编号": "employee_no",
                "组织编码": "department",
                "直线经理工号": "manager",
                "员工状态": "state",
                "直线经理": LeftOut.BY_NAME_ALONE,
            },
        ),
        (
            "generic",
            {
                "Employee number": "employee_no",
                "*手机号": "mobile",
                "用工形式": "worker_kind",
                "短号": LeftOut.KEPT_BY_SERVICE,
                "secrecy": LeftOut.NOT_IMPORTED,
                "状态": LeftOut.KEPT_BY_SERVICE,
            },
        ),
    ],
    ids=["wecom", "dingtalk", "feishu", "beisen", "generic"],
)
def test_headings_mean_what_the_systems_mean(profile: str, headings: dict[str, str | None]) -> None:
    meanings = load()[profile]
    assert {word: meanings.heading(word) for word in headings} == headings


def test_words_of_values_are_each_systems_own() -> None:
    profiles = load()
    assert profiles["dingtalk"].value("worker_kind", "劳务派遣") == "outsourced"
    assert profiles["beisen"].value("state", "待入职") == "not_yet"
    assert profiles["feishu"].value("worker_kind", "Intern") == "intern"
    assert profiles["generic"].value("worker_kind", "part_time") == "part_time"
    assert profiles["generic"].value("worker_kind", "长工") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a", "mapping"),
        ("a: [", "while parsing"),
        (LEAST + "more: 1", "more"),
        (LEAST.replace("employee_no: [工号]", "employee_no: [工号], secrecy: [密级]"), "secrecy: not known"),
        (LEAST.replace("employee_no: [工号]", "employee_no: [工号], name: [' 工 号 ']"), "means employee_no and name"),
        (LEAST + "left_out: {not_collected: [工号]}", "means employee_no and left_out.not_collected"),
        (LEAST + "left_out: {because: [性别]}", "because"),
        (LEAST + "values: {worker_kind: {slave: [工]}}", "slave: not known"),
        (LEAST + "values: {title: {a: [b]}}", "title: not known"),
        (LEAST + "values: {worker_kind: {regular: [工], intern: [工]}}", "means regular and intern"),
        (LEAST.replace("[employee_no]", "[name]"), "matches"),
        (LEAST.replace("[employee_no]", "[]"), "matches"),
        (LEAST.replace("[employee_no]", "[employee_no, employee_no]"), "named twice"),
        (LEAST + "extends: nobody", "nobody: not known"),
        (LEAST + "columns: {}", "duplicate"),
        (LEAST.replace("profile: ours", "profile: Ours"), "profile"),
        ("x" * 300_000, "too long"),
    ],
    ids=[f"case{at}" for at in range(17)],
)
def test_what_is_not_wholly_understood_is_refused(text: str, says: str) -> None:
    with pytest.raises(BadProfileError, match=says):
        parse(text)


def test_an_operator_extends_what_ships(tmp_path: Path) -> None:
    own = "profile: wecom-ours\nextends: wecom\nzh: 本公司\nen: Our WeCom\n"
    (tmp_path / "ours.yaml").write_text(
        own + 'departments: {table: {"2": RD}}\ncolumns: {location: [地址]}\n', encoding="utf-8"
    )
    meanings = load(tmp_path)["wecom-ours"]
    assert (meanings.heading("地址"), meanings.heading("帐号")) == ("location", "user_name")
    assert meanings.profile.departments.table == {"2": "RD"}
    assert meanings.profile.departments.company_first
    (tmp_path / "again.yaml").write_text(own.replace("wecom-ours", "wecom"), encoding="utf-8")
    with pytest.raises(BadProfileError, match=r"again\.yaml: wecom: there is a profile"):
        load(tmp_path)


def test_every_profile_that_ships_is_named_as_its_file() -> None:
    assert sorted(shipped()) == ["beisen", "dingtalk", "feishu", "generic", "wecom"]
