"""Judging what somebody brought: is it what it says, and is it only that.

Pure. Told by its first bytes and by its structure, never by its name; the declared media type and the extension must say the same. What
can act when it is opened is refused, and so is what is two formats at once, for whoever opens it chooses the other one. A file that passes
is no promise that it is harmless: it is the kind of file that it claims to be, and holds none of what such files are abused for most. It
is kept byte for byte, since it is evidence, and is never shown by us.
"""

import re
import unicodedata
from io import BytesIO
from typing import Final, assert_never

from app.attachments.errors import ContentMismatch, UnreadableFile, UnsafeContent
from app.attachments.kinds import EXTENSIONS, FileType, extension_of

_BEGINS: Final = (
    (b"%PDF-", FileType.PDF),
    (b"\x89PNG\r\n\x1a\n", FileType.PNG),
    (b"\xff\xd8\xff", FileType.JPEG),
)
_ZIP: Final = b"PK\x03\x04"
_LONGEST_END: Final = 65_557
"""How far from the end of a file a ZIP archive's last record can begin."""
_MARKUP: Final = re.compile(
    r"\s*(<(\?xml|!|html|head|body|script|svg|iframe|object|embed)|\{\\rtf|%!PS|#!)", re.IGNORECASE
)
_KEPT_CONTROLS: Final = frozenset("\t\n\r\f")


def judge(content: BytesIO, declared: FileType, name: str) -> None:
    """Refuse a file that is not ``declared``, is called otherwise, or holds what an attachment may not.

    Takes seconds at most and bounded memory, whatever the file. Raises ``ContentMismatch``, ``UnreadableFile`` and ``UnsafeContent``.
    """
    if extension_of(name) not in EXTENSIONS[declared]:
        raise ContentMismatch
    view = content.getbuffer()
    try:
        if not _fits(view, declared):
            raise ContentMismatch
        if declared not in {FileType.DOCX, FileType.XLSX} and _is_archive_too(view):
            raise UnsafeContent
        match declared:
            case FileType.TEXT:
                _judge_text(view)
            case FileType.PDF:
                from app.attachments.pdf import judge_pdf  # noqa: PLC0415 — as the decoders below

                judge_pdf(view)
            case FileType.PNG | FileType.JPEG | FileType.WEBP:
                from app.attachments.pictures import judge_picture  # noqa: PLC0415 — decoders that most processes never need

                judge_picture(view, declared)
            case FileType.DOCX | FileType.XLSX:
                from app.attachments.office import judge_office  # noqa: PLC0415 — as the decoders above

                judge_office(view, declared)
            case _:
                assert_never(declared)
    finally:
        view.release()


def _fits(view: memoryview, declared: FileType) -> bool:
    """Tell whether a file begins as what it is said to be; text begins as nothing else does."""
    head = bytes(view[:16])
    found = next((kind for magic, kind in _BEGINS if head.startswith(magic)), None)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        found = FileType.WEBP
    if head.startswith(_ZIP):
        return declared in {FileType.DOCX, FileType.XLSX}
    return found is declared or (found is None and declared is FileType.TEXT)


def _is_archive_too(view: memoryview) -> bool:
    """Tell whether a reader of ZIP archives, which begins at the end, would find one."""
    end = bytes(view[-_LONGEST_END:])
    at = end.rfind(b"PK\x05\x06")
    while at >= 0:
        record = end[at : at + 22]
        if len(record) == 22 and at + 22 + int.from_bytes(record[20:22], "little") == len(end):  # noqa: PLR2004 — the record's own size
            return True
        at = end.rfind(b"PK\x05\x06", 0, at)
    return False


def _judge_text(view: memoryview) -> None:
    try:
        text = str(view, "utf-8-sig")
    except UnicodeDecodeError:
        raise ContentMismatch from None
    if any(unicodedata.category(each) == "Cc" for each in set(text) - _KEPT_CONTROLS):
        raise ContentMismatch
    if _MARKUP.match(text):
        raise UnsafeContent
    if not text.strip():
        raise UnreadableFile
