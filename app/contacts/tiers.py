"""The tiers of a ranked search in SQL: which have anything in them, and the scan of one, everywhere or within departments.

Within departments the keys are read that stand in them (``DepartmentKey``), so that what others hold is not touched however many they are.
Of one department the scan lies in the order of hits; of several it is sorted, which reads all their hits of a tier and nobody else's.
Numbers stand beside contacts alone: whom a number finds is asked for his departments.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BindParameter,
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

from app.contacts.criteria import Ask, Keys, Owned, any_key, asked, number, numbers
from app.contacts.models import ContactDepartment, ContactKey, DepartmentKey
from app.contacts.repository import NIL
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
from app.kit.db import Statement
from app.kit.models import Id


class Position(NamedTuple):
    """Where a hit stands: its tier, the text that matched, the name that breaks ties, its id.

    Positions compare as the statements order them, by bytes, since UTF-8 orders texts as their code points do.
    """

    tier: int
    term: str
    name: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a search can match: its tier, the word that matches, where and in what, and what else has to hold."""

    tier: int
    ask: Ask
    place: int
    field: int
    keys: Keys
    among: ColumnElement[bool]
    phrase: tuple[Ask, ...] = ()
    others: tuple[Ask, ...] = ()

    def hits(self, *, paged: bool = False, ended: bool = False) -> list[ColumnElement[bool]]:
        """Say which keys make a hit; ``paged``: after a position; ``ended``: up to a milestone.

        Either takes the place of an end of the range: SQLite takes one condition for each end, and not the narrower of two.
        """
        keys, term = self.keys, self.keys.term.expression
        first = 0 if self.by_text else 1
        columns = [term, keys.name.expression, keys.contact_id.expression][first:]
        conditions = [self.among]
        if paged:
            conditions.append(tuple_(*columns) > tuple_(*_AFTER[first:]))
        elif self.by_text:
            conditions.append(term > self.ask.word if self.place == START else term >= self.ask.word)
        if ended:
            conditions.append(tuple_(*columns) <= tuple_(*_FAR[first:]))
        elif self.by_text:
            conditions.append(term < self.ask.until)
        return conditions

    def further(self, *, as_sets: int | None) -> Iterator[ColumnElement[bool]]:
        """Say what else has to hold: all other words find the contact, and what was typed does not in one."""
        contact = self.keys.contact_id.expression
        for each in self.others:
            yield each.found(contact) if as_sets is None else each.finds_by_set(contact, as_sets)
        for each in self.phrase:
            yield not_(each.found(contact))

    @property
    def told(self) -> ColumnElement[str]:
        """Give the text that matched, which of a department is none."""
        term = self.keys.term.expression
        return (func.substr(term, 1, 0) if self.field == DEPARTMENT else term).label("term")

    @property
    def by_text(self) -> bool:
        """Tell whether its hits are ordered by the text that matched, which otherwise is the same for all."""
        return self.field != DEPARTMENT and self.place != WHOLE


def ways(shape: tuple[WordShape, ...], departments: int = 0) -> list[Way]:
    """List the ways in which a search of one shape can match, the best first; everywhere or within so many departments."""
    if not shape:
        return []
    phrase, *words = asked(shape)
    found = list(_ways(phrase, (), level=0, departments=departments))
    if words:
        found += _ways(words[0], (phrase, *words[1:]), level=1, departments=departments)
    return found


def _ways(ask: Ask, others: tuple[Ask, ...], *, level: int, departments: int) -> Iterator[Way]:
    """List the ways of one word. Of the ``others`` the first does not find the contact, and all that follow do."""
    for place in range(INSIDE + 1):
        for field in sorted([*ask.shape.fields, DEPARTMENT]):
            keys: Keys = DepartmentKey if departments and field != NUMBER else ContactKey
            hits = _hits(keys, ask, place, field)
            if hits is not None:
                among = and_(_among(keys, departments), hits) if departments else hits
                tier = level * LEVEL + rank(place, field)
                yield Way(tier, ask, place, field, keys, among, others[:1], others[1:])


def _among(keys: Keys, departments: int) -> ColumnElement[bool]:
    """Say that a key is of somebody who belongs to one of so many departments."""
    wanted = scope_places(departments)
    if keys is DepartmentKey:
        column = DepartmentKey.department_id
        return column == wanted[0] if departments == 1 else column.in_(wanted)
    belongs = ContactDepartment.contact_id == keys.contact_id
    return any_key(belongs, ContactDepartment.department_id.in_(wanted))


