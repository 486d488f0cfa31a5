"""All queries on the ledger. Nothing here commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, LargeBinary, bindparam, exists, or_, select, text, type_coerce, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import Query, Source
from app.crypto.datakey import WrappedDataKey
from app.crypto.stored import KEY_COLUMNS, with_key
from app.hr.models import HrEvent
from app.hr.ordering import Place
from app.kit.db import Reader, Row
from app.kit.models import Id, Instant
from app.numbers.expecting import Joiner

MOST_WAITING: Final = 100
"""So many events that wait for one subject are looked at within one transaction; the worker comes for the rest."""

_TOLD: Final = select(
    HrEvent.id,
    HrEvent.event_id,
    HrEvent.source,
    HrEvent.type,
    HrEvent.at,
    HrEvent.sequence,
    HrEvent.received_at,
    HrEvent.state,
    HrEvent.contact_id,
    HrEvent.problem,
    HrEvent.numbers,
    HrEvent.next_at,
)
_ANY: Final = _TOLD.where(HrEvent.event_id == bindparam("event_id"))
_OWN: Final = _ANY.where(HrEvent.client_id == bindparam("client_id"))
_BY_ID: Final = Query(_OWN.order_by(HrEvent.source).limit(2))
_BY_SOURCE: Final = Query(_OWN.where(HrEvent.source == bindparam("source_name")))
_ANY_BY_ID: Final = Query(_ANY.order_by(HrEvent.source).limit(2))
_ANY_BY_SOURCE: Final = Query(_ANY.where(HrEvent.source == bindparam("source_name")))
_NAMED: Final = select(HrEvent.id, HrEvent.client_id, HrEvent.source, HrEvent.subject_hash).where(
    HrEvent.event_id == bindparam("event_id")
)
_OPEN: Final = ("scheduled", "waiting", "failed")
_SETTLED: Final = ("applied", "superseded", "scheduled")
_KEPT: Final[Any] = with_key(
    select(
        HrEvent.id,
        HrEvent.subject_hash,
        HrEvent.source,
        HrEvent.event_id,
        HrEvent.sealed_for,
        type_coerce(HrEvent.payload, LargeBinary),
        *KEY_COLUMNS,
    ),
    HrEvent.sealed_for,  # type: ignore[arg-type]  # no row without one is kept
)
_KEPT_ONE: Final = Query(_KEPT.where(HrEvent.id == bindparam("wanted", type_=Id())))
_KEPT_OF: Final = Query(
    _KEPT.where(HrEvent.subject_hash == bindparam("digest", type_=LargeBinary()), HrEvent.state == "waiting")
    .order_by(HrEvent.placed_at, HrEvent.sequence, HrEvent.id)
    .limit(MOST_WAITING)
)
_SPEAKER: Final = Query(
    select(HrEvent.client_id)
    .where(HrEvent.source == bindparam("name"))
    .order_by(HrEvent.source, HrEvent.event_id)
    .limit(1)
)
_SPOKE: Final = Query(
    select(HrEvent.id)
    .where(HrEvent.client_id == bindparam("client_id"), HrEvent.source == bindparam("name"))
    .order_by(HrEvent.client_id, HrEvent.id)
    .limit(1)
)
_LEAVERS: Final = text("type IN ('employee.leaving','employee.left')")
"""As the index has it, word by word: SQLite knows it by no other."""
_LET_GO: Final = Query(
    select(HrEvent.contact_id, HrEvent.type, HrEvent.state).where(
        HrEvent.client_id == bindparam("client_id"),
        HrEvent.received_at > bindparam("since", type_=Instant()),
        _LEAVERS,
        text("state IN ('applied','scheduled','waiting')"),
        HrEvent.contact_id.is_not(None),
        HrEvent.source.not_like("reconcile:%"),
    )
)
_JOINERS: Final = Query(
    select(HrEvent.department_id, HrEvent.placed_at).where(
        HrEvent.next_at.is_not(None),
        HrEvent.state.in_(("scheduled", "waiting")),
        HrEvent.type.in_(("employee.joined", "employee.rehired")),
    )
)
_DUE: Final = Query(
    select(HrEvent.id)
    .where(
        HrEvent.next_at <= bindparam("now", type_=Instant()),
        or_(HrEvent.state == "scheduled", HrEvent.state == "waiting"),
    )
    .order_by(HrEvent.next_at, HrEvent.placed_at, HrEvent.sequence)
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class Kept:
    """An event that is to be applied later, closed: its row's id, its subject, source and id, and the box with the key that opens it."""

    id: UUID
    subject_hash: bytes
    source: str
    event_id: str
    sealed_for: UUID
    envelope: bytes
    key: WrappedDataKey


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCriteria:
    """Which events of a sender are looked for; every member that is given narrows."""

    state: str | None = None
    type: str | None = None
    source: str | None = None
    entry: UUID | None = None
    subject_hash: bytes | None = None


