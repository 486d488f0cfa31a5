"""Looking for who has a value: candidates by tag, compared by proof. Nothing is opened, and nothing found here is an answer.

Candidates are compared one like another whether one of them is meant or none, each term's number of comparisons filled up with ones that
match nothing, so that finding takes the time of not finding. What is found is a pointer: policy, the row's MAC and the log come after.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BindParameter, Integer, SmallInteger, String, bindparam, select

from app.auth.repository import Query
from app.contacts.models import Contact, ContactDepartment, ContactKey, SearchTag
from app.contacts.search import NUMBER, START, folded, rank
from app.contacts.tag_rules import FIELD_AT, NO_PARTITION, RULES, Generation
from app.contacts.tagging import BOUND, PLAN, generations, proves
from app.crypto.datakey import WrappedDataKey
from app.crypto.errors import SealBroken
from app.crypto.sealer import Sealer
from app.crypto.stored import KEY_COLUMNS, with_key
from app.crypto.tags import TagKeys
from app.kit.db import Prepared, Reader, Row
from app.kit.models import Id, new_id
from app.permissions.outcomes import Tag

MOST_CANDIDATES: Final = 8192
"""More of them for one tag mean that the directory has outgrown its plan; then tags are being written anew."""
_STEP: Final = 32
"""Comparisons of a term are filled up to a multiple of this."""
_AT_ONCE: Final = 64
"""Comparisons between two turns of the event loop."""
_NOTHING: Final = bytes(24)

_TAG: Final[tuple[Any, ...]] = (
    SearchTag.partition,
    SearchTag.tag,
    SearchTag.contact_id,
    SearchTag.field,
    SearchTag.proof,
)
_KIND: Final = bindparam("kind", type_=SmallInteger())
_GENERATION: Final = bindparam("made_by", type_=Integer())
_OF_MEMBERS: Final[Any] = (
    select(*_TAG, *KEY_COLUMNS)
    .join(ContactDepartment, ContactDepartment.contact_id == SearchTag.contact_id)
    .where(
        ContactDepartment.department_id == bindparam("department", type_=Id()),
        SearchTag.kind == _KIND,
        SearchTag.generation == _GENERATION,
    )
    .limit(MOST_CANDIDATES + 1)
)
_MEMBERS: Final = Query(with_key(_OF_MEMBERS, SearchTag.contact_id.expression))
_THE_PLAN: Final = Query(PLAN, by_key=True)


class TooManyCandidates(Exception):
    """The plan is too small for the directory; nothing was compared."""


@dataclass(frozen=True, slots=True)
class Match:
    """A contact that proves to have a value: in which field, and what the proof is bound to."""

    contact_id: UUID
    field: str
    bound: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """What a term finds: who matches, and somebody who was only compared, to be loaded where nobody matches."""

    matches: tuple[Match, ...]
    compared: UUID | None


@dataclass(frozen=True, slots=True)
class _Candidate:
    partition: UUID
    tag: int
    contact_id: UUID
    field: int
    proof: bytes
    key: WrappedDataKey


class TaggedContacts:
    """Finds contacts by tagged values, by numbers and by employee numbers."""

    def __init__(self, reader: Reader, sealer: Sealer, keys: TagKeys) -> None:
        """Take the reader, the sealer that compares, and the keys of tags."""
        self._reader, self._sealer, self._keys = reader, sealer, keys
        self._nobody, _ = sealer.new(new_id())
        self._prepared: dict[tuple[str, int], Prepared] = {}

    async def generation(self) -> Generation:
        """Give the generation that is looked up in."""
        (row,) = await _THE_PLAN.rows(self._reader)
        return generations(tuple(row))[0]

    async def by_value(self, generation: Generation, kind: Tag, forms: Sequence[str]) -> list[Found]:
        """Find who has each of these values (in tagged form), company-wide. Raises ``TooManyCandidates``."""
        wanted = [self._tag(generation, kind, form, NO_PARTITION) for form in forms]
        by_tag: dict[int, list[_Candidate]] = defaultdict(list)
        for each in await self._by_tag(generation, kind, sorted(set(wanted))):
            by_tag[each.tag].append(each)
        return [await self._compared(kind, form, by_tag[tag]) for form, tag in zip(forms, wanted, strict=True)]

    async def by_ending(self, generation: Generation, department: UUID, forms: Sequence[str]) -> list[Found]:
        """Find who of a department has a mobile that ends so. Raises ``TooManyCandidates``."""
        kind = Tag.MOBILE_LAST4
        rows = await _MEMBERS.rows(
            self._reader, department=department, kind=RULES[kind].code, made_by=generation.number
        )
        members = _candidates(rows, MOST_CANDIDATES)
        found = []
        for form in forms:
            tags = {
                each: self._tag(generation, kind, form, each)
                for each in dict.fromkeys(member.partition for member in members)
            }
            meant = [each for each in members if tags[each.partition] == each.tag]
            found.append(await self._compared(kind, form, meant))
        return found

    async def by_number(self, digits: Sequence[str]) -> dict[str, list[UUID]]:
        """Find who has these short numbers or extensions, by the number as it was given."""
        terms = {each: folded(each) for each in digits}
        rows = await self._fetch("number", list(terms.values()))
        by_term: dict[str, list[UUID]] = defaultdict(list)
        for term, identity in rows:
            by_term[term].append(identity)
        return {each: by_term[term] for each, term in terms.items()}

    async def by_employee_no(self, numbers: Sequence[str]) -> dict[str, UUID]:
        """Find who has these employee numbers."""
        return dict(await self._fetch("employee_no", list(numbers)))

    def _tag(self, generation: Generation, kind: Tag, form: str, partition: UUID) -> int:
        return self._keys.tag(
            kind.value,
            form,
            partition=partition.bytes,
            version=generation.key_version,
            bits=generation.width(kind, partition),
        )

    async def _compared(self, kind: Tag, form: str, candidates: Sequence[_Candidate]) -> Found:
        matches = []
        for at, each in enumerate(candidates):
            if at % _AT_ONCE == 0:
                await asyncio.sleep(0)
            try:
                sealer = self._sealer.existing(each.contact_id, each.key)
            except SealBroken:
                continue
            if proves(sealer, kind, form, each.proof):
                matches.append(Match(each.contact_id, FIELD_AT[each.field], each.proof[:BOUND]))
        for _ in range(-len(candidates) % _STEP):
            proves(self._nobody, kind, form, _NOTHING)
        return Found(tuple(matches), candidates[0].contact_id if candidates else None)

    async def _by_tag(self, generation: Generation, kind: Tag, tags: Sequence[int]) -> list[_Candidate]:
        if not tags:
            return []
        rows = await self._fetch(
            "tag",
            tags,
            kind=RULES[kind].code,
            made_by=generation.number,
            partition=NO_PARTITION,
            most=MOST_CANDIDATES * len(tags) + 1,
        )
        return _candidates(rows, MOST_CANDIDATES * len(tags))

    async def _fetch(self, what: str, wanted: Sequence[Any], **values: object) -> list[Row]:
        """Run the statement of this question for so many values, compiled once for each power of two."""
        if not wanted:
            return []
        size = 1 << (len(wanted) - 1).bit_length()
        prepared = self._prepared.get((what, size))
        if prepared is None:
            prepared = self._prepared[what, size] = self._reader.prepare(_STATEMENTS[what](size))
        padded = [*wanted, *(wanted[-1] for _ in range(size - len(wanted)))]
        return await self._reader.fetch(prepared, {**values, **{f"v{at}": each for at, each in enumerate(padded)}})


def _wanted(size: int, kind: Any) -> list[BindParameter[Any]]:  # noqa: ANN401 — a column type
    return [bindparam(f"v{at}", type_=kind) for at in range(size)]


def _by_tag(size: int) -> Any:  # noqa: ANN401 — a select
    statement = select(*_TAG, *KEY_COLUMNS).where(
        SearchTag.kind == _KIND,
        SearchTag.generation == _GENERATION,
        SearchTag.partition == bindparam("partition", type_=Id()),
        SearchTag.tag.in_(_wanted(size, Integer())),
    )
    return with_key(statement, SearchTag.contact_id.expression).limit(bindparam("most", 1, type_=Integer()))


def _by_number(size: int) -> Any:  # noqa: ANN401 — a select
    return select(ContactKey.term, ContactKey.contact_id).where(
        ContactKey.rank == bindparam("rank", rank(START, NUMBER), type_=SmallInteger()),
        ContactKey.term.in_(_wanted(size, String())),
    )


def _by_employee_no(size: int) -> Any:  # noqa: ANN401 — a select
    return select(Contact.employee_no, Contact.id).where(Contact.employee_no.in_(_wanted(size, String())))


_STATEMENTS: Final[Mapping[str, Any]] = {
    "tag": _by_tag,
    "number": _by_number,
    "employee_no": _by_employee_no,
}


def _candidates(rows: Sequence[Row], most: int) -> list[_Candidate]:
    if len(rows) > most:
        raise TooManyCandidates
    return [
        _Candidate(partition, tag, identity, field, bytes(proof), WrappedDataKey(*key))
        for partition, tag, identity, field, proof, *key in rows
    ]
