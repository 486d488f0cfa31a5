"""What a list of contacts asks for, and how that is said in SQL: the columns that predicates speak of, and what narrows.

A statement is written for the *shape* of a search; the words come as parameters, so that two searches of one shape are compiled once.
"""

from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    case,
    exists,
    false,
    literal_column,
    or_,
    select,
    true,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import aliased

from app.contacts.fields import TEMPORARY
from app.contacts.models import Contact, ContactDepartment, ContactKey, ContactTag, DepartmentKey
from app.contacts.search import FIELDS, INSIDE, LAST, MEMBER, NUMBER, START, T9, WHOLE, WORD, Wanted, WordShape, rank
from app.kit.models import Id
from app.permissions.outcomes import Power


class _Columns:
    """What the predicate of a plan may speak of."""

    id = Contact.id.expression
    kind = Contact.kind.expression
    status = Contact.status.expression
    secrecy = Contact.secrecy.expression

    def in_departments(self, departments: Iterable[UUID]) -> ColumnElement[bool]:
        """Say that the contact belongs to one of ``departments``."""
        return exists().where(
            ContactDepartment.contact_id == Contact.id, ContactDepartment.department_id.in_(sorted(departments))
        )

    def tagged(self, tags: Iterable[str]) -> ColumnElement[bool]:
        """Say that the contact has one of ``tags``."""
        return exists().where(ContactTag.contact_id == Contact.id, ContactTag.tag.in_(sorted(tags)))

    def ended(self, today: date) -> ColumnElement[bool]:
        """Say that the contact is temporary and its contract was over before ``today``."""
        return and_(Contact.kind == TEMPORARY, Contact.contract_until.is_not(None), Contact.contract_until < today)


COLUMNS: Final = _Columns()


@dataclass(frozen=True, slots=True, kw_only=True)
class Criteria:
    """What a list asks for; every member narrows. ``powers`` are those over C1 that asking so takes."""

    wanted: Wanted | None = None
    kinds: tuple[str, ...] = ()
    departments: frozenset[UUID] | None = None
    statuses: tuple[str, ...] = ()
    tag: str | None = None
    ids: tuple[UUID, ...] = ()
    powers: frozenset[Power] = frozenset()
    assigned: tuple[UUID, ...] | None = None
    unconfirmed: bool = False

    @property
    def shape(self) -> tuple[object, ...]:
        """Give what a statement for it depends on: everything but the words, the tag and the ids, of which their rounded number counts."""
        words = None if self.wanted is None else self.wanted.shape
        assigned = None if self.assigned is None else places(self.assigned)
        narrows = (self.tag is None, self.unconfirmed, places(self.ids), assigned)
        return (words, self.kinds, self.departments, self.statuses, *narrows)

    @property
    def values(self) -> dict[str, Any]:
        """Give the statement's parameters: tag, ids, each word as a range, and the member keys of the departments that it names."""
        found: dict[str, Any] = {}
        for name, ids in (("asked", self.ids), ("assigned", self.assigned or ())):
            padded = [*ids, *ids[-1:] * (places(ids) - len(ids))]
            found.update((f"{name}{at}", identity) for at, identity in enumerate(padded))
        if self.tag is not None:
            found["tag"] = self.tag
        for at, word in enumerate(() if self.wanted is None else self.wanted.every):
            found[f"word{at}"], found[f"until{at}"] = word.text, word.text + LAST
            for quality, members in enumerate(word.members()):
                found.update((f"member{at}q{quality}n{n}", each) for n, each in enumerate(members))
        return found


