"""Destroying keys of history: which would go, that they go, and which went.

A key is destroyed by overwriting its wrapped form with nothing in its row, which stays, as a store that never had it could not be told from
one that lost it. Whole directories are walked by handle, a few thousand keys at a time, so that nothing waits for one long computation.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final, NamedTuple, cast
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, Integer, LargeBinary, Select, and_, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto.models import HistoryKeyRow
from app.crypto.stored import overwritten
from app.kit.models import Id
from app.kit.query import Query, Source

_AT_ONCE: Final = 1000
_PAGE: Final = 4000


class KeptKey(NamedTuple):
    """A key of history without its wrapped form: handle (8 bytes), whose history it is, and of which quarter."""

    handle: bytes
    subject: UUID
    quarter: int

    def leaf(self) -> bytes:
        """Serialise what a certificate states of the key: 28 bytes of fixed widths."""
        return self.handle + self.subject.bytes + self.quarter.to_bytes(4, "big")


_KEPT: Final = (HistoryKeyRow.handle, HistoryKeyRow.subject_id, HistoryKeyRow.quarter)
_AFTER: Final = HistoryKeyRow.handle > bindparam("after", b"", type_=LargeBinary())
_LIMIT: Final = bindparam("page", _PAGE, type_=Integer())
_DESTROYED: Final = Query(
    select(*_KEPT)
    .where(HistoryKeyRow.purge_id == bindparam("purge", type_=Id()), _AFTER)
    .order_by(HistoryKeyRow.handle)
    .limit(_LIMIT)
)
_OF_ONE: Final = Query(
    select(*_KEPT)
    .where(HistoryKeyRow.subject_id == bindparam("subject", type_=Id()), HistoryKeyRow.wrapped.is_not(None))
    .order_by(HistoryKeyRow.handle)
)


def lives_before(quarter: int) -> ColumnElement[bool]:
    """Say that a row of ``history_key`` is of an earlier quarter and not destroyed."""
    return and_(HistoryKeyRow.wrapped.is_not(None), HistoryKeyRow.quarter < quarter)


def lives_of(subject: ColumnElement[UUID]) -> Select[UUID]:
    """Select the keys of ``subject``'s history that are not destroyed, within a statement, to be asked whether there are any."""
    return select(HistoryKeyRow.subject_id).where(
        HistoryKeyRow.subject_id == subject, HistoryKeyRow.wrapped.is_not(None)
    )


def went_with(purge: UUID) -> ColumnElement[bool]:
    """Say that a row of ``history_key`` was destroyed by a purge."""
    return HistoryKeyRow.purge_id == purge


async def live_keys(
    source: Source, quarter: int, among: Select[UUID] | None = None
) -> AsyncIterator[Sequence[KeptKey]]:
    """Walk the keys of quarters before ``quarter`` that are not destroyed, by handle; ``among`` selects whose alone."""
    statement = select(*_KEPT).where(lives_before(quarter), _AFTER)
    if among is not None:
        statement = statement.where(HistoryKeyRow.subject_id.in_(among))
    walk, after = Query(statement.order_by(HistoryKeyRow.handle).limit(_LIMIT)), b""
    while page := [KeptKey(*row) for row in await walk.rows(source, after=after, page=_PAGE)]:
        yield page
        if len(page) < _PAGE:
            return
        after = page[-1].handle


async def keys_of(source: Source, subject: UUID) -> Sequence[KeptKey]:
    """List every key of one person's history that is not destroyed, of whichever quarter, by handle."""
    return [KeptKey(*row) for row in await _OF_ONE.rows(source, subject=subject)]


async def destroyed_keys(source: Source, purge: UUID, *, after: bytes = b"", limit: int = _PAGE) -> Sequence[KeptKey]:
    """List the keys that a purge destroyed, by handle, from after ``after`` on."""
    return [KeptKey(*row) for row in await _DESTROYED.rows(source, purge=purge, after=after, page=limit)]


async def destroy(session: AsyncSession, handles: Sequence[bytes], *, purge: UUID, at: datetime) -> int:
    """Destroy these keys, in the caller's transaction; give how many of them were there to destroy."""
    await overwritten(session)
    rest, count = iter(handles), 0
    while some := list(islice(rest, _AT_ONCE)):
        done = await session.execute(
            update(HistoryKeyRow)
            .where(HistoryKeyRow.handle.in_(some), HistoryKeyRow.wrapped.is_not(None))
            .values(wrapped=None, destroyed_at=at, purge_id=purge)
            .execution_options(synchronize_session=False)
        )
        count += cast("CursorResult[Any]", done).rowcount
    return count


async def note_destroyed(session: AsyncSession, keys: Sequence[KeptKey], *, purge: UUID, at: datetime) -> int:
    """Put down as destroyed those of ``keys`` that the store does not have at all; give how many these were."""
    count = 0
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        there = await session.scalars(
            select(HistoryKeyRow.handle).where(HistoryKeyRow.handle.in_([key.handle for key in some]))
        )
        known = set(there)
        for key in some:
            if key.handle not in known:
                row = HistoryKeyRow(handle=key.handle, subject_id=key.subject, quarter=key.quarter, kek_version=0)
                row.created_at = row.destroyed_at = at
                row.wrapped, row.purge_id = None, purge
                session.add(row)
                count += 1
    await session.flush()
    return count
