"""Wrapped keys of history in the store, for those who write history, read it and purge it: a join, one key, new rows.

Keeps the table itself inside this package.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import ColumnElement, LargeBinary, Table, and_, func, insert, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto.envelope import HANDLE_AT, HANDLE_SIZE
from app.crypto.historykey import WrappedHistoryKey
from app.crypto.models import HistoryKeyRow
from app.kit.db import Row, Statement
from app.kit.straight import Straight

_TABLE: Final = cast("Table", HistoryKeyRow.__table__)

HISTORY_KEY_COLUMNS: Final = (
    HistoryKeyRow.handle,
    HistoryKeyRow.quarter,
    HistoryKeyRow.kek_version,
    HistoryKeyRow.wrapped,
)
"""What a statement selects of a key, in the order of ``WrappedHistoryKey``; the last is ``NULL`` for one that is destroyed."""
ADD_HISTORY_KEY: Final = Straight(insert(_TABLE), columns=[column.key for column in _TABLE.columns])
"""Stores what ``history_key_row`` gives."""

_FIRST_OF_HANDLE: Final[ColumnElement[int]] = literal_column(str(HANDLE_AT + 1))
_SIZE_OF_HANDLE: Final[ColumnElement[int]] = literal_column(str(HANDLE_SIZE))


def with_live_key(statement: Statement, subject: ColumnElement[UUID], quarter: ColumnElement[int]) -> Statement:
    """Join to ``subject`` the key of its history of ``quarter``, if there is one that is not destroyed."""
    live = and_(
        HistoryKeyRow.subject_id == subject, HistoryKeyRow.quarter == quarter, HistoryKeyRow.wrapped.is_not(None)
    )
    return statement.outerjoin(HistoryKeyRow, live)


def with_named_key(statement: Statement, subject: ColumnElement[UUID], envelope: ColumnElement[bytes]) -> Statement:
    """Join the key of history that an envelope of ``subject`` names, if it names one of these, destroyed or not."""
    return statement.outerjoin(HistoryKeyRow, names_key(subject, envelope))


def names_key(subject: ColumnElement[UUID], envelope: ColumnElement[bytes]) -> ColumnElement[bool]:
    """Say that a row of ``history_key`` is the one that an envelope of ``subject`` names."""
    handle = func.substr(envelope, _FIRST_OF_HANDLE, _SIZE_OF_HANDLE, type_=LargeBinary())
    return and_(HistoryKeyRow.handle == handle, HistoryKeyRow.subject_id == subject)


def stored_history_key(row: Row) -> WrappedHistoryKey | None:
    """Read ``HISTORY_KEY_COLUMNS``; ``None`` where no key was joined, or one that is destroyed."""
    return None if row[0] is None or row[3] is None else WrappedHistoryKey(row[0], row[1], row[2], row[3])


async def live_history_key(session: AsyncSession, subject: UUID, quarter: int) -> WrappedHistoryKey | None:
    """Load the key of a person's history of a quarter inside a transaction; ``None`` when there is none that is not destroyed."""
    found = await session.execute(
        select(*HISTORY_KEY_COLUMNS)
        .where(
            HistoryKeyRow.subject_id == subject, HistoryKeyRow.quarter == quarter, HistoryKeyRow.wrapped.is_not(None)
        )
        .order_by(HistoryKeyRow.handle)
        .limit(1)
    )
    row = found.first()
    return None if row is None else stored_history_key(tuple(row))


async def add_history_keys(
    session: AsyncSession, keys: Iterable[tuple[UUID, WrappedHistoryKey]], *, at: datetime
) -> None:
    """Store wrapped keys of history, in the transaction that stores what they seal."""
    await ADD_HISTORY_KEY.each(session, [history_key_row(subject, wrapped, at=at) for subject, wrapped in keys])


def history_key_row(subject: UUID, wrapped: WrappedHistoryKey, *, at: datetime) -> Mapping[str, Any]:
    """Lay out a new row."""
    return {
        "handle": wrapped.handle,
        "subject_id": subject,
        "quarter": wrapped.quarter,
        "kek_version": wrapped.kek_version,
        "wrapped": wrapped.wrapped,
        "created_at": at,
        "destroyed_at": None,
        "purge_id": None,
    }
