"""Searching contacts, the best first. The viewer's scope is cut before anything is ranked or counted; a page is read, never a whole answer.

Every way to match, a *tier*, is a range of one index that lies in the order of its hits: by the text that matched, then by name, then by
id. One statement tells which tiers have anything in them at all; from these a page is filled by one short index scan after the other, each
cut at what is left of the page. A contact counts in its best tier only: a scan passes over those who stood in a tier before, and where it
comes to that these are fewer than a page, so the first page costs the same in any directory. Tiers 0 to 31 are those of everything that was
typed, in one; 32 to 63 those of its words, where all match and the first ranks.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final
from uuid import UUID

from app.contacts.criteria import Criteria, places
from app.contacts.meeting import Meeting, Meetings
from app.contacts.repository import NIL, ContactRepository
from app.contacts.search import LEVEL, Word
from app.contacts.tiers import Position, candidates, milestone, peopled
from app.contacts.within import FEW, counted, found_by_word, members, others_find, reaches, size_of, values_of, within
from app.departments.tree import Tree
from app.disclosure.records import Record
from app.kit.db import Prepared, Reader, Statement
from app.permissions.plan import Plan
from app.permissions.reach import Reach

_MOST_STATEMENTS: Final = 2_048
_FACTOR: Final = 4
_MOST_AT_ONCE: Final = 1024
_ENOUGH: Final = 4_096
"""Candidates after which it is asked whether those whom the viewer can see are fewer than what is still to be read."""
_MANY: Final = 16 * FEW
_SPARSE: Final = 256
"""Candidates after which a search within departments that hold more than ``_MANY`` reads these departments."""
_LOOK: Final = 128
"""Keys of the first of several words that are looked at before the other words are read as sets."""
_FURTHER: Final = 8
"""How many times as many are looked at where the other words are long."""
_ASKED_AT_ONCE: Final = 2_048
"""People whom all of several words find, up to whom they are asked for their standing sooner than more candidates are looked at."""
_ASKED: Final = 16_384
"""Up to how many are asked when more candidates did not fill the page."""
_KINDS: Final = 4
"""Kinds of keys that a word finds by, and one more."""
_LONG: Final = 8 * _MANY
"""Keys of a kind of the other words up to which PostgreSQL reads them as sets: of all kinds it hashes these in 4 MB of ``work_mem``."""
_FEWER: Final = 4
"""What part of ``_MANY`` keys of other words are read sooner than more candidates are looked at."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Departments, padded, and some contacts by id: everybody whom a search can answer is among these."""

    departments: tuple[UUID, ...] = ()
    further: tuple[UUID, ...] = ()
    at_once: bool = True

    @property
    def values(self) -> dict[str, Any]:
        """Give the parameters of its statements."""
        return {f"scope{at}": each for at, each in enumerate(self.departments)}


_EVERYWHERE: Final = Scope()


@dataclass(frozen=True, slots=True)
class Hit:
    """A closed record, with its position among the hits."""

    record: Record
    position: Position


