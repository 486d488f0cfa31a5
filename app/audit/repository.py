"""Finding events: any combination of filters, newest or oldest first, a page at a time, in both directions.

Each question walks one range of one index, in chunks: "who saw this person" the index of contacts, "what did this actor see" the index of
actors, a question by time the index on time, any other the log itself. What no index knows is decided on the way, and the way of one page
has an end: after ``BUDGET`` events it stops with what it has, and its cursor goes on from there. So the first page costs the same in a
log of ten million events as in one of a thousand, and no question reads the log into memory. Reading the log is itself a look: the caller
logs it.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Integer, MetaData, Select, Table, bindparam, select, tuple_

from app.audit.events import EventDraft, EventMalformed, decode_event
from app.audit.matching import Document, EventFilter, Walk, document_of, unreadable
from app.audit.models import Event, Head, Quota, SubjectEntry
from app.kit.db import Prepared, Reader
from app.kit.models import Base

__all__ = ["BUDGET", "AccessLogRepository", "EventFilter", "EventPage", "FoundEvent", "Position", "Stored"]

BUDGET: Final = 20_000
"""Most events that one page looks at."""

_FIRST_CHUNK: Final = 64
_LARGEST_CHUNK: Final = 256
"""Events between two turns of the loop: a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two events of one question: an event's index and, where pages follow time, its time."""

    index: int
    at: datetime | None = None

    def beside(self, steps: int) -> "Position":
        """Give the place ``steps`` indexes further, so that a walk in the other direction meets the event here again."""
        return Position(self.index + steps, self.at)


@dataclass(frozen=True, slots=True)
class FoundEvent:
    """One event and its index. Where its evidence is damaged, ``event`` stands in for it (``matching.unreadable``)."""

    index: int
    event: EventDraft


class EventPage(NamedTuple):
    """Events in the order asked for; ``next`` leads on in that order, ``previous`` back; ``None`` where nothing is.

    A page may be short or empty although ``next`` (or, on the way back, ``previous``) is set: it has spent its budget.
    """

    events: list[FoundEvent]
    next: Position | None
    previous: Position | None


@dataclass(frozen=True, slots=True)
class Stored:
    """One event on the way: its place, and its evidence as stored and as read (``None`` where it cannot be read)."""

    index: int
    id: UUID
    at: datetime
    payload: bytes
    document: Document | None

    def found(self) -> FoundEvent:
        """Give the event, or what stands in for damaged evidence."""
        try:
            return FoundEvent(self.index, decode_event(self.payload))
        except EventMalformed:
            return FoundEvent(self.index, unreadable(self.id, self.at))


