"""Selects that run wherever one reads, inside a transaction or outside of any: compiled once, and straight at the driver either way."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncSession

from app.kit.db import Prepared, Reader, Row
from app.kit.straight import fetched

Source = AsyncSession | Reader
"""Where to read: a session inside a transaction, or the reader outside of any."""


class Query:
    """A select that runs in a session or, compiled once per kind of store, through the reader."""

    __slots__ = ("_by_key", "_in_session", "_prepared", "_statement")

    def __init__(self, statement: Select[*tuple[Any, ...]], *, by_key: bool = False) -> None:
        """Take the statement; its values come by name. ``by_key``: it reads a few rows by their keys and nothing else."""
        self._statement, self._by_key = statement, by_key
        self._prepared: dict[str, Prepared] = {}
        self._in_session: dict[str, Prepared] = {}

    def _within(self, dialect: Dialect) -> Prepared:
        """Compile it for transactions of a kind of store, once."""
        prepared = self._in_session.get(dialect.name)
        if prepared is None:
            prepared = self._in_session[dialect.name] = Prepared(self._statement, dialect)
        return prepared

    async def rows(self, source: Source, **values: object) -> Sequence[Row]:
        """Run it."""
        if isinstance(source, AsyncSession):
            return await fetched(source, self._within, values)
        prepared = self._prepared.get(source.dialect.name)
        if prepared is None:
            prepared = self._prepared[source.dialect.name] = source.prepare(self._statement)
        if self._by_key:
            return [prepared.row(raw) for raw in await source.fetch_points(prepared, values)]
        return await source.fetch(prepared, values)
