"""What a phonebook lists, whatever the telephone: names, numbers, groups, and who is away until when and who answers instead.

Pure. What a telephone can hold is data (``Limits``); a name is cut so that what says that somebody is away stays whole.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from app.phonebooks.markup import cut, legal

Language = Literal["zh", "en"]

_DIALLED: Final = re.compile(r"[0-9*#]{1,15}", re.ASCII)
_BETWEEN: Final = " · "
_OTHERS: Final = {"zh": "其他", "en": "Other"}
_AWAY: Final = {"zh": "离岗至 {until}", "en": "away until {until}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one telephone takes: entries of one document, bytes of a name and of a group's name, numbers of an entry, groups."""

    entries: int
    name_bytes: int
    numbers: int
    group_bytes: int
    groups: int


@dataclass(frozen=True, slots=True)
class Away:
    """Somebody is not there until the end of a day; ``instead`` is the number that answers for them, where there is one."""

    until: date
    instead: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A name with its numbers. ``departments`` are the names from the root of the tree down to the department it belongs to."""

    name: str
    numbers: tuple[str, ...]
    departments: tuple[str, ...] = ()
    away: Away | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Entries in order, as of one day, in one language."""

    title: str
    entries: Sequence[Entry]
    today: date
    language: Language = "zh"
    grouped: bool = False


def dialled(numbers: Iterable[str | None]) -> tuple[str, ...]:
    """Keep what can be dialled, each once, in order."""
    return tuple(dict.fromkeys(each for each in numbers if each is not None and _DIALLED.fullmatch(each)))


def away_text(away: Away, today: date, language: Language) -> str:
    """Say until when, by month and day within the year, and which number answers: ``(离岗至 11-30 → 61234)``."""
    until = away.until.isoformat() if away.until.year != today.year else f"{away.until:%m-%d}"
    instead = "" if away.instead is None else f" → {away.instead}"
    return f"({_AWAY[language].format(until=until)}{instead})"


def label(entry: Entry, book: Book, limits: Limits) -> str:
    """Write what the telephone shows as a name: the name, its department unless entries are grouped, and whether somebody is away.

    Longer than the telephone takes, it loses its department first, then the end of the name.
    """
    parts = [legal(entry.name)]
    if entry.departments and not book.grouped:
        parts.append(legal(entry.departments[-1]))
    whole = _BETWEEN.join(parts)
    tail = "" if entry.away is None else " " + away_text(entry.away, book.today, book.language)
    head = cut(whole, limits.name_bytes - len(tail.encode()))
    return (head if head == whole else head.rstrip(_BETWEEN)) + tail


def groups(book: Book, limits: Limits) -> dict[str, list[Entry]]:
    """Part the entries by department, in order of name.

    Departments that are too many for the telephone are put together by what stands at the top of the tree above them, and where these are
    too many the last of them as others.
    """
    found = _parted(book, -1)
    if len(found) > limits.groups:
        found = _parted(book, 0)
    if len(found) > limits.groups:
        others = _OTHERS[book.language]
        last = sorted(found.keys() - {others})[limits.groups - 1 :]
        found.setdefault(others, []).extend(entry for name in last for entry in found.pop(name))
    return dict(sorted(found.items()))


def _parted(book: Book, level: int) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for entry in book.entries:
        name = legal(entry.departments[level]) if entry.departments else _OTHERS[book.language]
        found.setdefault(name, []).append(entry)
    return found


def group_name(name: str, limits: Limits) -> str:
    """Cut the name of a group to what the telephone takes."""
    return cut(name, limits.group_bytes)
