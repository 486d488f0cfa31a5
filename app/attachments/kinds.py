"""Which files are taken, and how they may be called.

Pure. A short list of what people prove things with; each type has its extensions, and is served as exactly that type. A name is for people
to read and for their own machines to keep: one line of visible characters, no part of a path, nothing that turns the direction of writing,
so that ``fdp.exe`` cannot look like ``exe.pdf``.
"""

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from app.attachments.errors import UnfitFileName

MOST_BYTES: Final = 10_485_760
"""10 MiB, for each file."""
LONGEST_NAME: Final = 120

_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_FORBIDDEN: Final = frozenset('/\\:*?"<>|')
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


class FileType(StrEnum):
    """A media type that is taken."""

    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"
    WEBP = "image/webp"
    TEXT = "text/plain"
    DOCX = f"{_OFFICE}.wordprocessingml.document"
    XLSX = f"{_OFFICE}.spreadsheetml.sheet"

    @property
    def served(self) -> str:
        """How it leaves."""
        return "text/plain; charset=utf-8" if self is FileType.TEXT else self.value


EXTENSIONS: Final[Mapping[FileType, tuple[str, ...]]] = {
    FileType.PDF: ("pdf",),
    FileType.PNG: ("png",),
    FileType.JPEG: ("jpg", "jpeg"),
    FileType.WEBP: ("webp",),
    FileType.TEXT: ("txt",),
    FileType.DOCX: ("docx",),
    FileType.XLSX: ("xlsx",),
}


def checked_name(name: str) -> str:
    """Give a name in its normal form; raise ``UnfitFileName``."""
    plain = unicodedata.normalize("NFC", name)
    stem, dot, extension = plain.rpartition(".")
    unfit = (
        not 0 < len(plain) <= LONGEST_NAME
        or not dot
        or not stem.strip(" .")
        or not extension
        or plain != plain.strip(" .")
        or not _FORBIDDEN.isdisjoint(plain)
        or any(unicodedata.category(each) in _UNSEEN for each in plain)
        or _RESERVED.fullmatch(plain) is not None
    )
    if unfit:
        raise UnfitFileName
    return plain


def extension_of(name: str) -> str:
    """Give a name's extension, in lower case."""
    return name.rpartition(".")[2].lower()
