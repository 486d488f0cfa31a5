"""A table whose rows are values under a MAC: read and believed, or reported and left out; written as they were signed.

What a value says stands in columns of the same names. Enumerations are stored as their words, tuples of texts as JSON, envelopes as sealed
columns; the MAC covers all of it, in the order of the value's members, and what is only bookkeeping of the table (``beside``) it does not.
"""

from collections.abc import Sequence
from dataclasses import fields
from enum import Enum
from typing import Any, Final, Generic, TypeVar, cast, get_args, get_type_hints

import structlog
from sqlalchemy import ColumnElement, LargeBinary, Table, bindparam, insert, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto.rowmac import RowSigner, RowValue
from app.crypto.sealed import Sealed, SealedType
from app.kit.db import Row, Statement
from app.kit.models import Base, Id, Json
from app.kit.query import Query, Source

T = TypeVar("T")

_log = structlog.get_logger("duanhao.security")


class Rows(Generic[T]):
    """Rows of one table as values of one class."""

    def __init__(
        self, mapped: type[Base], value: type[T], signer: RowSigner, *, key: tuple[str, ...] = ("id",)
    ) -> None:
        """Take the table, the dataclass of its values, its signer, and what names a row."""
        self.table: Final = cast("Table", mapped.__table__)
        self._value, self._signer, self._key = value, signer, key
        hints = get_type_hints(value)
        self._names = tuple(each.name for each in fields(cast("Any", value)))
        self._words = {name: kind for name in self._names if (kind := _enumeration(hints[name])) is not None}
        self._sealed = frozenset(name for name in self._names if isinstance(self.table.c[name].type, SealedType))
        self._lists = frozenset(name for name in self._names if isinstance(self.table.c[name].type, Json))
        columns = [
            type_coerce(self.table.c[name], LargeBinary).label(name) if name in self._sealed else self.table.c[name]
            for name in self._names
        ]
        self._columns: tuple[Any, ...] = (*columns, self.table.c.mac)

    def select(self, *conditions: ColumnElement[bool]) -> Statement:
        """Write a statement whose rows ``read`` understands."""
        return select(*self._columns).where(*conditions)

    async def find(self, source: Source, query: Query, **values: object) -> list[T]:
        """Run a query of such a statement; rows edited past us are left out."""
        return self.read(await query.rows(source, **values))

    async def locked(self, session: AsyncSession, *conditions: ColumnElement[bool]) -> list[T]:
        """Read rows and let nobody change them until the transaction ends."""
        rows = await session.execute(self.select(*conditions).with_for_update())
        return self.read([tuple(row) for row in rows])

    def read(self, rows: Sequence[Row]) -> list[T]:
        """Believe rows, or report them."""
        found = []
        for *values, mac in rows:
            value = self._value(
                **{name: self._inward(name, each) for name, each in zip(self._names, values, strict=True)}
            )
            if self._signer.verify(self.table.name, self._covered(value), mac):
                found.append(value)
            else:
                named = " ".join(str(getattr(value, name)) for name in self._key)
                _log.error("row_mac_mismatch", table=self.table.name, row=named)
        return found

    def examined(self, rows: Sequence[Row]) -> list[tuple[T, bool]]:
        """Say what rows hold and whether each is as it was signed, for whoever reports on them: none is left out, none believed."""
        return [
            (value, self._signer.verify(self.table.name, self._covered(value), mac))
            for *values, mac in rows
            for value in [
                self._value(**{name: self._inward(name, each) for name, each in zip(self._names, values, strict=True)})
            ]
        ]

    async def add(self, session: AsyncSession, value: T, **beside: Any) -> None:  # noqa: ANN401 — columns
        """Add a row."""
        await session.execute(insert(self.table).values(**self._row(value), **beside))

    async def put(self, session: AsyncSession, value: T, **beside: Any) -> None:  # noqa: ANN401 — columns
        """Write a row that is there as it is to be from now on."""
        named = [self.table.c[name] == getattr(value, name) for name in self._key]
        await session.execute(update(self.table).where(*named).values(**self._row(value), **beside))

    def written(self, value: T) -> dict[str, Any]:
        """Give the columns of a row, its MAC among them, for a statement of the caller's own."""
        return self._row(value)

    def _row(self, value: T) -> dict[str, Any]:
        row = {name: self._outward(name, getattr(value, name)) for name in self._names}
        return {**row, "mac": self._signer.sign(self.table.name, self._covered(value))}

    def _covered(self, value: T) -> tuple[RowValue, ...]:
        return tuple(_plain(getattr(value, name)) for name in self._names)

    def _outward(self, name: str, value: Any) -> Any:  # noqa: ANN401 — a column's value
        if name in self._sealed and value is not None:
            return Sealed(value)
        return list(value) if name in self._lists else _plain(value)

    def _inward(self, name: str, value: Any) -> Any:  # noqa: ANN401 — a column's value
        if value is None:
            return None
        if name in self._words:
            return self._words[name](value)
        if name in self._lists:
            return tuple(value)
        return bytes(value) if isinstance(value, bytearray | memoryview) else value


def _plain(value: Any) -> Any:  # noqa: ANN401 — a member of a value
    return value.value if isinstance(value, Enum) else value


def _enumeration(hint: Any) -> type[Enum] | None:  # noqa: ANN401 — an annotation
    for each in (hint, *get_args(hint)):
        if isinstance(each, type) and issubclass(each, Enum):
            return each
    return None


def by_id(rows: Rows[T], name: str = "id") -> Query:
    """Write the query for a row by a column that names it; the value is given as ``wanted``."""
    return Query(rows.select(rows.table.c[name] == bindparam("wanted", type_=Id())), by_key=True)
