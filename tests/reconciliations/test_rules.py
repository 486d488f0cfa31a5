"""The rules of reconciliations without a store: the fuse at its edges, who comes before whom, and files read in any pieces."""

import csv
import io
import json
from itertools import chain
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.hr.fuse import FuseExtent, FuseReason, Limits, Tally, judged, worst
from app.reconciliations.kinds import CHANGES_AFTER, DiffKind, Digest, Row, waves
from app.reconciliations.people import Fault, Person, changes, number_of, read, still
from app.reconciliations.reading import Entry, FileUnreadable, NotUtf8, reader_of

LIMITS = Limits()
TABLE = [
    (0, 0, False, FuseReason.NOBODY),
    (0, 1000, False, FuseReason.NOBODY),
    (1, 0, True, FuseReason.NEARLY_ALL),
    (1, 1, True, FuseReason.NEARLY_ALL),
    (4, 5, False, FuseReason.SOUND),
    (5, 6, True, FuseReason.NEARLY_ALL),
    (8, 10, False, FuseReason.SOUND),
    (9, 11, True, FuseReason.NEARLY_ALL),
    (40, 50, False, FuseReason.SOUND),
    (41, 50, True, FuseReason.NEARLY_ALL),
    (50, 62, True, FuseReason.NEARLY_ALL),
    (50, 63, False, FuseReason.SOUND),
    (50, 100, False, FuseReason.SOUND),
    (51, 255, False, FuseReason.SOUND),
    (51, 254, True, FuseReason.MANY),
    (51, 60, True, FuseReason.MANY),
    (100, 500, False, FuseReason.SOUND),
    (101, 500, True, FuseReason.MANY),
    (20_000, 100_000, False, FuseReason.SOUND),
    (20_001, 100_000, True, FuseReason.MANY),
]


@pytest.mark.parametrize(("leavers", "people", "blown", "reason"), TABLE)
def test_the_fuse_at_its_edges(leavers: int, people: int, blown: bool, reason: FuseReason) -> None:  # noqa: FBT001 — a table
    verdict = judged(Tally(FuseExtent.ALONE, leavers, people), LIMITS)
    assert (verdict.blown, verdict.reason) == (blown, reason)


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 400))
def test_more_leavers_of_the_same_people_never_close_it_on_one_side_of_the_edge(
    few: int, more: int, people: int
) -> None:
    few, more = sorted((few, more))
    if (few > LIMITS.people) == (more > LIMITS.people) and judged(Tally(FuseExtent.ALONE, few, people), LIMITS).blown:
        assert judged(Tally(FuseExtent.ALONE, more, people), LIMITS).blown


def test_the_first_that_has_blown_is_told() -> None:
    tallies = [Tally(FuseExtent.ALONE, 2, 10), Tally(FuseExtent.DAY_IN_SCOPE, 9, 10), Tally(FuseExtent.DAY, 60, 100)]
    assert worst(tallies, LIMITS).tally.extent is FuseExtent.DAY_IN_SCOPE
    assert worst(tallies[:1], LIMITS).tally.extent is FuseExtent.ALONE


@given(st.dictionaries(st.integers(0, 12), st.frozensets(st.integers(0, 12), max_size=3), max_size=13))
def test_who_is_named_is_there_before(named: dict[int, frozenset[int]]) -> None:
    told = {str(who): frozenset(map(str, names)) for who, names in named.items()}
    found = waves(told)
    assert found.keys() == told.keys()
    for who, names in told.items():
        for one in names & told.keys() - {who}:
            assert found[one] < found[who] or found[who] == CHANGES_AFTER - 1


def test_a_digest_holds_every_row_in_its_place() -> None:
    def row(at: int) -> Row:
        return Row(
            number=at,
            kind=DiffKind.CHANGED,
            line=1,
            employee_no=f"E{at}",
            contact_id=None,
            department_id=None,
            version=None,
            members=("title",),
            column=None,
            code=None,
            box=b"x",
        )

    one, two = row(0), row(1)

    def digest(identity: int, *rows: Row) -> bytes:
        found = Digest(UUID(int=identity))
        found.take(rows)
        return found.value()

    assert len({digest(1, one, two), digest(1, two, one), digest(1, one), digest(2, one, two), digest(1)}) == 5


def entries(form: str, content: bytes, sizes: list[int], encoding: str = "utf-8") -> list[Entry]:
    reader, found, at = reader_of(form, encoding), list[Entry](), 0
    for size in sizes:
        found += reader.take(content[at : at + size])
        at += size
    return [*found, *reader.take(content[at:]), *chain.from_iterable(reader.finish())]


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)


@settings(max_examples=60)
@given(st.lists(st.dictionaries(st.sampled_from(["name", "title", "email"]), CELLS), max_size=6), st.data())
def test_json_lines_in_any_pieces(people: list[dict[str, str]], data: st.DataObject) -> None:
    content = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in people).encode()
    sizes = data.draw(st.lists(st.integers(0, 20), max_size=20))
    assert [each.said for each in entries("jsonl", content, sizes)] == people


