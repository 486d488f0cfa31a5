"""Whether so many people may leave at once: by count and by share of those in scope. Pure.

The defaults are those of WeCom's own synchronisation (reference/directory-numbers.md, b.1): more than 50 leavers and more than 20 % of the
people, or at most 50 and more than 80 %. A file that was split is judged by what its parts do together within a day.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Limits:
    """From how many leavers on which share counts, in per cent."""

    people: int = 50
    percent_of_many: int = 20
    percent_of_few: int = 80


class FuseReason(StrEnum):
    """Why it is so."""

    NOBODY = "nobody_leaves"
    SOUND = "within_limits"
    MANY = "too_many_leave"
    NEARLY_ALL = "nearly_all_leave"


class FuseExtent(StrEnum):
    """Over what people were counted."""

    ALONE = "this_reconciliation"
    BATCH = "this_batch"
    DAY_IN_SCOPE = "day_in_this_scope"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many leave, of how many who were in service before the first of them left."""

    extent: FuseExtent
    leavers: int
    people: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the fuse has blown, why, and over what."""

    blown: bool
    reason: FuseReason
    tally: Tally


def judged(tally: Tally, limits: Limits) -> Verdict:
    """Judge one tally. Leavers whom nobody was counted among are more than any share."""
    if tally.leavers <= 0:
        return Verdict(blown=False, reason=FuseReason.NOBODY, tally=tally)
    many = tally.leavers > limits.people
    percent = limits.percent_of_many if many else limits.percent_of_few
    if tally.leavers * 100 <= tally.people * percent:
        return Verdict(blown=False, reason=FuseReason.SOUND, tally=tally)
    return Verdict(blown=True, reason=FuseReason.MANY if many else FuseReason.NEARLY_ALL, tally=tally)


def worst(tallies: Iterable[Tally], limits: Limits) -> Verdict:
    """Judge several tallies; give the first that has blown the fuse, else the first."""
    verdicts = [judged(each, limits) for each in tallies]
    return next((each for each in verdicts if each.blown), verdicts[0])
