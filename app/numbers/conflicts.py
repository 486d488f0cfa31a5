"""Which numbers cannot stand beside each other: the same digits, one that begins another, one that is reserved or that a set cannot dial.

Pure. Two ranges of a million numbers are compared in the time of a few divisions: the numbers of the longer range that begin with one of
the shorter are those whose remainder falls into a window, and the first of them is found as in Euclid's algorithm.
Source of the rules: reference/directory-numbers.md (d), "Conflict checks".
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.numbers.rules import LONGEST, Stretch

SHORTEST: Final = 2
FIRST_DIGITS: Final = "2345678"
"""China: 0 leads out, 1 and 9 are nationwide (电信网编号计划 2017)."""


class Dialling(StrEnum):
    """How digits are dialled: one by one, so that a number is complete as soon as it is one; or all at once."""

    OVERLAP = "overlap"
    EN_BLOC = "en_bloc"


class Severity(StrEnum):
    """Whether a finding stands in the way."""

    ERROR = "error"
    WARNING = "warning"


def prefix_severity(dialling: str) -> Severity:
    """Tell how bad it is that a number begins another: where sets dial digit by digit the longer one is never reached."""
    return Severity.ERROR if dialling == Dialling.OVERLAP else Severity.WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What numbers of a domain look like. ``access_codes`` lead somewhere else, so no number begins with one."""

    first_digits: str = FIRST_DIGITS
    shortest: int = SHORTEST
    longest: int = LONGEST
    access_codes: tuple[str, ...] = ()

    def admits(self, digits: str) -> bool:
        """Tell whether length and first digit are those of the domain."""
        return self.shortest <= len(digits) <= self.longest and digits[0] in self.first_digits

    def outside(self, found: Stretch) -> str | None:
        """Give the first number of a range whose length or first digit is not the domain's."""
        if not self.shortest <= found.width <= self.longest:
            return found.chunk(0, 1)[0]
        block = 10 ** (found.width - 1)
        for digit in range(10):
            first = None
            if str(digit) not in self.first_digits:
                first = found.within(digit * block, (digit + 1) * block - 1)
            if first is not None:
                return first
        return None

    @property
    def dialled_codes(self) -> tuple[str, ...]:
        """The access codes with which a number could begin; those with ``*`` or ``#`` begin none."""
        return tuple(each for each in self.access_codes if each.isdigit())


PROFILES: Final[Mapping[str, Profile]] = {
    "desk": Profile(),
    "vnet": Profile(first_digits="6", shortest=3, longest=6),
}
"""What a new domain starts from. The mobile group (V 网) is the carriers' habit, not a norm: whoever has another contract says so."""


def collides(one: str, two: str) -> bool:
    """Tell whether two numbers are the same or one begins the other."""
    return one.startswith(two) or two.startswith(one)


def reserved_for(digits: str, reserved: Iterable[str]) -> list[str]:
    """Give the reserved numbers that ``digits`` runs into, shortest first."""
    return sorted((each for each in reserved if collides(digits, each)), key=lambda each: (len(each), each))


def meeting(one: Stretch, two: Stretch) -> tuple[str, str] | None:
    """Give a number of ``one`` and a number of ``two`` of which the shorter begins the longer, or which are the same.

    Of all such pairs it is the one whose longer number is the smallest.
    """
    if one.width > two.width:
        found = meeting(two, one)
        return None if found is None else (found[1], found[0])
    scale = 10 ** (two.width - one.width)
    at, to = 0, 0
    while at < len(one.runs) and to < len(two.runs):
        short, long = one.runs[at], two.runs[to]
        met = _first_within(short, long, scale)
        if met is not None:
            return str(met // scale).zfill(one.width), str(met).zfill(two.width)
        if long[-1] <= (short[-1] + 1) * scale - 1:
            to += 1
        else:
            at += 1
    return None


def _first_within(short: range, long: range, scale: int) -> int | None:
    """Give the smallest number of ``long`` that begins, ``scale`` apart, with one of ``short``."""
    low, high = short[0] * scale, min(long[-1], (short[-1] + 1) * scale - 1)
    start = bisect_left(long, low)
    if start >= len(long) or long[start] > high:
        return None
    period = short.step * scale
    gone = (long[start] - low) % period
    if gone < scale:
        return long[start]
    turns = first_turn(long.step, period, period - gone, period - gone + scale - 1)
    if turns is None or start + turns >= len(long) or long[start + turns] > high:
        return None
    return long[start + turns]


def first_turn(step: int, period: int, low: int, high: int) -> int | None:
    """Give the smallest ``k >= 0`` with ``low <= k * step % period <= high``; ``0 <= low <= high < period``."""
    step %= period
    if low == 0:
        return 0
    if step == 0:
        return None
    if 2 * step > period:
        step, low, high = period - step, period - high, period - low
    turns = -(-low // step)
    if turns * step <= high:
        return turns
    rounds = first_turn(-period % step, step, low % step, high % step)
    return None if rounds is None else -(-(low + period * rounds) // step)


class NumberVerdict(StrEnum):
    """What the check of a list says of one number."""

    VALID = "valid"
    DUPLICATE = "duplicate"
    DUPLICATE_IN_LIST = "duplicate_in_list"
    RESERVED = "reserved"
    PREFIX_OF = "prefix_of"
    EXTENDS = "extends"
    QUARANTINED = "quarantined"
    OUT_OF_RANGE = "out_of_range"
    INVALID = "invalid"


def is_number(text: str) -> bool:
    """Tell whether a text can be a number at all: ASCII digits, two to fifteen of them."""
    return SHORTEST <= len(text) <= LONGEST and text.isascii() and text.isdigit()


@dataclass(frozen=True, slots=True)
class InList:
    """What one number of a list is to another: ``verdict``, and the place of the other."""

    verdict: NumberVerdict
    place: int


def within_list(numbers: Sequence[str]) -> list[list[InList]]:
    """Compare the numbers of a list with each other; what is no number is compared with nothing.

    Of equal ones all but the first are told the place of the first. A number that begins others is told one of them, and one that begins
    with another the shortest such.
    """
    first: dict[str, int] = {}
    found: list[list[InList]] = [[] for _ in numbers]
    for place, text in enumerate(numbers):
        if is_number(text) and first.setdefault(text, place) != place:
            found[place].append(InList(NumberVerdict.DUPLICATE_IN_LIST, first[text]))
    ordered = sorted(first)
    for place, text in enumerate(numbers):
        if text not in first:
            continue
        after = bisect_left(ordered, text) + 1
        if after < len(ordered) and ordered[after].startswith(text):
            found[place].append(InList(NumberVerdict.PREFIX_OF, first[ordered[after]]))
        shorter = next((text[:size] for size in range(SHORTEST, len(text)) if text[:size] in first), None)
        if shorter is not None:
            found[place].append(InList(NumberVerdict.EXTENDS, first[shorter]))
    return found
