"""What comes in about purges, and the shapes of what goes out."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.disclosure.view import DisclosureNote
from app.kit.pagination import CursorText, Limit
from app.kit.schemas import Input, Output


class PurgeQuery(Input):
    """How purges, or the keys of one, are paged."""

    limit: Limit = 20
    cursor: CursorText | None = None


class PurgeItem(Output):
    """One purge in counts.

    `subjects` had `keys` destroyed, of the quarters from the first to the last of `quarters`; `changes` values can be read by nobody any
    more. `left` values are of before history had keys of its own and stay; `held` contacts were spared.
    """

    id: UUID
    at: datetime
    before: date
    scope: dict[str, Any]
    quarters: list[str]
    subjects: int
    keys: int
    changes: int
    left: int
    held: int
    root: str
    intact: bool


class PurgeRead(PurgeItem):
    """The certificate of a purge: `note` is the signed statement, `root` the RFC 6962 root over its keys in the order of their handles.

    `intact`: the log's key signed exactly this. A leaf is handle (8 bytes), contact (16) and quarter (4 bytes: year times ten plus 1 to 4).
    """

    filed_by: UUID
    decided_by: list[UUID]
    note: str
    disclosure: DisclosureNote


class PurgePage(Output):
    """A page of purges, newest first."""

    items: list[PurgeItem]
    next: str | None
    disclosure: DisclosureNote


class DestroyedKey(Output):
    """A key that was destroyed: whose history, of which quarter, under which handle."""

    contact: UUID
    quarter: str
    handle: str


class DestroyedPage(Output):
    """A page of destroyed keys, in the order of the tree."""

    items: list[DestroyedKey]
    next: str | None
    disclosure: DisclosureNote
