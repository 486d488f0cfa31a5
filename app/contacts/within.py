"""Searching within few: where what narrows a search, or what its viewer can see at all, is a small set, it is read from that set.

Who sees one department of a hundred would otherwise have every 张 of a million read to find the two who are theirs. The set's contacts are
listed by an index, and each one's keys, some fifty that lie together, are compared with what was typed. Tier, order and cursor are those
of ``app.contacts.finding``, and so is what follows: the viewer's predicate decides about every hit.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    not_,
    select,
    tuple_,
    union,
    union_all,
)

from app.contacts.criteria import Ask, Criteria, Owned, asked, number, numbers, places
from app.contacts.models import Contact, ContactDepartment, ContactKey, ContactTag
from app.contacts.search import ACCOUNT, DEPARTMENT, FIELDS, INSIDE, LEVEL, MEMBER, START, WHOLE, WordShape, rank
from app.kit.db import Statement
from app.kit.models import Id
from app.permissions.plan import Plan
from app.permissions.reach import HOTLINE, Reach, reach

FEW: Final = 256
"""Contacts whose keys are compared by one statement."""
MOST_SETS: Final = 512
"""Departments, ids or tags that one statement names."""

_NIL: Final = UUID(int=0)


def reaches(criteria: Criteria, plan: Plan) -> Iterator[Reach]:
    """Give the sets that a search can begin from, the most promising first."""
    if criteria.ids:
        yield Reach(contacts=frozenset(criteria.ids))
    if criteria.assigned is not None:
        yield Reach(contacts=frozenset(criteria.assigned))
    if criteria.departments is not None:
        yield Reach(departments=criteria.departments)
    if criteria.tag is not None:
        yield Reach(tags=frozenset({criteria.tag}))
    if criteria.kinds == (HOTLINE,):
        yield Reach(hotlines=True)
    seen = reach(plan)
    if seen is not None:
        yield seen


Sizes = tuple[int, int, int, bool]


def size_of(found: Reach) -> Sizes | None:
    """Give how many departments, ids and tags a statement has places for, and whether hotlines; ``None`` where they are too many."""
    sizes = (places(found.departments), places(found.contacts), places(found.tags))
    return None if max(sizes) > MOST_SETS else (*sizes, found.hotlines)


def values_of(found: Reach) -> dict[str, Any]:
    """Give the parameters of ``members``."""
    values: dict[str, Any] = {}
    for name, each in (("d", found.departments), ("i", found.contacts), ("t", found.tags)):
        listed: list[Any] = sorted(each)
        padded = [*listed, *listed[-1:] * (places(listed) - len(listed))]
        values.update((f"within_{name}{at}", value) for at, value in enumerate(padded))
    return values


def members(sizes: Sizes) -> "Statement | None":
    """Write the list of contacts of a reach, each set cut at ``most``; ``None`` where there are no sets."""
    departments, contacts, tags, hotlines = sizes
    belongs = ContactDepartment.department_id.in_(_places("d", departments, Id()))
    ways: list[tuple[int, Select[Any]]] = [
        (departments, select(ContactDepartment.contact_id).where(belongs)),
        (contacts, select(Contact.id).where(Contact.id.in_(_places("i", contacts, Id())))),
        (tags, select(ContactTag.contact_id).where(ContactTag.tag.in_(_places("t", tags, String())))),
        (hotlines, select(Contact.id).where(Contact.kind == literal_column(f"'{HOTLINE}'"))),
    ]
    parts = [way.limit(_MOST).subquery() for size, way in ways if size]
    if not parts:
        return None
    listed = union(*(select(part.c[0].label("id")) for part in parts)).subquery("listed")
    return select(listed.c.id).limit(_MOST)


def counted(departments: int) -> Statement:
    """Write the number of those who belong to so many departments, cut at ``most``."""
    belongs = ContactDepartment.department_id.in_(_places("d", departments, Id()))
    return select(func.count()).select_from(select(number(1)).where(belongs).limit(_MOST).subquery("counted"))


def found_by_word(shape: tuple[WordShape, ...], at: int) -> Statement:
    """Write the list of contacts that one of several words finds, or all that was typed in one, each set cut at ``most``."""
    every = asked(shape)
    parts = [
        select(keys.c.contact_id).limit(_MOST).subquery()
        for ask in (every[0], every[at])
        for keys in (each.subquery() for each in ask.sets())
    ]
    listed = union(*(select(part.c[0].label("id")) for part in parts)).subquery("listed")
    return select(listed.c.id).limit(_MOST)


def others_find(shape: tuple[WordShape, ...]) -> Statement:
    """Write a statement that has a row where one of several words, the first apart, finds by more than ``most`` keys of a kind."""
    sets = [keys.offset(_MOST).limit(1).subquery() for ask in asked(shape)[2:] for keys in ask.sets()]
    return select(union_all(*(select(each.c.contact_id) for each in sets)).subquery("further").c.contact_id).limit(1)


_MOST: Final = bindparam("most", 1, type_=Integer())


def _places(name: str, size: int, kind: Any) -> list[Any]:  # noqa: ANN401 — a column type
    return [bindparam(f"within_{name}{at}", _NIL if isinstance(kind, Id) else "", type_=kind) for at in range(size)]


def within(shape: tuple[WordShape, ...], size: int, *, paged: bool) -> "Statement":
    """Write the search of one shape among ``size`` contacts by id: tier, matched text, name and id of each, in order."""
    those = [bindparam(f"m{at}", _NIL, type_=Id()) for at in range(size)]
    phrase, *words = asked(shape)
    branches = [_matched(phrase, those, [], level=0)]
    if words:
        ranking, *others = words
        contact = ContactKey.contact_id.expression
        further = [not_(phrase.found(contact)), *(each.found(contact) for each in others)]
        branches.append(_matched(ranking, those, further, level=1))
    matched = union_all(*branches).subquery("matched")
    columns = matched.c
    nth = func.row_number().over(partition_by=columns.contact_id, order_by=(columns.tier, columns.term))
    best = select(columns.tier, columns.term, columns.name, columns.contact_id, nth.label("nth")).subquery("best")
    hits = best.c
    statement = select(hits.tier, hits.term, hits.name, hits.contact_id).where(hits.nth == number(1))
    if paged:
        statement = statement.where(tuple_(hits.tier, hits.term, hits.name, hits.contact_id) > tuple_(*_AFTER))
    order = (hits.tier, hits.term, hits.name, hits.contact_id)
    return statement.order_by(*order).limit(bindparam("page", 1, type_=Integer()))


_AFTER: Final = (
    bindparam("after_tier", 0, type_=Integer()),
    bindparam("after_term", "", type_=String()),
    bindparam("after_name", "", type_=String()),
    bindparam("after_id", _NIL, type_=Id()),
)


def _matched(ask: Ask, those: Sequence[Any], further: Sequence[ColumnElement[bool]], *, level: int) -> Select[Any]:
    """Give every key of those contacts that the word finds, with its tier."""
    keys, owned = ContactKey, Owned(ContactKey)
    named = [quality for quality in range(INSIDE + 1) if ask.members(quality)]
    whole = [*(rank(START, field) for field in range(DEPARTMENT)), rank(WHOLE, ACCOUNT)]
    tier = case(
        *((ask.named(owned, [quality]), number(level * LEVEL + rank(quality, DEPARTMENT))) for quality in named),
        (
            and_(owned.term == ask.word, keys.rank.in_(numbers(whole))),
            keys.rank % number(FIELDS) + number(level * LEVEL),
        ),
        else_=keys.rank + number(level * LEVEL),
    )
    term = case((keys.rank == number(MEMBER), func.substr(keys.term, 1, 0)), else_=keys.term)
    return select(tier.label("tier"), term.label("term"), keys.name, keys.contact_id).where(
        keys.contact_id.in_(those), ask.finds(owned), *further
    )
