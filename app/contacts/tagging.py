"""Keeping search tags in step with the values that they stand for, in the transaction that writes the value.

Only changed values are touched. The department under which the end of a number was tagged stays what it was when the number was written:
whom a department has says its own table, so that moving somebody needs no value. Tags are written for the generation in use and for one
that is being made; the plan's row is held until the transaction ends, so that no write can miss a generation that begins meanwhile.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast
from uuid import UUID

import orjson
from sqlalchemy import Integer, SmallInteger, Table, Text, bindparam, delete, insert, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession

from app.contacts.fields import CATALOGUE
from app.contacts.models import Contact, SearchPlan, SearchTag
from app.contacts.tag_rules import KINDS_OF, NO_PARTITION, PLACE, RULES, Generation, tagged_form
from app.crypto.datakey import DIGEST_SIZE
from app.crypto.sealed import Sealed
from app.crypto.sealer import SubjectSealer
from app.crypto.tags import TagKeys
from app.kit.models import Id
from app.kit.straight import Straight
from app.permissions.outcomes import Tag

BOUND: Final = 8
"""Bytes of the digest beside a value that a proof is bound to."""

TABLE: Final = cast("Table", SearchTag.__table__)
_PLAN: Final[tuple[Any, ...]] = (
    SearchPlan.generation,
    SearchPlan.key_version,
    type_coerce(SearchPlan.bits, Text()),
    SearchPlan.next_key_version,
    type_coerce(SearchPlan.next_bits, Text()),
)
PLAN: Final = select(*_PLAN).where(SearchPlan.id == 1)
_HELD: Final = Straight(PLAN.with_for_update(read=True))
_ADD: Final = Straight(insert(TABLE), columns=[column.key for column in TABLE.columns])
_FORGET: Final = Straight(
    delete(TABLE).where(
        TABLE.c.contact_id == bindparam("contact", type_=Id()), TABLE.c.field == bindparam("at", type_=SmallInteger())
    )
)
_FORGET_ALL: Final = Straight(delete(TABLE).where(TABLE.c.contact_id == bindparam("contact", type_=Id())))
_FORGET_ONE: Final = Straight(
    delete(TABLE).where(
        TABLE.c.contact_id == bindparam("contact", type_=Id()),
        TABLE.c.generation == bindparam("made_by", type_=Integer()),
    )
)


def generations(row: tuple[Any, ...]) -> tuple[Generation, Generation | None]:
    """Read the plan's row: the generation in use, and the one that is being made."""
    number, version, bits, next_version, next_bits = row
    following = None if next_version is None else Generation(number + 1, next_version, _parsed(next_bits))
    return Generation(number, version, _parsed(bits)), following


def proof(sealer: SubjectSealer, kind: Tag, form: str, bound: bytes) -> bytes:
    """Prove that this contact has a value whose tagged form is ``form``: ``bound`` (of its digest), and a MAC under the contact's key."""
    return bound + sealer.digest(f"tag.{kind.value}", f"{bound.hex()}:{form}")


def proves(sealer: SubjectSealer, kind: Tag, form: str, given: bytes) -> bool:
    """Tell in constant time whether ``given`` is the proof of ``form``; opens nothing."""
    bound, mac = given[:BOUND], given[BOUND:]
    return len(mac) == DIGEST_SIZE and sealer.matches(f"tag.{kind.value}", f"{bound.hex()}:{form}", mac)


def tags_of(
    keys: TagKeys,
    generation: Generation,
    sealer: SubjectSealer,
    *,
    contact_id: UUID,
    department_id: UUID | None,
    values: Mapping[str, str],
) -> Iterator[dict[str, Any]]:
    """Make the tags of a contact's ``values``, in normal form, as rows."""
    for name, value in values.items():
        bound = sealer.digest(name, value)[:BOUND]
        for kind in KINDS_OF.get(name, ()):
            if kind.value not in generation.bits:
                continue
            partition = NO_PARTITION
            if RULES[kind].partitioned and department_id is not None:
                partition = department_id
            form = tagged_form(kind, value)
            yield {
                "kind": RULES[kind].code,
                "generation": generation.number,
                "partition": partition,
                "tag": keys.tag(
                    kind.value,
                    form,
                    partition=partition.bytes,
                    version=generation.key_version,
                    bits=generation.width(kind, partition),
                ),
                "contact_id": contact_id,
                "field": PLACE[name],
                "proof": proof(sealer, kind, form, bound),
            }


