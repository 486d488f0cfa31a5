"""Numbers in sheets: CSV, with ``,`` ``;`` or tabs between, and XLSX; which columns there may be is in ``headings``.

The first row with anything in it names the columns; the problems' line is the line of the text, or the row of the sheet.
"""

from collections.abc import Iterator
from typing import Final

from app.exchanges import table, workbook
from app.exchanges.headings import MOST_COLUMNS, Heading, heading, lines
from app.exchanges.line import Fault, Full, Gathering, Plan, decoded, refused
from app.exchanges.table import Row

_ZIP: Final = b"PK\x03\x04"


class _Rows:
    """Takes rows: the first names the columns, the others are read by it."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._heading: Heading | None = None

    def take(self, row: Row) -> bool:
        """Read a row; tell whether more are wanted."""
        at, cells = row
        if not any(each.strip() for each in cells):
            return True
        if len(cells) > MOST_COLUMNS and any(each.strip() for each in cells[MOST_COLUMNS:]):
            self._gathering.fault(at, Fault.TOO_MANY_COLUMNS)
            return self._heading is not None
        if self._heading is None:
            self._heading = heading(at, cells, self._gathering)
            return self._heading is not None
        for line in lines(at, cells, self._heading, self._gathering):
            self._gathering.add(line)
        return True

    def finish(self) -> None:
        """Note that there was no row at all."""
        if self._heading is None and not self._gathering.problems:
            self._gathering.fault(1, Fault.NO_HEADER)


def read(content: str | bytes) -> Plan:
    """Read a sheet, whichever it is. It never raises: what cannot be read is a problem of the plan."""
    if isinstance(content, bytes) and content.startswith(_ZIP):
        return read_xlsx(content)
    return read_csv(content)


def read_csv(content: str | bytes) -> Plan:
    """Read a sheet of text."""
    text = decoded(content)
    if isinstance(text, Fault):
        return refused(text)
    gathering = Gathering()
    return _gathered(table.rows(text, gathering), gathering)


def read_xlsx(content: bytes) -> Plan:
    """Read the first sheet of a workbook that is shown."""
    gathering = Gathering()
    try:
        return _gathered(workbook.rows(content, gathering), gathering)
    except workbook.Unreadable as refusal:
        return refused(refusal.code)


def _gathered(found: Iterator[Row], gathering: Gathering) -> Plan:
    rows = _Rows(gathering)
    try:
        for row in found:
            if not rows.take(row):
                break
        rows.finish()
    except Full:
        return gathering.plan()
    return gathering.plan()
