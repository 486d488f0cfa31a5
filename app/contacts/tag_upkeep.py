"""What re-tagging asks of the store and writes to it: how many values there are, who lacks a tag, the plan's row, what is past its time.

Everything goes by small pieces in the order of contacts, each its own transaction, so that the service answers meanwhile and a job that was
cut off finds by the rows themselves what is left.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, and_, delete, exists, false, func, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.contacts.fields import CATALOGUE
from app.contacts.models import Contact, SearchPlan, SearchTag
from app.contacts.tag_rules import NO_PARTITION, PLACE, RULES, Generation, Population
from app.contacts.tagging import PLAN, TABLE, generations
from app.kit.db import Reader
from app.permissions.outcomes import Tag

_GONE: Final = "archived"
_KIND_OF: Final = {rule.code: kind for kind, rule in RULES.items()}
_PAST_AT_ONCE: Final = 5000
_KEY: Final = tuple(TABLE.primary_key.columns)


@dataclass(frozen=True, slots=True)
class Spread:
    """How the values of one kind lie on their tags, as measured: of those tags that have bits, how many stand for one value alone."""

    kind: Tag
    bits: int
    values: int
    tags: int
    alone: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of contacts: who of them lacks a tag, how many they are, and where to go on."""

    lacking: tuple[UUID, ...]
    size: int
    last: UUID | None