class AccessLogRepository:
    """Reads the log through the driver; statements are compiled once per kind of question."""

    def __init__(self, reader: Reader, *, indexed: Callable[[], Awaitable[None]] | None = None) -> None:
        """Take the reader of the log's store (``Database.log_reader``).

        ``indexed`` returns when every event recorded so far is in the index of contacts; it is awaited before that index is walked.
        """
        self._reader, self._indexed = reader, indexed
        schema = reader.dialect.name == "postgresql"
        self._event = _table(Event, in_schema=schema)
        self._subject = _table(SubjectEntry, in_schema=schema)
        self._head = _table(Head, in_schema=schema)
        quota = _table(Quota, in_schema=schema)
        self._used = reader.prepare(
            select(quota.c.kind, quota.c.used).where(
                quota.c.actor_id == bindparam("actor_id"), quota.c.day == bindparam("day")
            )
        )
        self._prepared: dict[tuple[object, ...], Prepared] = {}

    async def used(self, actor_id: str, day: str) -> dict[str, int]:
        """Tell what an actor has used of each quota on a day (ISO date)."""
        rows = await self._reader.fetch(self._used, {"actor_id": actor_id, "day": day})
        return dict(rows)

    async def search(
        self,
        wanted: EventFilter,
        *,
        limit: int,
        after: Position | None = None,
        before: Position | None = None,
        oldest_first: bool = False,
        budget: int = BUDGET,
    ) -> EventPage:
        """Find at most ``limit`` events: the first ones, those after ``after``, or those just before ``before``.

        Looks at no more than ``budget`` events. Raises ``Unavailable`` when the store does not answer.
        """
        back, place = (before is not None), (before or after)
        upwards = oldest_first != back
        found, stopped = await self._collect(wanted, place, upwards=upwards, most=limit + 1, budget=budget)
        if len(found) > limit:
            found.pop()
            stopped = _place(found[-1], wanted)
        near = None
        if place is not None:
            near = _place(found[0], wanted) if found else place.beside(1 if upwards else -1)
        events = [each.found() for each in found]
        return EventPage(events[::-1], near, stopped) if back else EventPage(events, stopped, near)

    async def walk(
        self, wanted: EventFilter, *, place: Position | None = None, upwards: bool = False, chunk: int = _FIRST_CHUNK
    ) -> AsyncGenerator[list[Stored]]:
        """Give everything that the question's index leads past, fitting or not, chunk by chunk, beginning beyond ``place``.

        Chunks grow, from ``chunk`` on, and stay small enough to be held. Raises ``Unavailable``.
        """
        if wanted.walk is Walk.CONTACT and self._indexed is not None:
            await self._indexed()
        size = chunk
        while True:
            rows = [_stored(row) for row in await self._rows(wanted, place, upwards=upwards, most=size)]
            yield rows
            if len(rows) < size:
                return
            place = _place(rows[-1], wanted)
            size = max(chunk, min(2 * size, _LARGEST_CHUNK))

    async def one(self, identifier: UUID) -> FoundEvent | None:
        """Give the event with this id, or ``None``."""
        event = self._event.c
        statement = select(event.index, event.id, event.at, event.payload).where(event.id == bindparam("id"))
        rows = await self._fetch(("one",), lambda: statement, {"id": identifier})
        return _stored(rows[0]).found() if rows else None

    async def size(self) -> int:
        """Count the events of the log: the index that the next one will have."""
        rows = await self._fetch(("size",), lambda: select(self._head.c.size), {})
        return int(rows[0][0]) if rows else 0

    async def checkpoint(self) -> str | None:
        """Give the newest signed checkpoint, as a note; ``None`` for a log that was never opened."""
        rows = await self._fetch(("checkpoint",), lambda: select(self._head.c.note), {})
        return str(rows[0][0]) if rows else None

    async def _collect(
        self, wanted: EventFilter, place: Position | None, *, upwards: bool, most: int, budget: int
    ) -> tuple[list[Stored], Position | None]:
        """Walk until ``most`` events fit or the budget is spent; tell where the way went on, ``None`` when it had an end."""
        fits, found, seen = wanted.reading(), list[Stored](), 0
        chunk = min(most if wanted.is_walked_whole else max(most, _FIRST_CHUNK), budget)
        async with aclosing(self.walk(wanted, place=place, upwards=upwards, chunk=chunk)) as chunks:
            async for rows in chunks:
                for row in rows:
                    seen += 1
                    if fits(row.index, row.at, row.document):
                        found.append(row)
                    if len(found) == most or seen >= budget:
                        return found, _place(row, wanted)
        return found, None

    async def _rows(self, wanted: EventFilter, place: Position | None, *, upwards: bool, most: int) -> list[Any]:
        walk = wanted.walk
        values: dict[str, Any] = {"limit": most}
        match walk:
            case Walk.CONTACT:
                values["contact_id"] = wanted.contact_id
            case Walk.ACTOR:
                values["actor_id"] = wanted.actor_id
            case Walk.TIME:
                bounds = {"since": wanted.since, "until": wanted.until}
                values |= {name: bound for name, bound in bounds.items() if bound is not None}
            case Walk.LOG:
                pass
        if place is not None:
            values["place_index"] = place.index
            if walk is Walk.TIME:
                values["place_at"] = place.at
        shape = (walk, upwards, *values)
        return await self._fetch(shape, lambda: self._statement(walk, frozenset(values), upwards=upwards), values)

    async def _fetch(
        self, shape: tuple[object, ...], build: Callable[[], Select[Any]], values: Mapping[str, Any]
    ) -> list[Any]:
        prepared = self._prepared.get(shape)
        if prepared is None:
            prepared = self._prepared[shape] = self._reader.prepare(build())
        return list(await self._reader.fetch(prepared, values))

    def _statement(self, walk: Walk, given: frozenset[str], *, upwards: bool) -> Select[Any]:
        event = self._event.c
        if walk is Walk.CONTACT:
            index, statement = self._about_a_contact()
        else:
            index, statement = event.index, select(event.index, event.id, event.at, event.payload)
        if walk is Walk.ACTOR:
            statement = statement.where(event.actor_id == bindparam("actor_id"))
        if "since" in given:
            statement = statement.where(event.at >= bindparam("since"))
        if "until" in given:
            statement = statement.where(event.at < bindparam("until"))
        keys = (event.at, index) if walk is Walk.TIME else (index,)
        if "place_index" in given:
            bounds = tuple(bindparam(f"place_{key.name}", type_=key.type) for key in keys)
            here, there = tuple_(*keys), tuple_(*bounds)
            statement = statement.where(here > there if upwards else here < there)
        return statement.order_by(*(key if upwards else key.desc() for key in keys)).limit(
            bindparam("limit", type_=Integer)
        )

    def _about_a_contact(self) -> tuple[Any, Select[Any]]:
        """Give the key and the rows of the index of contacts: the one place that knows how it is stored."""
        event, subject = self._event.c, self._subject.c
        statement = (
            select(subject.index, event.id, event.at, event.payload)
            .join_from(self._subject, self._event, event.index == subject.index)
            .where(subject.contact_id == bindparam("contact_id"))
        )
        return subject.index, statement


def _table(mapped: type[Base], *, in_schema: bool) -> Table:
    """Give a table as the driver's connection sees it: a log file of its own knows no schema."""
    table = mapped.__table__
    if not isinstance(table, Table):
        message = f"{mapped.__name__} has no table"
        raise TypeError(message)
    return table if in_schema else table.to_metadata(MetaData(), schema=None)  # type: ignore[arg-type]  # None is documented: no schema


def _stored(row: Sequence[Any]) -> Stored:
    index, identity, at, payload = row
    return Stored(index, identity, at, payload, document_of(payload))


def _place(row: Stored, wanted: EventFilter) -> Position:
    return Position(row.index, row.at if wanted.walk is Walk.TIME else None)
