"""What a row says of a person, read as an event ``employee.joined`` would be: strictly, by the same models. Pure.

So a head-count takes what events take, in the same words, and whatever events learn a head-count knows.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app.exchanges.line import shortened
from app.hr.data import JoinedData, MovedData, UpdatedData
from app.kit.problems import from_validation
from app.reconciliations.columns import EMPLOYEE_NO
from app.reconciliations.reading import Entry

_NUMBER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_NOT_SAID: Final = ("effective_at", "applicant")
_AS_SAID: Final = {"contract_until": "until"}
"""Members of the card that an event calls otherwise."""
_PLACE: Final = frozenset({"department", "memberships"})
"""Members that only a move changes."""
MOVES: Final = frozenset(MovedData.model_fields) - {"effective_at"}


@dataclass(frozen=True, slots=True)
class Person:
    """A row that could be read."""

    line: int
    employee_no: str
    data: JoinedData

    def said(self, members: Iterable[str] | None = None) -> dict[str, Any]:
        """Give what it says, as JSON: all of it, or of some members of the card."""
        named = None if members is None else {_AS_SAID.get(each, each) for each in members}
        return self.data.model_dump(mode="json", exclude_unset=True, include=named)


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that could not, and why."""

    line: int
    employee_no: str | None
    code: str
    column: str | None = None


def number_of(entry: Entry) -> str | None:
    """Tell whose row it is; ``None`` where that cannot be told."""
    number = None if entry.said is None else entry.said.get(EMPLOYEE_NO)
    if isinstance(number, str) and _NUMBER.fullmatch(number := number.strip()):
        return number
    return None


def read(entry: Entry) -> Person | Fault:
    """Read a row."""
    number = number_of(entry)
    if entry.code is not None:
        return Fault(entry.line, number, entry.code, entry.column)
    if number is None or entry.said is None:
        return Fault(entry.line, None, "no_employee_no", EMPLOYEE_NO)
    said = {name: value for name, value in entry.said.items() if name != EMPLOYEE_NO}
    if said.get("worker_kind", ...) is None:
        del said["worker_kind"]
    refused = next((name for name in _NOT_SAID if name in said), None)
    if refused is not None:
        return Fault(entry.line, number, "unknown_member", refused)
    try:
        return Person(entry.line, number, JoinedData.model_validate(said))
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        first = from_validation(RequestValidationError(faults)).errors[0]
        return Fault(entry.line, number, first.code, column_of(first.pointer))


def column_of(pointer: str) -> str:
    """Give the member that a pointer leads to, without what nobody sees: files name members of their own."""
    return shortened(pointer.removeprefix("/data").removeprefix("/").partition("/")[0])


def changes(said: Mapping[str, Any]) -> list[tuple[str, MovedData | UpdatedData]]:
    """Write what a row says differently as events: a move where the place is another one, and an update for what else there is.

    Each with the last part of its id.
    """
    moved = {name: value for name, value in said.items() if name in MOVES} if _PLACE & said.keys() else {}
    rest = {name: value for name, value in said.items() if name not in moved}
    found: list[tuple[str, MovedData | UpdatedData]] = []
    if moved:
        found.append(("m", MovedData.model_validate(moved)))
    if rest:
        found.append(("u", UpdatedData.model_validate(rest)))
    return found


def still(data: MovedData | UpdatedData, members: Iterable[str]) -> MovedData | UpdatedData | None:
    """Keep of a change what is different still; ``None`` when nothing is."""
    named = {_AS_SAID.get(each, each) for each in members}
    kept = data.model_dump(mode="json", exclude_unset=True, include=named)
    return type(data).model_validate(kept) if kept else None
