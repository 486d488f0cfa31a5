"""What each reader understands, and that none of them raises or grows on what nobody should write."""

import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.exchanges import asterisk, freeswitch, line, sheets, workbook
from app.exchanges.headings import HEADINGS, column_of
from app.exchanges.line import FAULTS, Fault, HolderKind, HolderReference, Kind, Line, Plan
from app.exchanges.workbook import whole
from tests.exchanges.books import archive, book, rows

PJSIP = """\ufeff; the house
#include "more.conf"
[base](!)
type = endpoint
set_var=toll_allow=local,LONG
;-- all of this ;-- and this --; is out
[60000]
type=endpoint
--; [still-out]
[61234](base)
callerid="张三" <61234> ; seen by all
set_var=employee_no=E1
[61234]
type=aor
callerid = <1>
[zhang.san](base)
callerid=Zhang \\; San <61235>
set_var => toll_allow=
[trunk](base,nowhere)
callerid="outside"
[61234](+)
set_var = room = 3-101
set_var=anything=else
"""


def told(plan: Plan) -> list[tuple[int, str | None, str]]:
    return [(each.line, each.column, each.code.value) for each in plan.problems]


def test_asterisk() -> None:
    plan = asterisk.read(PJSIP)
    one, two = plan.lines
    assert one == Line(
        digits="61234",
        kind=Kind.EXTENSION,
        name="张三",
        holder=HolderReference(HolderKind.EMPLOYEE_NO, "E1"),
        privileges=("local", "long"),
        source_line=10,
    )
    assert (two.digits, two.name, two.holder, two.privileges) == (
        "61235",
        "Zhang ; San",
        HolderReference(HolderKind.USER_NAME, "zhang.san"),
        (),
    )
    assert told(plan) == [(2, None, "include"), (19, "nowhere", "unknown_template"), (19, "trunk", "no_number")]
    assert asterisk.read(PJSIP.encode("gb18030")) == asterisk.read(PJSIP.encode())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("type=endpoint", (1, None, "malformed_line")),
        ("[6", (1, None, "malformed_section")),
        ("[6](a", (1, None, "malformed_section")),
        ("[]", (1, None, "malformed_section")),
        ("[6](+)", (1, "6", "unknown_template")),
        ("[6]\nthis", (2, None, "malformed_line")),
        ("#exec /bin/true", (1, None, "include")),
        ("#tryinclude x", (1, None, "include")),
        (";--", (1, None, "unclosed_comment")),
        ("[" + "6" * 9000, (1, None, "line_too_long")),
        ("[" + "6" * 16 + "]\ntype=endpoint\ncallerid=+86 1", (1, "6" * 16, "no_number")),
        ("[a]\ntype=endpoint\ncallerid=x <+8610>", (1, "callerid", "malformed_number")),
        ("[6]\ntype=endpoint\ncallerid=" + "x" * 200, (1, "callerid", "malformed_value")),
        ("[6]\ntype=endpoint\nset_var=room=a\u202eb", (1, "room", "malformed_value")),
    ],
    ids=[f"case{at}" for at in range(14)],
)
def test_faults_of_asterisk(text: str, problem: tuple[int, str | None, str]) -> None:
    assert told(asterisk.read(text)) == [problem]


def test_a_broken_heading_takes_its_settings_with_it() -> None:
    """What follows a heading that cannot be read belongs to nobody, least of all to the section before."""
    plan = asterisk.read("[6]\ntype=endpoint\n[7\ncallerid=x <7>\nset_var=employee_no=E7\n")
    assert [(each.digits, each.name, each.holder) for each in plan.lines] == [("6", None, None)]