@dataclass(slots=True)
class _Search:
    """A search under way: what is asked and, once that was looked for, where its several words meet."""

    criteria: Criteria
    meeting: Meeting | None = None
    is_hard: bool = False

    @property
    def words(self) -> tuple[Word, ...]:
        """Give its several words; the same one twice is one."""
        return self.criteria.wanted.words if self.criteria.wanted else ()


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
        sparse: int = _SPARSE,
        look: int = _LOOK,
        long: int = _LONG,
        asked: int = _ASKED_AT_ONCE,
        meetings: Meetings | None = None,
    ) -> None:
        """Take the reader, and the rows that hits are.

        A set of at most ``few`` is begun from at once; one of at most ``many`` after ``enough`` candidates did not fill the page.
        Departments are searched within at once where there is one or they hold at most ``many``, otherwise after ``sparse`` candidates.
        Of several words, ``look`` keys of the first are looked at before sets are asked that are kept ready, ``meetings``, and ``asked``
        people whom these name; or, where there are none, before the others, of at most ``long`` keys of a kind, are read as sets.
        """
        self._asked, self._meetings = asked, meetings or Meetings(reader)
        self._reader, self._repository = reader, repository
        self._few_at_once, self._enough, self._many, self._sparse = few, enough, many, sparse
        self._look, self._long, self._reads_any = look, long, reader.dialect.name == "sqlite"
        self._statements: OrderedDict[tuple[Any, ...], Prepared | None] = OrderedDict()

    async def search(
        self, criteria: Criteria, plan: Plan, *, after: Position | None, limit: int, tree: Tree
    ) -> list[Hit]:
        """List what ``plan`` and ``criteria`` allow and what was typed finds, from ``after`` on, the best first."""
        hits: list[Hit] = []
        at_once, read, is_asked = limit, 0, False
        few = await self._few(criteria, plan, self._few_at_once)
        scope = await self._scope(criteria, plan) if few is None else None
        where = scope if scope is not None and scope.at_once else _EVERYWHERE
        tiers = await self._peopled(criteria, where) if few is None else []
        under_way = _Search(criteria)
        while len(hits) < limit:
            if few is None and read >= self._enough and not is_asked:
                few, is_asked = await self._few(criteria, plan, self._many), True
            if few is None and scope is not None and where is not scope and read >= self._sparse:
                where, tiers = scope, await self._peopled(criteria, scope)
            candidates = (
                await self._candidates(under_way, tiers, where, after=after, limit=at_once)
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
        for each in reaches(criteria, plan):
            found = await self._members(each, most)
            if found is not None:
                return found
        return None

    async def _members(self, reach: Reach, most: int) -> list[UUID] | None:
        """List those in a reach, if they are at most so many."""
        sizes = size_of(reach)
        if sizes is None:
            return None
        prepared = self._prepared(("members", sizes), partial(members, sizes))
        rows = await self._reader.fetch(prepared, {**values_of(reach), "most": most + 1}) if prepared else []
        return [identity for (identity,) in rows] if len(rows) <= most else None

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
        return sorted(found)[:limit]

    async def _scope(self, criteria: Criteria, plan: Plan) -> Scope | None:
        """Give the fewest departments that, with some contacts by id, hold everybody whom the search can answer; ``None`` for none."""
        found = [each for each in reaches(criteria, plan) if each.departments and size_of(each) is not None]
        for each in sorted(found, key=lambda each: len(each.departments)):
            further = await self._members(replace(each, departments=frozenset()), FEW)
            if further is None:
                continue
            size = places(each.departments)
            wanted = tuple(sorted(each.departments))
            at_once = size == 1 or await self._head_count(each) <= self._many
            return Scope((*wanted, *(NIL,) * (size - len(wanted))), tuple(further), at_once)
        return None

    async def _head_count(self, found: Reach) -> int:
        size = places(found.departments)
        prepared = self._prepared(("counted", size), partial(counted, size))
        rows = await self._reader.fetch(prepared, {**values_of(found), "most": self._many + 1}) if prepared else []
        return sum(count for (count,) in rows)

    async def _peopled(self, criteria: Criteria, where: Scope) -> list[int]:
        """List the tiers that have anything in them."""
        shape, size = criteria.wanted.shape if criteria.wanted else (), len(where.departments)
        prepared = self._prepared(("peopled", shape, size), partial(peopled, shape, size))
        values = {**criteria.values, **where.values}
        return [] if prepared is None else [tier for (tier,) in await self._reader.fetch(prepared, values)]

    async def _candidates(
        self, search: _Search, tiers: Sequence[int], where: Scope, *, after: Position | None, limit: int
    ) -> list[Position]:
        """Read tier after tier until there are so many, and of those by id as many."""
        found = await self._tiers(search, tiers, where, after=after, limit=limit)
        if not where.further:
            return found
        further = await self._among_few(where.further, search.criteria, after=after, limit=limit)
        return sorted({*found, *further})[:limit]

    async def _tiers(
        self, search: _Search, tiers: Sequence[int], where: Scope, *, after: Position | None, limit: int
    ) -> list[Position]:
        found: list[Position] = []
        for tier in tiers:
            if len(found) >= limit:
                break
            if after is not None and tier < after.tier:
                continue
            begun = after if after is not None and tier == after.tier else None
            rest = limit - len(found)
            if tier >= LEVEL and where is _EVERYWHERE and len(search.words) > 1:
                found += await self._tier_of_several(search, tier, after=begun, limit=rest)
            else:
                found += await self._tier(search.criteria, tier, where, after=begun, limit=rest)
        return found

    async def _tier_of_several(
        self, search: _Search, tier: int, *, after: Position | None, limit: int
    ) -> list[Position]:
        """Read a tier of several words: ask of a few candidates whether the other words find them, then go where all of them meet."""
        found: list[Position] = []
        if not search.is_hard:
            ends = await self._milestone(search.criteria, tier, after=after, far=self._look)
            found = await self._tier(search.criteria, tier, _EVERYWHERE, after=after, limit=limit, ends=ends)
            if ends is None or len(found) >= limit:
                return found
            after, search.is_hard = ends, True
            search.meeting = await self._meetings.of(search.criteria)
        if search.meeting is None:
            return found + await self._tier_as_sets(search.criteria, tier, after=after, limit=limit - len(found))
        among = partial(self._stand, search.criteria)
        met = await search.meeting.tier(tier, among, after=after, limit=limit - len(found), most=self._asked)
        if met is not None:
            return found + met
        ends = await self._milestone(search.criteria, tier, after=after, far=self._look * _FURTHER)
        found += await self._tier(search.criteria, tier, _EVERYWHERE, after=after, limit=limit - len(found), ends=ends)
        if ends is None or len(found) >= limit:
            return found
        met = await search.meeting.tier(tier, among, after=ends, limit=limit - len(found), most=_ASKED)
        if met is not None:
            return found + met
        return found + await self._tier_as_sets(search.criteria, tier, after=ends, limit=limit - len(found))

    async def _stand(self, criteria: Criteria, contacts: Sequence[UUID]) -> list[Position]:
        return await self._among_few(contacts, criteria, after=None, limit=len(contacts))

    async def _tier_as_sets(
        self, criteria: Criteria, tier: int, *, after: Position | None, limit: int
    ) -> list[Position]:
        """Put together whom the other words of several find, here and now.

        Where the others are long, some more candidates are asked, and all where the tier is short. Else it costs what its keys and those
        of the others do, each read once, and not a question for each. PostgreSQL hashes what it knows to be little: there long ones are
        not read.
        """
        found: list[Position] = []
        few = await self._others_find(criteria, self._many // _FEWER)
        if not few:
            ends = await self._milestone(criteria, tier, after=after, far=self._look * _FURTHER)
            found = await self._tier(criteria, tier, _EVERYWHERE, after=after, limit=limit, ends=ends)
            if ends is None or len(found) >= limit:
                return found
            after = ends
        as_sets = None
        if few or await self._others_find(criteria, self._long):
            as_sets = max(_KINDS * self._long, _KINDS)
        elif self._reads_any and await self._milestone(criteria, tier, after=after, far=max(self._many, 0)):
            as_sets = 0
        rest = limit - len(found)
        return found + await self._tier(criteria, tier, _EVERYWHERE, after=after, limit=rest, as_sets=as_sets)

    async def _others_find(self, criteria: Criteria, most: int) -> bool:
        """Tell whether the words beside the first find by at most so many keys of a kind."""
        shape = criteria.wanted.shape if criteria.wanted else ()
        prepared = self._prepared(("others", shape), partial(others_find, shape))
        return prepared is None or not await self._reader.fetch(prepared, {**criteria.values, "most": max(most, 0)})

    async def _milestone(self, criteria: Criteria, tier: int, *, after: Position | None, far: int) -> Position | None:
        """Give where the key stands that is so many further in a tier; ``None`` where there are fewer."""
        shape, paged = criteria.wanted.shape if criteria.wanted else (), after is not None
        prepared = self._prepared(("far", shape, tier, paged), partial(milestone, shape, tier, paged=paged))
        values: dict[str, Any] = {**criteria.values, **_from(after), "far": far}
        rows = await self._reader.fetch(prepared, values) if prepared else []
        return Position(tier, *rows[0]) if rows else None

    async def _tier(
        self,
        criteria: Criteria,
        tier: int,
        where: Scope,
        *,
        after: Position | None,
        limit: int,
        ends: Position | None = None,
        as_sets: int | None = None,
    ) -> list[Position]:
        """Read one tier until there are so many."""
        shape, size = criteria.wanted.shape if criteria.wanted else (), len(where.departments)
        paged, ended = after is not None, ends is not None
        written = partial(candidates, shape, tier, paged=paged, departments=size, ended=ended, as_sets=as_sets)
        prepared = self._prepared(("tier", shape, tier, size, paged, ended, as_sets), written)
        values: dict[str, Any] = {**criteria.values, **where.values, **_from(after), "page": limit}
        if ends is not None:
            values.update(far_term=ends.term, far_name=ends.name, far_id=ends.id)
        return [Position(*row) for row in await self._reader.fetch(prepared, values)] if prepared else []

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


def _from(after: Position | None) -> dict[str, Any]:
    """Give the parameters of a statement that begins where a page ended."""
    return {} if after is None else {"after_term": after.term, "after_name": after.name, "after_id": after.id}
