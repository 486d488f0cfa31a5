"""Grants as values: what an approved request gives, what is kept of it, and how grants are asked for. Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.permissions.exceptions import GrantScope, ScopeKind
from app.permissions.outcomes import Outcome, Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGrant:
    """What an approved request gives: to whom, over whom, until when; ``lifts`` as ``LiveGrant`` has it."""

    account_id: UUID
    scope: GrantScope
    fields: tuple[str, ...]
    outcome: Outcome
    purpose: Purpose
    request_id: UUID
    starts_at: datetime
    ends_at: datetime
    lifts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(NewGrant):
    """A grant as it is kept; ``revoked_at`` when it was ended before its time."""

    id: UUID
    revoked_at: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """Tell whether it counts at ``now``: from its first moment to just before its last."""
        return self.revoked_at is None and self.starts_at <= now < self.ends_at

    def is_over(self, now: datetime) -> bool:
        """Tell whether nothing is left of it to end."""
        return self.revoked_at is not None or now >= self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which grants a list asks for; ``None`` leaves a member open. ``before`` is the id of the last one of the page before."""

    now: datetime
    account_id: UUID | None = None
    kind: ScopeKind | None = None
    value: str | None = None
    live: bool | None = None
    before: UUID | None = None
