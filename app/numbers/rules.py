"""The rules of the number plan: states and what moves a number between them, how long it rests, what a range holds, what it may not hold.

Pure. A range is a handful of Python ``range`` objects, one per stretch between exclusions, so size, membership and collision are sums and
divisions whatever its length. Digits are text of a fixed width; only inside this module they are counted as integers.
"""

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import islice
from math import gcd
from types import MappingProxyType
from typing import Final

LONGEST: Final = 15
"""ITU-T E.164: no number is longer."""


NUMBER_KEEPERS: Final = frozenset({"it", "system_admin"})
"""Roles that keep the number plan. Service accounts keep it by the scope that their registration gave them."""
PEOPLE: Final = frozenset({"contact", "hotline"})
"""Kinds of holders who stand in the directory: who holds a number is told of them to readers who may know of them."""


class State(StrEnum):
    """Where a number stands."""

    PLANNED = "planned"
    AVAILABLE = "available"
    HELD = "held"
    PROVISIONING = "provisioning"
    ASSIGNED = "assigned"
    QUARANTINED = "quarantined"
    RESERVED = "reserved"
    BLOCKED = "blocked"
    RETIRED = "retired"


class Verb(StrEnum):
    """What moves a number."""

    OPEN = "open"
    HOLD = "hold"
    DROP = "drop"
    ALLOCATE = "allocate"
    PROVISION = "provision"
    CONFIRM = "confirm"
    RELEASE = "release"
    REST = "rest"
    REGAIN = "regain"
    REUSE = "reuse"
    TRANSFER = "transfer"
    RESERVE = "reserve"
    BLOCK = "block"
    UNBLOCK = "unblock"
    RETIRE = "retire"


_IDLE: Final = (State.PLANNED, State.AVAILABLE, State.HELD, State.QUARANTINED, State.RESERVED, State.BLOCKED)
TRANSITIONS: Final[Mapping[tuple[State, Verb], State]] = MappingProxyType(
    {
        (State.PLANNED, Verb.OPEN): State.AVAILABLE,
        (State.AVAILABLE, Verb.HOLD): State.HELD,
        (State.HELD, Verb.DROP): State.AVAILABLE,
        (State.RESERVED, Verb.DROP): State.AVAILABLE,
        (State.AVAILABLE, Verb.ALLOCATE): State.ASSIGNED,
        (State.HELD, Verb.ALLOCATE): State.ASSIGNED,
        (State.RESERVED, Verb.ALLOCATE): State.ASSIGNED,
        (State.AVAILABLE, Verb.PROVISION): State.PROVISIONING,
        (State.HELD, Verb.PROVISION): State.PROVISIONING,
        (State.RESERVED, Verb.PROVISION): State.PROVISIONING,
        (State.PROVISIONING, Verb.CONFIRM): State.ASSIGNED,
        (State.PROVISIONING, Verb.TRANSFER): State.PROVISIONING,
        (State.PROVISIONING, Verb.RELEASE): State.QUARANTINED,
        (State.PROVISIONING, Verb.BLOCK): State.BLOCKED,
        (State.ASSIGNED, Verb.TRANSFER): State.ASSIGNED,
        (State.ASSIGNED, Verb.RELEASE): State.QUARANTINED,
        (State.QUARANTINED, Verb.REST): State.AVAILABLE,
        (State.QUARANTINED, Verb.REGAIN): State.ASSIGNED,
        (State.QUARANTINED, Verb.REUSE): State.ASSIGNED,
        (State.AVAILABLE, Verb.RESERVE): State.RESERVED,
        (State.HELD, Verb.RESERVE): State.RESERVED,
        (State.RESERVED, Verb.OPEN): State.AVAILABLE,
        (State.ASSIGNED, Verb.BLOCK): State.BLOCKED,
        (State.AVAILABLE, Verb.BLOCK): State.BLOCKED,
        (State.QUARANTINED, Verb.BLOCK): State.BLOCKED,
        (State.BLOCKED, Verb.UNBLOCK): State.QUARANTINED,
        **{(state, Verb.RETIRE): State.RETIRED for state in _IDLE},
    }
)
"""reference/directory-numbers.md (d), "State machine". What is not listed may not happen; nothing leaves ``retired``."""

ENDING: Final = frozenset({State.PLANNED, State.HELD, State.QUARANTINED, State.RESERVED, State.BLOCKED})
"""States that are over at a date, when the number has one; a number in any other has none."""


def moved(state: State, verb: Verb) -> State | None:
    """Give the state that ``verb`` leads to; ``None`` when it may not happen."""
    return TRANSITIONS.get((state, verb))


