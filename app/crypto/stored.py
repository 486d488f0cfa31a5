"""Wrapped data keys in the store, for those who load and make people: the columns of a join, one key, a new row.

Keeps the table itself inside this package.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, bindparam, delete, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto.datakey import WrappedDataKey
from app.crypto.models import DataKeyRow
from app.crypto.sealer import Sealer
from app.kit.db import Statement
from app.kit.models import Id

_TABLE: Final = cast("Table", DataKeyRow.__table__)

KEY_COLUMNS: Final = (DataKeyRow.handle, DataKeyRow.version, DataKeyRow.kek_version, DataKeyRow.wrapped)
"""What a statement selects of a key, in the order of ``WrappedDataKey``."""
KEY_OF: Final[Any] = select(*KEY_COLUMNS).where(DataKeyRow.subject_id == bindparam("subject", type_=Id()))
"""One person's key, of whoever is named as ``subject``; no row when there is none, or none any more."""


def with_key(statement: Statement, subject: ColumnElement[UUID]) -> Statement:
    """Join the data key of ``subject`` to a statement that selects ``KEY_COLUMNS``."""
    return statement.join(DataKeyRow, DataKeyRow.subject_id == subject)


async def stored_key(session: AsyncSession, subject: UUID) -> WrappedDataKey:
    """Load a person's wrapped key inside a transaction."""
    row = await session.get_one(DataKeyRow, subject)
    return WrappedDataKey(row.handle, row.version, row.kek_version, row.wrapped)


async def found_key(session: AsyncSession, subject: UUID) -> WrappedDataKey | None:
    """Load a wrapped key inside a transaction, if there is one."""
    row = await session.get(DataKeyRow, subject)
    return None if row is None else WrappedDataKey(row.handle, row.version, row.kek_version, row.wrapped)


def add_key(session: AsyncSession, subject: UUID, wrapped: WrappedDataKey, *, at: datetime) -> None:
    """Store a new person's wrapped key, in the transaction that makes the person."""
    session.add(DataKeyRow(**_row(subject, wrapped, at)))


async def drop_keys(session: AsyncSession, subjects: Iterable[UUID]) -> None:
    """Delete the keys of subjects who are no persons: whatever copies of their boxes there are, they open no more."""
    await session.execute(delete(_TABLE).where(_TABLE.c.subject_id.in_(list(subjects))))


def has_key(subject: ColumnElement[UUID]) -> Select[UUID]:
    """Select the key of ``subject``, of a statement around this one, to be asked whether there is one."""
    return select(DataKeyRow.subject_id).where(DataKeyRow.subject_id == subject)


async def destroy_key(session: AsyncSession, subject: UUID) -> bool:
    """Delete a person's key, and overwrite what is freed where the store leaves that to us; tell whether there was one."""
    await overwritten(session)
    gone = delete(_TABLE).where(_TABLE.c.subject_id == subject).returning(_TABLE.c.subject_id)
    return (await session.execute(gone)).first() is not None


async def overwritten(session: AsyncSession) -> None:
    """Let SQLite overwrite what this connection deletes from now on; PostgreSQL keeps dead rows until ``VACUUM``."""
    if session.get_bind().dialect.name == "sqlite":
        await session.execute(text("PRAGMA secure_delete = ON"))


async def ensure_key(session: AsyncSession, sealer: Sealer, subject: UUID, *, at: datetime) -> None:
    """Store a key for a subject who is no person, unless there is one; safe when several processes do so at once."""
    if await session.get(DataKeyRow, subject) is not None:
        return
    _, wrapped = sealer.new(subject)
    try:
        async with session.begin_nested():
            add_key(session, subject, wrapped, at=at)
    except IntegrityError:
        if await session.get(DataKeyRow, subject) is None:
            raise


async def add_keys(session: AsyncSession, keys: Iterable[tuple[UUID, WrappedDataKey]], *, at: datetime) -> None:
    """Store the wrapped keys of many new people at once, in the transaction that makes them."""
    rows = [_row(subject, wrapped, at) for subject, wrapped in keys]
    if rows:
        await session.execute(insert(_TABLE), rows)


def _row(subject: UUID, wrapped: WrappedDataKey, at: datetime) -> dict[str, Any]:
    return {
        "subject_id": subject,
        "handle": wrapped.handle,
        "version": wrapped.version,
        "kek_version": wrapped.kek_version,
        "wrapped": wrapped.wrapped,
        "created_at": at,
    }
