"""What a source may write: the tables of what is taken, what is refused and where the refusal points."""

from datetime import UTC, date, datetime
from typing import Any, get_args

import orjson
import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app.hr.data import (
    DATA,
    CancelledData,
    DepartmentMergedData,
    DepartmentMovedData,
    JoinedData,
    LeavingData,
    LeftData,
    MovedData,
    RehiredData,
    UpdatedData,
)
from app.hr.schemas import EXAMPLES, EventType, HrEventIn, openapi_examples
from app.kit.problems import from_validation
from tests.hr.events import cancelled, department, joined, leaving, left, moved, rehired, updated


def faults(body: object) -> set[tuple[str, str]]:
    """Read ``body`` and give what is wrong with it, as the caller would be told."""
    try:
        HrEventIn.model_validate(body)
    except ValidationError as error:
        told = from_validation(
            RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()])
        )
        return {(each.pointer, each.code) for each in told.errors}
    return set()


def test_a_joined_event_is_read() -> None:
    event = HrEventIn.model_validate(joined("E9001", until="2027-01-31", effective_at="2026-01-05T09:00:00+08:00"))
    assert isinstance(event.data, JoinedData)
    assert event.time == datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
    members = event.data.given()
    assert str(members["contract_until"]) == "2027-01-31"
    assert not {"until", "effective_at"} & members.keys()


def test_a_left_event_is_read() -> None:
    assert HrEventIn.model_validate(left("E9001")).data == LeftData()


def test_the_other_types_are_read() -> None:
    data = HrEventIn.model_validate(moved("E9001", department="SALES", title=None)).data
    assert isinstance(data, MovedData)
    assert data.given() == {"department": "SALES", "title": None}
    data = HrEventIn.model_validate(updated("E9001", wechat=None, until="2027-01-31")).data
    assert isinstance(data, UpdatedData)
    assert data.given().keys() == {"wechat", "contract_until"}
    data = HrEventIn.model_validate(rehired("E9001", effective_at="2026-01-05T09:00:00+08:00")).data
    assert isinstance(data, RehiredData)
    assert data.given() == {"department": "SALES"}
    data = HrEventIn.model_validate(department("moved", "RD-9", parent=None)).data
    assert isinstance(data, DepartmentMovedData)
    assert data.given() == {"parent": None}


def test_every_type_is_read() -> None:
    assert DATA.keys() == set(get_args(EventType)) == EXAMPLES.keys() | {"department.updated"}


def test_what_is_to_come_and_what_is_withdrawn_is_read() -> None:
    announced = HrEventIn.model_validate(leaving("E9001", last_day="2027-01-31")).data
    assert isinstance(announced, LeavingData)
    assert announced.given() == {"contract_until": date(2027, 1, 31)}
    withdrawn = HrEventIn.model_validate(cancelled("E9001", event="evt-0005")).data
    assert isinstance(withdrawn, CancelledData)
    merged = HrEventIn.model_validate(department("merged", "RD-9", into="IT")).data
    assert isinstance(merged, DepartmentMergedData)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_the_examples_of_the_documentation_are_events(kind: str) -> None:
    body = openapi_examples()[kind]["value"]
    assert body["type"] == kind
    assert faults(body) == set()


CHANGES: list[tuple[dict[str, Any], set[tuple[str, str]]]] = [
    (moved("E9001"), {("/data", "nothing_given")}),
    (moved("E9001", effective_at="2026-01-05T09:00:00+08:00"), {("/data", "nothing_given")}),
    (moved("E9001", department=None), {("/data/department", "not_removable")}),
    (moved("E9001", memberships=None), {("/data/memberships", "not_removable")}),
    (moved("E9001", memberships=[{"title": "x"}]), {("/data/memberships/0/department", "missing")}),
    (moved("E9001", mobile="13800000001"), {("/data/mobile", "unknown_member")}),
    (moved("E9001", manager="尉迟"), {("/data/manager", "invalid_value")}),
    (updated("E9001"), {("/data", "nothing_given")}),
    (updated("E9001", name=None), {("/data/name", "not_removable")}),
    (updated("E9001", worker_kind=None), {("/data/worker_kind", "not_removable")}),
    (updated("E9001", employee_no="E9002"), {("/data/employee_no", "unknown_member")}),
    (updated("E9001", department="RD"), {("/data/department", "unknown_member")}),
    (updated("E9001", secrecy="normal"), {("/data/secrecy", "unknown_member")}),
    (updated("E9001", status="left"), {("/data/status", "unknown_member")}),
    (updated("E9001", tags=["a"]), {("/data/tags", "unknown_member")}),
    (rehired("E9001", department=None), {("/data/department", "invalid_value")}),
    (rehired("E9001", name=None), {("/data/name", "not_removable")}),
    ({**rehired("E9001"), "data": {}}, {("/data/department", "missing")}),
    ({**leaving("E9001"), "data": {}}, {("/data/last_day", "missing")}),
    (leaving("E9001", last_day="soon"), {("/data/last_day", "invalid_value")}),
    (cancelled("E9001"), {("/data/event", "missing")}),
    (cancelled("E9001", event="尉迟"), {("/data/event", "invalid_value")}),
    (department("merged", "RD-9"), {("/data/into", "missing")}),
    (left("E9001", reason="x"), {("/data/reason", "unknown_member")}),
    (department("created", "RD-9"), {("/data/name", "missing")}),
    (department("created", "rd 9", name="x"), {("/subject", "invalid_value")}),
    (department("created", "rd-9", name="x"), {("/subject", "malformed_code")}),
    (department("updated", "RD-9"), {("/data", "nothing_given")}),
    (department("updated", "RD-9", parent="IT"), {("/data/parent", "unknown_member")}),
    (department("updated", "RD-9", name=None), {("/data/name", "not_removable")}),
    (department("moved", "RD-9"), {("/data/parent", "missing")}),
    (department("closed", "RD-9", into="IT"), {("/data/into", "unknown_member")}),
]


