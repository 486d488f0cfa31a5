"""Sheets to take along: no cell is a formula, our own import reads them back as they were, and nobody takes more along than they may."""

import csv
from io import BytesIO, StringIO
from typing import Any, Final, get_args
from zipfile import ZipFile

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from app.audit.repository import EventFilter
from app.contacts.columns import COLUMNS, NAMES, WATERMARK, chosen
from app.contacts.exporting import MEDIA_TYPES, Format, written
from app.contacts.photos import DISCLOSURE
from app.contacts.query_schemas import ExportQuery
from app.contacts.schemas import Name, Prose
from app.contacts.vcards import NEXT
from app.exchanges import workbook
from app.exchanges.line import Gathering
from app.rosters.profile import load
from app.rosters.reading import read
from tests.rosters.calls import HR, codes, told
from tests.support.application import World
from tests.support.problems import problem
from tests.support.shared import Added, add_department, add_person

GENERIC: Final = load()["generic"]
STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001 — wide signs too
FORMULAS: Final = (
    "=1+1",
    "+1",
    "-1",
    "@A1",
    "'=1",
    "''x",
    "\uff1d1",
    '="7"',
    "=cmd|' /C calc'!A0",
    " =1",
    "<b>&amp;",
    "a\u3000",
)


def _kept(kind: Any, text: str) -> str | None:  # noqa: ANN401 — a type of text
    try:
        kept: str = TypeAdapter(kind).validate_python(text)
    except ValidationError:
        return None
    return kept


def kept(kind: Any) -> st.SearchStrategy[str]:  # noqa: ANN401 — a type of text
    """Draw texts that a card may hold."""
    letters = st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff")
    drawn = st.one_of(
        st.text(letters, max_size=20), st.sampled_from(FORMULAS), st.sampled_from(FORMULAS).map(lambda each: each * 2)
    )
    return drawn.map(lambda each: _kept(kind, each)).filter(lambda each: each is not None)  # type: ignore[return-value]


cards = st.fixed_dictionaries(
    {
        "employee_no": st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", fullmatch=True),
        "name": kept(Name),
        "title": st.none() | kept(Name),
        "duties": st.none() | kept(Prose),
        "department": st.just({"code": "RD", "path": "=研发部"}),
        "tags": st.lists(kept(Name).filter(lambda each: not set(each) & {";", "；"}), max_size=3, unique=True),
        "mobile": st.just({"state": "shown", "value": "+8613800000001"}),
        "email": st.just({"state": "masked", "value": "a***@example.com"}),
    }
)


def cells(content: bytes, written_as: str) -> list[list[str]]:
    if written_as == "csv":
        return list(csv.reader(StringIO(content.decode("utf-8-sig"), newline="")))
    return [list(row) for _, row in workbook.rows(content, Gathering(), longest=4096)]


@settings(deadline=None, max_examples=80)
@given(cards, st.sampled_from(get_args(Format)), st.sampled_from(["zh", "en", "names"]))
@example(
    {"employee_no": "E1", "name": "=1+1", "title": "\t@x".strip(), "duties": "-", "department": None, "tags": ["+1"]},
    "csv",
    "zh",
)
def test_our_own_import_reads_back_what_was_written(card: dict[str, Any], form: Format, labels: Any) -> None:  # noqa: ANN401 — drawn
    content = written(form, COLUMNS, [card], watermark="=someone", query=ExportQuery(labels=labels))
    for row in cells(content, form):
        assert not any(each.startswith(STARTS) for each in row)
    found = read(content, form, GENERIC, collects=lambda _: True, region="CN")
    assert found.problems == []
    (person,) = found.people
    said = person.members()
    assert said["employee_no"] == card["employee_no"]
    assert said["name"] == card["name"]
    for name in ("title", "duties"):
        assert said.get(name) == card[name]
    assert said.get("tags", []) == card["tags"]
    assert "email" not in said, "what is masked is not written"


