"""All queries on who decides for whom, and the MACs that make the rows believable. Nothing here commits.

A row that was written or edited past the service lets nobody decide anything: it is left out, and reported.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Literal, cast
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Table, bindparam, func, insert, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.approvals.delegation_models import Delegation
from app.approvals.delegation_rules import Cause, Delegated, Reason
from app.auth.repository import Query, Source
from app.crypto.rowmac import RowSigner, RowValue
from app.kit.db import Row
from app.kit.models import Id, Instant

_TABLE: Final = Delegation.__tablename__
_ROWS: Final = cast("Table", Delegation.__table__)
_COLUMNS: Final[tuple[Any, ...]] = (
    Delegation.id,
    Delegation.principal_id,
    Delegation.delegate_id,
    Delegation.kinds,
    Delegation.starts_at,
    Delegation.ends_at,
    Delegation.reason,
    Delegation.filed_by,
    Delegation.created_at,
    Delegation.ended_at,
    Delegation.cause,
    Delegation.row_version,
    Delegation.mac,
)
_QUEUE: Final = select(func.pg_advisory_xact_lock(func.hashtextextended("delegation", literal_column("0"))))

Side = Literal["delegate_id", "principal_id"]

_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which delegations are listed; every member that is given narrows. ``party`` is on either side, or filed it."""

    now: datetime
    principal_id: UUID | None = None
    delegate_id: UUID | None = None
    party: UUID | None = None
    live: bool | None = None
    before: UUID | None = None


class DelegationRepository:
    """Rows of ``delegation``."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of this table."""
        self._signer = signer

    async def received(self, source: Source, delegates: Collection[UUID], now: datetime) -> list[Delegated]:
        """Give what is in force and was given to one of these people."""
        return await self._live(source, "delegate_id", delegates, now)

    async def given(self, source: Source, principals: Collection[UUID], now: datetime) -> list[Delegated]:
        """Give what is in force and was given by one of these people."""
        return await self._live(source, "principal_id", principals, now)

    async def unended(self, source: Source, now: datetime, *, party: UUID | None = None) -> list[Delegated]:
        """Give what is or will be in force, of everybody or of one person on either side."""
        statement = select(*_COLUMNS).where(Delegation.ended_at.is_(None), Delegation.ends_at > now)
        if party is not None:
            statement = statement.where(_concerns(party))
        return self._believed(await Query(statement.order_by(Delegation.id)).rows(source))

    async def one(self, source: Source, identity: UUID) -> Delegated | None:
        """Load one, ended or not; ``None`` also for a row that does not verify."""
        rows = await Query(select(*_COLUMNS).where(Delegation.id == identity)).rows(source)
        return next(iter(self._believed(rows)), None)

    async def locked(self, session: AsyncSession, identity: UUID) -> Delegated | None:
        """Load one as ``one`` does and let nobody change it until the transaction ends."""
        rows = await session.execute(select(*_COLUMNS).where(Delegation.id == identity).with_for_update())
        return next(iter(self._believed([tuple(row) for row in rows])), None)

    async def page(self, source: Source, wanted: Wanted, *, limit: int) -> tuple[list[Delegated], UUID | None]:
        """List at most ``limit``, newest first, and give where the next page begins; rows that do not verify are left out of it."""
        statement = select(*_COLUMNS).where(*_conditions(wanted)).order_by(Delegation.id.desc()).limit(limit + 1)
        rows = await Query(statement).rows(source)
        return self._believed(rows[:limit]), cast("UUID", rows[limit - 1][0]) if len(rows) > limit else None

    async def queue(self, session: AsyncSession) -> None:
        """Let delegations be given one after the other: two at once could make a ring (SQLite has one writer anyway)."""
        if session.get_bind().dialect.name == "postgresql":
            await session.execute(_QUEUE)

    async def add(self, session: AsyncSession, new: Delegated) -> None:
        """Write a new row."""
        await session.execute(insert(_ROWS), [self._row(new)])

    async def change(self, session: AsyncSession, after: Delegated) -> bool:
        """Write a row as it is to be; ``False`` when somebody else changed it since it was read."""
        written = await session.execute(
            update(_ROWS)
            .where(_ROWS.c.id == after.id, _ROWS.c.row_version == after.row_version - 1)
            .values(**self._row(after))
        )
        return bool(cast("Any", written).rowcount)

    async def _live(self, source: Source, side: Side, people: Collection[UUID], now: datetime) -> list[Delegated]:
        if not people:
            return []
        wanted = sorted(people)
        wanted += wanted[-1:] * ((1 << (len(wanted) - 1).bit_length()) - len(wanted))
        named = {f"person{at}": person for at, person in enumerate(wanted)}
        return self._believed(await _in_force(side, len(wanted)).rows(source, now=now, **named))

    def _believed(self, rows: Iterable[Row]) -> list[Delegated]:
        found = []
        for *values, mac in rows:
            if self._signer.verify(_TABLE, _covered(values), mac):
                found.append(_delegated(values))
            else:
                _log.error("row_mac_mismatch", table=_TABLE, row=str(values[0]))
        return found

    def _row(self, each: Delegated) -> dict[str, Any]:
        kinds = None if each.kinds is None else sorted(each.kinds)
        values = {name: getattr(each, name) for name in _NAMES} | {"kinds": kinds}
        return {**values, "mac": self._signer.sign(_TABLE, _covered([values[name] for name in _NAMES]))}


