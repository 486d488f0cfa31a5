"""How much of others' reachable data one caller may be shown in a day.

A contact counts when a field of class C3 or above is masked or shown of it; one's own card and hotlines are free, and names always are.
A reveal has an allowance of its own. Counters belong to a person or a service account, not to a token or a process: they are kept in the
log's batch, where a look that would pass the limit is refused before anything is opened, and a look that passes an alarm is told to the
security log. A day is the company's own, by a fixed offset from UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from app.audit.stores import QuotaCharge
from app.kit.clock import Clock
from app.permissions.plan import Standing

CONTACTS: Final = "contacts"
REVEALS: Final = "reveals"

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowances:
    """Limits per day: of people, and of service accounts, each of which can have its own ceiling (``clients``)."""

    contacts: int = 2000
    reveals: int = 50
    service_contacts: int = 20_000
    clients: Mapping[str, int] = field(default_factory=dict)
    alarms: tuple[int, ...] = (250, 2500)


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the company: its ISO date, and when it is over."""

    text: str
    over_at: datetime


class Quotas:
    """Says what a look costs."""

    def __init__(self, allowances: Allowances, *, clock: Clock, utc_offset: timedelta) -> None:
        """Take the limits, the clock, and when the company's day begins (east of UTC)."""
        self._allowances, self._clock, self._offset = allowances, clock, utc_offset
        self._day = self._day_of(clock.now())

    def today(self) -> Day:
        """Give the company's day of now."""
        now = self._clock.now()
        if not self._day.over_at - _DAY <= now < self._day.over_at:
            self._day = self._day_of(now)
        return self._day

    def _day_of(self, now: datetime) -> Day:
        local = now + self._offset
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
        return Day(local.date().isoformat(), midnight - self._offset)

    def limits(self, standing: Standing) -> dict[str, int]:
        """Give a caller's limits by kind, in the order in which they are told."""
        allowances = self._allowances
        if standing.kind == "person":
            return {CONTACTS: allowances.contacts, REVEALS: allowances.reveals}
        return {CONTACTS: allowances.clients.get(standing.actor_id, allowances.service_contacts)}

    def contacts(self, standing: Standing, amount: int) -> QuotaCharge | None:
        """Charge for so many contacts; ``None`` when there is nothing to charge for."""
        if not amount:
            return None
        return self.charge(
            standing.actor_id, CONTACTS, amount, self.limits(standing)[CONTACTS], self._allowances.alarms
        )

    def reveal(self, standing: Standing) -> QuotaCharge:
        """Charge for one reveal; for a service account it is one contact of its ceiling."""
        if standing.kind != "person":
            return self.charge(standing.actor_id, CONTACTS, 1, self.limits(standing)[CONTACTS], self._allowances.alarms)
        return self.charge(standing.actor_id, REVEALS, 1, self._allowances.reveals)

    def charge(self, actor_id: str, kind: str, amount: int, limit: int, alarms: tuple[int, ...] = ()) -> QuotaCharge:
        """Charge ``amount`` of what an actor has of ``kind`` today."""
        day = self.today()
        return QuotaCharge(
            actor_id=actor_id,
            kind=kind,
            day=day.text,
            amount=amount,
            limit=limit,
            alarms=alarms,
            resets_at=day.over_at,
        )
