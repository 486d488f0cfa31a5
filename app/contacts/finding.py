"""Searching contacts, the best first. The viewer's scope is cut before anything is ranked or counted; a page is read, never a whole answer.

Every way to match, a *tier*, is a range of one index that lies in the order of its hits: by the text that matched, then by name, then by
id. One statement tells which tiers have anything in them at all; from these a page is filled by one short index scan after the other, each
cut at what is left of the page. A contact counts in its best tier only: a scan passes over those who stood in a tier before, and where it
comes to that these are fewer than a page, so the first page costs the same in any directory. Tiers 0 to 31 are those of everything that was
typed, in one; 32 to 63 those of its words, where all match and the first ranks.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    and_,
    bindparam,
    false,
    func,
    not_,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import aliased

from app.contacts.criteria import Ask, Criteria, any_key, asked, number, numbers, places
from app.contacts.models import ContactKey
from app.contacts.repository import NIL, ContactRepository
from app.contacts.search import (
    ACCOUNT,
    DEPARTMENT,
    FIELDS,
    INITIALS,
    INSIDE,
    LEVEL,
    NAME,
    NUMBER,
    PINYIN,
    START,
    T9,
    TITLE,
    WHOLE,
    WORD,
    WordShape,
    rank,
)
from app.contacts.within import FEW, found_by_word, members, reaches, size_of, values_of, within
from app.departments.tree import Tree
from app.disclosure.records import Record
from app.kit.db import Prepared, Reader, Statement
from app.kit.models import Id
from app.permissions.plan import Plan

_MOST_STATEMENTS: Final = 2_048
_FACTOR: Final = 4
_MOST_AT_ONCE: Final = 1024
_ENOUGH: Final = 4_096
"""Candidates after which it is asked whether those whom the viewer can see are fewer than what is still to be read."""
_MANY: Final = 16 * FEW


@dataclass(frozen=True, slots=True)
class Position:
    """Where a hit stands: its tier, the text that matched, the name that breaks ties, its id."""

    tier: int
    term: str
    name: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Hit:
    """A closed record, with its position among the hits."""

    record: Record
    position: Position


class ContactFinder:
    """Ranked searches.

    Candidates come from the keys alone, in their order, by a statement that is the same for every viewer; the viewer's predicate then says
    which of them there are. Where few of them are for the viewer, more are read, so that a page is always full or the last. Where what
    narrows the search or what the viewer sees at all is a small set, candidates come from there (``app.contacts.within``).
    """

    def __init__(
        self,
        reader: Reader,
        repository: ContactRepository,
        *,
        few: int = FEW,
        enough: int = _ENOUGH,
        many: int = _MANY,
    ) -> None:
        """Take the reader, and the rows that hits are.

        A set of at most ``few`` is begun from at once; one of at most ``many`` after ``enough`` candidates did not fill the page.
        """
        self._reader, self._repository = reader, repository
        self._few_at_once, self._enough, self._many = few, enough, many
        self._statements: OrderedDict[tuple[Any, ...], Prepared | None] = OrderedDict()

    async def search(
        self, criteria: Criteria, plan: Plan, *, after: Position | None, limit: int, tree: Tree
    ) -> list[Hit]:
        """List what ``plan`` and ``criteria`` allow and what was typed finds, from ``after`` on, the best first."""
        hits: list[Hit] = []
        at_once, read, is_asked = limit, 0, False
        few = await self._few(criteria, plan, self._few_at_once)
        tiers = await self._peopled(criteria) if few is None else []
        while len(hits) < limit:
            if few is None and read >= self._enough and not is_asked:
                few, is_asked = await self._few(criteria, plan, self._many), True
            candidates = (
                await self._candidates(criteria, tiers, after=after, limit=at_once)
                if few is None
                else await self._among_few(few, criteria, after=after, limit=at_once)
            )
            found = await self._repository.among([each.id for each in candidates], criteria, plan, tree)
            hits += [Hit(record, each) for each in candidates if (record := found.get(each.id)) is not None]
            if len(candidates) < at_once:
                break
            read += len(candidates)
            after, at_once = candidates[-1], min(at_once * _FACTOR, _MOST_AT_ONCE)
        return hits[:limit]

    async def _few(self, criteria: Criteria, plan: Plan, most: int) -> list[UUID] | None:
        """List a set that holds everybody whom the search can answer, if there is one of at most so many."""
        found_by = await self._found_by_a_word(criteria, most)
        if found_by is not None:
            return found_by
        for found in reaches(criteria, plan):
            sizes = size_of(found)
            if sizes is None:
                continue
            prepared = self._prepared(("members", sizes), partial(members, sizes))
            if prepared is None:
                return []
            rows = await self._reader.fetch(prepared, {**values_of(found), "most": most + 1})
            if len(rows) <= most:
                return [identity for (identity,) in rows]
        return None

    async def _found_by_a_word(self, criteria: Criteria, most: int) -> list[UUID] | None:
        """Of several words, list whom one of them finds, and whom all that was typed does, where they are at most so many."""
        shape = criteria.wanted.shape if criteria.wanted else ()
        for at in range(1, len(shape)):
            prepared = self._prepared(("word", shape, at), partial(found_by_word, shape, at))
            if prepared is None:
                continue
            rows = await self._reader.fetch(prepared, {**criteria.values, "most": most + 1})
            if len(rows) <= most:
                return [identity for (identity,) in rows]
        return None

    async def _among_few(
        self, few: Sequence[UUID], criteria: Criteria, *, after: Position | None, limit: int
    ) -> list[Position]:
        wanted = criteria.wanted
        if wanted is None:
            return []
        found: list[Position] = []
        for start in range(0, len(few), FEW):
            some = list(few[start : start + FEW])
            size = max(_LEAST, places(some))
            prepared = self._prepared(
                ("within", wanted.shape, size, after is None),
                partial(within, wanted.shape, size, paged=after is not None),
            )
            padded = [*some, *some[-1:] * (size - len(some))]
            values: dict[str, Any] = {
                **criteria.values,
                **{f"m{at}": each for at, each in enumerate(padded)},
                "page": limit,
            }
            if after is not None:
                values.update(after_tier=after.tier, after_term=after.term, after_name=after.name, after_id=after.id)
            found += [Position(*row) for row in await self._reader.fetch(prepared, values)] if prepared else []
        return sorted(found, key=_standing)[:limit]

    async def _peopled(self, criteria: Criteria) -> list[int]:
        """List the tiers that have anything in them."""
        shape = criteria.wanted.shape if criteria.wanted else ()
        prepared = self._prepared(("peopled", shape), partial(peopled, shape))
        return [] if prepared is None else [tier for (tier,) in await self._reader.fetch(prepared, criteria.values)]

    async def _candidates(
        self, criteria: Criteria, tiers: Sequence[int], *, after: Position | None, limit: int
    ) -> list[Position]:
        """Read tier after tier until there are so many."""
        shape = criteria.wanted.shape if criteria.wanted else ()
        found: list[Position] = []
        for tier in tiers:
            if len(found) >= limit:
                break
            if after is not None and tier < after.tier:
                continue
            paged = after is not None and tier == after.tier
            prepared = self._prepared(("tier", shape, tier, paged), partial(candidates, shape, tier, paged=paged))
            values: dict[str, Any] = {**criteria.values, "page": limit - len(found)}
            if after is not None and paged:
                values.update(after_term=after.term, after_name=after.name, after_id=after.id)
            found += [Position(*row) for row in await self._reader.fetch(prepared, values)] if prepared else []
        return found

    def _prepared(self, key: tuple[Any, ...], written: "Callable[[], Statement | None]") -> Prepared | None:
        if key in self._statements:
            self._statements.move_to_end(key)
            return self._statements[key]
        statement = written()
        prepared = self._statements[key] = None if statement is None else self._reader.prepare(statement)
        while len(self._statements) > _MOST_STATEMENTS:
            self._statements.popitem(last=False)
        return prepared


_LEAST: Final = 32


def _standing(hit: Position) -> tuple[int, bytes, bytes, bytes]:
    """Order hits of several statements as each of these orders its own: texts by their bytes."""
    return hit.tier, hit.term.encode(), hit.name.encode(), hit.id.bytes


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a search can match: its tier, the word that matches, where and in what, and what else has to hold."""

    tier: int
    ask: Ask
    place: int
    field: int
    hits: ColumnElement[bool]
    further: tuple[ColumnElement[bool], ...] = ()


