"""What a card can be found by, and how well: the keys that are stored beside a contact, and what somebody typed, in the same normal form.

Pure. A key is a piece of a card's C1 text that begins where a search may begin, and a *rank* that says of what it is a piece and where it
begins. A text is found by a word exactly when one of its keys begins with the word, so every question is a range of an index, also one for
the middle of a name. How well is the key's rank: whole before beginning before start of a word before inside, and within each of these
name before pinyin before initials before account before number before title before department. An organisation counts as a title.
What spells a name on the keys of a telephone (T9) stands a place lower than what it spells, after everything else of that place, so that
digits are a number first.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

from app.contacts.fields import SEALED_NAMES
from app.contacts.pinyin import is_rare, read_name, read_text, surname_length, words_of
from app.contacts.variants import simplified
from app.departments.tree import Tree

NAME, PINYIN, INITIALS, ACCOUNT, NUMBER, TITLE, DEPARTMENT = range(7)
FIELDS: Final = 8
"""A rank is a place times this, plus a field."""

WHOLE, START, WORD, INSIDE = range(4)
"""Where a key begins. ``WHOLE`` keys are found by all of them or not at all."""

MEMBER: Final = 7
"""Rank of the keys that say to which departments a contact belongs; no typed word equals one of them."""

T9: Final = 7
"""The field of digits that spell a name. Its keys stand at ``WORD`` (from the beginning of a name) and ``INSIDE`` (from a later word)."""

LONGEST_WORD: Final = 64
LONGEST_KEY: Final = LONGEST_WORD + 1
"""Longer by one than any word, so that no word is taken for the whole of a text that was cut."""
LONGEST_NAME: Final = 32
"""Of the name that breaks ties."""
MOST_PLACES: Final = 40
"""Characters of one text at which a search may begin."""
MOST_WORDS: Final = 6
LEAST_DIGITS: Final = 3
"""From how many digits on a number is found by its beginning, and a name by the keys that spell it."""

_SEPARATORS: Final = frozenset("·•‧・∙⋅⸱᛫ꞏᐧ●")
"""Every dot that is typed between the parts of 阿依古丽·买买提; a full stop between two such letters is one as well."""

_FULL_STOP: Final = re.compile(r"(?<=[^\W\d_a-z])\s*\.\s*(?=[^\W\d_a-z])")
_KEYPAD: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")


class Key(NamedTuple):
    """A piece of text that a contact is found by."""

    rank: int
    term: str


def rank(place: int, field: int) -> int:
    """Make one number of a place and a field, the lower the better."""
    return place * FIELDS + field


LEVEL: Final = rank(INSIDE + 1, 0)
"""Tiers of one level: every place times every field, places counted from an exact match on."""


def folded(text: str) -> str:
    """Bring a text to the form in which it is compared: as it is read, every character in its simplified form."""
    return simplified(legible(text))


def legible(text: str) -> str:
    """Bring a text to the form in which it is read: NFKC, no case, no accents on Latin letters, nothing invisible."""
    if text.isascii() and text.isprintable():
        return text.lower()
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    kept: list[str] = []
    latin = False
    for letter in unicodedata.normalize("NFD", plain):
        category = unicodedata.category(letter)
        if (category.startswith("C") and not is_rare(letter)) or (latin and category == "Mn"):
            continue
        latin = letter.isascii() and letter.isalpha()
        kept.append(letter)
    return unicodedata.normalize("NFC", "".join(kept))


def separated(text: str) -> list[str]:
    """Split a folded text at spaces and at the dot, however it is typed, that parts names of several words."""
    if text.isascii():
        return text.split()
    parted = "".join(" " if letter in _SEPARATORS else letter for letter in text)
    return _FULL_STOP.sub(" ", parted).split()


def member_term(department: UUID) -> str:
    """Write a department as keys name it: with a capital, which no folded word has."""
    return f"D{department.hex}"


def department_of(key: Key) -> UUID | None:
    """Read from a key the department that it says its contact belongs to; ``None`` from every other key."""
    return UUID(hex=key.term[1:]) if key.rank == MEMBER and _MEMBER_TERM.fullmatch(key.term) else None


def stands_within(key: Key) -> bool:
    """Tell whether a key stands in its contact's departments too: all do but numbers, which come and go and find few."""
    return key.rank != _NUMBERS


_MEMBER_TERM: Final = re.compile(r"D[0-9a-f]{32}")
_NUMBERS: Final = rank(START, NUMBER)


