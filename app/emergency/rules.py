"""What an emergency session is, how long it may last, who may judge it, and who may be appointed for one. Pure.

A session opens for an hour and may be renewed once; four hours after it began it is over, whatever anybody wrote. It is judged by two
people, one of security and one of HR, neither of whom had a part in it (reference/policy-approval.md d.6).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.permissions.emergency import Emergency

LENGTH: Final = timedelta(minutes=60)
HARD_STOP: Final = timedelta(hours=4)
REVIEW_DAYS: Final = 3
DIGEST_DAYS: Final = 1
MOST_DEFERRAL: Final = timedelta(days=30)
MOST_APPOINTMENT: Final = timedelta(days=100)
"""A quarter and a few days of grace: who is not appointed anew by then is not appointed any more."""
KEY_TAG: Final = "key_person"
"""The tag of the named list of key people; who keeps the directory keeps it."""
MOST_DEPARTMENTS: Final = 20


class Scenario(StrEnum):
    """Why glass is broken (PIPL 13(4))."""

    DISASTER = "disaster"
    PUBLIC_HEALTH = "public_health"
    SAFETY = "safety"
    COMMUNICATION_OUTAGE = "communication_outage"
    LIFE_AT_RISK = "life_at_risk"


class Cause(StrEnum):
    """Why a session is over."""

    ENDED = "ended"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Side(StrEnum):
    """Of the two that judge a session; named as the role that gives it."""

    INFOSEC = "infosec"
    HR = "hr"


class Verdict(StrEnum):
    """What a reviewer says, the mildest first."""

    JUSTIFIED = "justified"
    EXCESSIVE = "excessive"
    ABUSE = "abuse"


class Office(StrEnum):
    """For what somebody is appointed: to open sessions, or to keep the nightly sheet."""

    OPENER = "opener"
    CUSTODIAN = "custodian"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session, as its row's MAC covers it; ``reason`` and ``deferral`` are envelopes under the actor's key."""

    id: UUID
    actor_id: UUID
    scenario: Scenario
    reason: bytes
    key_people: bool
    departments: tuple[str, ...]
    opened_at: datetime
    until: datetime
    digest_at: datetime
    review_due: datetime
    predicted: bool
    renewed_at: datetime | None = None
    confirmed_by: UUID | None = None
    confirmed_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: UUID | None = None
    cause: Cause | None = None
    digested_at: datetime | None = None
    deferred_by: UUID | None = None
    deferral: bytes | None = None
    overdue_at: datetime | None = None
    reviewed_at: datetime | None = None
    verdict: Verdict | None = None
    row_version: int = 1

    @property
    def hard_stop(self) -> datetime:
        """When it is over at the latest."""
        return self.opened_at + HARD_STOP

    @property
    def named(self) -> tuple[UUID, ...]:
        """The departments that it names."""
        return tuple(map(UUID, self.departments))

    @property
    def parties(self) -> frozenset[UUID]:
        """Who had a part in it, and judges nothing of it."""
        return frozenset({self.actor_id} | ({self.confirmed_by} if self.confirmed_by else set()))

    def live(self, now: datetime) -> bool:
        """Tell whether it is open."""
        return self.ended_at is None and now < min(self.until, self.hard_stop)

    def overdue(self, now: datetime) -> bool:
        """Tell whether its review should have been made."""
        return self.reviewed_at is None and now >= self.review_due

    def next_at(self) -> datetime | None:
        """Say when something is to be done about it: its end, the digest, the reminder of its review; ``None`` when nothing is left."""
        if self.ended_at is None:
            return min(self.until, self.hard_stop)
        due = [self.digest_at] if self.digested_at is None else []
        due += [self.review_due] if self.reviewed_at is None and self.overdue_at is None else []
        return min(due, default=None)

    def standing(self) -> Emergency:
        """Write it as policy reads it."""
        return Emergency(
            self.id,
            min(self.until, self.hard_stop),
            departments=frozenset(self.named),
            tags=frozenset({KEY_TAG} if self.key_people else ()),
            confirmed=self.confirmed_by is not None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What one side says of a session; ``comment`` is an envelope under the actor's key."""

    session_id: UUID
    side: Side
    reviewer_id: UUID
    verdict: Verdict
    comment: bytes
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """Somebody who may open sessions, or to whom the nightly sheet is sealed; ``public_key`` is the custodian's own."""

    id: UUID
    person_id: UUID
    office: Office
    since: datetime
    until: datetime
    named_by: UUID
    confirmed_by: UUID | None = None
    confirmed_at: datetime | None = None
    public_key: bytes | None = None
    keyed_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: UUID | None = None
    row_version: int = 1

    def live(self, now: datetime) -> bool:
        """Tell whether it is in force."""
        return self.ended_at is None and self.since <= now < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One night's sheet: for whom, sealed to which key; ``digest`` is the SHA-256 of what was sealed."""

    id: UUID
    appointment_id: UUID
    custodian_id: UUID
    day: date
    made_at: datetime
    event_id: UUID
    people: int
    public_key: bytes
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetOpening:
    """That a sheet was opened away from the service; ``reason`` is an envelope under the custodian's key."""

    id: UUID
    sheet_id: UUID
    custodian_id: UUID
    opened_at: datetime
    reason: bytes
    digest: bytes
    previous: bytes
    signature: bytes
    uploaded_at: datetime


def renewed(session: Session, now: datetime, length: timedelta) -> Session | None:
    """Lengthen an open session by ``length`` from its end; ``None`` where that goes beyond the hard stop."""
    until = session.until + length
    return None if until > session.hard_stop else replace(session, until=until, renewed_at=now)


def ended(session: Session, now: datetime, cause: Cause, by: UUID | None) -> Session:
    """End a session; one whose time was over before anybody said so ended then."""
    over = min(session.until, session.hard_stop)
    if now >= over:
        return replace(session, ended_at=over, cause=Cause.EXPIRED, ended_by=None)
    return replace(session, ended_at=now, cause=cause, ended_by=by)


def judged(reviews: Iterable[Review]) -> Verdict | None:
    """Give the verdict once both sides have spoken: the harsher one."""
    said: Mapping[Side, Verdict] = {each.side: each.verdict for each in reviews}
    return max(said.values(), key=list(Verdict).index) if set(said) == set(Side) else None
