"""All queries on grants, and the MACs that make their rows believable. Nothing here commits.

Giving or ending a grant moves its holder's epoch in the same transaction, so a look that was being prepared with it is decided anew.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, cast
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, bindparam, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth import epochs
from app.auth.repository import Holder, Query, Source
from app.crypto.rowmac import RowSigner
from app.kit.db import Row, Statement
from app.kit.models import Id, Instant, new_id
from app.permissions.grants import Grant, NewGrant, Wanted
from app.permissions.models import AccessGrant
from app.permissions.outcomes import FieldClass, Outcome, Purpose
from app.permissions.plan import GrantScope, LiveGrant

__all__ = ["GrantRepository", "NewGrant"]

_TABLE: Final = "access_grant"
_log = structlog.get_logger("duanhao.security")

_COLUMNS: Final = (
    AccessGrant.id,
    AccessGrant.account_id,
    AccessGrant.contact_id,
    AccessGrant.department_id,
    AccessGrant.scope_kind,
    AccessGrant.scope_value,
    AccessGrant.fields,
    AccessGrant.outcome,
    AccessGrant.purpose,
    AccessGrant.request_id,
    AccessGrant.starts_at,
    AccessGrant.ends_at,
    AccessGrant.revoked_at,
    AccessGrant.lifts,
    AccessGrant.mac,
)
_NOW: Final = bindparam("now", type_=Instant())


def _unended(account_id: ColumnElement[UUID]) -> Statement:
    return select(*_COLUMNS).where(
        AccessGrant.account_id == account_id, AccessGrant.revoked_at.is_(None), AccessGrant.ends_at > _NOW
    )


_UNENDED: Final = Query(_unended(bindparam("account_id", type_=Id())))
_ONE: Final = Query(select(*_COLUMNS).where(AccessGrant.id == bindparam("id", type_=Id())))


class GrantRepository:
    """Rows of ``access_grant``."""

    def __init__(self, signer: RowSigner, classes: Mapping[str, FieldClass]) -> None:
        """Take the signer of this table and the class of every field that a grant can name."""
        self._signer, self._classes = signer, classes

    async def live(self, source: Source, account_id: UUID, now: datetime) -> tuple[LiveGrant, ...]:
        """Load the grants of an account that are or will be in force; rows edited past us are left out and reported."""
        return self.told(await _UNENDED.rows(source, account_id=account_id, now=now), now)

    def of_holder(self, holder: Holder) -> Statement:
        """Select the rows that ``told`` reads, of one account, at the time bound as ``now``."""
        return _unended(holder.account)

    def told(self, rows: Sequence[Row], now: datetime) -> tuple[LiveGrant, ...]:  # noqa: ARG002 — the rows are of that time
        """Give the grants that these rows are; rows edited past us are left out and reported."""
        return tuple(
            LiveGrant(
                id=grant.id,
                scope=grant.scope,
                fields={name: self._classes[name] for name in grant.fields if name in self._classes},
                outcome=grant.outcome,
                purpose=grant.purpose,
                starts_at=grant.starts_at,
                ends_at=grant.ends_at,
                lifts=grant.lifts,
            )
            for grant in map(self._genuine, rows)
            if grant is not None
        )

    async def one(self, source: Source, identity: UUID) -> Grant | None:
        """Load one grant, ended or not; ``None`` also for a row edited past us, which is reported."""
        rows = await _ONE.rows(source, id=identity)
        return self._genuine(rows[0]) if rows else None

    async def page(self, source: Source, wanted: Wanted, *, limit: int) -> tuple[list[Grant], UUID | None]:
        """List at most ``limit`` grants, newest first, and give where the next page begins; rows edited past us are left out."""
        asked: dict[str, object] = {"now": wanted.now} if wanted.live is not None else {}
        asked |= {
            name: value
            for name, value in (
                ("account_id", wanted.account_id),
                ("kind", wanted.kind),
                ("value", wanted.value),
                ("before", wanted.before),
            )
            if value is not None
        }
        if wanted.value is not None:
            asked["identity"] = _identity(wanted.value)
        rows = await _listing(frozenset(asked), wanted.live).rows(source, **asked, most=limit + 1)
        grants = [grant for grant in map(self._genuine, rows[:limit]) if grant is not None]
        return grants, cast("UUID", rows[limit - 1][0]) if len(rows) > limit else None

    async def add(self, session: AsyncSession, grant: NewGrant, *, at: datetime) -> UUID:
        """Write a grant."""
        row = AccessGrant(
            id=new_id(),
            account_id=grant.account_id,
            scope_kind=grant.scope.kind,
            scope_value=grant.scope.value,
            fields=list(grant.fields),
            outcome=grant.outcome.name,
            purpose=grant.purpose.value,
            request_id=grant.request_id,
            starts_at=grant.starts_at,
            ends_at=grant.ends_at,
            lifts=grant.lifts,
            created_at=at,
        )
        self._sign(row)
        session.add(row)
        await session.flush()
        await epochs.bump(session, f"user:{grant.account_id}")
        return row.id

    async def end(self, session: AsyncSession, grant: Grant, *, at: datetime) -> bool:
        """Revoke one grant; ``False`` when somebody else just has."""
        row = await session.get(AccessGrant, grant.id, with_for_update=True, populate_existing=True)
        if row is None or row.revoked_at is not None or self._genuine(_values(row)) is None:
            return False
        row.revoked_at = at
        self._sign(row)
        await session.flush()
        await epochs.bump(session, f"user:{grant.account_id}")
        return True

    async def shorten(self, session: AsyncSession, grant: Grant, *, until: datetime) -> bool:
        """Let one grant end earlier; ``False`` when it is over or ends by then anyway. Nothing here makes one longer."""
        row = await session.get(AccessGrant, grant.id, with_for_update=True, populate_existing=True)
        if row is None or self._genuine(_values(row)) is None:
            return False
        if row.revoked_at is not None or not row.starts_at < until < row.ends_at:
            return False
        row.ends_at = until
        self._sign(row)
        await session.flush()
        await epochs.bump(session, f"user:{grant.account_id}")
        return True

    async def end_all(
        self, session: AsyncSession, account_id: UUID, *, at: datetime, before: datetime | None = None
    ) -> None:
        """Revoke every grant of an account, or those that began ``before``; the caller, who changes the account too, moves its epoch."""
        live = select(AccessGrant).where(AccessGrant.account_id == account_id, AccessGrant.revoked_at.is_(None))
        if before is not None:
            live = live.where(AccessGrant.starts_at < before)
        rows = await session.scalars(live.with_for_update())
        for row in rows:
            row.revoked_at = at
            self._sign(row)

    def _genuine(self, row: Any) -> Grant | None:  # noqa: ANN401 — a row of either driver
        *values, mac = row
        if not self._signer.verify(_TABLE, _covered(values), mac):
            _log.error("row_mac_mismatch", table=_TABLE, row=str(values[0]))
            return None
        identity, account, contact, department, kind, value, names, *others = values
        outcome, purpose, request, starts, ends, ended, lifts = others
        if kind is None:
            kind, value = ("contact", str(contact)) if contact is not None else ("department", str(department))
        return Grant(
            id=identity,
            account_id=account,
            scope=GrantScope(kind, value),
            fields=tuple(names),
            outcome=Outcome[outcome],
            purpose=Purpose(purpose),
            request_id=request,
            starts_at=starts,
            ends_at=ends,
            revoked_at=ended,
            lifts=lifts,
        )

    def _sign(self, row: AccessGrant) -> None:
        *values, _ = _values(row)
        row.mac = self._signer.sign(_TABLE, _covered(values))


def _values(row: AccessGrant) -> list[Any]:
    return [getattr(row, column.key) for column in _COLUMNS]


def _covered(values: list[Any]) -> tuple[Any, ...]:
    """Give what a row's MAC covers; of rows from before there were scopes, what it covered then, and of those that lift that they do."""
    identity, account, contact, department, kind, value, names, *others, lifts = values
    scope = (contact, department) if kind is None else (contact, department, kind, value)
    return (identity, account, *scope, tuple(names), *others, *(("lifts",) if lifts else ()))


