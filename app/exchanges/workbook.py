"""Rows of a workbook (Office Open XML), read by what they hold and nothing else.

Only the table of sheets, the shared texts and the first sheet that is shown are unfolded, and no further than the bounds; nothing in the
archive is written anywhere. A document type is refused. Cells with formulas are not read: their row is left out, and named as a problem.

The sheet is unfolded and read a piece at a time, and of it no more is held than that: an archive of a hundred kibibytes may hold a
million rows. What is held are the shared texts, as bytes, since one rare letter makes a text of Python four times as long.
"""

import re
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from io import BytesIO
from posixpath import normpath
from typing import Any, Final, Protocol
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError  # noqa: N812 — a class that the library spells as a function

from app.exchanges.headings import MOST_COLUMNS
from app.exchanges.line import LONGEST_NUMBER, LONGEST_VALUE, MOST_BYTES, MOST_LINES, Fault, Gathering

MOST_PARTS: Final = 2000
MOST_UNFOLDED: Final = 2 * MOST_BYTES
MOST_TEXTS: Final = 2_000_000
MOST_ROWS: Final = 5 * MOST_LINES
MOST_DIRECTORY: Final = 1_048_576
MOST_TOKEN: Final = 1_048_576
"""How long a tag may be: until it ends the parser reads it again with every piece."""
_PIECE: Final = 65_536
_END: Final = struct.Struct("<4s4H2LH")
_LONG_END: Final = (b"PK\x06\x07", 20)
_WORKBOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_TEXTS: Final = "xl/sharedStrings.xml"
_ROW: Final = re.compile(r"[0-9]{1,7}")
_CELL: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_BROKEN: Final = (BadZipFile, ZlibError, NotImplementedError, RuntimeError, EOFError, OSError, ValueError)
"""What ``zipfile`` raises for archives that it cannot read: among them packed in ways it does not know, and encrypted ones."""


class Unreadable(Exception):
    """The file is no workbook that can be read; ``code`` says why."""

    def __init__(self, code: Fault = Fault.NO_WORKBOOK) -> None:
        """Name the fault."""
        super().__init__(code)
        self.code = code


class _Archive:
    """Unfolds parts, each at most as far as is left."""

    def __init__(self, content: bytes) -> None:
        if len(content) > MOST_BYTES:
            raise Unreadable(Fault.TOO_LARGE)
        _refuse_endless(content)
        try:
            self._zip = ZipFile(BytesIO(content))
        except _BROKEN:
            raise Unreadable from None
        if len(self._zip.infolist()) > MOST_PARTS:
            raise Unreadable
        self._left = MOST_UNFOLDED

    def part(self, name: str) -> Iterator[bytes] | None:
        """Give a part, piece by piece; ``None`` when it is not there. Raise ``Unreadable``, at once or at any piece."""
        try:
            told = self._zip.getinfo(name)
        except KeyError:
            return None
        if told.compress_type not in {ZIP_STORED, ZIP_DEFLATED} or told.flag_bits & 1:
            raise Unreadable
        if told.file_size > self._left:
            raise Unreadable(Fault.TOO_LARGE)
        return self._pieces(told)

    def _pieces(self, told: ZipInfo) -> Iterator[bytes]:
        try:
            with self._zip.open(told) as opened:
                while piece := opened.read(_PIECE):
                    self._left -= len(piece)
                    if self._left < 0:
                        raise Unreadable(Fault.TOO_LARGE)
                    yield piece
        except _BROKEN:
            raise Unreadable from None


def _refuse_endless(content: bytes) -> None:
    """Refuse a table of contents that is longer than any workbook's, before anybody reads it."""
    if len(content) < _END.size:
        raise Unreadable
    magic, _, _, _, count, length, _, comment = _END.unpack(content[-_END.size :])
    mark, before = _LONG_END
    at = len(content) - _END.size - before
    if magic != b"PK\x05\x06" or comment or count > MOST_PARTS or length > MOST_DIRECTORY:
        raise Unreadable
    if at >= 0 and content.startswith(mark, at):
        raise Unreadable


