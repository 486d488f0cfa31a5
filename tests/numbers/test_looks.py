"""Looks of numbers: the classifier by example, the places of kept numbers, and what a pattern matches."""

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.numbers.nice import Level, PatternMalformed, is_kept_back, looks, mirrored, pattern, place

DIGITS: Final = st.text("0123456789", min_size=2, max_size=8)


@pytest.mark.parametrize(
    ("digits", "traits", "level"),
    [
        ("888888", {"all_equal", "lucky_end"}, Level.RARE),
        ("78888", {"ends_aaaa", "lucky_end"}, Level.RARE),
        ("88881", {"aaaa"}, Level.NICE),
        ("72999", {"ends_aaa"}, Level.NICE),
        ("79992", {"aaa"}, Level.PLEASANT),
        ("67788", {"ends_aabb", "lucky_end"}, Level.NICE),
        ("67878", {"ends_abab"}, Level.NICE),
        ("123456", {"straight", "four"}, Level.NICE),
        ("98765", {"straight"}, Level.RARE),
        ("83456", {"ends_straight", "four"}, Level.NICE),
        ("72127", {"mirror"}, Level.NICE),
        ("75168", {"lucky_end"}, Level.PLEASANT),
        ("75166", {"lucky_end"}, Level.PLEASANT),
        ("61998", {"year"}, Level.PLAIN),
        ("62049", {"year", "four"}, Level.PLAIN),
        ("62050", set(), Level.PLAIN),
        ("74488", {"ends_aabb", "lucky_end", "four"}, Level.NICE),
        ("88", {"lucky_end"}, Level.PLEASANT),
        ("12", set(), Level.PLAIN),
        ("234", {"straight", "four"}, Level.NICE),
        ("73926", set(), Level.PLAIN),
    ],
)
def test_the_classifier(digits: str, traits: set[str], level: Level) -> None:
    found = looks(digits)
    assert (set(found.traits), found.level, found.version) == (traits, level, 1)


@given(st.integers(0, 2**62 - 1), DIGITS)
def test_a_kept_place_is_found_again(key: int, digits: str) -> None:
    kept = place(key, digits, keeps_nice=True)
    assert -(2**63) <= kept < 2**63
    assert (kept < 0) == is_kept_back(digits)
    assert (mirrored(kept) if kept < 0 else kept) == key == place(key, digits, keeps_nice=False)


@pytest.mark.parametrize("text", ["", "*", "**1", "*1*", "1*2", "K", "1" * 16, "7-7"])
def test_what_is_no_pattern(text: str) -> None:
    with pytest.raises(PatternMalformed):
        pattern(text)


@pytest.mark.parametrize(
    ("text", "yes", "no"),
    [
        ("61????", ["611234"], ["6112345", "601234"]),
        ("*88", ["88", "7188"], ["8", "881"]),
        ("6*", ["6", "6123"], ["16"]),
        ("*ABAB", ["7878", "61212"], ["7777", "1221"]),
        ("abba", ["7337"], ["7777", "73371"]),
        ("6XX6", ["6126", "6666"], ["6125"]),
        ("AA??*", ["7712", "77123"], ["7812", "771"]),
        ("*A8", ["18"], ["81"]),
    ],
)
def test_patterns(text: str, yes: list[str], no: list[str]) -> None:
    found = pattern(text)
    assert [each for each in (*yes, *no) if found.matches(each)] == yes
