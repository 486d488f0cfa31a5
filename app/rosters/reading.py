"""A sheet of people, read by a profile: what each row says of whom, and everything that cannot be read. No I/O.

The columns are those of the first row that has a heading by which people are found: templates have words to their readers above it. Every
fault of a row is told, and such a row is left out. What was read is kept as JSON, a row a line: a file of many people is held once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app.contacts.fields import CATALOGUE
from app.contacts.schemas import ContactAmend
from app.contacts.values import normal
from app.exchanges import table, workbook
from app.exchanges.headings import MOST_COLUMNS
from app.exchanges.line import MOST_BYTES, MOST_LINES, MOST_PROBLEMS, Fault, Full, Gathering, decoded, shortened
from app.kit.problems import Rejected, from_validation
from app.rosters.cells import LONGEST, REMOVED, day, plain, several
from app.rosters.profile import KEYS, PEOPLE, STATE, LeftOut, Meanings
from app.rosters.verdicts import Verdict

LONGEST_LINE: Final = 65_536
MOST_SAID: Final = MOST_BYTES
"""How much rows may say together: a workbook may name one long text from every cell."""
_HEADINGS_WITHIN: Final = 20
_DAYS: Final = frozenset({"contract_until", "review_due", "away_until", "birth_date"})
_PLACES: Final = frozenset({"department", "memberships"})
_CHOSEN: Final = frozenset({"worker_kind", "kind", STATE})
_NOT_WRITTEN: Final = frozenset({"kind", STATE, *_PLACES, *PEOPLE})
_TAGS: Final = ";；"
_FORMED: Final[Mapping[tuple[str, str], str]] = {
    ("employee_no", "invalid_value"): "malformed_employee_no",
    ("user_name", "invalid_value"): "malformed_user_name",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What cannot be read, at which line and, where it is one column's, under which heading."""

    line: int
    column: str | None
    code: str


@dataclass(frozen=True, slots=True)
class Person:
    """What a row says: by what somebody is found, and everything else, packed."""

    line: int
    employee_no: str | None
    user_name: str | None
    people: tuple[str, ...]
    packed: bytes

    def members(self) -> dict[str, Any]:
        """Unpack what the row says, by member; texts, ``None`` for what is to go, lists for departments and tags."""
        found: dict[str, Any] = orjson.loads(self.packed)
        return found

    @property
    def item(self) -> str:
        """Name the row in its result: employee number, else user name."""
        return (self.employee_no or self.user_name or "")[:64]


@dataclass(slots=True)
class Roster:
    """What a sheet says: people in its order, faults in the order of their lines, and columns that were not read."""

    people: list[Person] = field(default_factory=list)
    problems: list[Told] = field(default_factory=list)
    left_out: list[tuple[str, LeftOut]] = field(default_factory=list)
    headings: dict[str, str] = field(default_factory=dict)
    """What the sheet calls each member."""


