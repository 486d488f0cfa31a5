"""Writing on a card what the number plan says that its contact holds, and nothing else of it.

Numbers are given out many times a second, so this is the one write that neither maps the row nor derives everything anew: the row is
locked and believed by its MAC as every write does, and then one statement each writes the columns, the history and the keys of numbers that
came or went, together with whatever else the transaction writes. What is written is what ``ContactWriter`` would write.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

import orjson
import structlog
from sqlalchemy import (
    ARRAY,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    any_,
    bindparam,
    delete,
    exists,
    insert,
    select,
    type_coerce,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.util import identity_key

from app.audit.authors import Author
from app.contacts.birth import remembered
from app.contacts.fields import CATALOGUE
from app.contacts.models import LABEL, Contact, ContactChange, ContactKey
from app.contacts.record import RowUnreadable, covered_values, ends, membership_departments, readable
from app.contacts.search import Key, number_keys, sort_name
from app.crypto.datakey import WrappedDataKey
from app.crypto.history_store import (
    ADD_HISTORY_KEY,
    HISTORY_KEY_COLUMNS,
    history_key_row,
    stored_history_key,
    with_live_key,
)
from app.crypto.rowmac import RowValue
from app.crypto.sealer import HistorySealer, Sealer, SubjectSealer
from app.crypto.stored import KEY_COLUMNS, with_key
from app.kit.clock import Clock
from app.kit.db import Row
from app.kit.errors import NotFound
from app.kit.models import Id, Instant, Json
from app.kit.straight import Straight, Writes
from app.traces import marking
from app.traces.trace import NUMBERS, Sort, Trace

_log = structlog.get_logger("duanhao.security")

_CONTACT: Final = bindparam("contact", type_=Id())
_KEY: Final = cast("Table", ContactKey.__table__)
_CHANGE: Final = cast("Table", ContactChange.__table__)
_PLAIN: Final = 13
_SEALED: Final = len(CATALOGUE.protected)

_ROW: Final = with_live_key(
    with_key(
        select(
            Contact.kind,
            Contact.worker_kind,
            Contact.status,
            Contact.secrecy,
            LABEL,
            Contact.user_name_key,
            Contact.department_id,
            type_coerce(Contact.memberships, Text()),
            type_coerce(Contact.short_numbers, Text()),
            Contact.extension,
            type_coerce(Contact.tags, Text()),
            type_coerce(Contact.contract_until, String()),
            Contact.row_version,
            *(type_coerce(getattr(Contact, field.column), LargeBinary) for field in CATALOGUE.protected),
            Contact.digests,
            Contact.mac,
            *KEY_COLUMNS,
            Contact.consented,
            *HISTORY_KEY_COLUMNS,
        ),
        Contact.id.expression,
    ),
    Contact.id.expression,
    bindparam("quarter", type_=Integer()),
)
_LOCK: Final = Straight(_ROW.where(Contact.id == _CONTACT).with_for_update(of=Contact))
_LOCK_UNLOCKED: Final = Straight(
    _ROW.add_columns(Contact.id)
    .where(Contact.id == any_(bindparam("contacts", type_=ARRAY(Id()))))
    .order_by(Contact.id)
    .with_for_update(of=Contact, skip_locked=True)
)
"""On PostgreSQL: all of them that nobody else has locked."""
_WRITE: Final = Straight(
    update(Contact)
    .where(Contact.id == _CONTACT)
    .values(
        short_numbers=bindparam("numbers", type_=Json()),
        extension=bindparam("own", type_=String()),
        row_version=bindparam("version", type_=Integer()),
        updated_at=bindparam("now", type_=Instant()),
        mac=bindparam("seal", type_=LargeBinary()),
    )
)
_REMEMBER: Final = Straight(insert(_CHANGE), columns=[column.key for column in _CHANGE.columns])
_SAME_KEY: Final = (
    _KEY.c.contact_id == _CONTACT,
    _KEY.c.rank == bindparam("at", type_=SmallInteger()),
    _KEY.c.term == bindparam("text", type_=_KEY.c.term.type),
)
_FORGET_KEY: Final = Straight(delete(_KEY).where(*_SAME_KEY))
_ADD_KEY: Final = Straight(
    insert(_KEY).from_select(
        ["contact_id", "rank", "term", "name"],
        select(
            _CONTACT,
            bindparam("at", type_=SmallInteger()),
            bindparam("text", type_=_KEY.c.term.type),
            bindparam("name", type_=_KEY.c.name.type),
        ).where(~exists(select(_KEY.c.rank).where(*_SAME_KEY))),
    )
)


@dataclass(slots=True)
class LockedCard:
    """A contact's row, locked until the transaction ends and believed: what its MAC covers, and what numbers it tells.

    ``tie`` is what its keys break ties by; ``history`` seals what is kept of it in this quarter, once there is a key for that;
    ``change_set`` is what the traces of the transaction have in common.
    """

    id: UUID
    change_set: UUID
    status: str
    tie: str
    row_version: int
    short_numbers: list[str]
    extension: str | None
    sealer: SubjectSealer
    history: HistorySealer | None
    covered: Mapping[str, Any]

    def mac_values(self) -> tuple[RowValue, ...]:
        """Lay out what the MAC covers at the present version."""
        return covered_values(row_version=self.row_version, **self.covered)

    @property
    def keys(self) -> frozenset[Key]:
        """The keys that its numbers are found by; who is archived is not found."""
        return frozenset() if self.status == "archived" else number_keys(self.short_numbers, self.extension)


class CardCarrier:
    """Locks cards, and writes numbers on them."""

    def __init__(self, *, sealer: Sealer, clock: Clock) -> None:
        """Take the sealer and the clock."""
        self._sealer, self._clock = sealer, clock

    async def locked(self, session: AsyncSession, identity: UUID, *, among: Container[str]) -> LockedCard:
        """Lock a contact's row until the transaction ends.

        Raises ``NotFound`` for a contact that is not there, whose status is not ``among`` those given, or whose row was edited past us.
        """
        rows = await _LOCK.rows(session, {"contact": identity, "quarter": self._sealer.quarter(self._clock.now())})
        mapped = session.sync_session.identity_map.get(identity_key(Contact, identity))
        if mapped is not None:
            session.expunge(mapped)
        card = self._believed(identity, marking.change_set(session), rows[0], among) if rows else None
        if card is None:
            raise NotFound
        return card

    async def unlocked(
        self, session: AsyncSession, identities: Sequence[UUID], *, among: Container[str]
    ) -> dict[UUID, LockedCard]:
        """Lock the rows of those contacts that nobody else has locked, until the transaction ends, waiting for none; on PostgreSQL.

        Whom ``locked`` would refuse is left out as well.
        """
        asked = {"contacts": list(identities), "quarter": self._sealer.quarter(self._clock.now())}
        found = {row[-1]: row[:-1] for row in await _LOCK_UNLOCKED.rows(session, asked)}
        of = marking.change_set(session)
        cards = {identity: self._believed(identity, of, row, among) for identity, row in found.items()}
        return {identity: card for identity, card in cards.items() if card is not None}

    def _believed(self, identity: UUID, change_set: UUID, row: Row, among: Container[str]) -> LockedCard | None:
        """Make the card of a locked row; none of one whose status is not ``among`` those given, or that was edited past us."""
        if row[2] not in among:
            return None
        try:
            card = self._card(identity, change_set, row)
            if card.sealer.verify(card.mac_values(), row[_PLAIN + _SEALED + 1]):
                return card
        except (RowUnreadable, orjson.JSONDecodeError):
            pass
        _log.error("row_mac_mismatch", table="contact", row=str(identity))
        return None

    def put(self, writes: Writes, author: Author, card: LockedCard, told: Mapping[str, Any]) -> bool:
        """Gather what puts on a card what the number plan says that its contact holds; tell whether that changes it.

        Part of the transaction that gives or takes the numbers, whose event tells it. ``told`` is ``short_numbers``, ``extension`` or both,
        asked for since the row was locked, so that of two who give at once the second sees what the first gave.
        """
        changed = {name: value for name, value in told.items() if getattr(card, name) != value}
        if not changed:
            return False
        before, now = card.keys, self._clock.now()
        card.short_numbers = changed.get("short_numbers", card.short_numbers)
        card.extension = changed.get("extension", card.extension)
        card.row_version += 1
        written = {
            "contact": card.id,
            "numbers": card.short_numbers,
            "own": card.extension,
            "version": card.row_version,
            "now": now,
            "seal": card.sealer.mac(card.mac_values()),
        }
        writes.add(_WRITE, written)
        if card.history is None:
            card.history, wrapped = self._sealer.new_history(card.id, now)
            writes.add(ADD_HISTORY_KEY, history_key_row(card.id, wrapped, at=now))
        writes.add(_REMEMBER, *remembered(card, card.history, author, changed, now))
        trace = Trace(type="contact", subject=card.id, sort=Sort.UPDATED, groups=(NUMBERS,))
        marking.gather(writes, card.change_set, trace)
        gone, new = before - card.keys, card.keys - before
        writes.add(_FORGET_KEY, *({"contact": card.id, "at": each.rank, "text": each.term} for each in gone))
        writes.add(
            _ADD_KEY,
            *({"contact": card.id, "at": each.rank, "text": each.term, "name": card.tie} for each in sorted(new)),
        )
        return True

    def _card(self, identity: UUID, change_set: UUID, row: Row) -> LockedCard:
        kind, worker_kind, status, secrecy, label, user_name_key, main, *rest = row[:_PLAIN]
        further, numbers, extension, tagged, contract_until, version = rest
        memberships, short_numbers, tags = _parsed(further), _parsed(numbers), _parsed(tagged)
        readable(memberships=memberships, short_numbers=short_numbers, tags=tags)
        at = _PLAIN + _SEALED
        history = stored_history_key(row[at + 7 :])
        return LockedCard(
            id=identity,
            change_set=change_set,
            status=status,
            tie=sort_name({"name": label}),
            row_version=version,
            short_numbers=short_numbers,
            extension=extension,
            sealer=self._sealer.existing(identity, WrappedDataKey(*row[at + 2 : at + 6])),
            history=None if history is None else self._sealer.history(identity, history),
            covered={
                "identity": identity,
                "kind": kind,
                "worker_kind": worker_kind,
                "status": status,
                "secrecy": secrecy,
                "user_name_key": user_name_key,
                "departments": membership_departments(main, memberships),
                "digests": row[at],
                "sealed": row[_PLAIN:at],
                "tags": tags,
                "until": ends(kind, contract_until),
                "consented": row[at + 6],
            },
        )


def _parsed(stored: Any) -> Any:  # noqa: ANN401 — a JSON document, as text or as the driver parsed it
    return orjson.loads(stored) if isinstance(stored, str) else stored