def keys_of(card: Mapping[str, Any], departments: Iterable[UUID]) -> frozenset[Key]:
    """Derive the keys of a contact from its plain columns (``card``, by column name) and all its departments."""
    found = {Key(MEMBER, member_term(each)) for each in departments}
    if card["kind"] not in SEALED_NAMES:
        names = frozenset(_best(_of_names(card)))
        found.update(names, _best(_spelt(names)))
    found.update(_best(chain(_of_text(TITLE, card["title"]), _of_text(TITLE, card.get("organisation")))))
    found.update(_best(_of_account(card)))
    found.update(number_keys(card["short_numbers"] or (), card["extension"]))
    return frozenset(found)


def number_keys(short_numbers: Iterable[str], extension: str | None) -> frozenset[Key]:
    """Derive the keys of a contact's numbers, which are of nothing else."""
    return frozenset(
        Key(rank(START, NUMBER), folded(each)[:LONGEST_KEY]) for each in (*short_numbers, extension) if each
    )


def sort_name(card: Mapping[str, Any]) -> str:
    """Give what breaks ties between contacts that match alike: the name, of those whose name is sealed the organisation."""
    return (card["name"] or card.get("organisation") or "")[:LONGEST_NAME]


def _best(keys: Iterable[Key]) -> Iterator[Key]:
    """Keep of equal texts in one field the best place; a key that only the whole text finds is the least."""
    best: dict[tuple[int, str], int] = {}
    for found, term in keys:
        place, field = divmod(found, FIELDS)
        order = place or INSIDE + 1
        best[field, term] = min(order, best.get((field, term), order))
    for (field, term), order in best.items():
        yield Key(rank(order if order <= INSIDE else WHOLE, field), term)


def _spelt(names: Iterable[Key]) -> Iterator[Key]:
    """Give the digits that spell a name, its pinyin or its initials; not those that are as few as a word of digits may not have."""
    for found, term in names:
        place = found // FIELDS
        if place in _LOWER and len(term) >= LEAST_DIGITS and _SPELLED.fullmatch(term):
            yield Key(rank(_LOWER[place], T9), term.translate(_KEYPAD))


_LOWER: Final = {START: WORD, WORD: INSIDE}
_SPELLED: Final = re.compile(r"[a-z0-9]*[a-z][a-z0-9]*")


def _of_names(card: Mapping[str, Any]) -> Iterator[Key]:
    person = card["kind"] != "hotline"
    for name in (card["name"], card["name_en"], card["alias"]):
        yield from _of_text(NAME, name, surname=person and name == card["name"])
    for name in (card["name"], card["alias"]):
        if name:
            together = "".join(separated(legible(name)))
            surnamed = person and name == card["name"]
            proper, odd = read_name(together) if surnamed else (read_text(together), [])
            yield from _of_syllables(proper)
            yield from (Key(rank(INSIDE, PINYIN), "".join(each)[:LONGEST_KEY]) for each in odd)
    for name in (card["name"], card["name_en"]):
        words = [word for part in separated(folded(name or "")) for word in words_of(part)]
        if len(words) > 1 and all(word.isascii() for word in words):
            yield from _of_initials(words)


def _of_syllables(readings: Iterable[tuple[str, ...]]) -> Iterator[Key]:
    for syllables in readings:
        for at in range(min(len(syllables), MOST_PLACES)):
            yield Key(rank(WORD if at else START, PINYIN), "".join(syllables[at:])[:LONGEST_KEY])
        yield from _of_initials(syllables)


def _of_initials(words: Sequence[str]) -> Iterator[Key]:
    initials = "".join(word[0] for word in words)
    for at in range(min(len(initials), MOST_PLACES)):
        yield Key(rank(WORD if at else START, INITIALS), initials[at : at + LONGEST_KEY])


def _of_account(card: Mapping[str, Any]) -> Iterator[Key]:
    if card["user_name_key"]:
        yield Key(rank(START, ACCOUNT), folded(card["user_name_key"])[:LONGEST_KEY])
    if card["employee_no"]:
        yield Key(rank(WHOLE, ACCOUNT), folded(card["employee_no"])[:LONGEST_KEY])


def _of_text(field: int, text: str | None, *, surname: bool = False) -> Iterator[Key]:
    """Give the keys of a text: one for each character at which a search may begin."""
    parts = separated(folded(text or ""))
    together, words = "".join(parts), set[int]()
    at = 0
    for part in parts:
        words.update(at + each for each in _word_starts(part))
        at += len(part)
    if surname:
        words.add(surname_length(together))
    for start in range(min(len(together), MOST_PLACES)):
        place = START if start == 0 else WORD if start in words else INSIDE
        yield Key(rank(place, field), together[start : start + LONGEST_KEY])


def _word_starts(part: str) -> Iterator[int]:
    before = ""
    for at, letter in enumerate(part):
        kind = (
            "latin" if letter.isascii() and letter.isalnum() else "other" if letter.isalnum() or is_rare(letter) else ""
        )
        if kind and kind != before:
            yield at
        before = kind


