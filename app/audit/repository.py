"""Finding events: by contact, actor, time, action, decision; newest first, a page at a time, in both directions.

Each question is one range of one index. "Who saw this person" walks the key of the index rows, "what did this actor
see" the actor's index, both in the order of the log. A question by time alone walks the index on time, so its pages
are in the order of time; a page therefore costs the same in a log of ten million events as in one of a thousand.
Reading the log is itself a look: the caller logs it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Column, Integer, MetaData, Select, Table, bindparam, cast, null, select, tuple_

from app.audit.events import EventDraft, decode_event
from app.audit.models import Event, Head, SubjectEntry
from app.kit.db import Prepared, Reader
from app.kit.models import Base


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """What is looked for; members that are ``None`` ask for nothing. ``since`` is included, ``until`` is not."""

    contact_id: UUID | None = None
    actor_id: str | None = None
    action: str | None = None
    decision: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def by_time(self) -> bool:
        """Whether time is all there is to go by, so that pages follow it."""
        timed = self.since is not None or self.until is not None
        return timed and self.contact_id is None and self.actor_id is None

    def values(self) -> dict[str, Any]:
        """Give what is asked for, by name."""
        names = ("contact_id", "actor_id", "action", "decision", "since", "until")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two events of one query: the event's index and, where pages follow time, its time."""

    index: int
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """One event and its place. ``bits`` is set when a contact was asked for: what was disclosed of that contact."""

    index: int
    event: EventDraft
    bits: int | None


class EventPage(NamedTuple):
    """Events, newest first; ``next`` leads to older ones, ``previous`` to newer ones, ``None`` where there are none."""

    events: list[FoundEvent]
    next: Position | None
    previous: Position | None


class AccessLogRepository:
    """Reads the log through the driver; statements are compiled once per kind of question."""

    def __init__(self, reader: Reader) -> None:
        """Take the reader of the log's store (``Database.log_reader``)."""
        self._reader = reader
        schema = reader.dialect.name == "postgresql"
        self._event = _table(Event, in_schema=schema)
        self._subject = _table(SubjectEntry, in_schema=schema)
        self._head = _table(Head, in_schema=schema)
        self._prepared: dict[tuple[str, ...], Prepared] = {}

    async def search(
        self, wanted: EventFilter, *, limit: int, after: Position | None = None, before: Position | None = None
    ) -> EventPage:
        """Find at most ``limit`` events: the newest, those older than ``after``, or those just newer than ``before``.

        Raises ``Unavailable`` when the store does not answer and ``EventMalformed`` when what is stored is no event.
        """
        values = wanted.values()
        place, forward = (before, True) if before is not None else (after, False)
        shape = (*values, "by_time" * wanted.by_time, "place" * (place is not None), "forward" * forward)
        arguments = {**values, "limit": limit + 1}
        if place is not None:
            arguments["place_index"] = place.index
            if wanted.by_time:
                arguments["place_at"] = place.at
        rows = await self._fetch(
            shape, lambda: self._statement(wanted, place=place is not None, forward=forward), arguments
        )
        more, rows = len(rows) > limit, rows[:limit]
        if forward:
            rows.reverse()
        found = [FoundEvent(index, decode_event(payload), bits) for index, _, payload, bits in rows]
        return EventPage(
            found,
            _position(rows[-1], wanted) if rows and (more or forward) else None,
            _position(rows[0], wanted) if rows and (more if forward else after is not None) else None,
        )

    async def one(self, identifier: UUID) -> FoundEvent | None:
        """Give the event with this id, or ``None``."""
        event = self._event.c
        statement = select(event.index, event.payload).where(event.id == bindparam("id"))
        rows = await self._fetch(("one",), lambda: statement, {"id": identifier})
        return FoundEvent(rows[0][0], decode_event(rows[0][1]), None) if rows else None

    async def checkpoint(self) -> str | None:
        """Give the newest signed checkpoint, as a note; ``None`` for a log that was never opened."""
        rows = await self._fetch(("checkpoint",), lambda: select(self._head.c.note), {})
        return str(rows[0][0]) if rows else None

    async def _fetch(
        self, shape: tuple[str, ...], build: Callable[[], Select[Any]], values: Mapping[str, Any]
    ) -> list[Any]:
        prepared = self._prepared.get(shape)
        if prepared is None:
            prepared = self._prepared[shape] = self._reader.prepare(build())
        return list(await self._reader.fetch(prepared, values))

    def _statement(self, wanted: EventFilter, *, place: bool, forward: bool) -> Select[Any]:
        event, subject = self._event.c, self._subject.c
        if wanted.contact_id is None:
            index: Column[Any] = event.index
            statement = select(index, event.at, event.payload, cast(null(), BigInteger))
        else:
            index = subject.index
            statement = (
                select(index, event.at, event.payload, subject.bits)
                .join_from(self._subject, self._event, event.index == index)
                .where(subject.contact_id == bindparam("contact_id"))
            )
        for name in ("actor_id", "action", "decision"):
            if getattr(wanted, name) is not None:
                statement = statement.where(event[name] == bindparam(name))
        if wanted.since is not None:
            statement = statement.where(event.at >= bindparam("since"))
        if wanted.until is not None:
            statement = statement.where(event.at < bindparam("until"))
        keys = (event.at, index) if wanted.by_time else (index,)
        if place:
            bounds = tuple(bindparam(f"place_{key.name}", type_=key.type) for key in keys)
            here, there = tuple_(*keys), tuple_(*bounds)
            statement = statement.where(here > there if forward else here < there)
        return statement.order_by(*(key if forward else key.desc() for key in keys)).limit(
            bindparam("limit", type_=Integer)
        )


def _table(mapped: type[Base], *, in_schema: bool) -> Table:
    """Give a table as the driver's connection sees it: a log file of its own knows no schema."""
    table = mapped.__table__
    if not isinstance(table, Table):
        message = f"{mapped.__name__} has no table"
        raise TypeError(message)
    return table if in_schema else table.to_metadata(MetaData(), schema=None)  # type: ignore[arg-type]  # None is documented: no schema


def _position(row: Sequence[Any], wanted: EventFilter) -> Position:
    return Position(row[0], row[1] if wanted.by_time else None)
