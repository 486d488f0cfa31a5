"""Several selects as one statement: one way to the store and back, and rows that were all there at one moment.

Each select keeps its own columns. Rows of all of them come as one list, every value in a place of its column's type, and go back to the
select that they belong to, through that select's own conversions.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Label, TypeCoerce, literal_column, select, text, union_all
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from app.kit.db import Prepared, Reader, Row, Statement

_SIZED: Final = re.compile(r"\(.*|\sCOLLATE\s.*")


class Together:
    """Selects by name, without order or limit of their own; what they bind under one name is one value."""

    __slots__ = ("_merged", "_selects")

    def __init__(self, **selects: Statement) -> None:
        """Take the selects. Each reads a few rows by their keys and nothing else."""
        self._selects = selects
        self._merged: dict[str, _Merged] = {}

    async def rows(self, reader: Reader, **values: object) -> Mapping[str, Sequence[Row]]:
        """Run all of them; give the rows of each. Raises ``Unavailable``."""
        merged = self._merged.get(reader.dialect.name)
        if merged is None:
            merged = self._merged[reader.dialect.name] = _Merged(reader, self._selects)
        return merged.parted(await reader.fetch_points(merged.prepared, values))


class _Merged:
    """The statement for one kind of store, and where the values of each select stand in its rows."""

    __slots__ = ("_parts", "prepared")

    def __init__(self, reader: Reader, selects: Mapping[str, Statement]) -> None:
        kinds: list[str] = []
        self._parts: list[tuple[str, tuple[int, ...], Prepared]] = []
        for name, statement in selects.items():
            places = _placed([_kind(each, reader.dialect) for each in statement.selected_columns], kinds)
            self._parts.append((name, places, reader.prepare(statement)))
        # PostgreSQL takes the types of a union from its first select, so the first one says them and gives no row.
        typed = select(text("-1"), *(text(f"CAST(NULL AS {kind})") for kind in kinds)).where(text("1 = 0"))
        branches = [
            _branch(number, statement, places, len(kinds))
            for number, (statement, (_, places, _)) in enumerate(zip(selects.values(), self._parts, strict=True))
        ]
        self.prepared = reader.prepare(cast("Statement", union_all(typed, *branches)))

    def parted(self, rows: Sequence[Row]) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {name: [] for name, _, _ in self._parts}
        for row in rows:
            name, places, prepared = self._parts[row[0]]
            found[name].append(prepared.row(tuple([row[place] for place in places])))
        return found


def _branch(number: int, statement: Statement, places: Sequence[int], size: int) -> Statement:
    columns: list[Any] = [text("NULL")] * size
    for place, column in zip(places, statement.selected_columns, strict=True):
        columns[place - 1] = column
    return statement.with_only_columns(literal_column(str(number)), *columns, maintain_column_froms=True)


def _placed(wanted: Sequence[str], kinds: list[str]) -> tuple[int, ...]:
    """Give each column the first free place of its type, counted from one; what is missing is added to ``kinds``."""
    places: list[int] = []
    for kind in wanted:
        place = next((at for at, each in enumerate(kinds, start=1) if each == kind and at not in places), None)
        if place is None:
            kinds.append(kind)
            place = len(kinds)
        places.append(place)
    return tuple(places)


def _kind(column: ColumnElement[Any], dialect: Dialect) -> str:
    """Name the type that the store gives, whatever Python is to take it for."""
    stored: Any = column
    while isinstance(stored, Label | TypeCoerce):
        stored = stored.element if isinstance(stored, Label) else stored.clause
    of: TypeEngine[Any] = stored.type
    return _SIZED.sub("", dialect.type_compiler_instance.process(of.dialect_impl(dialect)))
