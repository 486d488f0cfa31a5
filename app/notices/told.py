"""A telling as a value: of which notice, through which queue, to whom, and how it stands."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

DeliveryState = Literal["waiting", "delivered", "dead"]
Verdict = Literal["delivered", "again", "gone", "refused"]
"""What came of an attempt: it arrived; try again; nobody is there any more; this telling is of no use, but others may be."""

MAIL_SHARES: Final = 4
"""Queues of mail: one person's mail is always in the same."""
KEPT: Final = timedelta(days=30)
"""How long notices and their tellings are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One telling; ``recipient`` is the address or the person."""

    id: UUID
    notice_id: UUID
    queue: str
    recipient: UUID
    resource: str | None
    version: int
    state: DeliveryState
    attempts: int
    due_at: datetime
    created_at: datetime
    tried_at: datetime | None = None
    outcome: str | None = None
    status: int | None = None
    took_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt. ``code`` is ours, ``status`` is a number that the other side gave, and nothing else of it is kept.

    ``wait`` is how long the other side asked to wait, ``rest`` how long its whole queue does.
    """

    verdict: Verdict
    code: str
    status: int | None = None
    wait: timedelta | None = None
    rest: timedelta | None = None


def mail_queue(person: UUID) -> str:
    """Name the queue that a person's mail is in."""
    return f"mail:{person.int % MAIL_SHARES}"


MAIL_QUEUES: Final = tuple(f"mail:{share}" for share in range(MAIL_SHARES))
