"""Where several common words meet: of a large directory, sets that are kept ready tell whom all of them find, and no one's hits are read.

A set knows the directory as it was when it was made. Who changed since is listed before sets are read and is always among those whom this
names, so that nobody is missed; and whoever is named is compared with what was typed as they stand now, so that nobody is too many. A word
that finds few has no set and is read. Of a tier whose hits all match by the same text, sets are in the order of hits, and a page is their
beginning; of the others, everybody whom the words find is asked for the text that matched, which is one look into an index each.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from pyroaring import BitMap
from sqlalchemy import Integer, String, bindparam, select, union_all

from app.contacts.criteria import Criteria, number, places, ranks_of_beginnings, ranks_of_whole
from app.contacts.models import ContactKey
from app.contacts.search import (
    ACCOUNT,
    DEPARTMENT,
    FIELDS,
    LAST,
    LEVEL,
    MEMBER,
    START,
    WHOLE,
    Wanted,
    Word,
    WordShape,
    member_term,
    rank,
)
from app.contacts.tiers import BEGINNINGS, Position, standings
from app.kit.db import Reader
from app.kit.query import Query
from app.postings.repository import Kept, Kind, PostingRepository, ordinal_of
from app.postings.service import MOST_CHANGED
from app.traces.repository import TraceRepository

_MOST_READ: Final = 8_192
_MOST_STATEMENTS: Final = 512
_MOST_DEPARTMENTS: Final = 512
_FIRST: Final = 64
_LEAST: Final = 32
_AT_ONCE: Final = 1_024
_KEYS: Final[Any] = ContactKey

Among = Callable[[Sequence[UUID]], Awaitable[list[Position]]]
"""Tells of contacts where they stand in a search, in order; who is not found is left out."""


class Meetings:
    """Begins meetings; knows nothing of those before."""

    def __init__(self, reader: Reader, *, most_changed: int = MOST_CHANGED) -> None:
        """Take the reader; where more than ``most_changed`` contacts changed since sets were made, these are of no use."""
        self._reader, self._most_changed = reader, most_changed
        self._postings, self._traces = PostingRepository(), TraceRepository()

    async def of(self, criteria: Criteria) -> "Meeting | None":
        """Begin one for the several words of a search; ``None`` where no sets are of use, or one of the words finds too much unkept."""
        newest = await self._postings.newest(self._reader)
        if newest is None or criteria.wanted is None:
            return None
        generation, version = newest
        changed = await self._traces.contacts_since(self._reader, version, most=self._most_changed)
        if changed is None:
            return None
        read = _Sets(self._reader, self._postings, generation)
        met: BitMap | None = None
        for word in criteria.wanted.words[1:]:
            found = await read.of(word, kinds_of(word.shape), frozenset().union(*word.departments))
            if found is None:
                return None
            met = found if met is None else met & found
        return None if met is None else Meeting(self._reader, read, criteria, criteria.wanted, met, frozenset(changed))


@dataclass(frozen=True, slots=True)
class _Part:
    """People of a tier; in the order of hits, or to be asked for it."""

    people: BitMap
    is_in_order: bool


class Meeting:
    """Whom all words of one search but the first find, ready to be met by the first, tier by tier."""

    def __init__(
        self,
        reader: Reader,
        read: "_Sets",
        criteria: Criteria,
        wanted: Wanted,
        others: BitMap,
        changed: frozenset[UUID],
    ) -> None:
        """Take what was typed, whom the others find, and who changed since the sets were made."""
        self._reader, self._read, self._values = reader, read, criteria.values
        self._wanted = wanted
        self._others, self._changed = others, changed

    async def tier(
        self, tier: int, among: Among, *, after: Position | None, limit: int, most: int
    ) -> list[Position] | None:
        """Read a tier from a position on until there are ``limit``; ``None`` where more than ``most`` would be asked where they stand."""
        parts = await self._parts(tier, after)
        if parts is None:
            return None
        found: list[Position] = []
        async for some in self._stretches(tier, parts, most):
            if some is None:
                return None
            rest = sorted(each for each in some if after is None or each > after)
            while rest and len(found) < limit:
                size = max(limit - len(found), _LEAST)
                at_once, rest = rest[:size], rest[size:]
                stand = await among([each.id for each in at_once])
                found += [each for each in stand if each.tier == tier and (after is None or each > after)]
            if len(found) >= limit:
                break
        return sorted(found)[:limit]

    async def _parts(self, tier: int, after: Position | None) -> list[_Part] | None:
        """Give whom all words find in a tier and in none before it, those first who match by one text, the first there is.

        ``None`` where no set tells.
        """
        ranking = self._wanted.words[0]
        place, field = divmod(tier - LEVEL, FIELDS)
        met = await self._met(tier)
        if met is None or not met:
            return None if met is None else []
        if place == WHOLE or field == DEPARTMENT:
            return [_Part(await self._from(met, after), is_in_order=True)]
        alike = await self._read.alike(rank(place, field), ranking)
        parts = [_Part(met - alike.members, is_in_order=False)]
        if after is None or after.term <= alike.term:
            past = after if after is not None and after.term == alike.term else None
            parts.insert(0, _Part(await self._from(met & alike.members, past), is_in_order=True))
        return parts

    async def _met(self, tier: int) -> BitMap | None:
        """Give whom all words find, the first of them in this tier and in none before it, and what was typed not in one."""
        if not self._others:
            return self._others
        ranking, place, field = self._wanted.words[0], *divmod(tier - LEVEL, FIELDS)
        if field == DEPARTMENT:
            found = await self._read.of(ranking, (), ranking.departments[place])
        else:
            found = await self._read.of(ranking, kinds_of_tier(place, field), ())
        met = None if found is None else found & self._others
        if not met:
            return met
        before = [divmod(each, FIELDS) for each in range(tier - LEVEL)]
        kinds = [kind for at, of in before if is_tier(at, of, ranking.shape) for kind in kinds_of_tier(at, of)]
        staff = [ranking.departments[at] for at, of in before if of == DEPARTMENT]
        phrase = self._wanted.phrase
        better = await self._read.of(ranking, tuple(dict.fromkeys(kinds)), frozenset().union(*staff))
        in_one = await self._read.of(phrase, kinds_of(phrase.shape), frozenset().union(*phrase.departments))
        return met - (better or BitMap()) - (in_one or BitMap())

    async def _from(self, met: BitMap, after: Position | None) -> BitMap:
        """Leave out those before a position among people who are in the order of hits."""
        if after is None or after.id in self._changed or not met:
            return met
        ordinal = await self._read.ordinal(after.id)
        return met if ordinal is None else met - BitMap(range(ordinal + 1))

    async def _stretches(self, tier: int, parts: Sequence[_Part], most: int) -> AsyncIterator[list[Position] | None]:
        """Give those who may stand in a tier, nobody of a later stretch before somebody of an earlier; ``None`` for one too long."""
        late = await self._standings(tier, list(self._changed))
        gathered: list[Position] = []
        for part in parts:
            start, size = 0, _FIRST if part.is_in_order else _AT_ONCE
            if not part.is_in_order and len(part.people) > most:
                yield None
            while start < len(part.people):
                contacts = await self._read.contacts(list(part.people[start : start + size]))
                some = await self._standings(tier, [each for each in contacts if each not in self._changed])
                start, size = start + size, _AT_ONCE
                gathered += some
                if part.is_in_order and some:
                    last = max(some)
                    yield [*some, *(each for each in late if each <= last)]
                    late, gathered = [each for each in late if each > last], []
        yield [*gathered, *late]

    async def _standings(self, tier: int, contacts: Sequence[UUID]) -> list[Position]:
        """Tell of contacts where they stand in a tier by the first word alone; who does not is left out."""
        best: dict[UUID, Position] = {}
        for start in range(0, len(contacts), _AT_ONCE):
            some = contacts[start : start + _AT_ONCE]
            size = 1 << (len(some) - 1).bit_length()
            query = _standing(self._wanted.shape, tier, size)
            values = {f"m{at}": some[min(at, len(some) - 1)] for at in range(size)}
            rows = await query.rows(self._reader, **self._values, **values) if query else []
            for term, name, contact in rows:
                stands = Position(tier, term, name, contact)
                other = best.setdefault(contact, stands)
                if other is not stands:
                    best[contact] = min(other, stands)
        return list(best.values())


class _Sets:
    """Reads whom words find, as sets of one generation; of what has no set, by the keys as they are now."""

    def __init__(self, reader: Reader, postings: PostingRepository, generation: int) -> None:
        self._reader, self._postings, self._generation = reader, postings, generation
        self._known: dict[tuple[str, Kind], BitMap] = {}

    async def of(self, word: Word, kinds: tuple[Kind, ...], departments: Collection[UUID]) -> BitMap | None:
        """Give whom a word finds by keys of these kinds, and who belongs to departments; ``None`` where too much has no set."""
        if len(departments) > _MOST_DEPARTMENTS:
            return None
        terms = [member_term(each) for each in departments]
        named = await self._postings.named(self._reader, self._generation, MEMBER, terms)
        staff = await self._of_departments([each for each in terms if each not in named])
        if staff is None or not await self._learn(
            word, tuple(each for each in kinds if (word.text, each) not in self._known)
        ):
            return None
        return BitMap.union(BitMap(staff), *named.values(), *(self._known[word.text, each] for each in kinds))

    async def _learn(self, word: Word, kinds: tuple[Kind, ...]) -> bool:
        """Read whom a word finds by keys of kinds, of those without a set the keys; tell whether these were not too many."""
        values = {"text": word.text, "until": word.text + LAST}
        found = await self._postings.found(self._reader, self._generation, kinds, **values)
        self._known.update(((word.text, kind), kept.members) for kind, kept in found.items())
        rest = tuple(each for each in kinds if each not in found)
        if not rest:
            return True
        rows = await _read(rest).rows(self._reader, generation=self._generation, most=_MOST_READ, **values)
        by_kind: dict[int, list[int | None]] = {at: [] for at in range(len(rest))}
        for at, ordinal in rows:
            by_kind[at].append(ordinal)
        for at, ordinals in by_kind.items():
            if len(ordinals) < _MOST_READ:
                self._known[word.text, rest[at]] = BitMap(each for each in ordinals if each is not None)
        return all((word.text, each) in self._known for each in kinds)

    async def _of_departments(self, terms: Sequence[str]) -> list[int] | None:
        """Read who belongs to departments of which none has a set."""
        if not terms:
            return []
        size = places(terms)
        values = {f"text{at}": terms[min(at, len(terms) - 1)] for at in range(size)}
        rows = await _staff(size).rows(self._reader, generation=self._generation, most=_MOST_READ, **values)
        return None if len(rows) == _MOST_READ else [ordinal for (ordinal,) in rows if ordinal is not None]

    async def alike(self, of: int, word: Word) -> Kept:
        """Give those of one rank who match by the very first text that a word finds there, if that is a set; nobody otherwise."""
        begun = (of, False)
        found = await self._postings.found(self._reader, self._generation, (begun,), word.text, word.text + LAST)
        if begun not in found:
            return Kept(word.text, BitMap())
        first, whole = found[begun].term, (of, True)
        found = await self._postings.found(self._reader, self._generation, (whole,), first, first)
        return Kept(first, found[whole].members if whole in found else BitMap())

    async def ordinal(self, contact: UUID) -> int | None:
        """Give the number of a contact; ``None`` if it came after the sets."""
        return await self._postings.ordinal(self._reader, self._generation, contact)

    async def contacts(self, ordinals: Sequence[int]) -> list[UUID]:
        """List whose these numbers are."""
        return await self._postings.contacts(self._reader, self._generation, ordinals)


def kinds_of(shape: WordShape) -> tuple[Kind, ...]:
    """List by which keys a word finds somebody, departments apart."""
    begun = [each for each in ranks_of_beginnings(shape) if each in BEGINNINGS]
    whole = [
        each
        for each in ranks_of_whole(shape)
        if each not in begun and (each >= START * FIELDS or each == _STAFF_NUMBER)
    ]
    return (*((each, False) for each in begun), *((each, True) for each in whole))


def is_tier(place: int, field: int, shape: WordShape) -> bool:
    """Tell whether a word finds anybody in a tier that is of no department."""
    return field in shape.fields and (place == WHOLE or rank(place, field) in ranks_of_beginnings(shape))


def kinds_of_tier(place: int, field: int) -> tuple[Kind, ...]:
    """List by which keys the first word finds somebody in a tier that is of no department."""
    if place != WHOLE:
        return ((rank(place, field), False),)
    start = (rank(START, field), True)
    return (start, (_STAFF_NUMBER, True)) if field == ACCOUNT else (start,)


_STAFF_NUMBER: Final = rank(WHOLE, ACCOUNT)
"""The only keys that are found by all of them or not at all."""


_TEXT: Final = bindparam("text", type_=String())
_UNTIL: Final = bindparam("until", type_=String())
_MANY: Final = bindparam("most", type_=Integer())


@lru_cache(maxsize=_MOST_STATEMENTS)
def _read(kinds: tuple[Kind, ...]) -> Query:
    """Write the reading of the keys of kinds that a text finds, with the ordinals of whose they are."""
    parts = []
    for at, (of, whole) in enumerate(kinds):
        matched = [_KEYS.term == _TEXT] if whole else [_KEYS.term >= _TEXT, _KEYS.term < _UNTIL]
        some = select(_KEYS.contact_id).where(_KEYS.rank == number(of), *matched).limit(_MANY).subquery()
        parts.append(select(number(at).label("kind"), ordinal_of(some.c.contact_id).label("ordinal")).select_from(some))
    return Query(select(union_all(*parts).subquery()))


@lru_cache(maxsize=_MOST_STATEMENTS)
def _staff(size: int) -> Query:
    """Write the reading of those who belong to departments, by their ordinals."""
    terms = [bindparam(f"text{at}", type_=String()) for at in range(size)]
    some = select(_KEYS.contact_id).where(_KEYS.rank == number(MEMBER), _KEYS.term.in_(terms)).limit(_MANY).subquery()
    return Query(select(ordinal_of(some.c.contact_id)).select_from(some))


@lru_cache(maxsize=_MOST_STATEMENTS)
def _standing(shape: tuple[WordShape, ...], tier: int, size: int) -> Query | None:
    statement = standings(shape, tier, size)
    return None if statement is None else Query(statement)