class TagUpkeep:
    """Statements of re-tagging."""

    def __init__(self, reader: Reader) -> None:
        """Take the reader."""
        self._reader = reader

    async def plans(self) -> tuple[Generation, Generation | None]:
        """Give the generation in use, and the one that is being made."""
        (row,) = await self._reader.fetch(self._reader.prepare(PLAN))
        return generations(row)

    async def population(self, kinds: frozenset[Tag], current: Generation) -> Population:
        """Count values by kind, and those of partitioned kinds by department too.

        Counted are the tags of ``current`` if it has all the kinds, else the cards themselves, which takes longer.
        """
        if kinds <= current.kinds:
            rows = await self._reader.fetch(
                self._reader.prepare(
                    select(SearchTag.kind, func.count())
                    .where(SearchTag.generation == current.number)
                    .group_by(SearchTag.kind)
                )
            )
            values = {_KIND_OF[code]: count for code, count in rows if code in _KIND_OF}
            parts: Any = (
                select(SearchTag.partition, func.count())
                .where(SearchTag.generation == current.number, SearchTag.kind == RULES[Tag.MOBILE_LAST4].code)
                .group_by(SearchTag.partition)
            )
        else:
            counted = {kind: [func.count(_column(name)) for name in RULES[kind].fields] for kind in sorted(kinds)}
            every = [each for counts in counted.values() for each in counts]
            (row,) = await self._reader.fetch(self._reader.prepare(select(*every).where(Contact.status != _GONE)))
            left = iter(row)
            values = {kind: sum(next(left) for _ in counts) for kind, counts in counted.items()}
            parts = (
                select(Contact.department_id, func.count(Contact.mobile))
                .where(Contact.status != _GONE)
                .group_by(Contact.department_id)
            )
        found = await self._reader.fetch(self._reader.prepare(parts)) if Tag.MOBILE_LAST4 in kinds else []
        return Population(values, {where: count for where, count in found if where not in {None, NO_PARTITION}})

    async def chunk(self, generation: Generation, after: UUID, size: int) -> Chunk:
        """Look at the next ``size`` contacts: who has a value and no tag of it in ``generation``."""
        statement = (
            select(Contact.id, and_(Contact.status != _GONE, _lacks(generation)).label("lacks"))
            .where(Contact.id > after)
            .order_by(Contact.id)
            .limit(size)
        )
        rows = await self._reader.fetch(self._reader.prepare(statement))
        return Chunk(tuple(each for each, lacks in rows if lacks), len(rows), rows[-1][0] if rows else None)

    async def locked(self, session: AsyncSession, identities: Sequence[UUID]) -> dict[UUID, tuple[bytes, UUID | None]]:
        """Lock these contacts until the transaction ends; give the MAC and the department of each."""
        rows = await session.execute(
            select(Contact.id, Contact.mac, Contact.department_id)
            .where(Contact.id.in_(identities), Contact.status != _GONE)
            .order_by(Contact.id)
            .with_for_update()
        )
        return {identity: (mac, department) for identity, mac, department in rows}

    async def begin(
        self, session: AsyncSession, current: Generation, *, key_version: int, bits: Mapping[str, int], at: datetime
    ) -> None:
        """Let the next generation begin: from the end of this transaction on every write makes its tags too."""
        await session.execute(
            update(SearchPlan)
            .where(SearchPlan.generation == current.number, SearchPlan.next_key_version.is_(None))
            .values(next_key_version=key_version, next_bits=dict(bits), updated_at=at)
        )

    async def foresee(self, session: AsyncSession, bits: Mapping[str, int], *, at: datetime) -> None:
        """Change the plan of a store that has no tags yet."""
        await session.execute(
            update(SearchPlan)
            .where(SearchPlan.next_key_version.is_(None), ~exists(select(SearchTag.kind)))
            .values(bits=dict(bits), updated_at=at)
        )

    async def take_up(self, session: AsyncSession, current: Generation, *, at: datetime) -> None:
        """Let the next generation, which is complete, be the one that is looked up in."""
        await session.execute(
            update(SearchPlan)
            .where(SearchPlan.generation == current.number, SearchPlan.next_key_version.is_not(None))
            .values(
                generation=SearchPlan.generation + 1,
                key_version=SearchPlan.next_key_version,
                bits=SearchPlan.next_bits,
                next_key_version=None,
                next_bits=None,
                updated_at=at,
            )
        )

    async def forget_past(self, session: AsyncSession, current: Generation) -> int:
        """Delete some tags of generations before ``current``; give how many."""
        deleted = 0
        for code in _KIND_OF:
            some = (
                select(*_KEY)
                .where(TABLE.c.kind == code, TABLE.c.generation < current.number)
                .limit(_PAST_AT_ONCE - deleted)
            )
            result = await session.execute(delete(TABLE).where(tuple_(*_KEY).in_(some)))
            deleted += cast("CursorResult[Any]", result).rowcount
            if deleted >= _PAST_AT_ONCE:
                break
        return deleted

    async def spread(self, generation: Generation) -> list[Spread]:
        """Measure how values lie on tags."""
        rows = await self._reader.fetch(
            self._reader.prepare(
                select(SearchTag.kind, SearchTag.partition, SearchTag.tag, func.count())
                .where(SearchTag.generation == generation.number)
                .group_by(SearchTag.kind, SearchTag.partition, SearchTag.tag)
            )
        )
        groups: dict[Tag, list[tuple[int, int]]] = defaultdict(list)
        for code, partition, _, count in rows:
            kind = _KIND_OF.get(code)
            if kind in generation.kinds:
                groups[kind].append((generation.width(kind, partition), count))
        return [_spread(kind, groups[kind]) for kind in sorted(generation.kinds)]


def _spread(kind: Tag, groups: Sequence[tuple[int, int]]) -> Spread:
    telling = [count for bits, count in groups if bits]
    return Spread(
        kind=kind,
        bits=max((bits for bits, _ in groups), default=0),
        values=sum(count for _, count in groups),
        tags=len(groups),
        alone=sum(count == 1 for count in telling),
        least=min((count for _, count in groups), default=0),
        most=max((count for _, count in groups), default=0),
    )


def _column(name: str) -> Any:  # noqa: ANN401 — a mapped column
    return getattr(Contact, CATALOGUE.by_name[name].column)


def _lacks(generation: Generation) -> ColumnElement[bool]:
    conditions = [
        and_(
            _column(name).is_not(None),
            ~exists(
                select(SearchTag.kind).where(
                    SearchTag.contact_id == Contact.id,
                    SearchTag.generation == generation.number,
                    SearchTag.kind == RULES[kind].code,
                    SearchTag.field == PLACE[name],
                )
            ),
        )
        for kind in sorted(generation.kinds)
        for name in RULES[kind].fields
    ]
    return or_(false(), *conditions)
