"""A plain reading of what a search finds and how it ranks: every person, every text, every place, one after the other.

Written apart from ``app.contacts.search`` on purpose: it knows no keys and no index, and reads pinyin from a table of its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Final
from uuid import UUID

NAME, PINYIN, INITIALS, ACCOUNT, NUMBER, TITLE, DEPARTMENT, T9 = range(8)
EXACT, START, WORD, INSIDE = range(4)

Match = tuple[int, int, str]
"""How well, in what, and the text from there on."""

COMPOUND: Final = {"欧阳": ("ou", "yang"), "尉迟": ("yu", "chi")}
SURNAMES: Final = {
    "曾": (("zeng",), ("ceng",)),
    "单": (("shan",), ("dan",)),
    "乐": (("yue", "le"), ()),
    "王": (("wang",), ()),
    "李": (("li",), ()),
}
"""Readings of a surname, and what a dictionary would read instead."""
GIVEN: Final = {
    "明": ("ming", "meng"),
    "海": ("hai",),
    "重": ("zhong", "chong", "tong"),
    "乐": ("le", "yue"),
    "林": ("lin",),
    "小": ("xiao",),
    "王": ("wang", "yu"),
    "单": ("dan", "chan", "shan"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Someone:
    """A person of the directory, as a list of them would say it."""

    name: str
    user_name: str
    department: str
    name_en: str | None = None
    alias: str | None = None
    title: str | None = None
    employee_no: str | None = None
    numbers: tuple[str, ...] = ()
    status: str = "active"
    id: UUID = field(default=UUID(int=0))


def _text(what: int, text: str | None, word: str, *, starts: Iterable[int] = ()) -> Iterator[Match]:
    """Find a word in a text of which spaces count as word ends only."""
    parts = (text or "").lower().replace("·", " ").split()
    whole, begins, at = "".join(parts), set(starts), 0
    for part in parts:
        for here, letter in enumerate(part):
            before = part[here - 1] if here else ""
            kind = letter.isascii() and letter.isalnum()
            if not before or not before.isalnum() or kind != (before.isascii() and before.isalnum()):
                begins.add(at + here)
        at += len(part)
    for here in range(len(whole)):
        if whole.startswith(word, here):
            place = EXACT if whole == word else START if here == 0 else WORD if here in begins else INSIDE
            yield place, what, whole[here:]


def _syllables(name: str) -> tuple[int, list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Read a name: the length of its surname, its readings, and those that a dictionary would give the surname."""
    if name[:2] in COMPOUND:
        rest = [GIVEN[letter] for letter in name[2:]]
        return 2, [(*COMPOUND[name[:2]], *each) for each in product(*rest)], []
    if name[0] not in SURNAMES:
        return 0, [], []
    rest = [GIVEN[letter] for letter in name[1:]]
    proper, odd = SURNAMES[name[0]]
    return 1, list(product(proper, *rest)), list(product(odd, *rest))


def _spoken(readings: Iterable[tuple[str, ...]], word: str) -> Iterator[Match]:
    for syllables in readings:
        for what, parts in ((PINYIN, syllables), (INITIALS, tuple(each[0] for each in syllables))):
            for here in range(len(parts)):
                told = "".join(parts[here:])
                if told.startswith(word):
                    yield (EXACT if told == word else START) if here == 0 else WORD, what, told


def _starts(text: str) -> Iterator[int]:
    """Say where words of a text begin whose spaces are kept."""
    at = 0
    for part in text.lower().split():
        for here, letter in enumerate(part):
            before = part[here - 1] if here else ""
            if not before or not before.isalnum() or letter.isascii() != before.isascii():
                yield at + here
        at += len(part)