def test_columns_are_those_of_the_field_table() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert {"relations", "photo"}.isdisjoint(NAMES)
    assert [each.name for each in chosen(("mobile", "name"), None)] == ["name", "mobile"]
    assert "mobile" not in {each.name for each in chosen((), "external")}
    assert {"business_phone", "organisation"} <= {each.name for each in chosen((), "external")}


def test_a_workbook_holds_texts_only() -> None:
    content = written("xlsx", COLUMNS[:3], [{"id": "1"}], watermark="w", query=ExportQuery())
    with ZipFile(BytesIO(content)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f" not in sheet
    assert "<v" not in sheet


async def sheet(world: World, who: str, path: str) -> list[dict[str, str]]:
    answer = await exported(world, who, path)
    return list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"), newline="")))


async def exported(world: World, who: str, path: str) -> httpx.Response:
    answer = await (await world.as_(who)).get(f"/v1/contact-exports/{path}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == MEDIA_TYPES[path.partition("?")[0]]
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    return answer


def number(someone: Added) -> str:
    return f"N{someone.number}"


@pytest.mark.asyncio(loop_scope="session")
async def test_a_page_holds_whom_one_may_take_along_on_record_and_no_field_that_one_may_not(shared: World) -> None:
    code = await add_department(shared)
    people = [await add_person(shared, department=code, title="=1+1") for _ in range(3)]
    first = await exported(shared, HR, f"csv?department={code}&limit=2&labels=names")
    rest = await exported(shared, HR, f"csv?department={code}&limit=2&labels=names&cursor={first.headers[NEXT]}")
    assert NEXT not in rest.headers
    rows = [
        row
        for answer in (first, rest)
        for row in csv.DictReader(StringIO(answer.content.decode("utf-8-sig"), newline=""))
    ]
    assert sorted(each["employee_no"] for each in rows) == sorted(map(number, people))
    for each in rows:
        assert (each["title"], each["department"]) == ("'=1+1", code)
        assert each["email"].endswith("@example.com")
        assert (each["mobile"], each["wechat"], each["short_numbers"]) == ("", "", "")
        assert each[WATERMARK.name] in first.headers[DISCLOSURE].encode().decode("unicode_escape")
    await shared.settle()
    found = await shared.application.events.search(
        EventFilter(action="contact.export", contact_id=people[0].id), limit=9
    )
    (event,) = [each.event for each in found.events]
    assert event.count in {1, 2}
    assert {state for cohort in event.cohorts for state in cohort.states.values()} <= {"shown"}
    assert not {name for cohort in event.cohorts for name in cohort.states} & {"mobile", "wechat", "id_number"}
    assert await sheet(shared, "staff", f"csv?department={code}") == []
    (only,) = await sheet(shared, HR, f"csv?q={number(people[0])}&columns=email,employee_no")
    assert list(only) == ["工号", "邮箱", "水印"]
    hr = await shared.as_(HR)
    problem(await hr.get("/v1/contact-exports/csv?columns=secrecy"), 422, "invalid_request")
    problem(await hr.get("/v1/contact-exports/pdf"), 422, "invalid_request")
    problem(await hr.get(f"/v1/contact-exports/xlsx?department={code}&cursor={first.headers[NEXT]}"), 422, "bad_cursor")


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_what_is_taken_along_and_handed_in_again_changes_nothing(shared: World, form: str) -> None:
    code = await add_department(shared)
    boss = await add_person(shared, department=code, duties="-2+3", location="@home", fax="010-88887777-12")
    await add_person(shared, department=code, manager=boss.id, tags=["+1"], alias="'a")
    answer = await exported(shared, HR, f"{form}?department={code}")
    done, became = await told(shared, answer.content, format=form)
    assert {each[1:] for each in codes(became)} == {("unchanged", "already_so")}
    assert done["counts"] == {"unchanged": 2}
    assert {each["code"] for each in done["proposals"]["columns"]} == {"kept_by_service", "not_collected"}
