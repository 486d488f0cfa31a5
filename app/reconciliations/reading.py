"""A head-count read as its bytes come: JSON lines, CSV with ``,`` ``;`` or tabs between, or a workbook. Pure, bounded, and nothing kept.

A reader takes the pieces of a file and gives entries: what a row says by member, or why it cannot be read. Only a workbook is held whole,
packed as it came, because its table of contents stands at its end; its rows come a stretch at a time. What is wrong with the whole file is
raised, since a head-count of which a part is missing would let people go who are there.
"""

import codecs
import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Protocol

import orjson

from app.exchanges import workbook
from app.exchanges.headings import MOST_COLUMNS, literal
from app.exchanges.line import Fault, Full, Gathering, shortened
from app.kit.errors import Invalid
from app.reconciliations.columns import EMPLOYEE_NO, member_of, members

LONGEST: Final = 32_768
STRETCH: Final = 1000
MOST_ROWS: Final = 500_000
MOST_IGNORED: Final = 50
CUT: Final = 129
"""From how many characters on a cell of a workbook may have been cut."""


class FileUnreadable(Invalid):
    """The whole file cannot be read as a head-count; ``fault`` says why."""

    code, title, title_zh = (
        "unreadable_head_count",
        "The file is no head-count that can be read",
        "文件无法作为花名册读取",
    )

    def __init__(self, fault: str) -> None:
        """Name the fault."""
        super().__init__()
        self.fault = fault


class NotUtf8(Exception):
    """The text is in another encoding."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: its line, and what it says, or the code and the column of what is wrong with it."""

    line: int
    said: Mapping[str, Any] | None
    code: str | None = None
    column: str | None = None


class Reader(Protocol):
    """Reads one file, piece by piece."""

    @property
    def ignored(self) -> list[str]:
        """Names of columns that are not ours."""
        ...

    def take(self, piece: bytes) -> list[Entry]:
        """Take the next piece; give the rows that are whole by now. Raises ``FileUnreadable`` and ``NotUtf8``."""
        ...

    def finish(self) -> Iterator[list[Entry]]:
        """Give what is left, a stretch at a time. Raises as ``take`` does, at any of them."""
        ...


class _Lines:
    """Cuts text into records: lines, or, where quotes may hold line breaks, as many as belong together."""

    def __init__(self, encoding: str, *, quoted: bool) -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._quoted, self._rest, self._line, self._begun = quoted, "", 0, True
        self._open: list[str] = []
        self._from, self._length, self._marks = 0, -1, 0

    def take(self, piece: bytes, *, final: bool = False) -> Iterator[tuple[int, str | None]]:
        """Give records with the line where each begins; ``None`` for one that is too long."""
        try:
            text = self._decoder.decode(piece, final)
        except UnicodeDecodeError:
            raise NotUtf8 from None
        if self._begun and text:
            text, self._begun = text.removeprefix("\ufeff"), False
        *whole, self._rest = (self._rest + text).split("\n")
        if final and self._rest:
            whole, self._rest = [*whole, self._rest], ""
        elif len(self._rest) > 2 * LONGEST:
            raise FileUnreadable(Fault.LINE_TOO_LONG)
        for line in whole:
            self._line += 1
            yield from self._record(line.removesuffix("\r"))
        if final and self._open:
            yield self._from, None

    def _record(self, line: str) -> Iterator[tuple[int, str | None]]:
        if not self._quoted or (not self._open and '"' not in line):
            yield self._line, line if len(line) <= LONGEST else None
            return
        if not self._open:
            self._from, self._length, self._marks = self._line, -1, 0
        self._open.append(line)
        self._length += len(line) + 1
        self._marks += line.count('"')
        if self._marks % 2 and self._length <= LONGEST:
            return
        record, self._open = "\n".join(self._open), []
        yield self._from, record if self._length <= LONGEST else None


class JsonLines:
    """Reads JSON lines: an object a person."""

    def __init__(self) -> None:
        """Begin."""
        self.ignored: list[str] = []
        self._lines = _Lines("utf-8", quoted=False)

    def take(self, piece: bytes) -> list[Entry]:
        """Take the next piece."""
        return self._read(self._lines.take(piece))

    def finish(self) -> Iterator[list[Entry]]:
        """Give what is left."""
        yield self._read(self._lines.take(b"", final=True))

    def _read(self, records: Iterator[tuple[int, str | None]]) -> list[Entry]:
        try:
            return [_object(at, text) for at, text in records if text is None or not _blank(text)]
        except NotUtf8:
            raise FileUnreadable(Fault.NOT_TEXT) from None


def _blank(text: str) -> bool:
    return not text or text.isspace()


def _object(at: int, text: str | None) -> Entry:
    if text is None:
        return Entry(at, None, Fault.LINE_TOO_LONG)
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        said = None
    return Entry(at, said) if isinstance(said, dict) else Entry(at, None, "malformed_json")