def _identity(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@lru_cache(maxsize=64)
def _listing(asked: frozenset[str], live: bool | None) -> Query:  # noqa: FBT001 — a filter: yes, no, either
    """Write the list for one set of filters."""
    in_force = (AccessGrant.revoked_at.is_(None)) & (AccessGrant.starts_at <= _NOW) & (AccessGrant.ends_at > _NOW)
    kind, value = (
        bindparam("kind", type_=AccessGrant.scope_kind.type),
        bindparam("value", type_=AccessGrant.scope_value.type),
    )
    identity = bindparam("identity", type_=Id())
    clauses: dict[str, ColumnElement[bool]] = {
        "account_id": AccessGrant.account_id == bindparam("account_id", type_=Id()),
        "before": AccessGrant.id < bindparam("before", type_=Id()),
        "kind": or_(
            AccessGrant.scope_kind == kind,
            AccessGrant.contact_id.is_not(None) & (kind == "contact"),
            AccessGrant.department_id.is_not(None) & (kind == "department"),
        ),
        "value": or_(
            AccessGrant.scope_value == value, AccessGrant.contact_id == identity, AccessGrant.department_id == identity
        ),
    }
    wanted = [clause for name, clause in clauses.items() if name in asked]
    if live is not None:
        wanted.append(in_force if live else not_(in_force))
    return Query(select(*_COLUMNS).where(*wanted).order_by(AccessGrant.id.desc()).limit(bindparam("most")))
