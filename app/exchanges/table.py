"""Rows of a sheet that is text (CSV); between its cells stands what its first line has most of: ``,`` ``;`` or tabs."""

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Final

from app.exchanges.line import LONGEST_LINE, MOST_LINES, Fault, Gathering

_SEPARATORS: Final = ",;\t"

Row = tuple[int, Sequence[str]]
"""The line where it begins, and its cells."""


def rows(text: str, gathering: Gathering, *, longest: int = LONGEST_LINE) -> Iterator[Row]:
    """Give the rows of a text; a row that cannot be read, or has a line ``longest`` does not allow, is noted and left out."""
    first = next((each for each in StringIO(text) if each.strip()), "")
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(_bounded(text, gathering, longest), delimiter=separator, strict=True)
    for _ in range(2 * MOST_LINES):
        at = reader.line_num + 1
        try:
            yield at, next(reader)
        except StopIteration:
            return
        except csv.Error:
            gathering.fault(at, Fault.MALFORMED_ROW)
    gathering.fault(reader.line_num, Fault.TOO_MANY_LINES)


def _bounded(text: str, gathering: Gathering, longest: int) -> Iterator[str]:
    """Give lines, an empty one for each that is too long, so that lines keep their number."""
    for at, line in enumerate(StringIO(text, newline=None), start=1):
        if len(line) > longest:
            gathering.fault(at, Fault.LINE_TOO_LONG)
            yield "\n"
        else:
            yield line