@pytest.mark.parametrize(("body", "expected"), CHANGES, ids=[str(at) for at in range(len(CHANGES))])
def test_each_type_takes_its_own_members(body: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    assert faults(body) == expected


def test_a_removal_is_told_from_what_is_not_given() -> None:
    """``null`` is part of the event: with and without it are two events."""
    body = updated("E9001", mobile="13800000001")
    other = {**body, "data": {**body["data"], "wechat": None}}
    assert HrEventIn.model_validate(body).canonical() != HrEventIn.model_validate(other).canonical()


REFUSED: list[tuple[dict[str, Any], set[tuple[str, str]]]] = [
    ({"type": "employee.vanished"}, {("/type", "unknown_value")}),
    ({"type": None}, {("/type", "unknown_value")}),
    ({"id": ""}, {("/id", "too_short")}),
    ({"id": "x" * 129}, {("/id", "too_long")}),
    ({"id": "a/b"}, {("/id", "invalid_value")}),
    ({"id": "李雷"}, {("/id", "invalid_value")}),
    ({"id": 7}, {("/id", "invalid_value")}),
    ({"source": "s" * 65}, {("/source", "too_long")}),
    ({"source": "two words"}, {("/source", "invalid_value")}),
    ({"subject": "E 9001"}, {("/subject", "invalid_value")}),
    ({"subject": "E" * 33}, {("/subject", "invalid_value")}),
    ({"time": "2026-01-05T09:00:00"}, {("/time", "invalid_value")}),
    ({"time": "yesterday"}, {("/time", "invalid_value")}),
    ({"time": "0001-01-01T00:00:00+14:00"}, {("/time", "out_of_range")}),
    ({"sequence": -1}, {("/sequence", "invalid_value")}),
    ({"sequence": 2**63}, {("/sequence", "invalid_value")}),
    ({"data": None}, {("/data", "invalid_value")}),
    ({"data": []}, {("/data", "invalid_value")}),
    ({"data": {}}, {("/data/name", "missing"), ("/data/department", "missing")}),
    ({"data": {"name": "林", "department": "RD", "salary": 1}}, {("/data/salary", "unknown_member")}),
    ({"data": {"name": "林", "department": "RD", "employee_no": "E1"}}, {("/data/employee_no", "unknown_member")}),
    ({"data": {"name": "林\u0007", "department": "RD"}}, {("/data/name", "invalid_text")}),
    ({"data": {"name": "林\u202e雷", "department": "RD"}}, {("/data/name", "invalid_text")}),
    ({"data": {"name": "林\u2066雷", "department": "RD"}}, {("/data/name", "invalid_text")}),
    ({"data": {"name": "林\u0085雷", "department": "RD"}}, {("/data/name", "invalid_text")}),
    ({"data": {"name": "林\u200b雷", "department": "RD"}}, {("/data/name", "invalid_text")}),
    ({"data": {"name": "林", "title": "经\ufe0f理", "department": "RD"}}, {("/data/title", "invalid_text")}),
    ({"data": {"name": "\ud800", "department": "RD"}}, {("/data/name", "invalid_value")}),
    ({"data": {"name": "林", "department": "R" * 37}}, {("/data/department", "too_long")}),
    ({"data": {"name": "林", "department": "RD", "email": "e" * 2001}}, {("/data/email", "too_long")}),
    ({"data": {"name": "林", "department": "RD", "worker_kind": "boss"}}, {("/data/worker_kind", "unknown_value")}),
    ({"data": {"name": "林", "department": "RD", "until": "soon"}}, {("/data/until", "invalid_value")}),
    (
        {"data": {"name": "林", "department": "RD", "effective_at": "2026-01-05"}},
        {("/data/effective_at", "invalid_value")},
    ),
    ({"extra": 1}, {("/extra", "unknown_member")}),
]


@pytest.mark.parametrize(("change", "expected"), REFUSED, ids=[str(at) for at in range(len(REFUSED))])
def test_a_malformed_event_is_refused_where_it_is_wrong(change: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    assert faults({**joined("E9001"), **change}) == expected


@pytest.mark.parametrize("missing", ["id", "source", "type", "subject", "time", "data"])
def test_every_member_but_the_sequence_is_required(missing: str) -> None:
    body = joined("E9001")
    del body[missing]
    assert (f"/{missing}", "missing") in faults(body)


def test_two_writings_of_one_event_are_one() -> None:
    body = joined("E9001")
    shuffled = dict(reversed(body.items())) | {"data": dict(reversed(body["data"].items()))}
    once = HrEventIn.model_validate(body).canonical()
    assert HrEventIn.model_validate(shuffled).canonical() == once
    assert orjson.loads(once)["data"] == body["data"]


@pytest.mark.parametrize("member", ["id", "source", "subject", "sequence", "time"])
def test_every_member_of_the_envelope_tells_events_apart(member: str) -> None:
    other = {"id": "b", "source": "b", "subject": "E9002", "sequence": 7, "time": "2026-01-05T09:00:01+08:00"}
    body = joined("E9001")
    changed = {**body, member: other[member]}
    assert HrEventIn.model_validate(changed).canonical() != HrEventIn.model_validate(body).canonical()
