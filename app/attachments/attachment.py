"""An attachment as a value, and when a request takes one. Pure."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.attachments.kinds import FileType


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What is known of a file. ``until`` is when it is gone unless a request takes it, ``request`` the one that took it."""

    id: UUID
    request: UUID | None
    owner: UUID
    name: str
    type: FileType
    size: int
    digest: bytes
    at: datetime
    until: datetime | None
