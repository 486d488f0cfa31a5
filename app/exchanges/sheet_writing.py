"""The plan as a sheet (RFC 4180), no cell of which is a formula. What ``sheets`` reads of it is what was written."""

import csv
import re
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Final

from app.exchanges.telling import Told, plain

COLUMNS: Final = (
    "number",
    "extension",
    "name",
    "employee_no",
    "user_name",
    "room",
    "department",
    "privileges",
    "state",
    "until",
)
_FORMULA: Final = re.compile(r"\s*[=+\-@'\uff1d\uff0b\uff0d\uff20\t\r\n\x00]")
"""What sheets take for the beginning of a formula, full-width signs included, or drop before looking for one."""


def row(cells: Iterable[str]) -> str:
    """Write one row."""
    text = StringIO()
    csv.writer(text).writerow([cell(each) for each in cells])
    return text.getvalue()


def cell(text: str) -> str:
    """Give a text that is only a text to a sheet, which does not show the sign before it."""
    return f"'{text}" if _FORMULA.match(text) else text


HEAD: Final = "\ufeff" + row(COLUMNS)
TAIL: Final = ""


def rows(lines: Iterable[Told]) -> Iterator[str]:
    """Write the row of each line."""
    for each in map(plain, lines):
        number, extension = ("", each.digits) if each.extension else (each.digits, "")
        holder = (each.name, each.employee_no, each.user_name, each.room, each.department)
        yield row((number, extension, *holder, ",".join(each.privileges), each.state, each.until))