def rows(content: bytes, gathering: Gathering, *, longest: int = LONGEST_VALUE) -> Iterator[tuple[int, Sequence[str]]]:
    """Give the rows of the first sheet that is shown, each by its number; raise ``Unreadable``, after rows were given too.

    Of a cell that is longer than ``longest`` as much is given as tells that it is.
    """
    archive = _Archive(content)
    sheet = archive.part(_first_sheet(archive))
    if sheet is None:
        raise Unreadable
    texts = archive.part(_TEXTS)
    shared = _Texts(longest + 1)
    if texts is not None:
        _parse(texts, shared)
    found = _Sheet(shared.found, gathering, longest + 1)
    for _ in _parsing(sheet, found):
        yield from found.take()


def _first_sheet(archive: _Archive) -> str:
    book, relations = archive.part(_WORKBOOK), archive.part(_RELATIONS)
    if book is None or relations is None:
        raise Unreadable
    sheets, targets = _Elements("sheet"), _Elements("Relationship")
    _parse(book, sheets)
    _parse(relations, targets)
    shown = [each for each in sheets.found if each.get("state", "visible") == "visible"]
    if not shown:
        raise Unreadable
    target = next((each.get("Target", "") for each in targets.found if each.get("Id") == shown[0].get("id", "?")), "")
    if not target:
        raise Unreadable
    return target.lstrip("/") if target.startswith("/") else normpath(f"xl/{target}")


class _Handler(Protocol):
    """What a parser tells of a part; names without their prefix."""

    def begin(self, element: str, attributes: dict[str, str]) -> None: ...

    def end(self, element: str) -> None: ...

    def text(self, text: str) -> None: ...


def _parse(pieces: Iterable[bytes], handler: _Handler) -> None:
    for _ in _parsing(pieces, handler):
        pass


def _parsing(pieces: Iterable[bytes], handler: _Handler) -> Iterator[None]:
    """Parse a part; stop behind every piece, and at the end."""
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def begin(element: str, attributes: dict[str, str]) -> None:
        plain = {name.rpartition(":")[2]: text for name, text in attributes.items()}
        handler.begin(element.rpartition(":")[2], plain)

    def end(element: str) -> None:
        handler.end(element.rpartition(":")[2])

    def refuse(*_: Any) -> None:  # noqa: ANN401 — of the parser
        raise Unreadable(Fault.DOCUMENT_TYPE)

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler, parser.EntityDeclHandler = refuse, refuse
    fed = 0
    for piece in pieces:
        _fed(parser, piece, final=False)
        fed += len(piece)
        if fed - parser.CurrentByteIndex > MOST_TOKEN:
            raise Unreadable(Fault.TOO_LARGE)
        yield
    _fed(parser, b"", final=True)
    yield


def _fed(parser: expat.XMLParserType, piece: bytes, *, final: bool) -> None:
    try:
        parser.Parse(piece, final)
    except (expat.ExpatError, LookupError, ValueError):
        raise Unreadable from None


class _Elements:
    """Keeps the attributes of one kind of element."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted
        self.found: list[dict[str, str]] = []

    def begin(self, element: str, attributes: dict[str, str]) -> None:
        if element == self._wanted and len(self.found) < MOST_PARTS:
            self.found.append(attributes)

    def end(self, element: str) -> None:
        """Nothing ends."""

    def text(self, text: str) -> None:
        """Text says nothing here."""


class _Gathered:
    """Text of one cell, as much as tells that it is too long."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pieces: list[str] = []
        self._length = 0

    def add(self, text: str) -> None:
        if self._length < self._most:
            self._pieces.append(text[: self._most])
            self._length += len(text)

    def take(self) -> str:
        told = "".join(self._pieces)[: self._most]
        self._pieces.clear()
        self._length = 0
        return told


