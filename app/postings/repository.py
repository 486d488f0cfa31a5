"""Reading sets and writing generations."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, cast
from uuid import UUID

from pyroaring import BitMap
from sqlalchemy import (
    Integer,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    union_all,
    update,
)

from app.kit.db import UnitOfWork
from app.kit.models import Id
from app.kit.query import Query, Source
from app.kit.straight import Straight
from app.postings.gathering import Gathered
from app.postings.models import Posting, PostingGeneration, PostingOrdinal

Kind = tuple[int, bool]
"""A rank of keys, and whether a whole text of it is meant."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A set as it is kept: with the longest text that all keys of its people begin with."""

    term: str
    members: BitMap


@dataclass(frozen=True, slots=True)
class Span:
    """A generation: the version of the directory that it knows, when it was begun and when somebody last worked on it.

    ``ready_at`` is ``None`` until it is whole.
    """

    id: int
    version: int
    begun_at: datetime
    alive_at: datetime
    ready_at: datetime | None

    @property
    def ready(self) -> datetime:
        """Tell since when it is whole, of one that is."""
        assert self.ready_at is not None, "asked of generations that are whole"  # noqa: S101 — what the caller picked
        return self.ready_at


AT_ONCE: Final = 256
"""Ordinals, or texts, that one statement names."""

_GENERATION: Final = cast("Table", PostingGeneration.__table__)
_ORDINAL: Final = cast("Table", PostingOrdinal.__table__)
_POSTING: Final = cast("Table", Posting.__table__)
OF_GENERATION: Final = bindparam("generation", type_=Integer())
_NEWEST: Final = Query(
    select(_GENERATION.c.id, _GENERATION.c.version)
    .where(_GENERATION.c.ready_at.is_not(None))
    .order_by(_GENERATION.c.id.desc())
    .limit(1)
)
_SPANS: Final = Query(
    select(
        _GENERATION.c.id,
        _GENERATION.c.version,
        _GENERATION.c.begun_at,
        _GENERATION.c.alive_at,
        _GENERATION.c.ready_at,
    ).order_by(_GENERATION.c.id.desc())
)
_WHICH: Final = Query(
    select(_ORDINAL.c.ordinal).where(
        _ORDINAL.c.generation == OF_GENERATION, _ORDINAL.c.contact_id == bindparam("contact", type_=Id())
    ),
    by_key=True,
)
_NUMBER: Final = Straight(insert(_ORDINAL), columns=[column.key for column in _ORDINAL.columns])
_KEEP: Final = Straight(insert(_POSTING), columns=[column.key for column in _POSTING.columns])


def ordinal_of(contact: Any) -> Any:  # noqa: ANN401 — columns
    """Write the number of a contact at hand, looked up one by one: no engine makes a join of it that reads all there are."""
    return (
        select(_ORDINAL.c.ordinal)
        .where(_ORDINAL.c.generation == OF_GENERATION, _ORDINAL.c.contact_id == contact)
        .scalar_subquery()
    )


@cache
def _found(kinds: tuple[Kind, ...]) -> Query:
    """Write the reading of what is kept of one text, kind by kind."""
    text, until = bindparam("text", type_=String()), bindparam("until", type_=String())
    parts = []
    for at, (rank, whole) in enumerate(kinds):
        matched = _POSTING.c.term == text if whole else (_POSTING.c.term >= text) & (_POSTING.c.term < until)
        first = (
            select(literal_column(str(at)).label("kind"), _POSTING.c.term, _POSTING.c.members)
            .where(
                _POSTING.c.generation == OF_GENERATION,
                _POSTING.c.rank == literal_column(str(rank)),
                _POSTING.c.whole == literal_column(str(int(whole))),
                matched,
            )
            .order_by(_POSTING.c.term)
            .limit(1)
            .subquery()
        )
        parts.append(select(first))
    return Query(select(union_all(*parts).subquery()))


@cache
def _named(rank: int, size: int) -> Query:
    terms = [bindparam(f"text{each}", type_=String()) for each in range(size)]
    return Query(
        select(_POSTING.c.term, _POSTING.c.members).where(
            _POSTING.c.generation == OF_GENERATION,
            _POSTING.c.rank == literal_column(str(rank)),
            _POSTING.c.whole == literal_column("1"),
            _POSTING.c.term.in_(terms),
        )
    )


@cache
def _whose(size: int) -> Query:
    wanted = [bindparam(f"at{each}", type_=Integer()) for each in range(size)]
    return Query(
        select(_ORDINAL.c.contact_id)
        .where(_ORDINAL.c.generation == OF_GENERATION, _ORDINAL.c.ordinal.in_(wanted))
        .order_by(_ORDINAL.c.ordinal)
    )