@settings(max_examples=60)
@given(st.lists(st.tuples(CELLS, CELLS), max_size=6), st.data())
def test_sheets_in_any_pieces(rows: list[tuple[str, str]], data: st.DataObject) -> None:
    held = io.StringIO()
    csv.writer(held, lineterminator="\n").writerows([("工号", "姓名"), *rows])
    content, sizes = held.getvalue().encode(), data.draw(st.lists(st.integers(0, 20), max_size=20))
    assert entries("csv", content, sizes) == entries("csv", content, [])


BROKEN = [
    ("jsonl", b'{"employee_no": "E1"}\nnope\n[]\n', ["E1", "malformed_json", "malformed_json"]),
    ("jsonl", b"\xef\xbb\xbf" + b'{"employee_no": "E1"}', ["E1"]),
    ("jsonl", b'{"x": "' + b"a" * 40_000 + b'"}\n{"employee_no": "E2"}\n', ["line_too_long", "E2"]),
    ("csv", "工号;姓名\nE1;张\n=1+1;李\n".encode(), ["E1", "formula"]),
    ("csv", "工号,手机\nE1,+86 138 0000 0001\nE2,=cmd\n".encode(), ["E1", "formula"]),
    ("csv", '工号,姓名\n\'007,张\nE1,"a\nb"\n"E2,c\n'.encode(), ["007", "E1", "line_too_long"]),
    ("csv", '工号,姓名\nE1,"a'.encode() + b"\n" * 33_000 + b"E2,b\n", ["line_too_long", "E2"]),
]


@pytest.mark.parametrize(("form", "content", "expected"), BROKEN)
def test_what_cannot_be_read_is_told_by_its_line(form: str, content: bytes, expected: list[str]) -> None:
    found = entries(form, content, [7] * 10)
    assert [each.code or number_of(each) for each in found] == expected


def test_a_cell_that_is_no_text_takes_nobody_for_gone() -> None:
    (row,) = entries("csv", "工号,姓名\nE1,=cmd\n".encode(), [])
    assert (row.code, row.column, number_of(row)) == ("formula", "姓名", "E1")
    told = read(row)
    assert isinstance(told, Fault)
    assert told.employee_no == "E1"


WHOLE = [
    ("csv", "姓名,部门\n张,RD\n".encode(), "no_employee_no_column"),
    ("csv", "工号,员工号\n1,2\n".encode(), "twice_the_column"),
    ("csv", b"\n\n", "no_header"),
    ("jsonl", b'{"name": "\xff"}\n', "not_text"),
    ("xlsx", b"PK\x03\x04", "no_workbook"),
    ("jsonl", b"x" * 70_000, "line_too_long"),
]


@pytest.mark.parametrize(("form", "content", "fault"), WHOLE)
def test_what_is_wrong_with_the_whole_file_is_raised(form: str, content: bytes, fault: str) -> None:
    with pytest.raises(FileUnreadable) as raised:
        entries(form, content, [])
    assert raised.value.fault == fault
    with pytest.raises(NotUtf8):
        entries("csv", "工号,姓名\nE1,张\n".encode("gb18030"), [])


def said(**members: object) -> Entry:
    return Entry(1, {"employee_no": "E1", "name": "张", "department": "RD", **members})


ROWS = [
    ({}, None),
    ({"employee_no": None}, ("no_employee_no", "employee_no")),
    ({"employee_no": "-E1"}, ("no_employee_no", "employee_no")),
    ({"name": None}, ("invalid_type", "name")),
    ({"effective_at": "2026-01-01T00:00:00Z"}, ("unknown_member", "effective_at")),
    ({"applicant": str(UUID(int=1))}, ("unknown_member", "applicant")),
    ({"salary": 1}, ("unknown_member", "salary")),
    ({"worker_kind": None}, None),
    ({"worker_kind": "boss"}, ("invalid_choice", "worker_kind")),
    ({"until": "31.12."}, ("malformed_date", "until")),
]


@pytest.mark.parametrize(("members", "fault"), ROWS)
def test_rows_are_read_as_events_are(members: dict[str, object], fault: tuple[str, str] | None) -> None:
    found = read(said(**members))
    if fault is None:
        assert isinstance(found, Person)
    else:
        assert isinstance(found, Fault)
        assert found.column == fault[1]
        assert (found.code == fault[0]) or fault[0] in {"invalid_type", "invalid_choice", "malformed_date"}


def test_a_change_is_a_move_where_the_place_is_another_and_an_update_for_the_rest() -> None:
    person = read(said(title="x", email="a@example.com", until="2027-01-31", memberships=[]))
    assert isinstance(person, Person)
    told = person.said(("department", "title", "email", "contract_until"))
    assert told == {"department": "RD", "title": "x", "email": "a@example.com", "until": "2027-01-31"}
    events = changes(told)
    assert [(last, sorted(data.given())) for last, data in events] == [
        ("m", ["department", "title"]),
        ("u", ["contract_until", "email"]),
    ]
    assert [last for last, _ in changes({"title": "x", "email": "a@example.com"})] == ["u"]
    kept = still(events[1][1], ("contract_until",))
    assert kept is not None
    assert sorted(kept.given()) == ["contract_until"]
    assert still(events[1][1], ()) is None
