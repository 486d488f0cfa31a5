"""All queries on who is on call, and the MACs that make the rows believable. Nothing here commits.

A row that was written or edited past the service puts nobody on call: it is left out, and reported.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

import structlog
from sqlalchemy import Table, func, insert, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.roster_models import OnCallShift
from app.approvals.roster_rules import Shift
from app.auth.repository import Query, Source
from app.auth.roles import Role
from app.crypto.rowmac import RowSigner
from app.kit.db import Row

_TABLE: Final = OnCallShift.__tablename__
_ROWS: Final = cast("Table", OnCallShift.__table__)
_COLUMNS: Final[tuple[Any, ...]] = (
    OnCallShift.id,
    OnCallShift.role,
    OnCallShift.person_id,
    OnCallShift.starts_at,
    OnCallShift.ends_at,
    OnCallShift.filed_by,
    OnCallShift.created_at,
    OnCallShift.ended_at,
    OnCallShift.row_version,
    OnCallShift.mac,
)
_NAMES: Final = tuple(column.key for column in _COLUMNS[:-1])
_QUEUE: Final = select(func.pg_advisory_xact_lock(func.hashtextextended("on_call_shift", literal_column("0"))))

_log = structlog.get_logger("duanhao.security")


class RosterRepository:
    """Rows of ``on_call_shift``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of this table."""
        self._signer = signer

    async def between(self, source: Source, role: Role, since: datetime, until: datetime) -> list[Shift]:
        """Give the shifts of a role, none that was taken back, of which a moment lies in a half-open window; by time."""
        statement = select(*_COLUMNS).where(
            OnCallShift.role == role.value,
            OnCallShift.ended_at.is_(None),
            OnCallShift.ends_at > since,
            OnCallShift.starts_at < until,
        )
        return self._believed(await Query(statement.order_by(OnCallShift.starts_at)).rows(source))

    async def at(self, source: Source, role: Role, now: datetime) -> Shift | None:
        """Give whose shift it is."""
        statement = select(*_COLUMNS).where(
            OnCallShift.role == role.value,
            OnCallShift.ended_at.is_(None),
            OnCallShift.starts_at <= now,
            OnCallShift.ends_at > now,
        )
        rows = await Query(statement.order_by(OnCallShift.id)).rows(source)
        return next(iter(self._believed(rows)), None)

    async def coming(self, session: AsyncSession, person: UUID, now: datetime) -> list[Shift]:
        """Give the shifts of somebody that are not over, locked, by id."""
        statement = select(*_COLUMNS).where(
            OnCallShift.person_id == person, OnCallShift.ended_at.is_(None), OnCallShift.ends_at > now
        )
        rows = await session.execute(statement.order_by(OnCallShift.id).with_for_update())
        return self._believed([tuple(row) for row in rows])

    async def locked(self, session: AsyncSession, identity: UUID) -> Shift | None:
        """Load one and let nobody change it until the transaction ends; ``None`` also for a row that does not verify."""
        rows = await session.execute(select(*_COLUMNS).where(OnCallShift.id == identity).with_for_update())
        return next(iter(self._believed([tuple(row) for row in rows])), None)

    async def queue(self, session: AsyncSession) -> None:
        """Let shifts be written one after the other: two at once could overlap (SQLite has one writer anyway)."""
        if session.get_bind().dialect.name == "postgresql":
            await session.execute(_QUEUE)

    async def add(self, session: AsyncSession, new: Shift) -> None:
        """Write a new row."""
        await session.execute(insert(_ROWS), [self._row(new)])

    async def change(self, session: AsyncSession, after: Shift) -> None:
        """Write a row, which is locked, as it is to be."""
        await session.execute(update(_ROWS).where(_ROWS.c.id == after.id).values(**self._row(after)))

    def _believed(self, rows: Iterable[Row]) -> list[Shift]:
        found = []
        for *values, mac in rows:
            if self._signer.verify(_TABLE, tuple(values), mac):
                named = dict(zip(_NAMES, values, strict=True))
                found.append(Shift(**{**named, "role": Role(named["role"])}))
            else:
                _log.error("row_mac_mismatch", table=_TABLE, row=str(values[0]))
        return found

    def _row(self, each: Shift) -> dict[str, Any]:
        values = {name: getattr(each, name) for name in _NAMES} | {"role": each.role.value}
        return {**values, "mac": self._signer.sign(_TABLE, tuple(values[name] for name in _NAMES))}