class Tagger:
    """Writes the tags of contacts. Can make a tag and compare by it, and open nothing."""

    def __init__(self, keys: TagKeys) -> None:
        """Take the keys of tags."""
        self._keys = keys

    async def tag_all(
        self, session: AsyncSession, new: Iterable[tuple[Contact, SubjectSealer, Mapping[str, Any]]]
    ) -> None:
        """Write the tags of contacts that have none: each with its sealer and the members that it was given, protected ones in clear."""
        found = [
            (contact, sealer, values) for contact, sealer, given in new if (values := _tagged(contact.kind, given))
        ]
        if not found:
            return
        rows = [
            row
            for generation in await self._written(session)
            for contact, sealer, values in found
            for row in self._rows(generation, contact, sealer, values)
        ]
        await _ADD.each(session, rows)

    async def tag_again(
        self, session: AsyncSession, contact: Contact, sealer: SubjectSealer, changed: Mapping[str, Any]
    ) -> bool:
        """Write anew the tags of what changed: protected members in clear, ``None`` for one that was removed.

        Tell whether all of it is tagged now: a member that is given sealed has no tags until somebody opens it.
        """
        names = [name for name in changed if name in PLACE and CATALOGUE.protects(contact.kind, name) is not None]
        if not names:
            return True
        live = await self._written(session)
        await _FORGET.each(session, [{"contact": contact.id, "at": PLACE[name]} for name in names])
        values = {name: changed[name] for name in names if isinstance(changed[name], str)}
        await _ADD.each(
            session, [row for generation in live for row in self._rows(generation, contact, sealer, values)]
        )
        return not any(isinstance(changed[name], Sealed) for name in names)

    async def put(
        self,
        session: AsyncSession,
        generation: Generation,
        tagged: Iterable[tuple[UUID, UUID | None, SubjectSealer, Mapping[str, str]]],
    ) -> None:
        """Write the tags of one generation anew: for each contact its id, main department, sealer and values."""
        everybody = list(tagged)
        await _FORGET_ONE.each(session, [{"contact": each[0], "made_by": generation.number} for each in everybody])
        rows = [
            row
            for identity, department, sealer, values in everybody
            for row in tags_of(
                self._keys, generation, sealer, contact_id=identity, department_id=department, values=values
            )
        ]
        await _ADD.each(session, rows)

    @staticmethod
    async def forget(session: AsyncSession, identity: UUID) -> None:
        """Delete every tag of a contact: who is archived, or whose key is destroyed, is found by nothing."""
        await _FORGET_ALL.rows(session, {"contact": identity})

    def _rows(
        self, generation: Generation, contact: Contact, sealer: SubjectSealer, values: Mapping[str, str]
    ) -> Iterator[dict[str, Any]]:
        return tags_of(
            self._keys,
            generation,
            sealer,
            contact_id=contact.id,
            department_id=contact.department_id,
            values=values,
        )

    @staticmethod
    async def _written(session: AsyncSession) -> list[Generation]:
        (row,) = await _HELD.rows(session, {})
        return [each for each in generations(row) if each is not None]


def _tagged(kind: str, given: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: value
        for name, value in given.items()
        if name in PLACE and value is not None and CATALOGUE.protects(kind, name) is not None
    }


def _parsed(stored: Any) -> Any:  # noqa: ANN401 — a JSON document, as text or as the driver parsed it
    return orjson.loads(stored) if isinstance(stored, str) else stored
