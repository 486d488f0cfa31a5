"""Refusals about the plan itself, where it would contradict itself.

Conflict
├── RangeConflicts           range_conflicts           in a domain that is dialled digit by digit one number would begin another
├── DomainConflicts          domain_conflicts          ranges that are there do not fit the domain as it would be
├── ReservedInUse            reserved_number_in_use    live numbers run into what would be reserved
├── DuplicateReserved        duplicate_reserved_number
├── EmergencyStays           emergency_number_stays    what saves lives is not taken off the list
└── NoRowOfNumbers           no_contiguous_numbers     so many that follow one another are not free: ``requested``, ``longest``
Forbidden
└── NumberKept               number_kept               a nice number that its pool gives out by approved request alone
Invalid
└── RangeOutsideDomain       range_outside_domain      first digit or length is none of the domain's
"""

from collections.abc import Mapping, Sequence
from typing import Final

from app.kit.errors import Conflict, FieldError, Forbidden, Invalid

MOST_TOLD: Final = 20
"""So many conflicts are named; the rest show when these are mended."""


class RangeConflicts(Conflict):
    """One of the numbers would begin another, or begin with it, where sets dial digit by digit."""

    code, title, title_zh = "range_conflicts", "A number would begin another one", "号段与已有号码存在前缀冲突"

    def __init__(self, conflicts: Sequence[Mapping[str, str]]) -> None:
        """Name pairs of numbers, one for each range at fault."""
        fault = FieldError("/start", self.code, self.title, self.title_zh)
        super().__init__(errors=[fault], conflicts=list(conflicts))


class RangeIsOpen(Conflict):
    """The numbers of the range may be given out already; when it opens is past."""

    code, title, title_zh = "range_is_open", "The range is open already", "号段已开放"


class DomainConflicts(Conflict):
    """Ranges of the domain do not fit what it would be."""

    code, title, title_zh = "domain_conflicts", "Ranges of the domain do not fit this", "编号域中已有号段与此设置冲突"

    def __init__(self, conflicts: Sequence[Mapping[str, str]]) -> None:
        """Name the ranges, each with a number at fault."""
        super().__init__(conflicts=list(conflicts))


class ReservedInUse(Conflict):
    """Numbers that are there run into the digits."""

    code, title, title_zh = (
        "reserved_number_in_use",
        "Numbers in the plan run into these digits",
        "已有号码与该保留号码冲突",
    )

    def __init__(self, conflicts: Sequence[Mapping[str, str]]) -> None:
        """Name the numbers."""
        fault = FieldError("/digits", self.code, self.title, self.title_zh)
        super().__init__(errors=[fault], conflicts=list(conflicts))


class DuplicateReserved(Conflict):
    """The digits are reserved already."""

    code, title, title_zh = "duplicate_reserved_number", "The digits are reserved already", "该号码已在保留号码表中"


class EmergencyStays(Conflict):
    """An emergency number is not taken off the list."""

    code, title, title_zh = "emergency_number_stays", "Emergency numbers stay reserved", "紧急号码不能取消保留"


class NoRowOfNumbers(Conflict):
    """So many numbers that follow one another are not free; none was taken."""

    code, title, title_zh = "no_contiguous_numbers", "No row of so many numbers is free", "没有足够长的连续可用号码"

    def __init__(self, *, requested: int, longest: int) -> None:
        """Say how many were asked for, and how long the longest row is."""
        super().__init__(requested=requested, longest=longest)


class NumberKept(Forbidden):
    """The number is nice, and its pool keeps such numbers for approved requests that name them."""

    code, title, title_zh = (
        "number_kept",
        "The number is kept back; file a request number.allocate that names it",
        "该号码为预留靓号，请提交指定该号码的分配申请",
    )


class RangeOutsideDomain(Invalid):
    """The range has numbers that no set of the domain could dial, or that mean something else outside."""

    code, title, title_zh = (
        "range_outside_domain",
        "The range has numbers of a length or first digit that its domain does not have",
        "号段的位数或首位数字不符合编号域的规定",
    )

    def __init__(self, *, digits: str, first_digits: str, shortest: int, longest: int) -> None:
        """Name the first number at fault, and what the domain has."""
        fault = FieldError("/start", self.code, self.title, self.title_zh)
        super().__init__(errors=[fault], digits=digits, first_digits=first_digits, shortest=shortest, longest=longest)
