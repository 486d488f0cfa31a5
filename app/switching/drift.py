"""Where an exchange and the directory say different things of a number. Pure.

Both sides come in the order of digits and are laid beside each other, a window at a time. Nothing is mended: who is right is for people to
say. What an exchange does not say (no name, no holder) contradicts nothing; what it may do beyond the house it always says.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from unicodedata import normalize
from uuid import UUID

from app.calling.rules import Function
from app.exchanges.line import HolderKind, HolderReference, Line
from app.numbers.rules import State
from app.switching.lines import OurLine, Person


class Drift(StrEnum):
    """How the two sides differ over a number."""

    MISSING_IN_EXCHANGE = "missing_in_exchange"
    UNKNOWN_TO_DIRECTORY = "unknown_to_directory"
    NOT_GIVEN_OUT = "not_given_out"
    STILL_LIVE = "still_live"
    OTHER_NAME = "other_name"
    OTHER_HOLDER = "other_holder"
    OTHER_PRIVILEGES = "other_privileges"
    TWICE_IN_EXCHANGE = "twice_in_exchange"
    UNREADABLE = "unreadable"


WORDS: Final[Mapping[Drift, tuple[str, str]]] = MappingProxyType(
    {
        Drift.MISSING_IN_EXCHANGE: ("assigned here, not on the exchange", "目录已分配，交换机没有"),
        Drift.UNKNOWN_TO_DIRECTORY: ("on the exchange, no number of the plan", "交换机有，不在号码计划内"),
        Drift.NOT_GIVEN_OUT: ("on the exchange, given to nobody here", "交换机有，目录未分配"),
        Drift.STILL_LIVE: ("on the exchange, resting, blocked or retired here", "交换机仍有，目录已冷冻、封存或停用"),
        Drift.OTHER_NAME: ("another name", "姓名不一致"),
        Drift.OTHER_HOLDER: ("another holder", "持有人不一致"),
        Drift.OTHER_PRIVILEGES: ("other calling privileges", "呼叫权限不一致"),
        Drift.TWICE_IN_EXCHANGE: ("twice on the exchange, and not alike", "交换机重复且内容不同"),
        Drift.UNREADABLE: ("a line of the dump cannot be read", "导出文件有无法读取的行"),
    }
)

_OVER: Final = frozenset({State.QUARANTINED, State.BLOCKED, State.RETIRED})
_FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {
        **{each.value: each for each in Function},
        "domestic": Function.LONG_DISTANCE,
        "national": Function.LONG_DISTANCE,
        "ldi": Function.INTERNATIONAL,
        "intl": Function.INTERNATIONAL,
        "forward": Function.EXTERNAL_FORWARD,
        "conf": Function.CONFERENCE,
    }
)
"""What exchanges call what a line may do, beside our own words."""
_INSIDE: Final = frozenset({"local", "internal", "emergency", "none"})
"""Words for what every line may do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference: what each side says, and where the dump says it."""

    kind: Drift
    digits: str
    pool: str | None = None
    state: State | None = None
    directory: str | None = None
    exchange: str | None = None
    source_line: int | None = None
    contact: UUID | None = None


@dataclass(slots=True)
class Dump:
    """The lines of an exchange, by digits, each number once; ``odd`` are numbers of which it says two things."""

    lines: list[Line] = field(default_factory=list)
    odd: list[Line] = field(default_factory=list)


def dump(lines: Iterable[Line]) -> Dump:
    """Put the lines of an exchange in order."""
    found = Dump()
    for each in sorted(lines, key=lambda line: (line.digits, line.source_line)):
        if not found.lines or found.lines[-1].digits != each.digits:
            found.lines.append(each)
        elif _said(found.lines[-1]) != _said(each):
            found.odd.append(each)
    return found


def _said(line: Line) -> tuple[str | None, HolderReference | None, frozenset[str]]:
    return _plain(line.name), line.holder, frozenset(functions(line.privileges))


def functions(privileges: Iterable[str]) -> set[str]:
    """Give what a line may do beyond the house, in our words; a word that is not known stands for itself."""
    found = {each for each in privileges if each not in _INSIDE}
    return {_FUNCTIONS[each].value if each in _FUNCTIONS else each for each in found}


def beside(ours: Sequence[OurLine], theirs: Sequence[Line], standing: Mapping[str, OurLine]) -> Iterator[Difference]:
    """Lay a window of both sides beside each other, in the order of digits.

    ``ours`` are the numbers that somebody holds, ``theirs`` the lines of the same window, each number once, and ``standing`` tells of those
    of them that nobody holds.
    """
    told = {each.digits: each for each in theirs}
    held = {each.digits: each for each in ours}
    for digits in sorted(told.keys() | held.keys()):
        line, number = told.get(digits), held.get(digits)
        if line is None:
            yield _missing(held[digits])
        elif number is None:
            yield _stray(line, standing.get(digits))
        else:
            yield from compared(number, line)


def compared(ours: OurLine, theirs: Line) -> Iterator[Difference]:
    """Hold one line against the number that it is of."""
    name, holder = theirs.name, theirs.holder
    if not ours.withheld and ours.people:
        named = {_plain(each.name) for each in ours.people}
        if _plain(name) is not None and _plain(name) not in named:
            yield _differs(ours, theirs, Drift.OTHER_NAME, names(ours), name)
        tells = holder is not None and holder.kind is not HolderKind.DEVICE
        if holder is not None and tells and not any(_is(each, holder) for each in ours.people):
            yield _differs(
                ours, theirs, Drift.OTHER_HOLDER, _known_as(ours, holder), f"{holder.kind.value}:{holder.value}"
            )
    may, can = sorted({each.function.value for each in ours.granted}), sorted(functions(theirs.privileges))
    if may != can:
        yield _differs(ours, theirs, Drift.OTHER_PRIVILEGES, ",".join(may) or None, ",".join(can) or None)


def twice(odd: Collection[Line]) -> Iterator[Difference]:
    """Tell of numbers of which an exchange says two things."""
    for each in odd:
        yield Difference(
            kind=Drift.TWICE_IN_EXCHANGE, digits=each.digits, exchange=each.name, source_line=each.source_line
        )


def names(ours: OurLine) -> str | None:
    """Write who holds a number."""
    return ours.name or None


def _missing(ours: OurLine) -> Difference:
    return Difference(
        kind=Drift.MISSING_IN_EXCHANGE,
        digits=ours.digits,
        pool=ours.pool,
        state=ours.state,
        directory=names(ours),
        contact=_contact(ours),
    )


def _stray(line: Line, number: OurLine | None) -> Difference:
    known = Drift.UNKNOWN_TO_DIRECTORY if number is None else Drift.NOT_GIVEN_OUT
    kind = Drift.STILL_LIVE if number is not None and number.state in _OVER else known
    return Difference(
        kind=kind,
        digits=line.digits,
        pool=None if number is None else number.pool,
        state=None if number is None else number.state,
        exchange=line.name,
        source_line=line.source_line,
    )


def _differs(ours: OurLine, theirs: Line, kind: Drift, directory: str | None, exchange: str | None) -> Difference:
    return Difference(
        kind=kind,
        digits=ours.digits,
        pool=ours.pool,
        state=ours.state,
        directory=directory,
        exchange=exchange,
        source_line=theirs.source_line,
        contact=_contact(ours),
    )


def _contact(ours: OurLine) -> UUID | None:
    return next((each.contact for each in ours.people if each.contact is not None), None)


def _plain(name: str | None) -> str | None:
    told = "".join(normalize("NFKC", name or "").casefold().split())
    return told or None


def _is(person: Person, holder: HolderReference) -> bool:
    known = _reference(person, holder.kind)
    return known is not None and known.casefold() == holder.value.casefold()


def _known_as(ours: OurLine, holder: HolderReference) -> str | None:
    found = [known for each in ours.people if (known := _reference(each, holder.kind)) is not None]
    return f"{holder.kind.value}:{','.join(found)}" if found else names(ours)


def _reference(person: Person, kind: HolderKind) -> str | None:
    match kind:
        case HolderKind.EMPLOYEE_NO:
            return person.employee_no
        case HolderKind.USER_NAME:
            return person.user_name
        case HolderKind.ROOM:
            return person.room
        case HolderKind.DEVICE:
            return None