DIRECTORY = """<include><domain name="a"><variables><variable name="toll_allow" value="domestic,international"/></variables>
<X-PRE-PROCESS cmd="include" data="default/*.xml"/><!--#set "a=b"--><groups><group name="g"><users>
<user id="1000" number-alias="61234"><params><param name="password" value="s"/></params>
 <variables><variable name="effective_caller_id_name" value="李雷"/><variable name="employee_no" value="E2"/></variables></user>
<user id="han.mei" number-alias="1001"><variables><variable name="toll_allow" value=""/></variables></user>
<user id="lin" ><variables><variable name="effective_caller_id_number" value="1002"/></variables></user>
<user id="1000" type="pointer"/><user id="$${default}"/><user id="nobody"/><user id="1003" number-alias="+86"/>
</users></group></groups></domain></include>"""


def test_freeswitch() -> None:
    plan = freeswitch.read(DIRECTORY)
    assert [(each.digits, each.kind, each.holder and each.holder.value, each.source_line) for each in plan.lines] == [
        ("1000", Kind.EXTENSION, "E2", 3),
        ("61234", Kind.NUMBER, "E2", 3),
        ("1001", Kind.EXTENSION, "han.mei", 5),
        ("1002", Kind.EXTENSION, "lin", 6),
        ("1003", Kind.EXTENSION, None, 7),
    ]
    assert [each.privileges for each in plan.lines][1:3] == [("domestic", "international"), ()]
    assert plan.lines[0].name == "李雷"
    assert told(plan) == [
        (2, "include", "preprocessor"),
        (2, None, "preprocessor"),
        (7, "id", "unresolved_variable"),
        (7, "id", "no_number"),
        (7, "number-alias", "malformed_number"),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', (1, None, "document_type")),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', (1, None, "document_type")),
        ("<a>&x;</a>", (1, None, "malformed_xml")),
        ("<a>\n<b>", (2, None, "malformed_xml")),
        ("<a>" * 40 + "</a>" * 40, (1, None, "malformed_xml")),
        ("", (1, None, "malformed_xml")),
        ("<user id='1' number-alias='" + "1" * 200 + "'/>", (1, "number-alias", "malformed_value")),
        ("\ud800", (1, None, "not_text")),
    ],
    ids=[f"case{at}" for at in range(8)],
)
def test_faults_of_freeswitch(text: str, problem: tuple[int, str | None, str]) -> None:
    assert told(freeswitch.read(text)) == [problem]


TABLE = [
    ["姓名", "短号", "Extension No", "工号", "权限"],
    ["张三", "\uff16\uff11\uff12\uff13\uff14", "01234", "E1", "长途、国际"],
    ["", "", "", "", ""],
    ["李雷", "61235", "", "", ""],
]


@pytest.mark.parametrize(
    "content",
    [
        *(
            "\n".join(mark.join(row) for row in TABLE).encode(encoding)
            for mark, encoding in ((",", "utf-8"), (";", "gb18030"), ("\t", "utf-8-sig"))
        ),
        "\r\n".join('"' + '","'.join(row) + '"' for row in TABLE).encode(),
        "\r".join(",".join(row) for row in TABLE).encode(),
        rows(TABLE),
    ],
    ids=["comma", "semicolon", "tab", "quoted", "old mac", "workbook"],
)
def test_a_sheet_says_the_same_however_it_is_written(content: bytes) -> None:
    plan = sheets.read(content)
    assert plan.problems == ()
    assert [
        (each.digits, each.kind, each.name, each.holder, each.privileges, each.source_line) for each in plan.lines
    ] == [
        ("61234", Kind.NUMBER, "张三", HolderReference(HolderKind.EMPLOYEE_NO, "E1"), ("长途", "国际"), 2),
        ("01234", Kind.EXTENSION, "张三", HolderReference(HolderKind.EMPLOYEE_NO, "E1"), ("长途", "国际"), 2),
        ("61235", Kind.NUMBER, "李雷", None, (), 4),
    ]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", [(1, None, "no_header")]),
        ("\n \n", [(1, None, "no_header")]),
        ("姓名\n张三", [(1, None, "no_number_column")]),
        ("短号,号码\n1,2", [(1, "号码", "twice_the_column")]),
        (
            "短号,姓名\n=1+1,x\n61234,=cmd()\n,x\n",
            [(2, "短号", "formula"), (3, "姓名", "formula"), (4, None, "no_number")],
        ),
        (
            "短号\n+8610\n6a\n" + "6" * 16,
            [(2, "短号", "formula"), (3, "短号", "malformed_number"), (4, "短号", "malformed_number")],
        ),
        ("短号,姓名\n1," + "x" * 101, [(2, "姓名", "malformed_value")]),
        ("短号,姓名\n1," + "x" * 9000 + "\n2,b", [(2, None, "line_too_long")]),
        ('短号,姓名\n1,"a"b\n2,b\n3,"', [(2, None, "malformed_row"), (4, None, "malformed_row")]),
        ("短号\n" + "," * 80 + "x", [(2, None, "too_many_columns")]),
    ],
    ids=[f"case{at}" for at in range(10)],
)
def test_faults_of_sheets(text: str, problems: list[tuple[int, str | None, str]]) -> None:
    assert told(sheets.read(text)) == problems


