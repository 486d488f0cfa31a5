"""What an exchange and the directory say differently: each difference by example, and all of them held against comparing everything."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.calling.rules import Function
from app.exchanges.line import HolderKind, HolderReference, Kind, Line
from app.numbers.rules import State
from app.switching.drift import WORDS, Difference, Drift, beside, compared, dump, functions, twice
from app.switching.lines import Granted, OurLine, Person

UNTIL: Final = datetime(2027, 1, 1, tzinfo=UTC)
SOMEBODY: Final = Person(name="王 小明", employee_no="E1001", user_name="wxm", department="RD", contact=UUID(int=7))
OURS: Final = OurLine(digits="7100", state=State.ASSIGNED, pool="desk", people=(SOMEBODY,))
THEIRS: Final = Line(digits="7100", kind=Kind.EXTENSION, name="王小明", source_line=4)


def holder(kind: HolderKind, value: str) -> HolderReference:
    return HolderReference(kind, value)


def kinds(ours: OurLine, theirs: Line) -> list[Drift]:
    return [each.kind for each in compared(ours, theirs)]


def test_every_difference_has_words_in_both_languages() -> None:
    assert set(WORDS) == set(Drift)
    assert all(en and zh for en, zh in WORDS.values())


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"name": None},
        {"name": "王小明 "},
        {"name": "　王小明"},
        {"holder": holder(HolderKind.EMPLOYEE_NO, "e1001")},
        {"holder": holder(HolderKind.USER_NAME, "WXM")},
        {"holder": holder(HolderKind.DEVICE, "0015650a0b0c")},
        {"privileges": ("local", "internal")},
    ],
)
def test_what_says_the_same_is_no_difference(members: dict[str, Any]) -> None:
    assert kinds(OURS, replace(THEIRS, **members)) == []


@pytest.mark.parametrize(
    ("members", "kind", "directory", "exchange"),
    [
        ({"name": "李四"}, Drift.OTHER_NAME, "王 小明", "李四"),
        (
            {"holder": holder(HolderKind.EMPLOYEE_NO, "E1002")},
            Drift.OTHER_HOLDER,
            "employee_no:E1001",
            "employee_no:E1002",
        ),
        ({"holder": holder(HolderKind.ROOM, "A-1")}, Drift.OTHER_HOLDER, "王 小明", "room:A-1"),
        ({"privileges": ("domestic",)}, Drift.OTHER_PRIVILEGES, None, "long_distance"),
        ({"privileges": ("local", "satellite")}, Drift.OTHER_PRIVILEGES, None, "satellite"),
    ],
)
def test_a_difference_says_what_each_side_says(
    members: dict[str, Any], kind: Drift, directory: str | None, exchange: str | None
) -> None:
    (found,) = compared(OURS, replace(THEIRS, **members))
    assert found == Difference(
        kind=kind,
        digits="7100",
        pool="desk",
        state=State.ASSIGNED,
        directory=directory,
        exchange=exchange,
        source_line=4,
        contact=SOMEBODY.contact,
    )


def test_privileges_are_those_of_the_line() -> None:
    ours = replace(OURS, granted=(Granted(Function.LONG_DISTANCE, UNTIL), Granted(Function.LONG_DISTANCE, UNTIL)))
    assert kinds(ours, replace(THEIRS, privileges=("national", "local"))) == []
    assert kinds(ours, THEIRS) == [Drift.OTHER_PRIVILEGES]
    assert functions(("intl", "none")) == {"international"}


def test_of_whom_the_caller_may_not_know_nothing_is_compared_and_nothing_told() -> None:
    hidden = replace(OURS, people=(), withheld=True)
    wrong = replace(THEIRS, name="李四", holder=holder(HolderKind.EMPLOYEE_NO, "E9"))
    assert kinds(hidden, wrong) == []
    assert kinds(hidden, replace(wrong, privileges=("international",))) == [Drift.OTHER_PRIVILEGES]
    (missing,) = beside([hidden], [], {})
    assert (missing.kind, missing.directory, missing.contact) == (Drift.MISSING_IN_EXCHANGE, None, None)


def test_of_several_who_share_a_line_any_will_do() -> None:
    second = Person(name="李四", employee_no="E2", contact=UUID(int=8))
    shared = replace(OURS, people=(SOMEBODY, second))
    assert kinds(shared, replace(THEIRS, name="李四", holder=holder(HolderKind.EMPLOYEE_NO, "E2"))) == []
    assert kinds(shared, replace(THEIRS, name="赵六")) == [Drift.OTHER_NAME]


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (None, Drift.UNKNOWN_TO_DIRECTORY),
        *((each, Drift.STILL_LIVE) for each in (State.QUARANTINED, State.BLOCKED, State.RETIRED)),
        *((each, Drift.NOT_GIVEN_OUT) for each in (State.AVAILABLE, State.HELD, State.RESERVED, State.PLANNED)),
    ],
)
def test_a_line_that_nobody_holds_here(state: State | None, kind: Drift) -> None:
    standing = {} if state is None else {"7100": OurLine(digits="7100", state=state, pool="desk")}
    (found,) = beside([], [THEIRS], standing)
    assert (found.kind, found.state, found.exchange, found.source_line) == (kind, state, "王小明", 4)


def test_a_number_twice_is_odd_only_where_it_is_said_differently() -> None:
    again = replace(THEIRS, source_line=9, kind=Kind.NUMBER)
    other = replace(THEIRS, source_line=11, name="李四")
    found = dump([other, again, THEIRS])
    assert found.lines == [THEIRS]
    assert [(each.kind, each.source_line) for each in twice(found.odd)] == [(Drift.TWICE_IN_EXCHANGE, 11)]


digits = st.integers(20, 35).map(str)


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(digits, st.sampled_from(["甲", "乙"]), max_size=8),
    st.dictionaries(digits, st.sampled_from(["甲", "乙", None]), max_size=8),
    st.dictionaries(digits, st.sampled_from(list(State)), max_size=8),
)
def test_both_sides_are_compared_as_a_whole(
    held: dict[str, str], told: dict[str, str | None], states: dict[str, State]
) -> None:
    ours = [replace(OURS, digits=each, people=(Person(name=name),)) for each, name in sorted(held.items())]
    theirs = dump(replace(THEIRS, digits=each, name=name) for each, name in told.items()).lines
    standing = {each: OurLine(digits=each, state=state, pool="desk") for each, state in states.items()}
    found = list(beside(ours, theirs, standing))
    assert [each.digits for each in found] == sorted(each.digits for each in found)
    by_digits = {each.digits: each.kind for each in found}
    assert {each for each, kind in by_digits.items() if kind is Drift.MISSING_IN_EXCHANGE} == held.keys() - told.keys()
    strays = {Drift.UNKNOWN_TO_DIRECTORY, Drift.NOT_GIVEN_OUT, Drift.STILL_LIVE}
    assert {each for each, kind in by_digits.items() if kind in strays} == told.keys() - held.keys()
    both = held.keys() & told.keys()
    other = {each for each in both if told[each] is not None and told[each] != held[each]}
    assert {each for each, kind in by_digits.items() if kind is Drift.OTHER_NAME} == other
