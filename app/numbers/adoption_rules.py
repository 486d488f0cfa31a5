"""What an import does with a number that a live exchange says somebody has: adopt it, leave it as it is, or say why not. Pure.

Adopting writes down what is so already. It is no giving: what is free in a range is adopted though nobody would be given just that number
next, but what the plan has for somebody else, lets rest, holds, reserves, blocks or keeps back for requests stays so, and the row says it.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.numbers.rules import State, Stretch, standing

MOST_RANGES: Final = 200


class Verdict(StrEnum):
    """What becomes of a row."""

    ADOPTED = "adopted"
    ALREADY_SO = "already_so"
    TWICE_THE_SAME = "twice_the_same"
    HELD_BY_ANOTHER = "held_by_another"
    OTHER_ROLE = "other_role"
    RESTING = "resting"
    ON_HOLD = "on_hold"
    RESERVED = "reserved"
    BLOCKED = "blocked"
    NOT_OPEN = "not_open"
    KEPT_BACK = "kept_back"
    NEEDS_SECOND_OPERATOR = "needs_second_operator"
    TWICE_IN_FILE = "twice_in_file"
    NO_SUCH_NUMBER = "no_such_number"
    NO_HOLDER = "no_holder"
    NAMED_ONLY = "named_only"
    UNKNOWN_HOLDER = "unknown_holder"
    UNKNOWN_DEVICE = "unknown_device"
    NEEDS_END = "needs_end"
    PRIVILEGES_BY_REQUEST = "privileges_by_request"


VERDICTS: Final[Mapping[Verdict, tuple[str, str]]] = MappingProxyType(
    {
        Verdict.ADOPTED: ("The number is assigned as the file says.", "已按文件登记该号码的持有者。"),
        Verdict.ALREADY_SO: ("It is so already.", "现状与文件一致。"),
        Verdict.TWICE_THE_SAME: ("An earlier row says the same.", "前面的行已有相同内容。"),
        Verdict.HELD_BY_ANOTHER: ("Somebody else holds the number.", "该号码由他人持有。"),
        Verdict.OTHER_ROLE: ("The holder has it in another role.", "持有者以另一种用途持有该号码。"),
        Verdict.RESTING: ("The number rests after its last holder.", "该号码处于释放后的冷冻期。"),
        Verdict.ON_HOLD: ("The number is on hold.", "该号码已被预占。"),
        Verdict.RESERVED: ("The number is reserved.", "该号码已被保留。"),
        Verdict.BLOCKED: ("The number is blocked.", "该号码已被停用。"),
        Verdict.NOT_OPEN: ("The number is not open yet.", "该号码尚未开放。"),
        Verdict.KEPT_BACK: ("The pool keeps this nice number back for requests.", "该号码为靓号，须经申请审批。"),
        Verdict.NEEDS_SECOND_OPERATOR: (
            "A kept number is taken over once another person has handed in the same file.",
            "靓号须由另一名操作员提交同一文件后方可接管。",
        ),
        Verdict.TWICE_IN_FILE: ("Rows give this number to different holders.", "文件中该号码对应不同的持有者。"),
        Verdict.NO_SUCH_NUMBER: ("No range of the domain has this number.", "编号域内没有包含该号码的号段。"),
        Verdict.NO_HOLDER: ("The row does not name a holder.", "该行没有指明持有者。"),
        Verdict.UNKNOWN_HOLDER: ("There is no such holder in office.", "没有这样的在职持有者。"),
        Verdict.NAMED_ONLY: (
            "The row names its holder by name alone, and two may have one name: give the employee number, user name or room.",
            "该行仅写姓名，可能重名；请补充工号、账号或会议室。",
        ),
        Verdict.UNKNOWN_DEVICE: ("There is no device with this serial number.", "没有该序列号的设备。"),
        Verdict.NEEDS_END: ("This assignment needs an end, which a file has not.", "此类分配必须有截止时间。"),
        Verdict.PRIVILEGES_BY_REQUEST: (
            "What the line may do beyond the house is not taken over; it is granted by request.",
            "通话权限不随导入生效，须另行申请。",
        ),
    }
)
"""What each verdict or note means, in English and Chinese."""

UNCHANGED: Final = frozenset({Verdict.ALREADY_SO, Verdict.TWICE_THE_SAME})
PROBLEMS: Final = frozenset(
    {
        Verdict.NO_SUCH_NUMBER,
        Verdict.NO_HOLDER,
        Verdict.NAMED_ONLY,
        Verdict.UNKNOWN_HOLDER,
        Verdict.UNKNOWN_DEVICE,
        Verdict.NEEDS_END,
    }
)
_BY_STATE: Final[Mapping[State, Verdict]] = MappingProxyType(
    {
        State.QUARANTINED: Verdict.RESTING,
        State.HELD: Verdict.ON_HOLD,
        State.RESERVED: Verdict.RESERVED,
        State.BLOCKED: Verdict.BLOCKED,
        State.PLANNED: Verdict.NOT_OPEN,
        State.ASSIGNED: Verdict.HELD_BY_ANOTHER,
        State.PROVISIONING: Verdict.HELD_BY_ANOTHER,
        State.RETIRED: Verdict.NO_SUCH_NUMBER,
    }
)


class Overrule(StrEnum):
    """Whether kept numbers are taken over: nobody asked for it, one person did, or two."""

    NOT_ASKED = "not_asked"
    BY_ONE = "by_one"
    BY_TWO = "by_two"


_KEPT: Final[Mapping[Overrule, Verdict]] = MappingProxyType(
    {
        Overrule.NOT_ASKED: Verdict.KEPT_BACK,
        Overrule.BY_ONE: Verdict.NEEDS_SECOND_OPERATOR,
        Overrule.BY_TWO: Verdict.ADOPTED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stands:
    """How a number stands: who holds it in which role, and what its pool asks."""

    state: State
    available_from: datetime | None
    kept_back: bool
    must_end: bool
    held: tuple[tuple[Hashable, str], ...]


def judge(
    number: Stands | None, holder: Hashable, role: str, *, overrule: Overrule, now: datetime, told: bool = True
) -> Verdict:
    """Tell what becomes of a row by which ``holder`` has a number as ``role``; not ``told``, the role is what such rows mostly mean."""
    if number is None:
        return Verdict.NO_SUCH_NUMBER
    mine = [each for who, each in number.held if who == holder]
    if mine:
        return Verdict.ALREADY_SO if not told or role in mine or "shared" in mine else Verdict.OTHER_ROLE
    if number.held:
        return Verdict.HELD_BY_ANOTHER
    state = standing(number.state, number.available_from, now)
    if state is not State.AVAILABLE:
        return _BY_STATE[state]
    if number.must_end:
        return Verdict.NEEDS_END
    return _KEPT[overrule] if number.kept_back else Verdict.ADOPTED


def repeated(rows: Sequence[tuple[str, Hashable]]) -> list[Verdict | None]:
    """Tell of rows (digits, and what they give them to) which say again what one before says, and which contradict each other."""
    said: dict[str, set[Hashable]] = {}
    for digits, told in rows:
        said.setdefault(digits, set()).add(told)
    found: list[Verdict | None] = []
    seen: set[str] = set()
    for digits, _ in rows:
        if len(said[digits]) > 1:
            found.append(Verdict.TWICE_IN_FILE)
        else:
            found.append(Verdict.TWICE_THE_SAME if digits in seen else None)
        seen.add(digits)
    return found


@dataclass(frozen=True, slots=True)
class Island:
    """Numbers that follow one another: the first, the last, how many."""

    start: str
    end: str
    size: int


def outside(digits: Sequence[str], ranges: Sequence[Stretch]) -> list[Island]:
    """Find the numbers that no range has, as islands."""
    by_width: dict[int, list[Stretch]] = {}
    for each in ranges:
        by_width.setdefault(each.width, []).append(each)
    return islands(each for each in set(digits) if not any(one.holds(each) for one in by_width.get(len(each), ())))


def islands(digits: Iterable[str]) -> list[Island]:
    """Find stretches of numbers of one length without a gap, in order; what a range could be."""
    found: list[Island] = []
    for each in sorted(set(digits), key=lambda each: (len(each), each)):
        last = found[-1] if found else None
        if last is not None and len(last.end) == len(each) and int(each) == int(last.end) + 1:
            found[-1] = Island(last.start, each, last.size + 1)
        else:
            found.append(Island(each, each, 1))
    return found
