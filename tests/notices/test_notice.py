"""What a notice may say, in what order notices are told, and what people read: no name, no number, no reason."""

from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from app.kit.models import new_id
from app.notices import ladder, messages
from app.notices.notice import FAMILIES, PATTERNS, TYPES, Audience, Notice, NoticeMalformed, matches, payload, written
from tests.support.clock import NOON
from tests.support.company import PEOPLE, SECRETS

ID: Final = UUID("01936b00-0000-7000-8000-000000000001")
WHOLE: Final[dict[str, Any]] = {
    "request": {"id": ID, "kind": "field.reveal", "state": "pending", "version": 3},
    "step": 2,
    "actor": ID,
    "delegate_of": None,
    "due_at": NOON,
    "on": date(2026, 11, 20),
    "departments": ["RD-CORE", "SALES"],
    "digest": "2026-11-20T12:00:00Z",
    "links": {"inbox": "/v1/requests"},
}


def made(body: dict[str, Any], notice_type: str = "request.decided") -> Notice:
    return Notice(id=ID, type=notice_type, occurred_at=NOON, body=body)


def test_ids_codes_times_and_small_numbers_are_told() -> None:
    notice = written(made(WHOLE))
    assert notice.body == {
        "request": {"id": str(ID), "kind": "field.reveal", "state": "pending", "version": 3},
        "step": 2,
        "actor": str(ID),
        "delegate_of": None,
        "due_at": "2026-11-20T12:00:00Z",
        "on": "2026-11-20",
        "departments": ["RD-CORE", "SALES"],
        "digest": "2026-11-20T12:00:00Z",
        "links": {"inbox": "/v1/requests"},
    }
    assert (notice.resource, notice.version, notice.path) == (f"request:{ID}", 3, f"/requests/{ID}")
    assert written(notice) == notice


@pytest.mark.parametrize(
    "value",
    [
        "张三",
        "Jane Doe",
        "13800001234",
        "61234",
        "+8613800001234",
        "a@example.com",
        "because I say so",
        "",
        "https://evil.example",
        12345,
        -1,
        1.5,
        b"bytes",
        {"name": "x"},
        {"a": {"b": {"c": {"d": 1}}}},
        ["x"] * 101,
        datetime(2026, 1, 1),  # noqa: DTZ001 — the naive time that is refused
        "2026-01-01T00:00:00",
        object(),
    ],
)
def test_anything_else_is_refused(value: object) -> None:
    for body in ({"member": value}, {"member": [value]}, {"request": {"id": ID, "member": value}}):
        with pytest.raises(NoticeMalformed) as refused:
            written(made(body))
        assert str(value) not in str(refused.value) or str(value) in {"", "x"}


@pytest.mark.parametrize("secret", [*SECRETS, *(each.full_name for each in PEOPLE.values())])
def test_no_value_of_the_company_can_be_told(secret: str) -> None:
    if secret.startswith("wx_"):
        pytest.skip("a code by its form; no member of a notice holds one")
    with pytest.raises(NoticeMalformed):
        written(made({"member": secret}))


@pytest.mark.parametrize("name", ["name", "reason", "comment", "mobile", "number", "Upper", "with-dash", "", "a" * 33])
def test_members_that_would_hold_values_are_refused_whatever_they_hold(name: str) -> None:
    with pytest.raises(NoticeMalformed):
        written(made({name: "code"}))


@pytest.mark.parametrize("value", [ID, None, [ID], {"id": ID}])
@pytest.mark.parametrize("name", ["contact", "contact_id", "contacts", "people", "person"])
def test_whom_it_is_about_is_refused_at_any_depth(name: str, value: object) -> None:
    for body in ({name: value}, {"request": {"id": ID, name: value}}):
        with pytest.raises(NoticeMalformed):
            written(made(body))


@pytest.mark.parametrize(
    "path", ["https://evil.example", "//evil.example", "/v2/x", "/v1/x?y=z", "/v1/../x", "v1/x", 1]
)
def test_links_stay_here(path: object) -> None:
    with pytest.raises(NoticeMalformed):
        written(made({"links": {"self": path}}))


