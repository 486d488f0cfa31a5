"""Files that somebody might attach: ordinary ones, and the other kind."""

import struct
import zlib
from collections.abc import Mapping
from io import BytesIO
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

from tests.support.pictures import picture

PDF: Final = "application/pdf"
PNG: Final = "image/png"
JPEG: Final = "image/jpeg"
WEBP: Final = "image/webp"
TEXT: Final = "text/plain"
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES: Final = "http://schemas.openxmlformats.org/package/2006/content-types"
_LINKS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_W: Final = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def pdf(*objects: bytes, head: bytes = b"%PDF-1.7\n", end: bytes = b"%%EOF\n") -> bytes:
    """Write a small PDF with more objects in it."""
    more = b"".join(b"%d 0 obj\n%b\nendobj\n" % (at + 3, each) for at, each in enumerate(objects))
    return (
        head
        + b"1 0 obj\n<</Type/Catalog/Pages 2 0 R/OpenAction[2 0 R/Fit]>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[]/Count 0>>\nendobj\n"
        + more
        + b"trailer\n<</Root 1 0 R/Size 9>>\nstartxref\n9\n"
        + end
    )


def object_stream(text: bytes, *, dictionary: bytes = b"/Filter/FlateDecode", packed: bytes | None = None) -> bytes:
    """Write an object in which others lie compressed."""
    body = zlib.compress(text) if packed is None else packed
    return b"<</Type/ObjStm/N 1/First 4%b/Length %d>>\nstream\n%b\nendstream" % (dictionary, len(body), body)


def docx(
    parts: Mapping[str, bytes | str] | None = None,
    *,
    body: str = "<w:p><w:r><w:t>证明</w:t></w:r></w:p>",
    types: str = "",
    links: str = "",
) -> bytes:
    """Write a small document; ``parts`` are added or replace what it has."""
    return archive(
        {
            "[Content_Types].xml": f'<Types xmlns="{_TYPES}">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/word/document.xml" ContentType="{DOCX}.main+xml"/>{types}</Types>',
            "_rels/.rels": f'<Relationships xmlns="{_LINKS}">'
            f'<Relationship Id="a" Type="{RELATIONS}/officeDocument" Target="word/document.xml"/></Relationships>',
            "word/document.xml": f'<w:document xmlns:w="{_W}"><w:body>{body}</w:body></w:document>',
            "word/_rels/document.xml.rels": f'<Relationships xmlns="{_LINKS}">{links}</Relationships>',
            **(parts or {}),
        }
    )


def xlsx(parts: Mapping[str, bytes | str] | None = None) -> bytes:
    """Write a small sheet."""
    return archive(
        {
            "[Content_Types].xml": f'<Types xmlns="{_TYPES}">'
            f'<Override PartName="/xl/workbook.xml" ContentType="{XLSX}.main+xml"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{_LINKS}"/>',
            "xl/workbook.xml": "<workbook/>",
            "xl/printerSettings/printerSettings1.bin": b"\x00\x01",
            **(parts or {}),
        }
    )


def archive(parts: Mapping[str, bytes | str], **options: Any) -> bytes:  # noqa: ANN401 — of the library
    """Write a ZIP archive of these parts, in their order."""
    kept = BytesIO()
    with ZipFile(kept, "w", ZIP_DEFLATED, **options) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return kept.getvalue()


def bomb(size: int = 68_000_000) -> bytes:
    """Write a document of some ten kilobytes one part of which unfolds to ``size`` bytes."""
    kept = BytesIO(docx())
    with ZipFile(kept, "a", ZIP_DEFLATED) as file, file.open("word/media/image1.png", "w", force_zip64=False) as part:
        for _ in range(size // 1_000_000):
            part.write(bytes(1_000_000))
    return kept.getvalue()


def lying_bomb() -> bytes:
    """Write the same, with a table of contents that says that it is small."""
    data = bytearray(bomb(5_000_000))
    at = data.rfind(b"PK\x01\x02")
    struct.pack_into("<L", data, at + 24, 1000)
    return bytes(data)


def overlapping() -> bytes:
    """Write a document in whose table two entries share one body."""
    data = bytearray(docx({"word/a.xml": "<a/>", "word/b.xml": "<a/>"}))
    first, second = (data.rfind(b"PK\x01\x02", 0, data.rfind(b"PK\x01\x02")), data.rfind(b"PK\x01\x02"))
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    return bytes(data)


SOUND: Final[Mapping[str, tuple[str, bytes]]] = {
    PDF: ("证明 1.pdf", pdf()),
    PNG: ("scan.png", picture("PNG")),
    JPEG: ("photo.JPG", picture("JPEG")),
    WEBP: ("photo.webp", picture("WEBP")),
    TEXT: ("说明.txt", "兹证明\n\ttrue\r\n".encode()),
    DOCX: ("证明.docx", docx()),
    XLSX: ("table.xlsx", xlsx()),
}
"""One ordinary file of each type, by media type."""
