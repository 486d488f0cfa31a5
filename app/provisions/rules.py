"""What a provision is, in which state it is, and when the clock has something to do with it. Pure.

A provision begins when its request is approved. Its package is made once, while the term lasts; from then on it is to be returned or
destroyed by the end of the term, or soon after it was ended early, and two people say that it was. What was never packaged lapses. The
record stays for three years after it is over, and nothing here or in the store deletes it sooner (PIPL 56).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

REMINDER: Final = timedelta(days=7)
"""How long before it is to be returned somebody is reminded."""
EARLY_DAYS: Final = 3
"""Working days to return what was ended early."""
KEPT: Final = timedelta(days=3 * 365 + 1)
"""Three years, whichever of them is a leap year."""


class ProvisionState(StrEnum):
    """Where a provision is."""

    OPEN = "open"
    PROVIDED = "provided"
    OVERDUE = "overdue"
    DECLARED = "declared"
    RETURNED = "returned"
    DESTROYED = "destroyed"
    LAPSED = "lapsed"


OVER: Final = frozenset({ProvisionState.RETURNED, ProvisionState.DESTROYED, ProvisionState.LAPSED})
OUT: Final = frozenset({ProvisionState.PROVIDED, ProvisionState.OVERDUE})
"""States in which the recipient has what nobody has said to be returned or destroyed."""


class Border(StrEnum):
    """What a provision crosses."""

    REGION = "region"
    LEGAL_ENTITY = "legal_entity"


class ReturnKind(StrEnum):
    """How it ended with the recipient."""

    RETURNED = "returned"
    DESTROYED = "destroyed"


class ReturnWord(StrEnum):
    """What somebody said of a return."""

    DECLARED = "declared"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """One provision, as its row's MAC covers it; ``terms`` are boxed: the recipient, the purpose, how it is handled there.

    ``asked`` counts those who were asked for their consent, whatever they said; ``cause`` is why it ended.
    """

    id: UUID
    request_id: UUID
    requester_id: UUID
    responsible_id: UUID
    contract: str
    fields: tuple[str, ...]
    crosses: tuple[str, ...]
    terms: bytes
    asked: int
    starts_at: datetime
    ends_at: datetime
    return_by: datetime
    ended_at: datetime | None = None
    cause: str | None = None
    package_id: UUID | None = None
    packaged_at: datetime | None = None
    reminded_at: datetime | None = None
    overdue_at: datetime | None = None
    return_kind: ReturnKind | None = None
    declared_by: UUID | None = None
    declared_at: datetime | None = None
    confirmed_by: UUID | None = None
    confirmed_at: datetime | None = None
    row_version: int = 1

    @property
    def state(self) -> ProvisionState:
        """Where it is; what the clock does is on the row, so this changes with no clock alone."""
        if self.confirmed_at is not None:
            return ProvisionState.DESTROYED if self.return_kind is ReturnKind.DESTROYED else ProvisionState.RETURNED
        if self.declared_at is not None:
            return ProvisionState.DECLARED
        if self.overdue_at is not None:
            return ProvisionState.OVERDUE
        if self.package_id is not None:
            return ProvisionState.PROVIDED
        return ProvisionState.OPEN if self.ended_at is None else ProvisionState.LAPSED

    @property
    def over_at(self) -> datetime | None:
        """When it was over, if it is."""
        return self.ended_at if self.state is ProvisionState.LAPSED else self.confirmed_at

    @property
    def keep_until(self) -> datetime | None:
        """Until when its record is kept at least; ``None`` while it is not over."""
        return None if self.over_at is None else self.over_at + KEPT

    @property
    def next_at(self) -> datetime | None:
        """When somebody is to be reminded, or told that it is overdue."""
        if self.state is not ProvisionState.PROVIDED:
            return None
        return self.return_by if self.reminded_at is not None else self.return_by - REMINDER

    def gives(self, now: datetime) -> bool:
        """Tell whether its package may be made: once, and while the term lasts."""
        return self.state is ProvisionState.OPEN and self.starts_at <= now < self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Consenter:
    """Somebody who consented to be provided, and whether they have taken that back."""

    provision_id: UUID
    contact_id: UUID
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What was made once: by whom, under which look of the log, sealed to what; ``digest`` is the SHA-256 of the sealed bytes."""

    id: UUID
    provision_id: UUID
    made_by: UUID
    made_at: datetime
    event_id: UUID
    sealed_to: str
    people: int
    left_out: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Whose fields were in a package: which, never their values."""

    package_id: UUID
    contact_id: UUID
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnEntry:
    """What somebody said of a return; ``evidence`` is boxed."""

    id: UUID
    provision_id: UUID
    said: ReturnWord
    kind: ReturnKind
    person_id: UUID
    evidence: bytes
    at: datetime


def packaged(provision: Provision, package: UUID, now: datetime) -> Provision:
    """Give the provision once its package was made."""
    return replace(provision, package_id=package, packaged_at=now)


def ended(provision: Provision, now: datetime, cause: str, return_by: datetime) -> Provision:
    """End it, once: no package any more, and what is out comes back by ``return_by`` where that is sooner."""
    if provision.ended_at is not None or provision.state in OVER:
        return provision
    return replace(provision, ended_at=now, cause=cause, return_by=min(provision.return_by, return_by))


def declared(provision: Provision, now: datetime, kind: ReturnKind, by: UUID) -> Provision:
    """Give the provision once somebody said that it was returned or destroyed; somebody else has to confirm it."""
    return replace(provision, return_kind=kind, declared_by=by, declared_at=now)


def confirmed(provision: Provision, now: datetime, by: UUID) -> Provision:
    """Give the provision once a second person confirmed what was declared."""
    return replace(provision, confirmed_by=by, confirmed_at=now)


def refused(provision: Provision) -> Provision:
    """Give the provision once a second person did not believe what was declared: it is out as before."""
    return replace(provision, return_kind=None, declared_by=None, declared_at=None)
