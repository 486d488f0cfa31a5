"""How much may be looked up on a day, and when the next day begins. Charged by the log, in the transaction that records the lookup.

Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from math import ceil
from typing import Final

from app.audit.stores import QuotaCharge
from app.permissions.plan import Standing

KIND: Final = "lookup"


@dataclass(frozen=True, slots=True)
class LookupLimits:
    """Terms a day: of a person, of a service account, of service accounts with a ceiling of their own; and when a day begins."""

    person: int
    service: int
    clients: Mapping[str, int] = field(default_factory=dict)
    utc_offset: timedelta = timedelta()

    def charge(self, standing: Standing, terms: int, now: datetime) -> QuotaCharge:
        """Say what a lookup of so many terms costs whom."""
        limit = self.person
        if standing.kind != "person":
            limit = self.clients.get(standing.client_id, self.service)
        day = (now + self.utc_offset).date().isoformat()
        return QuotaCharge(actor_id=standing.actor_id, kind=KIND, day=day, amount=terms, limit=limit)

    def seconds_left(self, now: datetime) -> int:
        """Tell in how many seconds the day is over, at least one."""
        local = now + self.utc_offset
        midnight = datetime.combine(local.date() + timedelta(days=1), time(), UTC)
        return max(1, ceil((midnight - local).total_seconds()))