def ways(shape: tuple[WordShape, ...]) -> list[Way]:
    """List the ways in which a search of one shape can match, the best first."""
    if not shape:
        return []
    phrase, *words = asked(shape)
    found = list(_ways(phrase, (), level=0))
    if words:
        ranking, *others = words
        contact = ContactKey.contact_id.expression
        found += _ways(ranking, (not_(phrase.found(contact)), *(each.found(contact) for each in others)), level=1)
    return found


def _ways(ask: Ask, further: tuple[ColumnElement[bool], ...], *, level: int) -> Iterator[Way]:
    for place in range(INSIDE + 1):
        for field in sorted([*ask.shape.fields, DEPARTMENT]):
            hits = _hits(ask, place, field)
            if hits is not None:
                yield Way(level * LEVEL + rank(place, field), ask, place, field, hits, further)


def peopled(shape: tuple[WordShape, ...]) -> "Statement | None":
    """Write the list of tiers that have a key in them, whoever it is of; ``None`` where there is no tier."""
    found = [select(number(each.tier).label("tier")).where(each.hits).limit(1).subquery() for each in ways(shape)]
    if not found:
        return None
    tiers = union_all(*(select(each) for each in found)).subquery("tiers")
    return select(tiers.c.tier).order_by(tiers.c.tier)