@pytest.mark.parametrize("notice_type", ["request.unknown", "request", "request.*", "other.filed", ""])
def test_types_are_a_closed_list(notice_type: str) -> None:
    with pytest.raises(NoticeMalformed):
        written(made({}, notice_type))


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(NoticeMalformed):
        written(Notice(id=ID, type="request.filed", occurred_at=datetime(2026, 1, 1), body={}))  # noqa: DTZ001 — as above


def test_everybody_is_named_once() -> None:
    one, other = new_id(), new_id()
    told = Audience(people=(one, other, one), roles=("it", "hr", "it"))
    notice = written(Notice(id=ID, type="request.filed", occurred_at=NOON, body={}, audience=told))
    assert notice.audience == Audience(people=(one, other), roles=("it", "hr"))
    assert notice.resource is None


def test_a_subscription_names_types_or_families() -> None:
    assert matches(["request.*"], "request.filed")
    assert matches(["calendar.confirmed", "request.filed"], "request.filed")
    assert not matches(["request.decided", "campaign.*"], "request.filed")
    assert not matches([], "request.filed")
    assert set(TYPES) < set(PATTERNS)
    assert {each.partition(".")[0] for each in TYPES} == set(FAMILIES)


def test_the_payload_is_thin_and_its_links_absolute() -> None:
    assert payload(written(made(WHOLE)), "https://d.example.com") == {
        "id": ID,
        "type": "request.decided",
        "occurred_at": NOON,
        "data": {
            **written(made(WHOLE)).body,
            "links": {"inbox": "https://d.example.com/v1/requests", "self": f"https://d.example.com/v1/requests/{ID}"},
        },
    }


def test_every_type_has_words_in_both_languages() -> None:
    assert set(messages.TITLES) == set(TYPES)
    for zh, en in messages.TITLES.values():
        assert any("一" <= sign <= "鿿" for sign in zh)
        assert en.isascii()


def test_people_read_a_title_and_a_link_and_nothing_else() -> None:
    notice = written(made(WHOLE))
    text = messages.mail(notice, "https://portal.example.com")
    assert text.startswith("申请有新的审批结果\nA request was decided\n\n")
    assert f"https://portal.example.com/requests/{ID}" in text
    for told in (text, messages.subject(notice), messages.chat(notice, "https://portal.example.com")):
        for hidden in ("field.reveal", "RD-CORE", "pending"):
            assert hidden not in told
    assert messages.chat(notice, "https://p.example") == f"【短号】申请有新的审批结果\nhttps://p.example/requests/{ID}"
    calendar = written(made({}, "calendar.confirmed"))
    assert messages.link(calendar, "https://p.example") == "https://p.example/calendar"


def test_the_ladder_ends_after_eight_attempts() -> None:
    pauses = [ladder.pause(attempt, 0) for attempt in range(1, ladder.MOST_ATTEMPTS)]
    assert [each.total_seconds() for each in pauses if each] == [5, 300, 1800, 7200, 18000, 36000, 36000]
    assert ladder.pause(ladder.MOST_ATTEMPTS, 0) is None
    longest = ladder.pause(1, 1)
    assert longest is not None
    assert longest.total_seconds() == 6


@pytest.mark.parametrize(
    ("attempt", "asked", "waits"),
    [
        (1, timedelta(minutes=1), 60),
        (1, timedelta(seconds=1), 5),
        (1, timedelta(days=10), 3600),
        (5, timedelta(days=10), 18000),
    ],
)
def test_an_answer_can_ask_for_an_hour_at_most_and_never_for_less(attempt: int, asked: timedelta, waits: int) -> None:
    found = ladder.pause(attempt, 0, asked)
    assert found is not None
    assert found.total_seconds() == waits


def test_a_queue_that_fails_rests_longer_and_longer() -> None:
    assert [ladder.rest(failures).total_seconds() for failures in (0, 1, 2, 3, 4, 5, 8, 9, 1000)] == [
        0,
        0,
        0,
        10,
        20,
        40,
        300,
        300,
        300,
    ]