class PostingRepository:
    """Rows of generations, ordinals and sets."""

    async def newest(self, source: Source) -> tuple[int, int] | None:
        """Give the generation that is of use, and the version of the directory that it knows; ``None`` where there is none."""
        rows = await _NEWEST.rows(source)
        return (rows[0][0], rows[0][1]) if rows else None

    async def found(
        self, source: Source, generation: int, kinds: tuple[Kind, ...], text: str, until: str
    ) -> dict[Kind, Kept]:
        """Read whom a text finds, by kind; a kind by which it finds few is missing."""
        rows = await _found(kinds).rows(source, generation=generation, text=text, until=until) if kinds else []
        return {kinds[at]: Kept(term, BitMap.deserialize(members)) for at, term, members in rows}

    async def named(self, source: Source, generation: int, rank: int, texts: Sequence[str]) -> dict[str, BitMap]:
        """Read whom whole texts of one rank find; a text that finds few is missing."""
        found: dict[str, BitMap] = {}
        for start in range(0, len(texts), AT_ONCE):
            some = texts[start : start + AT_ONCE]
            size = 1 << (len(some) - 1).bit_length()
            values = {f"text{at}": some[min(at, len(some) - 1)] for at in range(size)}
            rows = await _named(rank, size).rows(source, generation=generation, **values)
            found.update((term, BitMap.deserialize(members)) for term, members in rows)
        return found

    async def contacts(self, source: Source, generation: int, ordinals: Sequence[int]) -> list[UUID]:
        """List whose these numbers are, in the order of numbers."""
        size = 1 << (len(ordinals) - 1).bit_length()
        values = {f"at{at}": ordinals[min(at, len(ordinals) - 1)] for at in range(size)}
        return [identity for (identity,) in await _whose(size).rows(source, generation=generation, **values)]

    async def ordinal(self, source: Source, generation: int, contact: UUID) -> int | None:
        """Give the number of a contact; ``None`` where it has none."""
        rows = await _WHICH.rows(source, generation=generation, contact=contact)
        return int(rows[0][0]) if rows else None

    async def begin(self, unit: UnitOfWork, version: int, now: datetime) -> int:
        """Begin a generation; give its id."""
        newest = await unit.session.scalar(select(func.coalesce(func.max(_GENERATION.c.id), 0)))
        generation = int(newest or 0) + 1
        await unit.session.execute(
            insert(_GENERATION),
            {"id": generation, "version": version, "begun_at": now, "alive_at": now, "ready_at": None},
        )
        return generation

    async def number(self, unit: UnitOfWork, generation: int, first: int, contacts: Sequence[UUID]) -> None:
        """Give contacts the numbers from ``first`` on, in the order in which they are listed."""
        rows = [
            {"generation": generation, "ordinal": first + at, "contact_id": each} for at, each in enumerate(contacts)
        ]
        await _NUMBER.each(unit.session, rows)

    async def keep(self, unit: UnitOfWork, generation: int, rank: int, sets: Iterable[Gathered]) -> None:
        """Write sets of one rank."""
        rows = [
            {
                "generation": generation,
                "rank": rank,
                "whole": int(each.whole),
                "term": each.term,
                "members": each.members.serialize(),
            }
            for each in sets
        ]
        if rows:
            await _KEEP.each(unit.session, rows)

    async def alive(self, unit: UnitOfWork, generation: int, now: datetime) -> None:
        """Say that somebody works on a generation."""
        await unit.session.execute(update(_GENERATION).where(_GENERATION.c.id == generation).values(alive_at=now))

    async def ready(self, unit: UnitOfWork, generation: int, now: datetime, *, is_ready: bool = True) -> None:
        """Say that a generation is whole and of use from now on, or no longer is."""
        at = now if is_ready else None
        await unit.session.execute(
            update(_GENERATION).where(_GENERATION.c.id == generation).values(alive_at=now, ready_at=at)
        )

    async def spans(self, source: Source) -> list[Span]:
        """List the generations there are, the newest first."""
        return [Span(*row) for row in await _SPANS.rows(source)]

    async def drop_some(self, unit: UnitOfWork, generation: int, *, most: int) -> bool:
        """Delete of a generation what one transaction may; tell whether all of it is gone."""
        some = (
            select(_ORDINAL.c.ordinal)
            .where(_ORDINAL.c.generation == generation)
            .order_by(_ORDINAL.c.ordinal)
            .limit(most)
            .subquery()
        )
        last = await unit.session.scalar(select(func.max(some.c.ordinal)))
        if last is not None:
            await unit.session.execute(
                delete(_ORDINAL).where(_ORDINAL.c.generation == generation, _ORDINAL.c.ordinal <= last)
            )
            return False
        await unit.session.execute(delete(_POSTING).where(_POSTING.c.generation == generation))
        await unit.session.execute(delete(_GENERATION).where(_GENERATION.c.id == generation))
        return True