def test_a_sheet_keeps_zeros_that_people_have_kept() -> None:
    assert [each.digits for each in sheets.read('短号\n"=""007"""\n\'008\n009').lines] == ["007", "008", "009"]


def test_a_workbook() -> None:
    """Numbers, shared and rich texts, rows out of the common, cells left out; formulas are no values; hidden sheets are passed over."""
    texts = "<si><t>短号</t></si><si><r><t>姓</t></r><r><t>名</t></r><rPh><t>xing</t></rPh></si>"
    cells = (
        '<row r="3"><c r="A3" t="s"><v>0</v></c><c r="C3" t="s"><v>1</v></c></row>'
        '<row r="5"><c r="A5"><v>6.1234E4</v></c><c r="C5" t="inlineStr"><is><t>张三</t></is></c></row>'
        '<row r="6"><c r="A6"><f>1+1</f><v>2</v></c></row><row><c><v>61235.0</v></c></row><row><c t="s"><v>99</v></c></row>'
        '<row><c><v>1</v></c><c r="BZ9" t="inlineStr"><is><t>x</t></is></c></row>'
    )
    plan = sheets.read(book(cells, texts, hidden=True))
    assert [(each.digits, each.name, each.source_line) for each in plan.lines] == [
        ("61234", "张三", 5),
        ("61235", None, 7),
    ]
    assert told(plan) == [(6, "A", "formula"), (9, None, "too_many_columns")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"PK\x03\x04", "no_workbook"),
        (book("")[:-4], "no_workbook"),
        (archive({"word/document.xml": "<a/>"}), "no_workbook"),
        (book("<row>"), "no_workbook"),
        (book("").replace(b"PK\x05\x06", b"PK\x06\x07"), "no_workbook"),
        (
            archive({"xl/workbook.xml": '<!DOCTYPE a [<!ENTITY x "y">]><a/>', "xl/_rels/workbook.xml.rels": "<a/>"}),
            "document_type",
        ),
        (archive({"xl/workbook.xml": " " * 140_000_000, "xl/_rels/workbook.xml.rels": "<a/>"}), "too_large"),
        (book('<row><c r="A1" t="str"><v>短号</v></c></row><row a="' + "x" * 2_000_000 + '"/>'), "too_large"),
    ],
    ids=["magic", "cut", "document", "xml", "endless", "entities", "bomb", "tag"],
)
def test_what_is_no_workbook(content: bytes, code: str) -> None:
    assert told(sheets.read(content)) == [(1, None, code)]


def test_of_a_sheet_no_more_is_held_than_a_piece() -> None:
    """Rows of sixty-four cells, each written in thirty bytes that pack to a tenth of one."""
    content = book('<row><c r="BL1"><v>1</v></c></row>' * 10_000)
    tracemalloc.start()
    try:
        taken = sum(1 for _ in workbook.rows(content, line.Gathering()))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken == 10_000
    assert most < 3_000_000


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        ("61234", "61234"),
        ("0.5", "0.5"),
        ("1E3", "1000"),
        ("1E999999999", "1E999999999"),
        ("NaN", "NaN"),
        ("x", "x"),
        ("", ""),
    ],
)
def test_numbers_of_cells(told: str, seen: str) -> None:
    assert whole(told) == seen


