"""What is written for an exchange is read back as it was, whatever somebody is called, and never as anything else."""

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Final
from unicodedata import category
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.exchanges import asterisk, asterisk_writing, freeswitch, freeswitch_writing, sheet_writing, sheets
from app.exchanges.line import HolderKind, HolderReference, Kind, Line, Plan
from app.exchanges.telling import Told, plain, word

HOSTILE: Final = (
    '"; rm -rf',
    "\\",
    '\\"',
    '\\\\"\\',
    "a\\;b;c",
    ";-- x --;",
    "#include x",
    "[7](!)",
    "张三]\n[999]\ntype=endpoint",
    "x\r\nset_var=toll_allow=international",
    "<7>",
    '" <110>',
    "${SHELL(id)}",
    "$${password}",
    '"/><user id="999"/>',
    "]]>&lt;&#0;<!--",
    "&amp;",
    "=1+1",
    "@SUM(A1)",
    "'=1",
    "＝1",  # noqa: RUF001 — a wide sign
    ' ="7"',
    "-",
    '","',
    "\u202e\ufeff\u2028\x00\x85",
    "\ufffe\uffff\U0001fffe",
    "\u3000 a \u00a0",
    "7100",
    "x" * 500,
    "",
)
texts = st.one_of(
    st.sampled_from(HOSTILE), st.text(max_size=30), st.lists(st.sampled_from(HOSTILE), max_size=3).map("".join)
)
lines = st.builds(
    Told,
    digits=st.from_regex(r"[0-9]{2,15}", fullmatch=True),
    extension=st.booleans(),
    name=texts,
    employee_no=texts,
    user_name=texts,
    room=texts,
    department=texts,
    privileges=st.lists(st.sampled_from(["conference", "international", "long_distance"]), unique=True).map(tuple),
)


def expected(told: Told, kind: Kind) -> tuple[object, ...]:
    line = plain(told)
    words = (
        (HolderKind.EMPLOYEE_NO, line.employee_no),
        (HolderKind.USER_NAME, line.user_name),
        (HolderKind.ROOM, line.room),
    )
    holder = next((HolderReference(which, text) for which, text in words if text), None)
    return line.digits, kind, line.name or None, holder, line.privileges, line.department or None


def said(plan: Plan) -> list[tuple[object, ...]]:
    assert plan.problems == ()
    return [_of(each) for each in plan.lines]


def _of(line: Line) -> tuple[object, ...]:
    return line.digits, line.kind, line.name, line.holder, line.privileges, line.department


def asterisk_file(told: Sequence[Told]) -> str:
    return asterisk_writing.HEAD + "".join(asterisk_writing.sections(told)) + asterisk_writing.TAIL


def freeswitch_file(told: Sequence[Told]) -> str:
    return freeswitch_writing.HEAD + "".join(freeswitch_writing.users(told)) + freeswitch_writing.TAIL


def sheet(told: Sequence[Told]) -> str:
    return sheet_writing.HEAD + "".join(sheet_writing.rows(told)) + sheet_writing.TAIL


@settings(deadline=None, max_examples=40)
@given(st.lists(lines, max_size=2, unique_by=lambda each: each.digits))
def test_asterisk_is_told_what_is_so(told: list[Told]) -> None:
    text = asterisk_file(told)
    assert said(asterisk.read(text)) == [expected(each, Kind.EXTENSION) for each in told]
    assert sum(each.startswith("[") for each in text.split("\n")) == len(told) + 1
    assert {each.partition("=")[0] for each in text.split("\n") if each and each[0] not in "[;"} <= {
        "type",
        "callerid",
        "context",
        "set_var",
    }


@settings(deadline=None, max_examples=40)
@given(st.lists(lines, max_size=2, unique_by=lambda each: each.digits))
def test_freeswitch_is_told_what_is_so(told: list[Told]) -> None:
    text = freeswitch_file(told)
    assert said(freeswitch.read(text)) == [expected(each, Kind.EXTENSION) for each in told]
    root = ET.fromstring(text)  # noqa: S314 — our own writing
    assert [each.get("id") for each in root] == [each.digits for each in told]
    assert {each.tag for each in root.iter()} <= {"include", "user", "variables", "variable"}
    assert "$" not in text


@settings(deadline=None, max_examples=40)
@given(st.lists(lines, max_size=2, unique_by=lambda each: each.digits))
def test_a_sheet_is_told_what_is_so_and_has_no_formula(told: list[Told]) -> None:
    text = sheet(told)
    kinds = [Kind.EXTENSION if each.extension else Kind.NUMBER for each in told]
    assert said(sheets.read_csv(text.encode())) == [expected(*each) for each in zip(told, kinds, strict=True)]
    for row in csv.reader(StringIO(text.removeprefix("\ufeff"))):
        assert len(row) == len(sheet_writing.COLUMNS)
        assert not any(each.lstrip()[:1] in "=+-@\t\r＝＋－＠" for each in row if each.strip())  # noqa: RUF001 — wide signs


@given(texts)
@example("  a \n b$ ")
def test_a_word_is_what_people_see(text: str) -> None:
    told = word(text)
    assert word(told) == told == told.strip()
    assert "$" not in told
    assert not any(category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for each in told)


@pytest.mark.parametrize(
    ("privileges", "context"),
    [
        ((), "duanhao-internal"),
        (("international",), "duanhao-international"),
        (("long_distance", "international"), "duanhao-international-long_distance"),
    ],
)
def test_a_context_is_a_set_of_privileges(privileges: tuple[str, ...], context: str) -> None:
    told = Told(digits="7100", privileges=privileges)
    assert f"\ncontext={context}\n" in asterisk_file([told])
    assert f'<variable name="user_context" value="{context}"/>' in freeswitch_file([told])


def test_an_endpoint_as_an_exchange_sees_it() -> None:
    told = Told(digits="61234", name='王"五;', employee_no="E1", department="RD", privileges=("international",))
    assert asterisk_file([told]).endswith(
        '\n[61234](duanhao-line)\ncallerid="王\\"五\\;" <61234>\ncontext=duanhao-international\n'
        "set_var=employee_no=E1\nset_var=department=RD\nset_var=toll_allow=international\n"
    )