def _pressed(person: Someone, readings: Iterable[tuple[str, ...]], word: str) -> Iterator[Match]:
    """Find digits in what a name, its pinyin and its initials are on the keys of a telephone, if all of it can be typed there."""
    told = set[tuple[int, str]]()
    for name in (person.name, person.name_en, person.alias):
        whole = "".join((name or "").lower().split())
        told |= {(INSIDE if here else WORD, whole[here:]) for here in _starts(name or "")}
        if name and whole.isascii() and " " in name:
            initials = "".join(each[0].lower() for each in name.split())
            told |= {(INSIDE if here else WORD, initials[here:]) for here in range(len(initials))}
    for syllables in readings:
        for parts in (syllables, [each[0] for each in syllables]):
            told |= {(INSIDE if here else WORD, "".join(parts[here:])) for here in range(len(parts))}
    for place, text in told:
        if len(text) >= 3 and len(word) >= 3 and text.isascii() and text.isalpha():
            pressed = "".join(str(next(at for at, keys in KEYS.items() if letter in keys)) for letter in text)
            if pressed.startswith(word):
                yield place, T9, pressed


KEYS: Final = {2: "abc", 3: "def", 4: "ghi", 5: "jkl", 6: "mno", 7: "pqrs", 8: "tuv", 9: "wxyz"}


def matches(person: Someone, word: str, departments: dict[str, str]) -> Iterator[Match]:
    """List every way in which a word finds a person; ``departments`` are names by code."""
    surname, proper, odd = _syllables(person.name)
    yield from _text(NAME, person.name, word, starts=[surname])
    yield from _text(NAME, person.name_en, word)
    yield from _text(NAME, person.alias, word)
    yield from _spoken(proper, word)
    yield from _pressed(person, proper, word)
    yield from ((INSIDE, PINYIN, "".join(each)) for each in odd if "".join(each).startswith(word))
    for name in (person.name, person.name_en):
        if name and name.isascii() and " " in name:
            initials = tuple(each[0].lower() for each in name.split())
            for here in range(len(initials)):
                told = "".join(initials[here:])
                if told.startswith(word):
                    yield (EXACT if told == word else START) if here == 0 else WORD, INITIALS, told
    if person.user_name.startswith(word):
        yield EXACT if person.user_name == word else START, ACCOUNT, person.user_name
    if person.employee_no and person.employee_no.lower() == word:
        yield EXACT, ACCOUNT, word
    for number in person.numbers:
        if number == word or (len(word) >= 3 and number.startswith(word)):
            yield EXACT if number == word else START, NUMBER, number
    yield from _text(TITLE, person.title, word)
    for place in _named(person.department, departments[person.department], word):
        yield place, DEPARTMENT, ""


def _named(code: str, name: str, word: str) -> Iterator[int]:
    if code.lower().startswith(word):
        yield EXACT if code.lower() == word else START
    yield from (place for place, _, _ in _text(DEPARTMENT, name, word))


def found(people: Iterable[Someone], query: str, departments: dict[str, str]) -> list[UUID]:
    """List whom a query finds, the best first."""
    words = query.lower().replace("·", " ").split()
    phrase = "".join(words)
    words = [run for word in words for run in _scripts(word)]
    hits = []
    for person in people:
        whole = sorted(matches(person, phrase, departments))
        each = [sorted(matches(person, word, departments)) for word in dict.fromkeys(words)]
        if phrase and whole:
            hits.append((0, *whole[0], person.name, person.id))
        elif len(words) > 1 and all(each):
            hits.append((1, *each[_ranking(words, departments)][0], person.name, person.id))
    return [hit[-1] for hit in sorted(hits)]


def _scripts(word: str) -> list[str]:
    """Part a word between a Chinese character and a Latin letter."""
    runs = [""]
    for before, letter in zip("\0" + word, word, strict=False):
        han = not before.isascii() and letter.isascii() and letter.isalpha()
        if han or (before.isascii() and before.isalpha() and not letter.isascii()):
            runs.append("")
        runs[-1] += letter
    return runs


def _ranking(words: Sequence[str], departments: dict[str, str]) -> int:
    """Choose the word that ranks: the first that names no department, else the first."""
    for at, word in enumerate(dict.fromkeys(words)):
        if not any(any(_named(code, name, word)) or word == code for code, name in departments.items()):
            return at
    return 0
