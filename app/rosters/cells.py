"""What a cell of a sheet says: a text, that a value is to go, or a formula, which is not read. Pure.

An empty cell says nothing: programs leave cells empty that their reader may not see, and what somebody may not see is not to be lost by
their handing a file on. Who wants a value gone writes so.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final
from unicodedata import normalize

REMOVED: Final = ("<清空>", "<clear>")
"""Cells that remove what is there."""
LONGEST: Final = 4096

_TEXT_FORMULA: Final = re.compile(r'="([^"]*)"')
_DAY: Final = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[T ]\d{1,2}:\d{2}(?::\d{2})?)?")
_SERIAL: Final = re.compile(r"[1-9]\d{4}")
_FIRST_DAY: Final = date(1899, 12, 30)
"""Day nought of sheets, which take 1900 for a leap year."""


def plain(cell: str) -> str | None:
    """Give what a cell says; ``None`` for a formula. A sign before the text, by which a sheet was kept from reading it as one, goes."""
    told = cell.strip()
    kept = _TEXT_FORMULA.fullmatch(told)
    if kept is not None:
        return kept[1].strip()
    if told.startswith("'"):
        return told[1:].strip()
    return None if told.startswith("=") else told


def several(told: str, separators: str) -> Iterator[str]:
    """Give the parts of a cell that says several things, each once."""
    parts = re.split(f"[{re.escape(separators)}]", told)
    return iter(dict.fromkeys(part for each in parts if (part := each.strip())))


def day(told: str) -> date | None:
    """Read a day as people write it, with a time behind it or without, or as sheets count it; ``None`` when it is none."""
    text = normalize("NFKC", told).strip()
    written = _DAY.fullmatch(text)
    try:
        if written is not None:
            return date(int(written[1]), int(written[2]), int(written[3]))
        return _FIRST_DAY + timedelta(days=int(text)) if _SERIAL.fullmatch(text) else None
    except ValueError:
        return None