class _Heading:
    """Takes the first row for the names of the columns, and reads the others by it."""

    def __init__(self) -> None:
        self.ignored: list[str] = []
        self._places: dict[int, str] | None = None
        self._words: dict[int, str] = {}

    def read(self, at: int, cells: Sequence[str], *, cut: int | None = None) -> Entry | None:
        """Read a row; ``None`` for one without anything in it, and for the heading."""
        if not any(map(str.strip, cells)):
            return None
        if self._places is None:
            self._places = self._named(cells)
            return None
        told = []
        for place, cell in enumerate(cells):
            if place not in self._places:
                told.append("")
                continue
            kept = literal(cell) if cell else ""
            if kept is None and _is_number(cell):
                kept = cell
            if kept is None or (cut is not None and len(cell) >= cut):
                code = Fault.FORMULA if kept is None else "too_long"
                return Entry(at, self._named_only(cells), code, self._words[place])
            told.append(kept)
        return Entry(at, members(self._places, told))

    def _named_only(self, cells: Sequence[str]) -> Mapping[str, Any] | None:
        """Give whose row it is, where that can be told: so that nobody is taken for gone because of another cell."""
        assert self._places is not None, "there is a heading"  # noqa: S101 — asked for rows below one alone
        place = next(at for at, member in self._places.items() if member == EMPLOYEE_NO)
        number = literal(cells[place]) if place < len(cells) else None
        return {EMPLOYEE_NO: number} if number else None

    def _named(self, cells: Sequence[str]) -> dict[int, str]:
        places: dict[int, str] = {}
        for place, word in enumerate(cells[:MOST_COLUMNS]):
            member = member_of(word)
            if member is None:
                if word.strip() and len(self.ignored) < MOST_IGNORED:
                    self.ignored.append(shortened(word.strip()))
            elif member in places.values():
                raise FileUnreadable(Fault.TWICE_THE_COLUMN)
            else:
                places[place], self._words[place] = member, shortened(word.strip())
        if EMPLOYEE_NO not in places.values():
            raise FileUnreadable("no_employee_no_column")
        return places

    def require(self) -> None:
        """Raise unless there was a heading."""
        if self._places is None:
            raise FileUnreadable(Fault.NO_HEADER)


def _is_number(cell: str) -> bool:
    """Tell a telephone number with its country code, or a negative one, from a formula."""
    return cell.strip()[:1] in {"+", "-"} and all(each.isdigit() or each in " -()" for each in cell.strip()[1:])


class Csv:
    """Reads CSV."""

    def __init__(self, encoding: str = "utf-8") -> None:
        """Take the encoding; another one than the file's raises ``NotUtf8``."""
        self._lines = _Lines(encoding, quoted=True)
        self._heading, self._separator = _Heading(), ""

    @property
    def ignored(self) -> list[str]:
        """Names of columns that are not ours."""
        return self._heading.ignored

    def take(self, piece: bytes) -> list[Entry]:
        """Take the next piece."""
        return [entry for at, text in self._lines.take(piece) if (entry := self._row(at, text)) is not None]

    def finish(self) -> Iterator[list[Entry]]:
        """Give what is left."""
        last = self._lines.take(b"", final=True)
        yield [entry for at, text in last if (entry := self._row(at, text)) is not None]
        self._heading.require()

    def _row(self, at: int, text: str | None) -> Entry | None:
        if text is None:
            return Entry(at, None, Fault.LINE_TOO_LONG)
        if _blank(text):
            return None
        self._separator = self._separator or max(",;\t", key=text.count)
        try:
            cells = next(csv.reader([text], delimiter=self._separator, strict=True))
        except (csv.Error, StopIteration):
            return Entry(at, None, Fault.MALFORMED_ROW)
        return self._heading.read(at, cells)


class Xlsx:
    """Reads the first sheet of a workbook that is shown."""

    def __init__(self) -> None:
        """Begin."""
        self._heading, self._content = _Heading(), bytearray()

    @property
    def ignored(self) -> list[str]:
        """Names of columns that are not ours."""
        return self._heading.ignored

    def take(self, piece: bytes) -> list[Entry]:
        """Keep the next piece."""
        self._content += piece
        return []

    def finish(self) -> Iterator[list[Entry]]:
        """Read it, a stretch at a time; last come the rows that have formulas."""
        gathering = Gathering()
        content = bytes(self._content)
        self._content.clear()
        try:
            yield from self._stretches(workbook.rows(content, gathering))
        except workbook.Unreadable as refusal:
            raise FileUnreadable(refusal.code) from None
        except Full:
            raise FileUnreadable(Fault.TOO_MANY_PROBLEMS) from None
        self._heading.require()
        yield [Entry(each.line, None, each.code, each.column) for each in gathering.problems]

    def _stretches(self, rows: Iterator[tuple[int, Sequence[str]]]) -> Iterator[list[Entry]]:
        read = (self._heading.read(at, cells, cut=CUT) for at, cells in rows)
        found = (entry for entry in read if entry is not None)
        while some := list(islice(found, STRETCH)):
            yield some


def reader_of(form: str, encoding: str = "utf-8") -> Reader:
    """Make a reader of ``jsonl``, ``csv`` or ``xlsx``."""
    match form:
        case "jsonl":
            return JsonLines()
        case "csv":
            return Csv(encoding)
        case _:
            return Xlsx()
