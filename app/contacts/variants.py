"""Characters that are one character in two spellings: traditional forms and their simplified ones, and rare forms that no dictionary reads.

Pure. The table is derived from the Unicode Han Database (Unicode-3.0 licence; version and digest stand in it). It is loaded with the first
text that is compared, takes less than a MiB, and is for finding alone: what is stored and shown is what was written.
"""

from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson

_FIRST_IDEOGRAPH: Final = "\u3400"


def simplified(text: str) -> str:
    """Write a text with the simplified form of each character that has one; 乾, which is its own in names, stays."""
    if text.isascii() or max(text) < _FIRST_IDEOGRAPH:
        return text
    return text.translate(_table("compared"))


def read_as(character: str) -> str | None:
    """Give a variant of a character by which it may be read, if its own reading is in no dictionary."""
    found = _table("read").get(ord(character))
    return None if found is None else chr(found)


@cache
def _table(name: str) -> dict[int, int]:
    before, after = _content()[name]
    return dict(zip(map(ord, before), map(ord, after), strict=True))


def _content() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((files("app.contacts") / "variants.json").read_bytes())
    return found
