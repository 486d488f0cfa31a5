"""What the check of the number plan looks at, as the store has it: rows without any meaning put into them. Pure."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from app.numbers.conflicts import Profile
from app.numbers.rules import PoolClass, State, Stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainFact:
    """What a domain asks of its numbers."""

    code: str
    dialling: str
    profile: Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolFact:
    """What a pool asks of its numbers."""

    code: str
    domain_id: UUID
    pool_class: PoolClass
    keeps_nice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFact:
    """One row of ``number``."""

    id: int
    domain_id: UUID
    pool_id: UUID
    range_id: UUID
    digits: str
    state: State
    sort_key: int
    available_from: datetime | None
    nice: int
    nice_version: int
    hold_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenure:
    """One row of ``number_assignment``: who holds or held a number."""

    id: UUID
    number_id: int
    pool_id: UUID
    role: str
    started_at: datetime
    ended_at: datetime | None
    until: datetime | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFact:
    """One row of ``number_hold``; ``numbers`` are row numbers."""

    id: UUID
    pool_id: UUID
    numbers: frozenset[int]
    state: State
    expires_at: datetime
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFact:
    """What a contact's card tells of numbers."""

    id: UUID
    status: str
    short_numbers: tuple[str, ...]
    extension: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """An open assignment of a holder, with the digits of its number."""

    holder_id: UUID
    role: str
    digits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedFact:
    """A row of ``calling_privilege`` with what its assignment says by now; ``signed``: its MAC is that of its row."""

    domain: str
    digits: str
    contact_id: UUID
    in_force: bool
    signed: bool
    line_digits: str
    line_domain: str
    line_holder: UUID
    line_open: bool


@dataclass(frozen=True, kw_only=True)
class RangeFact:
    """One row of ``number_range``; ``size`` and ``made`` are what it says of itself."""

    id: UUID
    pool_id: UUID
    domain_id: UUID
    stretch: Stretch
    size: int
    made: int

    @cached_property
    def _starts(self) -> list[int]:
        return [run[0] for run in self.stretch.runs]

    def holds(self, digits: str) -> bool:
        """Tell whether a number is one of it, in the time of a look-up however many exclusions it has."""
        if len(digits) != self.stretch.width or not (digits.isascii() and digits.isdigit()):
            return False
        at = bisect_right(self._starts, int(digits)) - 1
        return at >= 0 and int(digits) in self.stretch.runs[at]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFacts:
    """The plan: few rows however many numbers there are."""

    domains: Mapping[UUID, DomainFact]
    pools: Mapping[UUID, PoolFact]
    ranges: Mapping[UUID, RangeFact]
    reserved: tuple[str, ...]
