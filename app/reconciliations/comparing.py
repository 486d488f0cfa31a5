"""Rows of a head-count held against rows of the directory: what is different, by the names of members; nothing is opened, nothing awaited.

Values of the file are brought to the normal form that the card would keep and hashed under the person's own key; what is compared are the
digests beside the sealed values. What the sender may not write is not told to it either.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from app.contacts.errors import ConsentRequired, NamesOneself, NotCollected, UnknownDepartment
from app.contacts.headcount import IN_SERVICE, Head, HeadCount, differing
from app.contacts.members import PEOPLE, MemberReader
from app.departments.tree import Tree
from app.exchanges.line import shortened
from app.hr.subjects import GONE, KIND
from app.kit.errors import Invalid, Problem
from app.kit.models import new_id
from app.permissions.outcomes import FieldClass, Purpose
from app.permissions.plan import CohortKey
from app.permissions.standing import Viewer
from app.reconciliations.kinds import Difference, DiffKind
from app.reconciliations.people import Fault, Person, column_of

_TO_COME: Final = UUID(int=0)
"""Stands for somebody who is not here yet: nobody's manager so far."""
_REFUSED: Final = (Invalid, NotCollected, ConsentRequired)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a stretch is compared under: who sent it, the tree, the scope, the file's time, and whom the file names."""

    viewer: Viewer
    tree: Tree
    scope: frozenset[UUID] | None
    as_of: datetime
    named: Mapping[str, int]
    """How often each employee number stands in the file."""

    def in_scope(self, department: UUID | None) -> bool:
        """Tell whether somebody there is spoken of."""
        return self.scope is None or department in self.scope


@dataclass(slots=True)
class Found:
    """What a stretch gave."""

    differences: list[Difference] = field(default_factory=list)
    unchanged: int = 0
    unknown: list[str] = field(default_factory=list)
    """Names of departments that do not exist, one for each row that has one."""


class _Wrong(Exception):
    """A row that cannot be compared, and why."""

    def __init__(self, code: str, column: str | None = None, kind: DiffKind = DiffKind.UNREADABLE) -> None:
        super().__init__(code)
        self.code, self.column, self.kind = code, column, kind