class _Reader:
    def __init__(self, meanings: Meanings, collects: Callable[[str], bool], region: str) -> None:
        self._meanings, self._collects, self._region = meanings, collects, region
        self._columns: list[tuple[int, str]] | None = None
        self._unread = self._said = 0
        self.roster = Roster()

    def take(self, at: int, cells: Sequence[str]) -> bool:
        """Read a row; tell whether more are wanted."""
        if not any(each.strip() for each in cells):
            return True
        if self._columns is None:
            return self._heading(at, cells[:MOST_COLUMNS])
        if any(each.strip() for each in cells[MOST_COLUMNS:]):
            self._fault(at, None, Fault.TOO_MANY_COLUMNS.value)
            return True
        self._row(at, cells)
        return True

    def finish(self) -> None:
        """Note that no row had a heading by which people are found."""
        if self._columns is None and not self.roster.problems:
            self._fault(1, None, (Verdict.NO_KEY_COLUMN if self._unread else Fault.NO_HEADER).value)

    def _heading(self, at: int, cells: Sequence[str]) -> bool:
        words = [(place, plain(cell) or "") for place, cell in enumerate(cells)]
        meant = {place: (word, self._meanings.heading(word)) for place, word in words if word}
        if not any(member in self._meanings.profile.matches for _, member in meant.values()):
            self._unread += 1
            return self._unread < _HEADINGS_WITHIN
        self._columns = []
        for place, (word, member) in meant.items():
            if member is None or isinstance(member, LeftOut):
                self.roster.left_out.append((shortened(word), member or LeftOut.UNKNOWN))
            elif member not in _NOT_WRITTEN and not self._collects(member):
                self.roster.left_out.append((shortened(word), LeftOut.NOT_COLLECTED))
            elif member in self.roster.headings:
                self._fault(at, word, Fault.TWICE_THE_COLUMN.value)
                return False
            else:
                self.roster.headings[member] = shortened(word)
                self._columns.append((place, member))
        return True

    def _row(self, at: int, cells: Sequence[str]) -> None:
        if len(self.roster.people) >= MOST_LINES:
            self._fault(at, None, Fault.TOO_MANY_LINES.value)
            raise Full
        told: dict[str, Any] = {}
        faults: list[tuple[str | None, str]] = []
        for place, member in self._columns or ():
            text = plain(cells[place]) if place < len(cells) else ""
            if text is None:
                faults.append((member, Fault.FORMULA.value))
            elif len(text) > LONGEST:
                faults.append((member, "too_long"))
            elif text:
                told[member], code = self._meant(member, text)
                faults += [] if code is None else [(member, code)]
        if not told and not faults:
            return
        faults += _unreadable(told, {each for each, _ in faults}, self._region)
        keys = [told.get(name) if name in self._meanings.profile.matches else None for name in KEYS]
        if not any(keys) and not faults:
            faults.append((None, Verdict.NO_KEY.value))
        for name, code in dict.fromkeys(faults):
            self._fault(at, None if name is None else self.roster.headings[name], code)
        if not faults:
            self._keep(at, keys[0], keys[1], told)

    def _keep(self, at: int, employee_no: str | None, user_name: str | None, told: Mapping[str, Any]) -> None:
        named = tuple(told[name] for name in PEOPLE if told.get(name))
        packed = _packed(told)
        self._said += len(packed)
        if self._said > MOST_SAID:
            self._fault(at, None, Fault.TOO_LARGE.value)
            raise Full
        self.roster.people.append(Person(at, employee_no, user_name, named, packed))

    def _meant(self, member: str, text: str) -> tuple[Any, str | None]:
        """Give what a text says of a member, and the code of what hinders that."""
        if text in REMOVED:
            kept = member in _CHOSEN or member in KEYS or member == "department"
            return ([] if member in {"tags", "memberships"} else None), "not_removable" if kept else None
        if member in _CHOSEN:
            value = self._meanings.value(member, text)
            return value, "unknown_value" if value is None else None
        if member in _DAYS:
            found = day(text)
            return None if found is None else found.isoformat(), "malformed_date" if found is None else None
        if member in _PLACES:
            return list(several(text, self._meanings.profile.departments.separators)), None
        return (list(several(text, _TAGS)) if member == "tags" else text), None

    def _fault(self, line: int, column: str | None, code: str) -> None:
        if len(self.roster.problems) >= MOST_PROBLEMS:
            self.roster.problems.append(Told(line, None, Fault.TOO_MANY_PROBLEMS.value))
            raise Full
        self.roster.problems.append(Told(line, None if column is None else shortened(column), code))


def _packed(told: Mapping[str, Any]) -> bytes:
    """Write what a row says as JSON that is as long as it is: what the library gives keeps the room that it was written in."""
    return bytes(memoryview(orjson.dumps(told)))


def _unreadable(told: Mapping[str, Any], known: set[str | None], region: str) -> Iterator[tuple[str | None, str]]:
    """Give members whose value no card takes, each with its code; those of ``known`` faults are told already."""
    given = {name: value for name, value in told.items() if name not in _NOT_WRITTEN and name not in known}
    try:
        ContactAmend.model_validate(given)
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        for fault in from_validation(RequestValidationError(faults)).errors:
            name = fault.pointer.split("/")[1]
            yield name, _FORMED.get((name, fault.code), fault.code)
    for name, value in given.items():
        protected = CATALOGUE.protects("employee", name)
        if protected is not None and value is not None:
            try:
                normal(protected.mask, value, region=region)
            except Rejected as fault:
                yield name, fault.code


def read(content: bytes, written: str, meanings: Meanings, *, collects: Callable[[str], bool], region: str) -> Roster:
    """Read a file of format ``written`` (``csv`` or ``xlsx``). It never raises: what cannot be read is a problem of the roster.

    ``collects`` tells whether anybody's card may be given a member; ``region`` is meant where a telephone number has no country code.
    """
    reader, gathering = _Reader(meanings, collects, region), Gathering()
    try:
        for at, cells in _rows(content, written, gathering):
            if not reader.take(at, cells):
                break
        reader.finish()
    except Full:
        pass
    except workbook.Unreadable as refusal:
        reader.roster.people.clear()
        reader.roster.problems.append(Told(1, None, refusal.code.value))
    noted = [Told(each.line, each.column, each.code.value) for each in gathering.problems]
    reader.roster.problems = sorted([*noted, *reader.roster.problems], key=lambda each: each.line)
    return reader.roster


def _rows(content: bytes, written: str, gathering: Gathering) -> Iterator[table.Row]:
    if written == "xlsx":
        return workbook.rows(content, gathering, longest=LONGEST)
    text = decoded(content)
    if isinstance(text, Fault):
        raise workbook.Unreadable(text)
    return table.rows(text, gathering, longest=LONGEST_LINE)
