"""All queries on grants, and the MACs that make their rows believable. Nothing here commits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.repository import Query, Source
from app.crypto.rowmac import RowSigner
from app.kit.models import Instant, new_id
from app.permissions.models import AccessGrant
from app.permissions.outcomes import FieldClass, Outcome, Purpose
from app.permissions.plan import GrantScope, LiveGrant

_log = structlog.get_logger("duanhao.security")

_LIVE: Final = Query(
    select(
        AccessGrant.id,
        AccessGrant.account_id,
        AccessGrant.contact_id,
        AccessGrant.department_id,
        AccessGrant.fields,
        AccessGrant.outcome,
        AccessGrant.purpose,
        AccessGrant.request_id,
        AccessGrant.starts_at,
        AccessGrant.ends_at,
        AccessGrant.revoked_at,
        AccessGrant.mac,
    ).where(
        AccessGrant.account_id == bindparam("account_id", type_=AccessGrant.account_id.type),
        AccessGrant.revoked_at.is_(None),
        AccessGrant.ends_at > bindparam("now", type_=Instant()),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGrant:
    """What an approved request gives: to whom, over what, until when."""

    account_id: UUID
    contact_id: UUID | None = None
    department_id: UUID | None = None
    fields: tuple[str, ...]
    outcome: Outcome
    purpose: Purpose
    request_id: UUID
    starts_at: datetime
    ends_at: datetime


class GrantRepository:
    """Rows of ``access_grant``."""

    def __init__(self, signer: RowSigner, classes: Mapping[str, FieldClass]) -> None:
        """Take the signer of this table and the class of every field that a grant can name."""
        self._signer, self._classes = signer, classes

    async def live(self, source: Source, account_id: UUID, now: datetime) -> tuple[LiveGrant, ...]:
        """Load the grants of an account that are or will be in force; rows edited past us are left out and reported."""
        found = []
        for row in await _LIVE.rows(source, account_id=account_id, now=now):
            *values, mac = row
            values[4] = tuple(values[4])
            if not self._signer.verify("access_grant", tuple(values), mac):
                _log.error("row_mac_mismatch", table="access_grant", row=str(values[0]))
                continue
            identity, _, contact_id, department_id, names, outcome, purpose, _, starts_at, ends_at, _ = values
            fields = {name: self._classes[name] for name in names if name in self._classes}
            found.append(
                LiveGrant(
                    id=identity,
                    scope=GrantScope("department", str(department_id))
                    if contact_id is None
                    else GrantScope("contact", str(contact_id)),
                    fields=fields,
                    outcome=Outcome[outcome],
                    purpose=Purpose(purpose),
                    starts_at=starts_at,
                    ends_at=ends_at,
                )
            )
        return tuple(found)

    async def add(self, session: AsyncSession, grant: NewGrant, *, at: datetime) -> UUID:
        """Write a grant; the caller moves the account's epoch in the same transaction."""
        row = AccessGrant(
            id=new_id(),
            account_id=grant.account_id,
            contact_id=grant.contact_id,
            department_id=grant.department_id,
            fields=list(grant.fields),
            outcome=grant.outcome.name,
            purpose=grant.purpose.value,
            request_id=grant.request_id,
            starts_at=grant.starts_at,
            ends_at=grant.ends_at,
            created_at=at,
        )
        self._sign(row)
        session.add(row)
        return row.id

    async def end_all(self, session: AsyncSession, account_id: UUID, *, at: datetime) -> None:
        """Revoke every grant of an account, as its holder leaves or moves."""
        rows = await session.scalars(
            select(AccessGrant)
            .where(AccessGrant.account_id == account_id, AccessGrant.revoked_at.is_(None))
            .with_for_update()
        )
        for row in rows:
            row.revoked_at = at
            self._sign(row)

    def _sign(self, row: AccessGrant) -> None:
        values: tuple[Any, ...] = (
            row.id,
            row.account_id,
            row.contact_id,
            row.department_id,
            tuple(row.fields),
            row.outcome,
            row.purpose,
            row.request_id,
            row.starts_at,
            row.ends_at,
            row.revoked_at,
        )
        row.mac = self._signer.sign("access_grant", values)