def peopled(shape: tuple[WordShape, ...], departments: int = 0) -> "Statement | None":
    """Write the list of tiers that have a key in them, whoever sees it; ``None`` where there is no tier."""
    every = ways(shape, departments)
    found = [select(number(each.tier).label("tier")).where(*each.hits()).limit(1).subquery() for each in every]
    if not found:
        return None
    tiers = union_all(*(select(each) for each in found)).subquery("tiers")
    return select(tiers.c.tier).order_by(tiers.c.tier)


def candidates(
    shape: tuple[WordShape, ...],
    tier: int,
    *,
    paged: bool,
    departments: int = 0,
    ended: bool = False,
    as_sets: int | None = None,
) -> "Statement | None":
    """Write the scan of one tier: tier, matched text, name and id of each contact, in order; ``paged`` from a position on.

    Whoever asks, everywhere or within so many departments. ``ended`` where ``milestone`` stands. Of each candidate it is asked whether the
    other words find it, or ``as_sets`` whom they find is put together before, of each so many at most (0: any number).
    """
    way = _way(shape, tier, departments)
    if way is None:
        return None
    keys = way.keys
    better = _better(keys, way.ask, rank(way.place, way.field))
    conditions = [*way.hits(paged=paged, ended=ended), *way.further(as_sets=as_sets), not_(better)]
    statement = select(number(tier).label("tier"), way.told, keys.name, keys.contact_id).where(*conditions)
    if departments > 1:
        statement = statement.distinct()
    return statement.order_by(*_order(way)).limit(_PAGE)


def standings(shape: tuple[WordShape, ...], tier: int, size: int) -> "Statement | None":
    """Write where ``size`` contacts by id stand in one tier if the other words find them: matched text, name and id, in no order."""
    way = _way(shape, tier)
    if way is None:
        return None
    keys, owned = ContactKey, Owned(ContactKey)
    hit = _hits(owned, way.ask, way.place, way.field)
    begun = [] if way.place == WHOLE or way.field == DEPARTMENT else [way.ask.begins(owned)]
    those = [bindparam(f"m{at}", NIL, type_=Id()) for at in range(size)]
    conditions = [keys.contact_id.in_(those), *begun, *([] if hit is None else [hit])]
    return select(way.told, keys.name, keys.contact_id).where(*conditions)


def milestone(shape: tuple[WordShape, ...], tier: int, *, paged: bool) -> "Statement | None":
    """Write where the key stands that is so many (``far``) further in one tier, whomever it is of: matched text, name and id."""
    way = _way(shape, tier)
    if way is None:
        return None
    keys = way.keys
    statement = select(way.told, keys.name, keys.contact_id).where(*way.hits(paged=paged)).order_by(*_order(way))
    return statement.limit(1).offset(bindparam("far", 0, type_=Integer()))


def _way(shape: tuple[WordShape, ...], tier: int, departments: int = 0) -> Way | None:
    return next((each for each in ways(shape, departments) if each.tier == tier), None)


def _order(way: Way) -> list[ColumnElement[Any]]:
    keys = way.keys
    by_text = [keys.term.expression] if way.by_text else []
    return [*by_text, keys.name.expression, keys.contact_id.expression]


def scope_places(departments: int) -> list[BindParameter[UUID]]:
    """Give the parameters for so many departments."""
    return [bindparam(f"scope{at}", NIL, type_=Id()) for at in range(departments)]


_PAGE: Final = bindparam("page", 1, type_=Integer())
_AFTER: Final = (
    bindparam("after_term", "", type_=String()),
    bindparam("after_name", "", type_=String()),
    bindparam("after_id", NIL, type_=Id()),
)

_FAR: Final = (
    bindparam("far_term", "", type_=String()),
    bindparam("far_name", "", type_=String()),
    bindparam("far_id", NIL, type_=Id()),
)


def _hits(keys: Keys | Owned, ask: Ask, place: int, field: int) -> ColumnElement[bool] | None:
    """Say which keys make a hit of this tier, the range of its texts apart; ``None`` where none can."""
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
    return keys.rank == number(rank(place, field))


_KEPT: Final = frozenset(
    {
        *((START, field) for field in range(DEPARTMENT)),
        *((WORD, field) for field in (NAME, PINYIN, INITIALS, TITLE, T9)),
        *((INSIDE, field) for field in (NAME, PINYIN, TITLE, T9)),
    }
)
"""Places at which keys of a field can begin."""

BEGINNINGS: Final = tuple(sorted(rank(place, field) for place, field in _KEPT))
"""Ranks of the keys that a word finds by their beginning."""


def _better(keys: Keys, ask: Ask, own: int) -> ColumnElement[bool]:
    """Say that another key finds the contact in an earlier tier, or in this one by a text that comes before."""
    rivals = aliased(ContactKey)
    others = Owned(rivals)
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
    return any_key(rivals.contact_id == keys.contact_id, or_(*ways))
