"""What a calling privilege is and when it is in force. Pure.

S3-3 2.2 asks for the reason, the expected length and the frequency of calls; S3-5 5.2 for a term. None is for good.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from app.auth.scopes import Scope
from app.permissions.plan import Standing

OFFICES: Final = frozenset({"administration", "it", "system_admin", "infosec", "auditor"})
"""Roles that are told what every line may do: who pays, who switches, who looks after."""

ENDERS: Final = frozenset({"administration", "it", "system_admin"})
"""Roles that may end a privilege before its time (S3-5 12.3)."""


class Function(StrEnum):
    """What a line may do beyond calling inside the house."""

    LONG_DISTANCE = "long_distance"
    INTERNATIONAL = "international"
    EXTERNAL_FORWARD = "external_forward"
    CONFERENCE = "conference"


class Cause(StrEnum):
    """Why a privilege ended before its time, or that it was renewed."""

    REVOKED = "revoked"
    LEFT = "left"
    RENEWED = "renewed"


LONGEST: Final[Mapping[Function, timedelta]] = MappingProxyType(
    {
        Function.LONG_DISTANCE: timedelta(days=366),
        Function.INTERNATIONAL: timedelta(days=92),
        Function.EXTERNAL_FORWARD: timedelta(days=92),
        Function.CONFERENCE: timedelta(days=366),
    }
)
"""How far off the end may be: what costs most, or leads out of the house, is looked at every quarter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Privilege:
    """One function of one line, as the row's MAC covers it."""

    id: UUID
    request_id: UUID
    assignment_id: UUID
    contact_id: UUID
    domain: str
    digits: str
    function: Function
    since: datetime
    until: datetime
    ended_at: datetime | None = None
    cause: Cause | None = None


def longest(functions: frozenset[Function]) -> timedelta:
    """Give how long functions that are asked for together can be had: as long as the one that can be had shortest."""
    return min(LONGEST[each] for each in functions)


def state(privilege: Privilege, *, holds: bool, now: datetime) -> str:
    """Tell whether a privilege is in force; ``holds``: whether its line is still the holder's. At its very end it is over."""
    if privilege.ended_at is not None and privilege.ended_at <= now:
        return "ended"
    if not holds:
        return "ended"
    return "expired" if privilege.until <= now else "active"


def oversees(standing: Standing) -> bool:
    """Tell whether somebody is told what everybody's line may do: an office, or a program that manages numbers."""
    return manages(standing) or not standing.roles.isdisjoint(OFFICES)


def manages(standing: Standing) -> bool:
    """Tell whether a program keeps the plan, as one does that switches the exchange."""
    return standing.kind == "service" and Scope.NUMBERS_ADMIN.value in standing.scopes


def may_end(standing: Standing, holder: UUID) -> bool:
    """Tell whether somebody may end a privilege of ``holder``: they themselves, who need it no more, or who switches lines."""
    return standing.contact_id == holder or manages(standing) or not standing.roles.isdisjoint(ENDERS)