class _Texts:
    """Collects shared texts; how to pronounce them is left out."""

    def __init__(self, longest: int) -> None:
        self.found: list[bytes] = []
        self._now = _Gathered(longest)
        self._in_text = self._aloud = False

    def begin(self, element: str, attributes: dict[str, str]) -> None:
        del attributes
        self._aloud = self._aloud or element == "rPh"
        self._in_text = element == "t" and not self._aloud

    def end(self, element: str) -> None:
        self._in_text = False
        if element == "rPh":
            self._aloud = False
        elif element == "si":
            if len(self.found) >= MOST_TEXTS:
                raise Unreadable(Fault.TOO_LARGE)
            self.found.append(self._now.take().encode())

    def text(self, text: str) -> None:
        if self._in_text:
            self._now.add(text)


@dataclass(slots=True)
class _Row:
    at: int
    cells: list[str] = field(default_factory=list)
    formula: str | None = None


class _Sheet:
    """Collects the rows of a sheet until they are taken."""

    def __init__(self, texts: Sequence[bytes], gathering: Gathering, longest: int) -> None:
        self._texts, self._gathering = texts, gathering
        self._row, self._begun = _Row(0), 0
        self._now = _Gathered(longest)
        self._place, self._type, self._reading, self._aloud = 0, "n", False, False
        self._rows: list[tuple[int, Sequence[str]]] = []

    def take(self) -> list[tuple[int, Sequence[str]]]:
        """Give the rows that have ended since the last time."""
        taken, self._rows = self._rows, []
        return taken

    def begin(self, element: str, attributes: dict[str, str]) -> None:
        match element:
            case "row":
                told = attributes.get("r", "")
                self._row = _Row(int(told) if _ROW.fullmatch(told) else self._row.at + 1)
                self._place, self._begun = -1, self._begun + 1
                if self._begun > MOST_ROWS:
                    raise Unreadable(Fault.TOO_MANY_LINES)
            case "c":
                self._place = _place(attributes.get("r", ""), self._place + 1)
                self._type = attributes.get("t", "n")
                self._now.take()
            case "f":
                self._row.formula = self._row.formula or _letters(self._place)
            case "rPh":
                self._aloud = True
            case _:
                pass
        self._reading = element in {"v", "t"} and not self._aloud

    def end(self, element: str) -> None:
        self._reading = False
        match element:
            case "rPh":
                self._aloud = False
            case "c" if 0 <= self._place <= MOST_COLUMNS:
                self._row.cells.extend([""] * (self._place + 1 - len(self._row.cells)))
                self._row.cells[self._place] = self._cell(self._now.take())
            case "row":
                self._end_row()
            case _:
                pass

    def text(self, text: str) -> None:
        if self._reading:
            self._now.add(text)

    def _end_row(self) -> None:
        if self._row.formula is not None:
            self._gathering.fault(self._row.at, Fault.FORMULA, self._row.formula)
        elif self._row.cells:
            self._rows.append((self._row.at, self._row.cells))

    def _cell(self, told: str) -> str:
        match self._type:
            case "s":
                at = int(told) if told.isascii() and told.isdigit() and len(told) <= LONGEST_NUMBER else -1
                return self._texts[at].decode() if 0 <= at < len(self._texts) else ""
            case "n":
                return whole(told)
            case _:
                return told


def whole(told: str) -> str:
    """Write the number of a cell as people see it: ``6.1234E4`` and ``61234.0`` are 61234."""
    text = told.strip()
    if not text or len(text) > LONGEST_VALUE or (text.isascii() and text.isdigit()):
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite() or number.adjusted() > LONGEST_NUMBER or number != number.to_integral_value():
        return text
    return f"{number:.0f}"


def _place(told: str, following: int) -> int:
    """Give the column of a cell, from nought; beyond the last that counts, just that."""
    named = _CELL.fullmatch(told)
    if named is None:
        return min(following, MOST_COLUMNS)
    place = 0
    for letter in named[1]:
        place = place * 26 + ord(letter) - ord("A") + 1
    return min(place - 1, MOST_COLUMNS)


def _letters(place: int) -> str:
    told = ""
    at = place + 1
    while at > 0:
        at, letter = divmod(at - 1, 26)
        told = chr(ord("A") + letter) + told
    return told
