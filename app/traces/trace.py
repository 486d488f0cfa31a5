"""A trace: that something of the directory changed, and of which sort. Pure.

It holds ids and names of groups of members, never what they hold. What policy could read of a contact before, where the change has changed
that, goes along in a closed box: it tells from whose sight somebody has gone.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal
from uuid import UUID

SubjectType = Literal["contact", "department"]


class Sort(StrEnum):
    """What became of it."""

    CREATED = "created"
    UPDATED = "updated"
    MOVED = "moved"
    LEFT = "left"
    ARCHIVED = "archived"
    REMOVED = "removed"


CARD: Final = "card"
PLACEMENT: Final = "placement"
NUMBERS: Final = "numbers"
TAGS: Final = "tags"
STATUS: Final = "status"
CONFIRMATION: Final = "confirmation"
PLAIN_GROUPS: Final = (CARD, PLACEMENT, NUMBERS, TAGS, STATUS, CONFIRMATION)
"""Groups of members that are shown to whoever is shown the contact or department at all; sealed ones stand by their class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One change of one contact or department.

    ``groups`` are those that changed: ``PLAIN_GROUPS``, and classes of sealed fields. ``about`` is a contact whose position in a
    department came or went with the change: such a trace stands beside the change's own.
    """

    type: SubjectType
    subject: UUID
    sort: Sort
    groups: tuple[str, ...] = ()
    before: bytes | None = None
    about: UUID | None = None


@dataclass(frozen=True, slots=True)
class Numbered:
    """A trace with its place in the order, and its version and time; these are ``None`` while it waits for them."""

    seq: int
    version: int | None
    at: datetime | None
    trace: Trace
