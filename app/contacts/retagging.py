"""Giving and taking tags of many contacts at once: what ``ContactWriter.amend`` would write, in a few statements for each hundred of them.

Who keeps groups changes hundreds of cards in one transaction, which on SQLite keeps every other writer out. So rows are locked and believed
by the hundred, in the order of their ids, and what is written of a hundred goes to the store together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Integer, LargeBinary, Table, bindparam, delete, insert, update

from app.audit.authors import Author, written
from app.audit.intents import gather_intent
from app.contacts.birth import remembered
from app.contacts.errors import UnknownContact
from app.contacts.models import Contact, ContactChange, ContactTag
from app.contacts.record import RowShape, RowUnreadable
from app.contacts.remembered import distrust, record_of
from app.contacts.repository import closed_rows
from app.contacts.tracing import CardTracer
from app.crypto.history_store import (
    ADD_HISTORY_KEY,
    HISTORY_KEY_COLUMNS,
    history_key_row,
    stored_history_key,
    with_live_key,
)
from app.crypto.sealer import Sealer
from app.departments.tree import Tree
from app.disclosure.records import Record
from app.kit.clock import Clock
from app.kit.db import Row, UnitOfWork
from app.kit.models import Id, Instant, Json
from app.kit.straight import Straight, Writes
from app.traces import marking

AT_ONCE: Final = 100
_FURTHER: Final = len(HISTORY_KEY_COLUMNS)
_CHANGE: Final = cast("Table", ContactChange.__table__)
_SIDE: Final = cast("Table", ContactTag.__table__)
_WANTED: Final = [bindparam(f"id{at}", type_=Id()) for at in range(AT_ONCE)]
_LOCK: Final = Straight(
    with_live_key(
        closed_rows().add_columns(*HISTORY_KEY_COLUMNS),
        Contact.id.expression,
        bindparam("quarter", type_=Integer()),
    )
    .where(Contact.id.in_(_WANTED))
    .order_by(Contact.id, HISTORY_KEY_COLUMNS[0])
    .with_for_update(of=Contact)
)
_CONTACT: Final = bindparam("contact", type_=Id())
_WRITE: Final = Straight(
    update(Contact)
    .where(Contact.id == _CONTACT)
    .values(
        tags=bindparam("told", type_=Json()),
        row_version=bindparam("version", type_=Integer()),
        updated_at=bindparam("now", type_=Instant()),
        mac=bindparam("seal", type_=LargeBinary()),
    )
)
_REMEMBER: Final = Straight(insert(_CHANGE), columns=[column.key for column in _CHANGE.columns])
_TAKE: Final = Straight(
    delete(_SIDE).where(_SIDE.c.contact_id == _CONTACT, _SIDE.c.tag == bindparam("gone", type_=_SIDE.c.tag.type))
)
_GIVE: Final = Straight(insert(_SIDE), columns=[column.key for column in _SIDE.columns])


@dataclass(frozen=True, slots=True)
class Retag:
    """What changes of one contact's tags; one that is carried already, or is not, changes nothing."""

    add: str | None = None
    drop: str | None = None

    def of(self, tags: Sequence[str]) -> list[str]:
        """Give the tags after it, in their order."""
        kept = [each for each in tags if each != self.drop]
        return kept if self.add is None or self.add in kept else [*kept, self.add]


@dataclass(frozen=True, slots=True)
class _Version:
    """What history names of a row."""

    id: UUID
    row_version: int


class CardRetagger:
    """Gives and takes tags."""

    def __init__(self, *, sealer: Sealer, tracer: CardTracer, clock: Clock) -> None:
        """Take the sealer, what says which traces a change leaves, and the clock."""
        self._sealer, self._tracer, self._clock = sealer, tracer, clock

    async def retag(
        self,
        unit: UnitOfWork,
        author: Author,
        tree: Tree,
        wanted: Mapping[UUID, Retag],
        refuse: Callable[[Record, Retag], None],
    ) -> None:
        """Write what is ``wanted`` of each contact's tags, whom no session of ``unit`` has loaded.

        ``refuse`` raises for a row that its caller may not change so. Raises ``UnknownContact`` for one that is not there or was edited
        past us; then nothing of it may be committed.
        """
        identities = sorted(wanted)
        for at in range(0, len(identities), AT_ONCE):
            writes, some = Writes(), identities[at : at + AT_ONCE]
            rows = await self._locked(unit, some)
            for identity in some:
                row = rows.get(identity)
                record = None if row is None else self._believed(row, tree)
                if row is None or record is None:
                    pointer = "/members"
                    raise UnknownContact(pointer)
                refuse(record, wanted[identity])
                self._put(unit, writes, author, record, row, wanted[identity])
            await writes.run(unit.session, apart=True)

    async def _locked(self, unit: UnitOfWork, identities: Sequence[UUID]) -> dict[UUID, Row]:
        padded = [*identities, *(identities[-1] for _ in range(AT_ONCE - len(identities)))]
        asked: dict[str, Any] = {f"id{at}": identity for at, identity in enumerate(padded)}
        found: dict[UUID, Row] = {}
        for row in await _LOCK.rows(unit.session, {**asked, "quarter": self._sealer.quarter(self._clock.now())}):
            found.setdefault(row[0], row)
        return found

    def _believed(self, row: Row, tree: Tree) -> Record | None:
        try:
            record = record_of(row[:-_FURTHER], tree)
        except RowUnreadable:
            distrust(row[0])
            return None
        if self._sealer.existing(record.subject, record.key).verify(record.covered, record.mac):
            return record
        distrust(record.subject)
        return None

    def _put(self, unit: UnitOfWork, writes: Writes, author: Author, record: Record, row: Row, wanted: Retag) -> None:
        before, after = record.cohort.tags, wanted.of(record.cohort.tags)
        if list(before) == after:
            return
        now, shape, identity = self._clock.now(), RowShape(row), record.subject
        version = shape.plain["row_version"] + 1
        shape.plain |= {"tags": after, "row_version": version}
        seal = self._sealer.existing(identity, record.key).mac(shape.covered)
        writes.add(_WRITE, {"contact": identity, "told": after, "version": version, "now": now, "seal": seal})
        writes.add(_TAKE, *({"contact": identity, "gone": each} for each in before if each not in after))
        writes.add(_GIVE, *({"contact_id": identity, "tag": each} for each in after if each not in before))
        known = stored_history_key(row[-_FURTHER:])
        if known is not None:
            history = self._sealer.history(identity, known)
        else:
            history, wrapped = self._sealer.new_history(identity, now)
            writes.add(ADD_HISTORY_KEY, history_key_row(identity, wrapped, at=now))
        writes.add(_REMEMBER, *remembered(_Version(identity, version), history, author, {"tags": after}, now))
        gather_intent(writes, written(author, "contact.update", now, contacts=[identity], fields=["tags"]))
        trace = self._tracer.retagged(identity, record.cohort, tuple(after))
        marking.gather(writes, marking.change_set(unit.session), trace)
