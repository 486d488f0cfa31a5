"""Documents and sheets of Office Open XML as attachments: one tidy archive, of parts that such a file has, without anything that acts.

An archive is judged as its bytes lie, not as its table of contents says: entries stand one after the other from the first byte to the
table, none twice, none over another, each unfolded for real and no further than told. So a bomb is found before it is unfolded, and there
is one way to read the file. XML is read without a document type, which is where entities come from.
"""

import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.parsers import expat

from app.attachments.errors import ContentMismatch, UnreadableFile, UnsafeContent
from app.attachments.kinds import FileType

MOST_PARTS: Final = 2000
MOST_UNFOLDED: Final = 67_108_864
MOST_RATIO: Final = 200
"""How many times longer a part may be than its box, once it is longer than a mebibyte. Sheets of zeros reach a hundred."""

_END: Final = struct.Struct("<4s4H2LH")
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_STORED: Final = 0
_DEFLATED: Final = 8
_UTF8_OR_LENGTHS: Final = 0x0800 | 0x0008 | 0x0006
_DESCRIPTORS: Final = frozenset({0, 12, 16})
_SMALL: Final = 1_048_576
_NAME: Final = re.compile(r"[A-Za-z0-9_\[\]\-. %@&()+,=~']+(/[A-Za-z0-9_\[\]\-. %@&()+,=~']+)*")
_XML: Final = frozenset({"xml", "rels", "vml"})
_OTHER: Final = frozenset(
    {"png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "emf", "wmf", "wdp", "svg", "odttf", "ttf"}
)
_PRINTER: Final = re.compile(r"(xl|word)/printerSettings/printerSettings\d+\.bin")
_ACTIVE_PLACES: Final = re.compile(
    r"(^|/)(activex|embeddings|externallinks|ctrlprops|macrosheets|dialogsheets|customui)/", re.IGNORECASE
)
_ACTIVE_TYPES: Final = re.compile(
    r"macroenabled|vba|activex|oleobject|externallink|ms-office\.control|officedocument\.package", re.IGNORECASE
)
_MAIN: Final[Mapping[FileType, tuple[str, str]]] = {
    FileType.DOCX: ("/word/document.xml", f"{FileType.DOCX.value}.main+xml"),
    FileType.XLSX: ("/xl/workbook.xml", f"{FileType.XLSX.value}.main+xml"),
}
_COMMANDS: Final = re.compile(r"(?<![A-Z])DDE(AUTO)?(?![A-Z])", re.IGNORECASE)
_LEADS_OUT: Final = frozenset(
    {"oleobject", "attachedtemplate", "vbaproject", "control", "externallink", "package", "afchunk", "frame"}
)
_Told = list[tuple[str, Mapping[str, str], str]]


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    method: int
    packed: int
    size: int
    checksum: int
    at: int


def judge_office(view: memoryview, kind: FileType) -> None:
    """Refuse an archive that is no plain document or sheet; raise as ``content.judge``."""
    parts, left = _parts(view), MOST_UNFOLDED
    names = {each.name for each in parts}
    if "[Content_Types].xml" not in names or "_rels/.rels" not in names:
        raise ContentMismatch
    for part in parts:
        _refuse_odd(part.name)
        content = _unfolded(view, part, left)
        left -= len(content)
        if _extension(part.name) in _XML:
            _read(part.name, content, kind)


def _parts(view: memoryview) -> list[_Part]:
    """Read the table of contents, and hold every entry to what stands where it says."""
    if len(view) < _END.size or bytes(view[-_END.size :][:4]) != b"PK\x05\x06":
        raise UnreadableFile
    _, disk, first, here, count, length, start, comment = _END.unpack(view[-_END.size :])
    if (disk, first, comment) != (0, 0, 0) or here != count or not 0 < count <= MOST_PARTS:
        raise UnsafeContent
    if start + length + _END.size != len(view):
        raise UnsafeContent
    found, at = [], start
    for _ in range(count):
        part, at = _entry(view, at, start + length)
        found.append(part)
    if at != start + length or len({each.name.lower() for each in found}) != count:
        raise UnsafeContent
    free = 0
    for part in sorted(found, key=lambda each: each.at):
        if part.at - free not in _DESCRIPTORS or (free == 0 and part.at):
            raise UnsafeContent
        free = _body(view, part) + part.packed
    if start - free not in _DESCRIPTORS:
        raise UnsafeContent
    return found


def _entry(view: memoryview, at: int, end: int) -> tuple[_Part, int]:
    if at + _ENTRY.size > end:
        raise UnreadableFile
    fields = _ENTRY.unpack(view[at : at + _ENTRY.size])
    magic, _, _, flags, method, _, _, checksum, packed, size, named, extra, comment, _, _, _, offset = fields
    following = at + _ENTRY.size + named + extra + comment
    if magic != b"PK\x01\x02" or following > end:
        raise UnreadableFile
    if flags & ~_UTF8_OR_LENGTHS or method not in {_STORED, _DEFLATED}:
        raise UnsafeContent
    try:
        name = str(view[at + _ENTRY.size : at + _ENTRY.size + named], "ascii")
    except UnicodeDecodeError:
        raise UnsafeContent from None
    return _Part(name, method, packed, size, checksum, offset), following


def _body(view: memoryview, part: _Part) -> int:
    """Give where a part's content begins; what stands before it must say the same as the table."""
    if part.at + _LOCAL.size > len(view):
        raise UnreadableFile
    magic, _, flags, method, _, _, _, packed, size, named, extra = _LOCAL.unpack(view[part.at : part.at + _LOCAL.size])
    begins: int = part.at + _LOCAL.size + named + extra
    told_later = bool(flags & 0x0008) and (packed, size) == (0, 0)
    same = (
        magic == b"PK\x03\x04" and method == part.method and (told_later or (packed, size) == (part.packed, part.size))
    )
    name = bytes(view[part.at + _LOCAL.size : part.at + _LOCAL.size + named])
    if not same or name != part.name.encode() or begins + part.packed > len(view):
        raise UnsafeContent
    return begins


def _unfolded(view: memoryview, part: _Part, left: int) -> bytes:
    begins = _body(view, part)
    body = view[begins : begins + part.packed]
    if part.size > left or (part.size > _SMALL and part.size > MOST_RATIO * max(1, part.packed)):
        raise UnsafeContent
    if part.method == _STORED:
        content = bytes(body)
    else:
        unfolding = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = unfolding.decompress(body, part.size + 1)
        except zlib.error:
            raise UnreadableFile from None
        if not unfolding.eof or unfolding.unused_data:
            raise UnsafeContent
    if len(content) != part.size or zlib.crc32(content) != part.checksum:
        raise UnsafeContent
    return content


def _refuse_odd(name: str) -> None:
    """Refuse a part that documents do not have, or that can act."""
    if _NAME.fullmatch(name) is None or any(each in {".", ".."} for each in name.split("/")):
        raise UnsafeContent
    known = _extension(name) in _XML | _OTHER or _PRINTER.fullmatch(name) is not None
    if not known or _ACTIVE_PLACES.search(name) or "vba" in name.lower():
        raise UnsafeContent


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _read(name: str, content: bytes, kind: FileType) -> None:
    """Read one part of XML, and refuse what in it acts or leads out."""
    told = _elements(content)
    if name == "[Content_Types].xml":
        _judge_types(told, kind)
    elif name.endswith(".rels"):
        _judge_relations(told)
    else:
        commands = [text or attributes.get("instr", "") for _, attributes, text in told]
        if _COMMANDS.search(" ".join(commands)) or _COMMANDS.search("".join(commands)):
            raise UnsafeContent


def _judge_types(told: _Told, kind: FileType) -> None:
    main = False
    for element, attributes, _ in told:
        if element not in {"Default", "Override"}:
            continue
        media = attributes.get("ContentType", "")
        if _ACTIVE_TYPES.search(media):
            raise UnsafeContent
        main = main or (attributes.get("PartName", ""), media) == _MAIN[kind]
    if not main:
        raise ContentMismatch


def _judge_relations(told: _Told) -> None:
    for element, attributes, _ in told:
        if element != "Relationship":
            continue
        what = attributes.get("Type", "").rpartition("/")[2].lower()
        if attributes.get("TargetMode", "Internal") != "Internal" and what != "hyperlink":
            raise UnsafeContent
        if what in _LEADS_OUT:
            raise UnsafeContent


def _elements(content: bytes) -> _Told:
    """Read elements that matter, each by its local name, with attributes and text; raise for a document type and for what is no XML."""
    found: _Told = []
    texts: list[str] = []
    parser = expat.ParserCreate("utf-8")

    def begin(name: str, attributes: dict[str, str]) -> None:
        texts.clear()
        local = name.rpartition(":")[2]
        if local in {"Default", "Override", "Relationship", "fldSimple"}:
            plain = {key.rpartition(":")[2]: value for key, value in attributes.items()}
            found.append((local, plain, ""))

    def end(name: str) -> None:
        if name.rpartition(":")[2] == "instrText":
            found.append(("instrText", {}, "".join(texts)))
        texts.clear()

    def refuse(*_: Any) -> None:  # noqa: ANN401 — of the parser
        raise UnsafeContent

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = texts.append
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)  # noqa: FBT003 — the parser takes it by position
    except expat.ExpatError:
        raise UnreadableFile from None
    return found
