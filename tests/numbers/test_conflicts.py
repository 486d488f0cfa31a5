"""Conflicts against plain counting: where ranges meet, what a domain admits, what a list's numbers are to each other."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.numbers.conflicts import (
    InList,
    NumberVerdict,
    Profile,
    Severity,
    collides,
    first_turn,
    is_number,
    meeting,
    prefix_severity,
    reserved_for,
    within_list,
)
from app.numbers.rules import Stretch
from tests.numbers.test_rules import counted, stretches

ANY: Final = st.one_of(stretches(2), stretches(3), stretches(4))
DIGITS: Final = st.text("0123456789", min_size=2, max_size=4)


@given(ANY, ANY)
def test_two_ranges_meet_where_counting_finds_it(one: Stretch, two: Stretch) -> None:
    longer = set(counted(one if one.width > two.width else two))
    shorter = set(counted(two if one.width > two.width else one))
    width = min(one.width, two.width)
    expected = {each for each in longer if each[:width] in shorter}
    met = meeting(one, two)
    assert (met is None) == (not expected)
    if met is not None:
        assert met[0] in counted(one)
        assert met[1] in counted(two)
        assert collides(*met)
        assert (met[0] if one.width > two.width else met[1]) == min(expected)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 59), st.integers(0, 59))
def test_the_first_turn_into_a_window(step: int, period: int, one: int, two: int) -> None:
    low, high = sorted((one % period, two % period))
    expected = next((k for k in range(period + 1) if low <= k * step % period <= high), None)
    assert first_turn(step, period, low, high) == expected


def test_ranges_of_a_million_meet_at_once() -> None:
    short = Stretch("2000000", "2999999", 7)
    long = Stretch("20000000000000", "29999999999999", 9_999_999)
    met = meeting(short, long)
    assert met is not None
    assert met[1].startswith(met[0])
    assert (int(met[0]) - 2_000_000) % 7 == 0
    assert (int(met[1]) - 20_000_000_000_000) % 9_999_999 == 0


@given(ANY, st.sets(st.sampled_from("0123456789"), min_size=1), st.integers(2, 4), st.integers(2, 4))
def test_what_a_domain_admits(found: Stretch, first: set[str], one: int, two: int) -> None:
    profile = Profile(first_digits="".join(sorted(first)), shortest=min(one, two), longest=max(one, two))
    strange = [each for each in counted(found) if not profile.admits(each)]
    told = profile.outside(found) if found.size else None
    assert told == (strange[0] if strange else None)


@given(DIGITS, st.lists(st.text("0123456789", min_size=1, max_size=5)))
def test_reserved_numbers_collide_both_ways(digits: str, reserved: list[str]) -> None:
    expected = [each for each in reserved if digits[: len(each)] == each or each[: len(digits)] == digits]
    assert sorted(reserved_for(digits, reserved)) == sorted(expected)


@given(st.lists(st.one_of(DIGITS, st.sampled_from(["7", "7a", ""])), max_size=12))
def test_a_list_against_itself(numbers: list[str]) -> None:
    told = within_list(numbers)
    for place, text in enumerate(numbers):
        verdicts = {each.verdict for each in told[place]}
        others = {each for each in numbers if is_number(each) and each != text}
        assert (NumberVerdict.DUPLICATE_IN_LIST in verdicts) == (is_number(text) and numbers.index(text) != place)
        assert (NumberVerdict.PREFIX_OF in verdicts) == (
            is_number(text) and any(each.startswith(text) for each in others)
        )
        assert (NumberVerdict.EXTENDS in verdicts) == (
            is_number(text) and any(text.startswith(each) for each in others)
        )
        for each in told[place]:
            assert collides(text, numbers[each.place])
            assert each.place != place


def test_the_first_of_equal_ones_stays() -> None:
    assert within_list(["700", "700", "7001"])[1] == [
        InList(NumberVerdict.DUPLICATE_IN_LIST, 0),
        InList(NumberVerdict.PREFIX_OF, 2),
    ]


def test_access_codes_of_digits_alone_can_begin_a_number() -> None:
    assert Profile(access_codes=("0", "9", "*", "#9")).dialled_codes == ("0", "9")


@pytest.mark.parametrize(("dialling", "severity"), [("overlap", Severity.ERROR), ("en_bloc", Severity.WARNING)])
def test_a_number_that_begins_another(dialling: str, severity: Severity) -> None:
    assert prefix_severity(dialling) is severity


@pytest.mark.parametrize("text", ["\u0667\u0660", "7", "7a", "", "7" * 16])
def test_what_is_no_number(text: str) -> None:
    assert not is_number(text)