def regained(state: State, *, last: Hashable, holder: Hashable, confirms: bool = False) -> State | None:
    """Give the state of a number that ``holder`` gets back; ``None`` unless it waits in quarantine and ``last`` had it, who is the same.

    reference/directory-numbers.md (d), "State machine": the same holder coming back inside the window gets it again.
    """
    then = moved(state, Verb.REGAIN) if last == holder else None
    return None if then is None else begun(then, confirms=confirms)


def begun(then: State, *, confirms: bool) -> State:
    """Give where a number begins that is given out: where the exchange confirms what it has set up, it is not assigned before that."""
    return State.PROVISIONING if confirms and then is State.ASSIGNED else then


def standing(state: State, available_from: datetime | None, now: datetime) -> State:
    """Give the state as of ``now``: what is over at a date is over then, whether or not anybody wrote it down."""
    if state in ENDING and available_from is not None and available_from <= now:
        return State.AVAILABLE
    return state


class PoolClass(StrEnum):
    """What a pool is for."""

    INTERNAL = "internal"
    PARTNER = "partner"
    TEMPORARY = "temporary"
    EXECUTIVE = "executive"
    SERVICE = "service"
    NICE = "nice"


class Strategy(StrEnum):
    """Which number is next."""

    LOWEST = "lowest"
    LONGEST_IDLE = "longest_idle"
    RANDOM = "random"
    PATTERN = "pattern"
    MOBILE_TAIL = "mobile_tail"


class Cause(StrEnum):
    """Why an assignment ended."""

    RELEASED = "released"
    LEFT = "left"
    MOVED = "moved"
    EXPIRED = "expired"
    ABUSED = "abused"


CLASS_DAYS: Final[Mapping[PoolClass, int]] = MappingProxyType(
    {
        PoolClass.INTERNAL: 90,
        PoolClass.PARTNER: 90,
        PoolClass.TEMPORARY: 7,
        PoolClass.EXECUTIVE: 180,
        PoolClass.SERVICE: 365,
        PoolClass.NICE: 180,
    }
)
"""Days of rest where a pool does not say its own (reference/directory-numbers.md (d), "Quarantine days by class and cause")."""

_SHORTER: Final[Mapping[Cause, int]] = MappingProxyType({Cause.MOVED: 30})
"""A holder who moved still answers and forwards, so the number rests no longer than this."""


def rest(days: int, cause: Cause) -> timedelta | None:
    """Give how long a number of a pool with ``days`` rests after ``cause``; ``None``: until somebody has looked into it."""
    if cause is Cause.ABUSED:
        return None
    return timedelta(days=min(days, _SHORTER.get(cause, days)))


def release_verb(cause: Cause) -> Verb:
    """Give what a release for ``cause`` does to the number."""
    return Verb.BLOCK if cause is Cause.ABUSED else Verb.RELEASE


_USED: Final = 4 * 10**18
_WIDTH_PLACE: Final = 10**LONGEST
_UNLIKE: Final = 10**18


@dataclass(frozen=True, slots=True)
class Order:
    """In which order a pool gives its numbers: its strategy, and which numbers are ``liked`` and so come first where it is ``pattern``."""

    strategy: Strategy
    liked: Callable[[str], bool] | None = None


def first_key(order: Order, digits: str, draw: Callable[[], int]) -> int:
    """Give a new number's place in the free list, smallest first; ``draw`` gives 62 random bits."""
    if order.strategy is Strategy.RANDOM:
        return draw()
    lowest = len(digits) * _WIDTH_PLACE + int(digits)
    return lowest if order.liked is None or order.liked(digits) else _UNLIKE + lowest


def next_key(order: Order, digits: str, released: datetime, draw: Callable[[], int]) -> int:
    """Give a released number's place: under ``longest_idle`` behind all that were never used and all released before it."""
    if order.strategy is Strategy.LONGEST_IDLE:
        return _USED + int(released.timestamp() * 1_000_000)
    return first_key(order, digits, draw)


def digits_at(key: int) -> str:
    """Give the number whose place ``key`` is where the lowest comes first."""
    width, value = divmod(key, _WIDTH_PLACE)
    return str(value).zfill(width)


class RangeMalformed(ValueError):
    """The range cannot be; ``code``, the member at fault, and the reason in both languages."""

    def __init__(self, code: str, pointer: str, english: str, chinese: str) -> None:
        """Name the fault."""
        super().__init__(code)
        self.code, self.pointer, self.english, self.chinese = code, pointer, english, chinese


