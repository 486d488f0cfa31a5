"""Which exports there are, and what each is asked."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import orjson
from pydantic import Field

from app.disclosure.stream import LINES
from app.exchanges import asterisk_writing, freeswitch_writing, sheet_writing
from app.exchanges.telling import Told
from app.kit.schemas import Input
from app.numbers.schemas import Code
from app.switching.lines import OurLine

PRIVILEGE_COLUMNS: Final = ("domain", "digits", "function", "until")


class ExportFormat(StrEnum):
    """What is written, and for whom."""

    ASTERISK = "asterisk"
    FREESWITCH = "freeswitch"
    CSV = "csv"
    PRIVILEGES_CSV = "privileges-csv"
    PRIVILEGES_NDJSON = "privileges-ndjson"


class ExportQuery(Input):
    """Of what the plan is told."""

    domain: Code = Field("main", description="Code of the domain.")
    pool: Code | None = Field(None, description="Code of a pool, to have its numbers alone.")


@dataclass(frozen=True, slots=True)
class Writing:
    """How a format is written: around and for each window of lines, what it is to be saved as; ``named``: it tells whose lines they are."""

    media_type: str
    filename: str
    head: str
    tail: str
    lines: Callable[[str, Iterable[OurLine]], Iterator[str]]
    named: bool


def told(line: OurLine) -> Told:
    """Give a line of ours as it is told to an exchange; of several who share it the names, and no other word about any of them."""
    one = line.people[0] if len(line.people) == 1 and not line.withheld else None
    return Told(
        digits=line.digits,
        extension=line.extension,
        name=line.name,
        employee_no=(one and one.employee_no) or "",
        user_name=(one and one.user_name) or "",
        room=(one and one.room) or "",
        department=(one and one.department) or "",
        privileges=tuple(sorted({each.function.value for each in line.granted})),
        state=line.state.value,
        until="" if line.until is None else line.until.isoformat(),
    )


def _as(write: Callable[[Iterable[Told]], Iterator[str]]) -> Callable[[str, Iterable[OurLine]], Iterator[str]]:
    return lambda _, lines: write(map(told, lines))


def _privileges(domain: str, lines: Iterable[OurLine]) -> Iterator[dict[str, Any]]:
    for line in lines:
        for each in sorted(line.granted, key=lambda granted: (granted.function.value, granted.until)):
            found = (domain, line.digits, each.function.value, each.until.isoformat())
            yield dict(zip(PRIVILEGE_COLUMNS, found, strict=True))


def _privilege_rows(domain: str, lines: Iterable[OurLine]) -> Iterator[str]:
    return (sheet_writing.row(each.values()) for each in _privileges(domain, lines))


def _privilege_lines(domain: str, lines: Iterable[OurLine]) -> Iterator[str]:
    return (orjson.dumps(each).decode() + "\n" for each in _privileges(domain, lines))


WRITINGS: Final[Mapping[ExportFormat, Writing]] = MappingProxyType(
    {
        ExportFormat.ASTERISK: Writing(
            "text/plain; charset=utf-8",
            "pjsip-duanhao.conf",
            asterisk_writing.HEAD,
            asterisk_writing.TAIL,
            _as(asterisk_writing.sections),
            named=True,
        ),
        ExportFormat.FREESWITCH: Writing(
            "application/xml; charset=utf-8",
            "duanhao.xml",
            freeswitch_writing.HEAD,
            freeswitch_writing.TAIL,
            _as(freeswitch_writing.users),
            named=True,
        ),
        ExportFormat.CSV: Writing(
            "text/csv; charset=utf-8",
            "numbers.csv",
            sheet_writing.HEAD,
            sheet_writing.TAIL,
            _as(sheet_writing.rows),
            named=True,
        ),
        ExportFormat.PRIVILEGES_CSV: Writing(
            "text/csv; charset=utf-8",
            "calling-privileges.csv",
            "\ufeff" + sheet_writing.row(PRIVILEGE_COLUMNS),
            "",
            _privilege_rows,
            named=False,
        ),
        ExportFormat.PRIVILEGES_NDJSON: Writing(
            LINES, "calling-privileges.ndjson", "", "", _privilege_lines, named=False
        ),
    }
)