_UNSETTLED: Final = Query(
    select(HrEvent.sealed_for)
    .where(HrEvent.next_at.is_not(None), HrEvent.state.in_(_OPEN), HrEvent.sealed_for.is_not(None))
    .distinct()
)


class HrLedger:
    """Rows of ``hr_event``.

    What is told of a row: id, event id, source, type, time, sequence, time of receipt, state, contact, problem, numbers; never the payload.
    """

    async def unsettled(self, source: Source) -> frozenset[UUID]:
        """Name the people whom an event is sealed for that is still to be applied."""
        return frozenset(row[0] for row in await _UNSETTLED.rows(source))

    async def claim(self, session: AsyncSession, row: HrEvent) -> HrEvent | None:
        """Enter a new event; when its source has used the id, enter nothing and give the row that has it.

        Of two transactions that enter the same event the second waits here until the first has ended.
        """
        try:
            async with session.begin_nested():
                session.add(row)
        except IntegrityError:
            known = await session.scalar(
                select(HrEvent).where(HrEvent.source == row.source, HrEvent.event_id == row.event_id)
            )
            if known is None:
                raise
            return known
        return None

    async def enter(self, session: AsyncSession, row: HrEvent) -> None:
        """Enter an event under an id that nobody has used."""
        session.add(row)
        await session.flush()

    async def told(self, source: Source, client_id: str | None, event_id: str, named: str | None = None) -> list[Row]:
        """Find the events of one id, at most two, or the one that is of the source ``named``; those that ``client_id`` sent, or all."""
        values = {"event_id": event_id} if client_id is None else {"event_id": event_id, "client_id": client_id}
        if named is None:
            return list(await (_ANY_BY_ID if client_id is None else _BY_ID).rows(source, **values))
        query = _ANY_BY_SOURCE if client_id is None else _BY_SOURCE
        return list(await query.rows(source, **values, source_name=named))

    async def page(
        self, reader: Reader, client_id: str | None, criteria: LedgerCriteria, *, before: UUID | None, limit: int
    ) -> list[Row]:
        """List what ``client_id`` sent, or all that was sent, newest first, from ``before`` (the id of a row) on."""
        conditions: list[ColumnElement[bool]] = [] if client_id is None else [HrEvent.client_id == client_id]
        if criteria.state is not None:
            conditions.append(HrEvent.state == criteria.state)
        if criteria.type is not None:
            conditions.append(HrEvent.type == criteria.type)
        if criteria.source is not None:
            conditions.append(HrEvent.source == criteria.source)
        if criteria.entry is not None:
            conditions.append(HrEvent.id == criteria.entry)
        if criteria.subject_hash is not None:
            conditions.append(HrEvent.subject_hash == criteria.subject_hash)
        if before is not None:
            conditions.append(HrEvent.id < before)
        statement = _TOLD.where(*conditions).order_by(HrEvent.id.desc()).limit(limit)
        return await reader.fetch(reader.prepare(statement))

    async def named(self, reader: Reader, event_id: str) -> list[Row]:
        """Find the events of one id, whoever sent them: row, client, source, subject."""
        return await reader.fetch(reader.prepare(_NAMED), {"event_id": event_id})

    async def kept(self, source: Source, identity: UUID) -> Kept | None:
        """Load an event that is to be applied later; ``None`` where it, or the key that it is sealed under, is gone."""
        return next((_kept(row) for row in await _KEPT_ONE.rows(source, wanted=identity)), None)

    async def waiting(self, source: Source, subject_hash: bytes) -> Sequence[Kept]:
        """Load what waits for a subject, in the order of events."""
        return [_kept(row) for row in await _KEPT_OF.rows(source, digest=subject_hash)]

    async def let_go(self, source: Source, client_id: str, since: datetime) -> dict[UUID, bool]:
        """Name the people of whom ``client_id`` said since then, otherwise than by a head-count, that they leave; and who is gone."""
        found: dict[UUID, bool] = {}
        for contact, kind, state in await _LET_GO.rows(source, client_id=client_id, since=since):
            found[contact] = found.get(contact, False) or (kind, state) == ("employee.left", "applied")
        return found

    async def speaks(self, source: Source, client_id: str, name: str) -> bool:
        """Tell whether an account has sent events in the name of a source, or nobody has: one row of an index, for whoever has."""
        rows = await _SPEAKER.rows(source, name=name)
        if not rows or rows[0][0] == client_id:
            return True
        return bool(await _SPOKE.rows(source, client_id=client_id, name=name))

    async def due(self, source: Source, now: datetime, *, most: int) -> Sequence[UUID]:
        """Name the events that are to be looked at now."""
        return [row[0] for row in await _DUE.rows(source, now=now, most=most)]

    async def joiners(self, source: Source) -> Sequence[Joiner]:
        """List who is announced to join or to come back and has not yet, by department and day; what is held up is not counted on."""
        return [Joiner(department, at) for department, at in await _JOINERS.rows(source) if at is not None]

    async def lock(self, session: AsyncSession, identity: UUID) -> HrEvent | None:
        """Load an event that is not settled, as one's own; ``None`` where it is, or somebody else is at it."""
        statement = select(HrEvent).where(HrEvent.id == identity, HrEvent.state.in_(_OPEN))
        found: HrEvent | None = await session.scalar(
            statement.with_for_update(skip_locked=True).execution_options(populate_existing=True)
        )
        return found

    async def sent(self, session: AsyncSession, row: HrEvent, event_id: str) -> HrEvent | None:
        """Load another event of the same source, client and subject, as one's own."""
        found: HrEvent | None = await session.scalar(
            select(HrEvent)
            .where(
                HrEvent.source == row.source,
                HrEvent.event_id == event_id,
                HrEvent.client_id == row.client_id,
                HrEvent.subject_hash == row.subject_hash,
                HrEvent.id != row.id,
            )
            .with_for_update()
        )
        return found

    async def scheduled(self, session: AsyncSession, row: HrEvent) -> list[HrEvent]:
        """Load the other events of the same type that are scheduled for the same subject, as one's own."""
        statement = select(HrEvent).where(
            HrEvent.subject_hash == row.subject_hash,
            HrEvent.type == row.type,
            HrEvent.state == "scheduled",
            HrEvent.id != row.id,
        )
        return list(await session.scalars(statement.with_for_update()))

    async def holding(self, session: AsyncSession, row: HrEvent) -> list[Place]:
        """Say where the failed events stand that hold up what comes after them, this one left out."""
        statement = select(HrEvent).where(
            HrEvent.subject_hash == row.subject_hash, HrEvent.holds.is_(True), HrEvent.id != row.id
        )
        return [place_in(each) for each in await session.scalars(statement)]

    async def settled(self, session: AsyncSession, subject_hash: bytes, source: str, sequence: int) -> bool:
        """Tell whether the event of this sequence has had its turn."""
        statement = select(
            exists().where(
                HrEvent.subject_hash == subject_hash,
                HrEvent.source == source,
                HrEvent.sequence == sequence,
                HrEvent.state.in_(_SETTLED),
            )
        )
        return bool(await session.scalar(statement))

    async def wake(self, session: AsyncSession, subject_hash: bytes, *, at: datetime) -> None:
        """Let the worker look at everything that waits for a subject, unless whoever calls does so before it."""
        await session.execute(
            update(HrEvent)
            .where(HrEvent.subject_hash == subject_hash, HrEvent.state == "waiting", HrEvent.payload.is_not(None))
            .values(next_at=at)
            .execution_options(synchronize_session=False)
        )

    async def postpone(self, session: AsyncSession, identity: UUID, *, until: datetime) -> None:
        """Look at an event later, which nobody could see to now."""
        await session.execute(
            update(HrEvent)
            .where(HrEvent.id == identity, HrEvent.next_at.is_not(None))
            .values(next_at=until)
            .execution_options(synchronize_session=False)
        )


def place_in(row: HrEvent) -> Place:
    """Say where a row's event stands, as ``happenings.place_of`` says it of the event."""
    if row.placed_at is None or row.placed_at == row.at:
        return Place(row.at, row.source, row.sequence)
    return Place(row.placed_at, row.source)


def _kept(row: Row) -> Kept:
    identity, subject, source, event_id, sealed_for, envelope, *key = row
    return Kept(identity, bytes(subject), source, event_id, sealed_for, bytes(envelope), WrappedDataKey(*key))
