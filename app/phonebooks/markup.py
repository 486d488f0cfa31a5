"""Text as XML 1.0 carries it, and as much of it as a telephone holds.

Pure. Whatever text comes in, a parser gives the same text back: markup is escaped, white space that a parser would fold is written as a
reference, and a character that XML has no way to write stands as U+FFFD.
"""

import re
from typing import Final

DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_UNWRITABLE: Final = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REPLACEMENT: Final = "\ufffd"
_MARKUP: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)


def legal(text: str) -> str:
    """Give a text with what XML 1.0 cannot write (control characters, lone surrogates, U+FFFE, U+FFFF) replaced by U+FFFD."""
    return _UNWRITABLE.sub(_REPLACEMENT, text)


def escaped(text: str) -> str:
    """Write a text as the content of an element or of an attribute in double quotes."""
    return legal(text).translate(_MARKUP)


def element(name: str, text: str) -> str:
    """Write an element that holds a text."""
    return f"<{name}>{escaped(text)}</{name}>"


def cut(text: str, size: int) -> str:
    """Give the longest beginning of a legal text that has at most ``size`` bytes in UTF-8; no character is cut in two."""
    written = text.encode()
    if len(written) <= size:
        return text
    return written[: max(size, 0)].decode(errors="ignore")
