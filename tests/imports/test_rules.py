"""What becomes of a row, by a table of everything a number can be; repeats; and the ranges that numbers lack, against brute force."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.exchanges.line import FAULTS
from app.numbers.adoption_rules import (
    PROBLEMS,
    UNCHANGED,
    VERDICTS,
    Overrule,
    Stands,
    Verdict,
    islands,
    judge,
    outside,
    repeated,
)
from app.numbers.rules import State, stretch

NOW: Final = datetime(2026, 1, 5, tzinfo=UTC)
LATER: Final = NOW + timedelta(days=1)


def stands(
    state: State = State.AVAILABLE,
    *held: tuple[str, str],
    until: datetime | None = None,
    kept_back: bool = False,
    must_end: bool = False,
) -> Stands:
    return Stands(state=state, available_from=until, kept_back=kept_back, must_end=must_end, held=held)


@pytest.mark.parametrize(
    ("number", "overrule", "verdict"),
    [
        (None, Overrule.BY_TWO, Verdict.NO_SUCH_NUMBER),
        (stands(), Overrule.NOT_ASKED, Verdict.ADOPTED),
        (stands(State.ASSIGNED, ("me", "short")), Overrule.NOT_ASKED, Verdict.ALREADY_SO),
        (stands(State.ASSIGNED, ("me", "extension")), Overrule.NOT_ASKED, Verdict.OTHER_ROLE),
        (stands(State.ASSIGNED, ("you", "shared"), ("me", "shared")), Overrule.NOT_ASKED, Verdict.ALREADY_SO),
        (stands(State.ASSIGNED, ("you", "short")), Overrule.BY_TWO, Verdict.HELD_BY_ANOTHER),
        (stands(State.PROVISIONING, ("you", "short")), Overrule.BY_TWO, Verdict.HELD_BY_ANOTHER),
        (stands(State.QUARANTINED, until=LATER), Overrule.BY_TWO, Verdict.RESTING),
        (stands(State.QUARANTINED, until=NOW), Overrule.NOT_ASKED, Verdict.ADOPTED),
        (stands(State.HELD, until=LATER), Overrule.BY_TWO, Verdict.ON_HOLD),
        (stands(State.HELD, until=NOW), Overrule.NOT_ASKED, Verdict.ADOPTED),
        (stands(State.RESERVED), Overrule.BY_TWO, Verdict.RESERVED),
        (stands(State.BLOCKED), Overrule.BY_TWO, Verdict.BLOCKED),
        (stands(State.PLANNED), Overrule.BY_TWO, Verdict.NOT_OPEN),
        (stands(State.RETIRED), Overrule.BY_TWO, Verdict.NO_SUCH_NUMBER),
        (stands(must_end=True), Overrule.BY_TWO, Verdict.NEEDS_END),
        (stands(kept_back=True), Overrule.NOT_ASKED, Verdict.KEPT_BACK),
        (stands(kept_back=True), Overrule.BY_ONE, Verdict.NEEDS_SECOND_OPERATOR),
        (stands(kept_back=True), Overrule.BY_TWO, Verdict.ADOPTED),
    ],
    ids=[f"case{at}" for at in range(19)],
)
def test_what_becomes_of_a_row(number: Stands | None, overrule: Overrule, verdict: Verdict) -> None:
    assert judge(number, "me", "short", overrule=overrule, now=NOW) is verdict


def test_a_role_that_the_file_does_not_tell_contradicts_nothing() -> None:
    number = stands(State.ASSIGNED, ("me", "short"))
    for told, verdict in ((True, Verdict.OTHER_ROLE), (False, Verdict.ALREADY_SO)):
        assert judge(number, "me", "extension", overrule=Overrule.NOT_ASKED, now=NOW, told=told) is verdict
    assert judge(number, "you", "short", overrule=Overrule.NOT_ASKED, now=NOW, told=False) is Verdict.HELD_BY_ANOTHER


@given(
    st.sampled_from(State),
    st.sampled_from(Overrule),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, NOW, LATER]),
    st.lists(st.tuples(st.sampled_from(["me", "you"]), st.sampled_from(["short", "shared", "extension"])), max_size=2),
)
def test_nothing_is_adopted_that_is_not_free(
    state: State,
    overrule: Overrule,
    kept: bool,  # noqa: FBT001 — drawn
    must_end: bool,  # noqa: FBT001 — drawn
    until: datetime | None,
    held: list[tuple[str, str]],
) -> None:
    number = stands(state, *held, until=until, kept_back=kept, must_end=must_end)
    if judge(number, "me", "short", overrule=overrule, now=NOW) is Verdict.ADOPTED:
        assert not held
        assert not must_end
        assert not kept or overrule is Overrule.BY_TWO
        assert state is State.AVAILABLE or until == NOW


def test_rows_that_repeat_and_rows_that_contradict() -> None:
    given_rows = [("1", "a"), ("2", "a"), ("1", "a"), ("3", "a"), ("3", "b"), ("3", "a")]
    assert repeated(given_rows) == [
        None,
        None,
        Verdict.TWICE_THE_SAME,
        *[Verdict.TWICE_IN_FILE] * 3,
    ]


@given(
    st.lists(st.integers(0, 120).map(lambda each: f"{each:03d}") | st.integers(0, 40).map(lambda each: f"{each:02d}"))
)
def test_islands_are_what_counting_finds(digits: list[str]) -> None:
    found = islands(digits)
    each_of = [f"{number:0{len(one.start)}d}" for one in found for number in range(int(one.start), int(one.end) + 1)]
    assert sorted(each_of) == sorted(set(digits))
    assert sum(one.size for one in found) == len(each_of)
    beside = {f"{int(one.end) + 1:0{len(one.end)}d}" for one in found}
    assert not beside & set(digits), "no island could be longer"
    covered = [stretch("010", "050", 2, ["020-030"]), stretch("00", "09", 1, [])]
    missing = {number for one in outside(digits, covered) for number in islands_of(one.start, one.end)}
    assert missing == {each for each in digits if not any(one.holds(each) for one in covered)}


def islands_of(start: str, end: str) -> list[str]:
    return [f"{number:0{len(start)}d}" for number in range(int(start), int(end) + 1)]


def test_every_verdict_is_explained_and_none_is_a_fault_too() -> None:
    assert set(VERDICTS) == set(Verdict)
    assert set(Verdict) > UNCHANGED | PROBLEMS
    assert not {each.value for each in Verdict} & {each.value for each in FAULTS}
    assert all(english.endswith(".") and chinese.endswith("。") for english, chinese in VERDICTS.values())