def places(ids: Sized) -> int:
    """Give how many ids (or other values) a statement has places for: the next power of two, so that few texts are compiled."""
    return 1 << (len(ids) - 1).bit_length() if ids else 0


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is ordered: by a C1 column, ties by id."""

    by: str = "name"
    descending: bool = False


Keys = type[ContactKey] | type[DepartmentKey]
"""Where keys stand: beside their contact, or in a department."""


class Owned:
    """The keys of contacts at hand: found by the contact and compared one by one, never looked up by their text.

    With nothing added to it the text is a condition on the index of texts too, and PostgreSQL takes that: it jumps from rank to rank of
    what the word finds at large, and reads everybody who matches to tell whether these few do.
    """

    def __init__(self, keys: type[ContactKey]) -> None:
        """Take the keys."""
        self.rank: ColumnElement[int] = keys.rank.expression
        self.term: ColumnElement[str] = type_coerce(keys.term.concat(literal_column("''")), keys.term.type)


OF_DIGITS: Final = (rank(START, NUMBER), rank(WORD, T9), rank(INSIDE, T9))
"""Ranks of the keys that a few digits do not begin."""


class Ask:
    """One word in SQL: which keys of a contact it finds."""

    def __init__(self, at: int, shape: WordShape) -> None:
        """Take the word's place among those that were typed, and its shape."""
        self.shape = shape
        self.word = bindparam(f"word{at}", "", type_=String())
        self.until = bindparam(f"until{at}", "", type_=String())
        self._members = [
            [bindparam(f"member{at}q{quality}n{n}", "", type_=String()) for n in range(size)]
            for quality, size in enumerate(shape.departments)
        ]

    def members(self, quality: int) -> list[BindParameter[str]]:
        """List the member keys of the departments that the word names so well."""
        return self._members[quality]

    def begins(self, keys: Keys | Owned) -> ColumnElement[bool]:
        """Say that a key begins with the word."""
        return and_(keys.term >= self.word, keys.term < self.until)

    def finds(self, keys: Owned) -> ColumnElement[bool]:
        """Say of a key of a contact at hand that the word finds the contact by it."""
        least = and_(keys.rank >= number(rank(START, 0)), *self.begun(keys))
        named = self.named(keys, range(len(self.shape.departments)))
        return or_(and_(self.begins(keys), or_(keys.term == self.word, least)), named)

    def begun(self, keys: Keys | Owned) -> list[ColumnElement[bool]]:
        """Say of a key that may begin with the word that the word is long enough for it."""
        return [] if self.shape.begins_numbers else [keys.rank.not_in(numbers(OF_DIGITS))]

    def named(self, keys: Keys | Owned, qualities: Iterable[int]) -> ColumnElement[bool]:
        """Say of a key that it is membership of a department that the word names that well."""
        members = [each for quality in qualities for each in self.members(quality)]
        return and_(keys.rank == number(MEMBER), keys.term.in_(members)) if members else false()

    def found(self, contact: ColumnElement[UUID]) -> ColumnElement[bool]:
        """Say of a contact at hand that the word finds it."""
        keys = aliased(ContactKey)
        return any_key(keys.contact_id == contact, self.finds(Owned(keys)))

    def finds_by_set(self, contact: ColumnElement[UUID], most: int) -> ColumnElement[bool]:
        """Say that the contact is among all whom the word finds, who are put together once; ``most`` of them, 0 for however many.

        PostgreSQL takes long words for short by its statistics, and would make a join of it that reads the word for each contact: a truth
        that is worked out is no join, and so many at most are hashed.
        """
        every = union_all(*self.sets()).subquery()
        listed = select(every.c.contact_id)
        among = contact.in_(listed.limit(number(most)) if most else listed.offset(0))
        return case((among, true()), else_=false())

    def all_found(self) -> ColumnElement[bool]:
        """Say the same of contacts at large: a set that an index gives."""
        return or_(*(Contact.id.in_(each) for each in self.sets()))

    def sets(self) -> "list[Select[UUID]]":
        """List whom the word finds, as sets that an index gives."""
        keys = ContactKey
        whole, begun = ranks_of_whole(self.shape), ranks_of_beginnings(self.shape)
        sets = [
            select(keys.contact_id).where(keys.rank.in_(numbers(begun)), self.begins(keys)),
            select(keys.contact_id).where(keys.rank.in_(numbers(whole)), keys.term == self.word),
        ]
        if any(self.shape.departments):
            sets.append(select(keys.contact_id).where(self.named(keys, range(len(self.shape.departments)))))
        return sets


def ranks_of_whole(shape: WordShape) -> list[int]:
    """List the ranks of keys that a word finds when it is all of the key."""
    return [rank(place, field) for place in (WHOLE, START) for field in shape.fields if field != T9]


def ranks_of_beginnings(shape: WordShape) -> list[int]:
    """List the ranks of keys that a word finds by their beginning."""
    return [
        each
        for each in range(rank(START, 0), rank(len(shape.departments), 0))
        if each % FIELDS in shape.fields and (shape.begins_numbers or each not in OF_DIGITS)
    ]


def any_key(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Say that there is a key of the contact at hand for which these hold.

    A few dozen keys are looked at. The offset tells PostgreSQL to do just that for each contact: it would make a join of it, plan twice as
    long, and now and then join what it thinks is little.
    """
    return select(number(1)).where(*conditions).offset(0).exists()


def number(value: int) -> ColumnElement[int]:
    """Write a rank into the text of a statement, where the database can plan with it."""
    return literal_column(str(value))


def numbers(values: Iterable[int]) -> list[ColumnElement[int]]:
    """Write ranks into the text of a statement."""
    return [number(each) for each in values]


def asked(shape: Sequence[WordShape]) -> tuple[Ask, ...]:
    """Give the phrase and the words in SQL, in the order of ``Wanted.every``."""
    return tuple(Ask(at, each) for at, each in enumerate(shape))


def narrowed(criteria: Criteria, *, found: bool = True) -> list[ColumnElement[bool]]:
    """Write what narrows; ``found`` with what was typed among it, for lists that do not rank."""
    conditions: list[ColumnElement[bool]] = []
    if criteria.kinds:
        conditions.append(Contact.kind.in_(criteria.kinds))
    if criteria.statuses:
        conditions.append(Contact.status.in_(criteria.statuses))
    for name, ids in (("asked", criteria.ids or None), ("assigned", criteria.assigned)):
        if ids is not None:
            wanted = [bindparam(f"{name}{at}", UUID(int=0), type_=Id()) for at in range(places(ids))]
            conditions.append(Contact.id.in_(wanted) if wanted else false())
    if criteria.unconfirmed:
        conditions.append(Contact.unconfirmed_since.is_not(None))
    if criteria.departments is not None:
        conditions.append(COLUMNS.in_departments(criteria.departments))
    if criteria.tag is not None:
        conditions.append(
            exists().where(ContactTag.contact_id == Contact.id, ContactTag.tag == bindparam("tag", "", type_=String()))
        )
    if found and criteria.wanted is not None:
        phrase, *words = asked(criteria.wanted.shape)
        either = phrase.all_found()
        conditions.append(or_(either, and_(*(each.all_found() for each in words))) if words else either)
    return conditions