@dataclass(frozen=True, slots=True)
class Word:
    """One word that was typed, and the departments that it names: exactly, by their beginning, by a word's start, inside."""

    text: str
    departments: tuple[frozenset[UUID], ...]

    @property
    def fields(self) -> tuple[int, ...]:
        """Name the fields that can hold it, by its letters."""
        if not self.text.isascii():
            return (NAME, TITLE)
        digits = not any(letter.isalpha() for letter in self.text)
        return (NAME, PINYIN, INITIALS, ACCOUNT, *((NUMBER,) if digits else ()), TITLE, *((T9,) if digits else ()))

    @property
    def shape(self) -> "WordShape":
        """Say what a statement for this word has to look into."""
        sizes = tuple(1 << (len(each) - 1).bit_length() if each else 0 for each in self.departments)
        return WordShape(self.fields, len(self.text) >= LEAST_DIGITS, sizes)

    def members(self) -> list[list[str]]:
        """List the member keys of the departments that it names, per quality as many as the shape says: the last again and again."""
        found = [sorted(map(member_term, each)) for each in self.departments]
        return [each + each[-1:] * (size - len(each)) for each, size in zip(found, self.shape.departments, strict=True)]


@dataclass(frozen=True, slots=True)
class WordShape:
    """A word without its text: two words of one shape are searched by one statement. Departments are counted, up to a power of 2."""

    fields: tuple[int, ...]
    begins_numbers: bool
    departments: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed: all of it in one, and, when these are several, its words, the one that ranks first."""

    phrase: Word
    words: tuple[Word, ...] = ()

    @property
    def every(self) -> tuple[Word, ...]:
        """List the phrase and the words, as a statement's parameters are numbered."""
        return (self.phrase, *self.words)

    @property
    def shape(self) -> tuple[WordShape, ...]:
        """Say what a statement for it looks like."""
        return tuple(each.shape for each in self.every)


def wanted(text: str, tree: Tree) -> Wanted:
    """Read what somebody typed. A text with nothing to look for in it, or longer than any key, finds nobody.

    Of several words the first that names no department ranks, since it most likely names a person.
    """
    parts = separated(folded(text))
    phrase = "".join(parts)
    if not phrase or len(phrase) > LONGEST_WORD:
        return _NOBODY
    whole = Word(phrase, _departments(phrase, tree))
    parts = _scripts(parts)
    if len(parts) == 1:
        return Wanted(whole)
    words = [Word(each, _departments(each, tree)) for each in dict.fromkeys(parts)]
    ranking = next((each for each in words if not any(each.departments)), words[0])
    return Wanted(whole, (ranking, *(each for each in words if each is not ranking)))


def _scripts(parts: list[str]) -> list[str]:
    """Part words that mix Latin letters and others: who types 李lei means 李雷 too. Left as they are where that makes too many."""
    parted = [run for part in parts for run in _BETWEEN.split(part)]
    return parted if len(parted) <= MOST_WORDS else parts


_BETWEEN: Final = re.compile(r"(?<=[^\x00-\x7f])(?=[a-z])|(?<=[a-z])(?=[^\x00-\x7f])")

LAST: Final = "\U0010ffff"
"""A letter that no key has and that stands after all that one can have."""

_NOBODY: Final = Wanted(Word(LAST, (frozenset(),) * (INSIDE + 1)))


def too_many_words(text: str) -> bool:
    """Tell whether a search has more words than ``MOST_WORDS``."""
    return len(separated(folded(text))) > MOST_WORDS


def _departments(word: str, tree: Tree) -> tuple[frozenset[UUID], ...]:
    found: tuple[set[UUID], ...] = (set(), set(), set(), set())
    for identity, code, keys in _names(tree):
        place = _named(code, keys, word)
        if place is not None:
            found[place].add(identity)
    return tuple(map(frozenset, found))


_told: Final[WeakKeyDictionary[Tree, list[tuple[UUID, str, tuple[Key, ...]]]]] = WeakKeyDictionary()


def _names(tree: Tree) -> list[tuple[UUID, str, tuple[Key, ...]]]:
    """List the departments of a tree with what they are found by; worked out once for a tree."""
    found = _told.get(tree)
    if found is None:
        found = _told[tree] = [
            (node.id, folded(node.code), tuple(_of_text(DEPARTMENT, node.name))) for node in tree.nodes.values()
        ]
    return found


def _named(code: str, keys: Iterable[Key], word: str) -> int | None:
    """Say how a word names a department: 0 exactly, else the place; by its code only from the beginning."""
    best = 0 if code == word else START if code.startswith(word) else None
    for found, term in keys:
        if term.startswith(word):
            place = 0 if term == word and found == rank(START, DEPARTMENT) else found // FIELDS
            best = place if best is None else min(best, place)
    return best
