"""Who is on call: shifts that follow one another, what they leave open, and who may write them.

Pure. A shift is half open: who is on call until eight is not on call at eight. Of one role one person is on call at a time.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final
from uuid import UUID

from app.auth.roles import Role

SHANGHAI: Final = timezone(timedelta(hours=8))
"""Where a day of a roster begins and ends; there is no summer time."""
SHORTEST: Final = timedelta(hours=1)
LONGEST: Final = timedelta(days=31)
SOON: Final = timedelta(days=366)
"""How far ahead a shift can begin."""
WINDOW: Final = timedelta(days=92)
"""How much of a roster is read at once."""

_ITS_OWN: Final[Mapping[Role, Role]] = {
    Role.IT: Role.SYSTEM_ADMIN,
    Role.SYSTEM_ADMIN: Role.SYSTEM_ADMIN,
    Role.INFOSEC: Role.INFOSEC,
    Role.AUDITOR: Role.INFOSEC,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One person on call for a role from ``starts_at`` to just before ``ends_at``."""

    id: UUID
    role: Role
    person_id: UUID
    starts_at: datetime
    ends_at: datetime
    filed_by: UUID
    created_at: datetime
    ended_at: datetime | None = None
    row_version: int = 1

    def live(self, now: datetime) -> bool:
        """Tell whether it is this shift now."""
        return self.ended_at is None and self.starts_at <= now < self.ends_at

    def over(self, now: datetime) -> bool:
        """Tell whether it will not be this shift again."""
        return self.ended_at is not None or self.ends_at <= now

    def ended(self, now: datetime) -> "Shift":
        """Give it taken back."""
        return replace(self, ended_at=now, row_version=self.row_version + 1)


def writer_of(role: Role) -> Role:
    """Say who writes the roster of a role: IT's the system administrator, security's and audit's security, every other 行政."""
    return _ITS_OWN.get(role, Role.ADMINISTRATION)


def overlap(new: Shift, others: Iterable[Shift]) -> Shift | None:
    """Give the first of ``others``, none of which was taken back, with which a shift shares a moment."""
    return next((each for each in others if new.starts_at < each.ends_at and each.starts_at < new.ends_at), None)


def gaps(
    shifts: Iterable[Shift], since: datetime, until: datetime, able: Collection[UUID]
) -> list[tuple[datetime, datetime]]:
    """List the times of a window, half open, in which nobody is on call who is ``able`` to be."""
    found, at = list[tuple[datetime, datetime]](), since
    for each in sorted(shifts, key=lambda shift: shift.starts_at):
        if each.ended_at is not None or each.person_id not in able or each.ends_at <= at:
            continue
        if each.starts_at >= until:
            break
        if each.starts_at > at:
            found.append((at, each.starts_at))
        at = each.ends_at
    return [*found, (at, until)] if at < until else found


def beginning(day: date) -> datetime:
    """Give when a day begins in Shanghai."""
    return datetime.combine(day, time(), SHANGHAI).astimezone(UTC)
