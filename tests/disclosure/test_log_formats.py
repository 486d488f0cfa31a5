"""Exports are read back by the readers they are made for: JSON line by line, and a table in which nothing runs."""

import csv
from dataclasses import replace
from io import StringIO
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit.events import CohortEntry, EventDraft
from app.audit.repository import FoundEvent
from app.departments.tree import Tree
from app.disclosure.log_formats import BYTE_ORDER_MARK, COLUMNS, MEDIA_TYPES, CsvWriter, cell, writer_of
from app.disclosure.log_names import Names, item, told_of
from app.disclosure.log_views import EventLine
from tests.audit.places import SAMPLE, contact
from tests.audit.questions import some_events

EXPORT = UUID(int=77)
ANYBODY = Names({contact(1): "=HYPERLINK(1)", contact(2): "欧阳明"}, {"siem": "SIEM"}, Tree([]))


def items(events: list[EventDraft]) -> list[dict[str, Any]]:
    return [
        {**item(told_of(FoundEvent(index, event), None), ANYBODY), "query": event.query, "count": event.count}
        for index, event in enumerate(events)
    ]


def table(data: bytes) -> list[dict[str, str]]:
    assert data.startswith(BYTE_ORDER_MARK)
    head, *rows = csv.reader(StringIO(data.decode("utf-8-sig"), newline=""))
    assert tuple(head) == COLUMNS
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


@given(seed=st.integers(0, 10_000), at=st.integers(0, 12))
def test_pages_add_up_to_what_was_given(seed: int, at: int) -> None:
    events = items(some_events(seed, 12))
    for name in MEDIA_TYPES:
        writer = writer_of(name)
        data = writer.page(events[:at], EXPORT) + writer.page(events[at:], EXPORT)
        if name == "ndjson":
            lines = [orjson.loads(line) for line in data.splitlines()]
            assert [EventLine.model_validate_json(line).index for line in data.splitlines()] == list(range(12))
            assert lines == [
                orjson.loads(orjson.dumps({**each, "export_event_id": EXPORT}, option=orjson.OPT_UTC_Z))
                for each in events
            ]
        else:
            rows = table(data)
            assert [(row["index"], row["contact_id"]) for row in rows] == [
                (str(each["index"]), str(who["id"]) if who else "")
                for each in events
                for who in (each["contacts"] or [None])
            ]
            assert {row["export_event_id"] for row in rows} <= {str(EXPORT)}


def test_a_row_tells_who_whom_and_in_which_state() -> None:
    event = replace(
        SAMPLE,
        actor_type="service",
        actor_id="siem",
        purpose="audit",
        department_id=UUID(int=5),
        query={"q": 'a,"b"'},
        cohorts=(CohortEntry({"email": "shown", "mobile": "masked"}, (contact(2), contact(1))),),
    )
    first, second = table(CsvWriter().page(items([event]), EXPORT))
    assert first["contact_name"] == "欧阳明"
    assert first["contact_fields"] == "email=shown;mobile=masked"
    assert (first["actor_name"], first["actor_department"], first["purpose"]) == ("SIEM", str(UUID(int=5)), "audit")
    assert orjson.loads(first["query"]) == event.query
    assert first["at"] == "2026-11-20T12:00:00Z"
    assert (second["contact_name"], second["contact_count"]) == ("'=HYPERLINK(1)", "2")


def test_a_table_of_nothing_has_a_head() -> None:
    assert table(CsvWriter().page([], EXPORT)) == []


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+86",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        " =1",
        "\u3000=1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20x",
        "\n=1",
        "=cmd|' /C calc'!A0",
        "\x00=1",
    ],
)
def test_no_cell_is_a_formula(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["a=1", "欧阳明", "", "contact.read", "2026-11-20", "'=1"])
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


@given(text=st.text())
def test_whatever_somebody_is_called_the_cell_begins_harmlessly(text: str) -> None:
    written = cell(text)
    assert written.removeprefix("'") == text.removeprefix("'") or written == text
    assert not written.lstrip().startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"))


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_no_text_breaks_out_of_its_cell(texts: list[str]) -> None:
    event = replace(SAMPLE, actor_id="".join(texts), actor_type="operator", fields=tuple(texts))
    (row,) = table(CsvWriter().page(items([event]), EXPORT))
    assert row["fields"] == cell(";".join(texts))
    assert row["action"] == SAMPLE.action