@lru_cache(maxsize=32)
def _in_force(side: Side, size: int) -> Query:
    """Select what is in force of so many people; their number is rounded up by naming one again, so that few statements are compiled."""
    people = [bindparam(f"person{at}", type_=Id()) for at in range(size)]
    now = bindparam("now", type_=Instant())
    statement = select(*_COLUMNS).where(
        getattr(Delegation, side).in_(people),
        Delegation.ended_at.is_(None),
        Delegation.starts_at <= now,
        Delegation.ends_at > now,
    )
    return Query(statement.order_by(Delegation.id))


_NAMES: Final = tuple(column.key for column in _COLUMNS[:-1])
_KINDS: Final = _NAMES.index("kinds")


def _concerns(party: UUID) -> ColumnElement[bool]:
    return or_(Delegation.principal_id == party, Delegation.delegate_id == party)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.principal_id is not None:
        conditions.append(Delegation.principal_id == wanted.principal_id)
    if wanted.delegate_id is not None:
        conditions.append(Delegation.delegate_id == wanted.delegate_id)
    if wanted.party is not None:
        conditions.append(or_(_concerns(wanted.party), Delegation.filed_by == wanted.party))
    if wanted.live is not None:
        now = wanted.now
        in_force = (Delegation.ended_at.is_(None), Delegation.starts_at <= now, Delegation.ends_at > now)
        out_of_force = or_(Delegation.ended_at.is_not(None), Delegation.starts_at > now, Delegation.ends_at <= now)
        conditions += in_force if wanted.live else (out_of_force,)
    if wanted.before is not None:
        conditions.append(Delegation.id < wanted.before)
    return conditions


def _covered(values: Iterable[Any]) -> tuple[RowValue, ...]:
    """Give the values under the MAC; a list that somebody put other things into is covered as text, and does not verify."""
    covered = list(values)
    kinds = covered[_KINDS]
    if kinds is not None:
        covered[_KINDS] = tuple(map(str, kinds)) if isinstance(kinds, list) else repr(kinds)
    return tuple(covered)


def _delegated(values: Iterable[Any]) -> Delegated:
    named = dict(zip(_NAMES, values, strict=True))
    kinds, cause = named["kinds"], named["cause"]
    return Delegated(
        **{
            **named,
            "kinds": None if kinds is None else frozenset(kinds),
            "reason": Reason(named["reason"]),
            "cause": None if cause is None else Cause(cause),
        }
    )
