"""All queries on purges. Nothing here commits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Integer, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.history.models import HistoryPurge
from app.kit.models import Id, Instant
from app.kit.query import Query, Source

_COLUMNS: Final = (HistoryPurge.id, HistoryPurge.at, HistoryPurge.note)
_AT: Final = bindparam("at", type_=Instant())
_ONE: Final = Query(select(*_COLUMNS).where(HistoryPurge.id == bindparam("id", type_=Id())), by_key=True)
_NEWEST: Final = Query(
    select(*_COLUMNS).order_by(HistoryPurge.at.desc(), HistoryPurge.id.desc()).limit(bindparam("page", type_=Integer()))
)
_BEFORE: Final = Query(
    select(*_COLUMNS)
    .where(
        or_(
            HistoryPurge.at < _AT,
            (HistoryPurge.at == _AT) & (HistoryPurge.id < bindparam("before", type_=Id())),
        )
    )
    .order_by(HistoryPurge.at.desc(), HistoryPurge.id.desc())
    .limit(bindparam("page", type_=Integer()))
)


class Purge(NamedTuple):
    """A purge as stored: the id of its request, when, and the signed note."""

    id: UUID
    at: datetime
    note: str


class PurgeRepository:
    """Rows of ``history_purge``."""

    async def one(self, source: Source, identity: UUID) -> Purge | None:
        """Give one; ``None`` when there is none."""
        rows = await _ONE.rows(source, id=identity)
        return Purge(*rows[0]) if rows else None

    async def page(self, source: Source, before: tuple[datetime, UUID] | None, *, limit: int) -> Sequence[Purge]:
        """List purges, newest first, from before one (its time and id) on."""
        if before is None:
            return [Purge(*row) for row in await _NEWEST.rows(source, page=limit)]
        at, identity = before
        return [Purge(*row) for row in await _BEFORE.rows(source, at=at, before=identity, page=limit)]

    async def add(self, session: AsyncSession, purge: Purge) -> None:
        """Keep one; a second of the same id breaks the primary key."""
        session.add(HistoryPurge(id=purge.id, at=purge.at, note=purge.note))
        await session.flush()