def candidates(shape: tuple[WordShape, ...], tier: int, *, paged: bool) -> "Statement | None":
    """Write the scan of one tier, whoever asks: tier, matched text, name and id of each contact, in order; ``paged`` from a position on."""
    way = next((each for each in ways(shape) if each.tier == tier), None)
    if way is None:
        return None
    keys = ContactKey
    by_text = way.field != DEPARTMENT and way.place != WHOLE
    conditions = [way.hits, not_(_better(way.ask, rank(way.place, way.field))), *way.further]
    if paged:
        conditions += _beyond(way.place, way.field)
    term = func.substr(keys.term, 1, 0) if way.field == DEPARTMENT else keys.term
    return (
        select(number(tier).label("tier"), term.label("term"), keys.name, keys.contact_id)
        .where(*conditions)
        .order_by(*((keys.term,) if by_text else ()), keys.name, keys.contact_id)
        .limit(_PAGE)
    )


_PAGE: Final = bindparam("page", 1, type_=Integer())
_AFTER: Final = (
    bindparam("after_term", "", type_=String()),
    bindparam("after_name", "", type_=String()),
    bindparam("after_id", NIL, type_=Id()),
)


def _hits(ask: Ask, place: int, field: int) -> ColumnElement[bool] | None:
    """Say which keys make a hit of this tier; ``None`` where none can."""
    keys = ContactKey
    if field == DEPARTMENT:
        return ask.named(keys, [place]) if ask.members(place) else None
    if field in {NUMBER, T9} and place != WHOLE and not ask.shape.begins_numbers:
        return None
    if place == WHOLE:
        if field == T9:
            return None
        ranks = [rank(START, field), *([rank(WHOLE, ACCOUNT)] if field == ACCOUNT else [])]
        return and_(
            keys.rank.in_(numbers(ranks)) if len(ranks) > 1 else keys.rank == number(ranks[0]), keys.term == ask.word
        )
    if (place, field) not in _KEPT:
        return None
    begins = ask.begins(keys)
    if place == START:
        begins = and_(keys.term > ask.word, keys.term < ask.until)
    return and_(keys.rank == number(rank(place, field)), begins)


_KEPT: Final = frozenset(
    {
        *((START, field) for field in range(DEPARTMENT)),
        *((WORD, field) for field in (NAME, PINYIN, INITIALS, TITLE, T9)),
        *((INSIDE, field) for field in (NAME, PINYIN, TITLE, T9)),
    }
)
"""Places at which keys of a field can begin."""


def _better(ask: Ask, own: int) -> ColumnElement[bool]:
    """Say that another key finds the contact in an earlier tier, or in this one by a text that comes before."""
    keys, others = ContactKey, aliased(ContactKey)
    place, field = divmod(own, FIELDS)
    named = [quality for quality in range(INSIDE + 1) if rank(quality, DEPARTMENT) < own]
    ways = [ask.named(others, named)]
    if place == WHOLE:
        ranks = [rank(START, each) for each in range(field)]
        ranks += [rank(WHOLE, ACCOUNT)] if field > ACCOUNT else []
        ways.append(and_(others.term == ask.word, others.rank.in_(numbers(ranks))) if ranks else false())
    else:
        later = others.rank >= number(rank(START, 0))
        earlier = and_(ask.begins(others), later, others.rank < number(own), *ask.begun(others))
        ways += [and_(others.term == ask.word, others.rank < number(rank(WORD, 0))), earlier]
    if field == DEPARTMENT:
        ways.append(and_(ask.named(others, [place]), others.term < keys.term))
    elif place != WHOLE:
        ways.append(and_(ask.begins(others), others.rank == number(own), others.term < keys.term))
    return any_key(others.contact_id == keys.contact_id, or_(*ways))


def _beyond(place: int, field: int) -> list[ColumnElement[bool]]:
    """Say that a hit stands after the position where the page before ended."""
    keys, (term, name, identity) = ContactKey, _AFTER
    if field == DEPARTMENT or place == WHOLE:
        return [tuple_(keys.name, keys.contact_id) > tuple_(name, identity)]
    return [keys.term >= term, tuple_(keys.term, keys.name, keys.contact_id) > tuple_(term, name, identity)]