class Comparer:
    """Compares."""

    def __init__(self, heads: HeadCount, members: MemberReader) -> None:
        """Take what takes up keys, and how members are read."""
        self._heads, self._members = heads, members
        self._classes: dict[frozenset[str], frozenset[FieldClass]] = {}

    def rows(
        self,
        sight: Sight,
        rows: Sequence[Person | Fault],
        heads: Mapping[str, Head],
        people: Mapping[str, UUID],
    ) -> Found:
        """Compare rows of the file with the people of their numbers; ``people`` are those in service whom rows name, by number."""
        found = Found()
        for row in rows:
            difference = self._row(sight, row, heads.get(row.employee_no or ""), people, found)
            if difference is None:
                found.unchanged += 1
            else:
                found.differences.append(difference)
        return found

    def absent(self, sight: Sight, heads: Iterable[Head]) -> list[Difference]:
        """Tell of people in service whom the file does not name: they leave, unless they came after it was written."""
        found = []
        for head in heads:
            plain = head.shape.plain
            who = {
                "employee_no": plain["employee_no"],
                "contact_id": head.shape.identity,
                "department_id": plain["department_id"],
                "version": head.version,
            }
            if self._heads.sealer(head.shape) is None:
                found.append(Difference(kind=DiffKind.UNREADABLE, code="contact_unreadable", **who))
            elif not self._may(sight.viewer, head.shape.cohort, frozenset(), head.shape.identity):
                continue
            elif head.created_at > sight.as_of:
                found.append(Difference(kind=DiffKind.NEWER, code="changed_here_since", **who))
            else:
                found.append(Difference(kind=DiffKind.LEAVER, **who))
        return found

    def differing(
        self, tree: Tree, head: Head, given: Mapping[str, Any], people: Mapping[str, UUID]
    ) -> tuple[str, ...] | None:
        """Name what of ``given`` a row says differently now; ``None`` for a row that is not as it was written.

        Raises as ``MemberReader.parsed`` does.
        """
        sealer = self._heads.sealer(head.shape)
        if sealer is None:
            return None
        named = {name: _person(given[name], people) for name in PEOPLE if given.get(name) is not None}
        return differing(head.shape, sealer, *self._members.parsed(tree, KIND, {**given, **named}))

    def _row(
        self, sight: Sight, row: Person | Fault, head: Head | None, people: Mapping[str, UUID], found: Found
    ) -> Difference | None:
        if isinstance(row, Fault):
            return _told(row, _Wrong(row.code, row.column))
        try:
            return self._person(sight, row, head, people)
        except UnknownDepartment as problem:
            found.unknown += _unknown(sight.tree, row)
            wrong = _Wrong(problem.code, _first(problem), DiffKind.UNKNOWN_DEPARTMENT)
        except _REFUSED as problem:
            wrong = _Wrong(problem.errors[0].code if problem.errors else problem.code, _first(problem))
        except _Wrong as reason:
            wrong = reason
        return _told(row, wrong)

    def _person(self, sight: Sight, row: Person, head: Head | None, people: Mapping[str, UUID]) -> Difference | None:
        if sight.named[row.employee_no] > 1:
            raise _Wrong("twice_in_file", "employee_no")
        given = row.data.given()
        oneself = {row.employee_no, None if head is None else str(head.shape.identity)}
        self._refuse_nobody(oneself, given, people, sight.named)
        named = {name: _person(given[name], people) for name in PEOPLE if given.get(name) is not None}
        classes = self._classes_of(given)
        plain, values = self._members.parsed(sight.tree, KIND, {**given, **named})
        if not sight.in_scope(plain.get("department_id")):
            raise _Wrong("out_of_scope", "department")
        if head is None:
            return self._joiner(sight, row, given, plain, classes)
        return self._known(sight, row, head, (plain, values), classes)

    def _joiner(
        self,
        sight: Sight,
        row: Person,
        given: Mapping[str, Any],
        plain: Mapping[str, Any],
        classes: frozenset[FieldClass],
    ) -> Difference:
        self._members.refuse_new(KIND, {**given, "employee_no": row.employee_no}, at=sight.as_of)
        place = plain.get("department_id")
        key = CohortKey(KIND, row.data.worker_kind, "active", "normal", () if place is None else (place,))
        if not self._may(sight.viewer, key, classes, new_id()):
            raise _Wrong("not_permitted")
        return self._comer(DiffKind.JOINER, row, given)

    def _comer(self, kind: DiffKind, row: Person, given: Mapping[str, Any], head: Head | None = None) -> Difference:
        return Difference(
            kind=kind,
            line=row.line,
            employee_no=row.employee_no,
            contact_id=None if head is None else head.shape.identity,
            version=None if head is None else head.version,
            members=tuple(sorted(given)),
            said=orjson.dumps(row.said()),
            names=frozenset(str(given[name]) for name in PEOPLE if given.get(name) is not None),
        )

    def _known(
        self,
        sight: Sight,
        row: Person,
        head: Head,
        said: tuple[dict[str, Any], dict[str, str | None]],
        classes: frozenset[FieldClass],
    ) -> Difference | None:
        shape = head.shape
        sealer = self._heads.sealer(shape)
        if sealer is None:
            raise _Wrong("contact_unreadable")
        cohort = shape.cohort
        if cohort.kind != KIND:
            raise _Wrong("other_kind")
        if cohort.status == GONE:
            if head.updated_at > sight.as_of:
                raise _Wrong("changed_here_since", kind=DiffKind.NEWER)
            return self._comer(DiffKind.RETURNED, row, row.data.given(), head)
        if cohort.status not in IN_SERVICE or not self._may(sight.viewer, cohort, classes, shape.identity):
            raise _Wrong("not_permitted")
        members = differing(shape, sealer, *said)
        if not members:
            return None
        return Difference(
            kind=DiffKind.CHANGED,
            line=row.line,
            employee_no=row.employee_no,
            contact_id=shape.identity,
            version=head.version,
            members=members,
            said=orjson.dumps(row.said(members)),
        )

    def _refuse_nobody(
        self, oneself: Container[object], given: Mapping[str, Any], people: Mapping[str, UUID], named: Mapping[str, int]
    ) -> None:
        """Raise for a member that names somebody who is neither here nor in the file, or oneself."""
        for member in PEOPLE:
            who = given.get(member)
            if who is not None and who in oneself:
                raise _Wrong(NamesOneself.code, member)
            if who is not None and who not in people and who not in named and _uuid(who) is None:
                raise _Wrong("unknown_contact", member)

    def _classes_of(self, given: Mapping[str, Any]) -> frozenset[FieldClass]:
        names = frozenset(given)
        found = self._classes.get(names)
        if found is None:
            found = self._classes[names] = self._members.classes_of(KIND, given)
        return found

    def _may(self, viewer: Viewer, key: CohortKey, classes: frozenset[FieldClass], about: UUID) -> bool:
        return viewer.plan(Purpose.WORK_CONTACT).cohort(key, about).edits >= classes | {FieldClass.C1}


def _told(row: Person | Fault, wrong: _Wrong) -> Difference:
    return Difference(kind=wrong.kind, line=row.line, employee_no=row.employee_no, code=wrong.code, column=wrong.column)


def named_by(rows: Iterable[Person | Fault]) -> set[str]:
    """List the employee numbers by which rows name other people."""
    found: set[str] = set()
    for row in rows:
        if isinstance(row, Person):
            found.update(who for member in PEOPLE if (who := getattr(row.data, member)) is not None)
    return found


def _person(who: str, people: Mapping[str, UUID]) -> UUID:
    return people.get(who) or _uuid(who) or _TO_COME


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _first(problem: Problem) -> str | None:
    return column_of(problem.errors[0].pointer) if problem.errors else None


def _unknown(tree: Tree, row: Person) -> list[str]:
    told = [row.data.department, *(each.department for each in row.data.memberships)]
    return list(dict.fromkeys(shortened(each) for each in told if tree.find(each) is None))