def test_every_spelling_is_known_and_means_one_column() -> None:
    for column, words in HEADINGS.items():
        for word in words:
            assert {column_of(word), column_of(f" *{word.upper()} "), column_of(word.replace(" ", "_"))} == {column}


def test_every_fault_is_explained() -> None:
    assert set(FAULTS) == set(Fault)
    assert all(english.endswith(".") and chinese.endswith("。") for english, chinese in FAULTS.values())


@pytest.mark.parametrize(
    "read", [asterisk.read, freeswitch.read, sheets.read], ids=["asterisk", "freeswitch", "sheets"]
)
def test_what_is_neither_text_nor_small_is_refused(
    read: Callable[[bytes], Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(read(b"\xff\xff\xff")) == [(1, None, "not_text")]
    monkeypatch.setattr(line, "MOST_BYTES", 10)
    assert told(read(b"x" * 11)) == [(1, None, "too_large")]


def test_reading_ends_at_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "MOST_LINES", 2)
    monkeypatch.setattr(line, "MOST_PROBLEMS", 2)
    plan = sheets.read("短号\n1\n2\n3\n4\n")
    assert ([each.digits for each in plan.lines], told(plan)) == (["1", "2"], [(4, None, "too_many_lines")])
    plan = asterisk.read("[1\n" * 5)
    assert told(plan) == [
        (1, None, "malformed_section"),
        (2, None, "malformed_section"),
        (3, None, "too_many_problems"),
    ]
    plan = freeswitch.read("<a>" + "<user/>" * 5 + "</b>")
    assert [each.code for each in plan.problems] == [Fault.NO_NUMBER, Fault.NO_NUMBER, Fault.TOO_MANY_PROBLEMS]


PIECES = st.lists(
    st.sampled_from(
        [
            *'[]();"=<>+!#,\n\t\\',
            ";--",
            "--;",
            "[6](base)",
            "type=endpoint\n",
            "callerid=",
            "set_var=room=",
            "<user id='1'",
            "/>",
            "<variable name='room'",
            "<a>",
            "</a>",
            "&x;",
            "<!DOCTYPE",
            "短号",
            "61234",
            "工号",
        ]
    )
    | st.text(max_size=4),
    max_size=15,
).map("".join)


@settings(max_examples=60)
@given(PIECES | st.binary(max_size=60))
def test_no_reader_raises(content: str | bytes) -> None:
    for read in (asterisk.read, freeswitch.read, sheets.read):
        plan = read(content)
        for each in plan.lines:
            assert line.is_number(each.digits)
            assert each.source_line >= 1
        assert all(each.line >= 1 for each in plan.problems)


@given(st.binary(max_size=300), st.integers(0, 10_000))
def test_no_workbook_raises(noise: bytes, at: int) -> None:
    whole_book = rows(TABLE)
    place = at % len(whole_book)
    sheets.read_xlsx(whole_book[:place] + noise + whole_book[place + len(noise) :])
    sheets.read_xlsx(b"PK\x03\x04" + noise)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 10**15 - 1).map(str), st.text("张三 ab-.'\"\\;<>,", max_size=20)), max_size=8))
def test_what_a_sheet_holds_is_read_back(people: list[tuple[str, str]]) -> None:
    """Whatever the name is made of, the row is read whole or left out whole, and a number never goes to another name."""
    text = "号码,姓名\n" + "".join(f'{digits},"{name.replace(chr(34), chr(34) * 2)}"\n' for digits, name in people)
    read = {each.source_line: (each.digits, each.name) for each in sheets.read(text).lines}
    for at, (digits, name) in enumerate(people, start=2):
        seen = name.strip().removeprefix("'").strip() if name.strip().startswith("'") else name.strip()
        assert read.get(at) in {None, (digits, seen or None)}
        assert (at in read) or name.strip()[:1] == "-"