@dataclass(frozen=True)
class Stretch:
    """The numbers of one range: those from ``first`` to ``last`` in steps, but for the ``excluded`` stretches (both ends belong)."""

    first: str
    last: str
    step: int = 1
    excluded: tuple[tuple[str, str], ...] = ()

    @property
    def width(self) -> int:
        """How many digits each of its numbers has."""
        return len(self.first)

    @cached_property
    def runs(self) -> tuple[range, ...]:
        """The numbers as ascending runs without gaps but the step."""
        low, high, step = int(self.first), int(self.last), self.step
        gaps = sorted((int(start), int(end)) for start, end in self.excluded)
        found: list[range] = []
        at = low
        for start, end in [*gaps, (high + 1, high + 1)]:
            run = range(at, min(start, high + 1), step)
            if run:
                found.append(run)
            if end >= at:
                at = low + -(-(end + 1 - low) // step) * step
        return tuple(found)

    @cached_property
    def size(self) -> int:
        """How many numbers it has."""
        return sum(len(run) for run in self.runs)

    def chunk(self, offset: int, count: int) -> list[str]:
        """Give ``count`` of its numbers, the first ``offset`` of them left out, in ascending order."""
        return list(islice(self._from(offset), count))

    def _from(self, offset: int) -> Iterator[str]:
        for run in self.runs:
            yield from (str(each).zfill(self.width) for each in run[offset:])
            offset = max(0, offset - len(run))

    def holds(self, digits: str) -> bool:
        """Tell whether the number is one of it."""
        return len(digits) == self.width and any(int(digits) in run for run in self.runs)

    def within(self, low: int, high: int) -> str | None:
        """Give the first of its numbers from ``low`` to ``high``."""
        for run in self.runs:
            if run[-1] >= low and run[0] <= high:
                at = bisect_left(run, low)
                if run[at] <= high:
                    return str(run[at]).zfill(self.width)
        return None


def stretch(start: str, end: str, step: int, excluded: Sequence[str]) -> Stretch:
    """Read a range as a caller writes it; an exclusion is one number or ``from-to``. Raise ``RangeMalformed``."""
    if len(start) != len(end):
        raise RangeMalformed(
            "range_of_two_lengths", "/end", "Both ends have the same length.", "起止号码位数必须相同。"
        )
    if start > end:
        raise RangeMalformed("range_reversed", "/end", "The end is not before the start.", "结束号码不能小于起始号码。")
    gaps = []
    for place, each in enumerate(excluded):
        low, _, high = each.partition("-")
        high = high or low
        if not len(low) == len(high) == len(start) or not start <= low <= high <= end:
            raise RangeMalformed(
                "malformed_exclusion",
                f"/excluded/{place}",
                "An exclusion is a number of the range, or two with a hyphen between, the smaller first.",
                "排除项应为号段内的号码，或以连字符分隔的起止号码。",
            )
        gaps.append((low, high))
    found = Stretch(start, end, step, tuple(gaps))
    if found.size == 0:
        raise RangeMalformed("empty_range", "/excluded", "Nothing is left of the range.", "号段内没有可用号码。")
    return found


def _common(one: range, two: range) -> int | None:
    """Give the smallest number in both runs (Chinese remainder theorem)."""
    low, high = max(one[0], two[0]), min(one[-1], two[-1])
    shared = gcd(one.step, two.step)
    if low > high or (two[0] - one[0]) % shared:
        return None
    period = two.step // shared
    turns = (two[0] - one[0]) // shared * pow(one.step // shared, -1, period) % period if period > 1 else 0
    meeting = one[0] + turns * one.step
    cycle = one.step * period
    meeting += -(-(low - meeting) // cycle) * cycle
    return meeting if meeting <= high else None


def collision(one: Stretch, two: Stretch) -> str | None:
    """Give the first number that both ranges would hold."""
    if one.width != two.width:
        return None
    at, to = 0, 0
    while at < len(one.runs) and to < len(two.runs):
        found = _common(one.runs[at], two.runs[to])
        if found is not None:
            return str(found).zfill(one.width)
        if one.runs[at][-1] <= two.runs[to][-1]:
            at += 1
        else:
            to += 1
    return None


def reserved_in(found: Stretch, reserved: Iterable[str]) -> dict[str, str]:
    """Give the reserved numbers that a range runs into, each with the first of its numbers at fault.

    A number may not be reserved, begin with a reserved one, or be the beginning of one: a telephone would dial 110 before 1100
    is complete (reference/directory-numbers.md (d), conflict check 5).
    """
    faults: dict[str, str] = {}
    for digits in reserved:
        rest_of = found.width - len(digits)
        if rest_of >= 0:
            low = int(digits) * 10**rest_of
            first = found.within(low, low + 10**rest_of - 1)
        else:
            start = digits[: found.width]
            first = start if found.holds(start) else None
        if first is not None:
            faults[digits] = first
    return faults
