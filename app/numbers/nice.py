"""Which numbers people like (靓号): a classifier with a version, and the small language in which one asks for a number's looks.

Pure. The classifier gives traits, each with its worth, and a level by their sum. A level is stored with the version that gave it, so that
other rules one day change no number behind anybody's back. What a level means for who may have a number is the pool's business.

A pattern is digits, ``?`` or ``X`` for any digit, and letters A to J: the same letter is the same digit, different letters are different
ones. ``*`` at its beginning or its end stands for any digits, also none: ``*88``, ``6*``, ``*ABAB``, ``61????``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from itertools import pairwise
from typing import Final

VERSION: Final = 1
"""Of the rules below; whoever changes one changes this."""

OPEN_FROM: Final = 0
"""Places in a free list below this are kept back: nobody gets them as the next one."""

_RUN: Final = re.compile(r"(\d)\1{2,}")
_LUCKY: Final = ("168", "88", "66")
_SCORES: Final = {
    "all_equal": 90,
    "ends_aaaa": 70,
    "aaaa": 45,
    "ends_aaa": 45,
    "aaa": 20,
    "ends_aabb": 40,
    "ends_abab": 40,
    "straight": 70,
    "ends_straight": 45,
    "mirror": 30,
    "lucky_end": 20,
    "year": 10,
    "four": -15,
}
_YEARS: Final = (1950, 2049)
_FOUR_LONG: Final = 4


class Level(IntEnum):
    """How much a number is liked. A pool that keeps nice numbers back keeps those that are ``NICE`` or ``RARE``."""

    PLAIN = 0
    PLEASANT = 1
    NICE = 2
    RARE = 3


_FROM: Final = ((70, Level.RARE), (30, Level.NICE), (15, Level.PLEASANT))


@dataclass(frozen=True, slots=True)
class Looks:
    """What there is about a number's looks."""

    traits: tuple[str, ...]
    score: int
    level: Level
    version: int = VERSION


def looks(digits: str) -> Looks:
    """Classify a number.

    Source of the traits: reference/directory-numbers.md (d), "Classes"; their worth is ours. Of traits that imply each other the greater
    counts; that a number has a 4, which sounds like death, takes from what it is worth.
    """
    traits = tuple(_traits(digits))
    score = sum(_SCORES[each] for each in traits)
    return Looks(traits, score, next((level for least, level in _FROM if score >= least), Level.PLAIN))


def _traits(digits: str) -> Iterator[str]:
    tail = digits[-_FOUR_LONG:]
    four = len(tail) == _FOUR_LONG
    if len(digits) > 2 and len(set(digits)) == 1:  # noqa: PLR2004 — of two digits every eleventh is a pair
        yield "all_equal"
    else:
        yield from _repeated(digits)
        if len(digits) > 2 and _is_straight(digits):  # noqa: PLR2004 — as above
            yield "straight"
        elif four and _is_straight(tail):
            yield "ends_straight"
        if four and tail[0] == tail[1] != tail[2] == tail[3]:
            yield "ends_aabb"
        if four and tail[:2] == tail[2:] and tail[0] != tail[1]:
            yield "ends_abab"
        if len(digits) >= _FOUR_LONG and digits == digits[::-1]:
            yield "mirror"
    if digits.endswith(_LUCKY):
        yield "lucky_end"
    if four and _YEARS[0] <= int(tail) <= _YEARS[1]:
        yield "year"
    if "4" in digits:
        yield "four"


def _repeated(digits: str) -> Iterator[str]:
    runs = [(len(each.group()), each.end() == len(digits)) for each in _RUN.finditer(digits)]
    if not runs:
        return
    longest = max(length for length, _ in runs)
    last = max((length for length, ends in runs if ends), default=0)
    if longest >= _FOUR_LONG:
        yield "ends_aaaa" if last >= _FOUR_LONG else "aaaa"
    else:
        yield "ends_aaa" if last else "aaa"


def _is_straight(digits: str) -> bool:
    steps = {int(after) - int(before) for before, after in pairwise(digits)}
    return steps in ({1}, {-1})


def is_kept_back(digits: str) -> bool:
    """Tell whether a pool that keeps nice numbers back keeps this one."""
    return looks(digits).level >= Level.NICE


def place(key: int, digits: str, *, keeps_nice: bool) -> int:
    """Give a number's place in the free list: ``key`` as the strategy says (0 or more), or below ``OPEN_FROM`` when it is kept back."""
    return mirrored(key) if keeps_nice and is_kept_back(digits) else key


def mirrored(key: int) -> int:
    """Give the place of a kept number for that of an open one, and the other way round: none is lost, and twice is as before."""
    return -1 - key


class PatternMalformed(ValueError):
    """The text is no pattern."""


_SHAPE: Final = re.compile(r"\*?[0-9?XA-J]{1,15}|[0-9?XA-J]{1,15}\*")


@dataclass(frozen=True)
class Pattern:
    """A pattern that has been read: its signs, and on which side anything may stand."""

    signs: str
    before: bool = False
    after: bool = False

    @cached_property
    def places(self) -> tuple[tuple[int, str], ...]:
        """The signs that ask something, with their places: from the first digit, or from the last one where anything may stand before."""
        return tuple(
            (at - len(self.signs) if self.before else at, sign) for at, sign in enumerate(self.signs) if sign != "?"
        )

    def matches(self, digits: str) -> bool:
        """Tell whether a number looks so."""
        if len(digits) < len(self.signs) or (not (self.before or self.after) and len(digits) != len(self.signs)):
            return False
        letters: dict[str, str] = {}
        for at, sign in self.places:
            if sign.isdigit():
                if digits[at] != sign:
                    return False
            elif letters.setdefault(sign, digits[at]) != digits[at]:
                return False
        return len(set(letters.values())) == len(letters)


def pattern(text: str) -> Pattern:
    """Read a pattern; raise ``PatternMalformed``."""
    text = text.upper()
    if not _SHAPE.fullmatch(text):
        raise PatternMalformed
    signs = text.strip("*").replace("X", "?")
    return Pattern(signs, before=text.startswith("*"), after=text.endswith("*"))
