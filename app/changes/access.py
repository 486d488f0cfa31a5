"""Who asks for changes, and the problems that they can meet."""

from typing import Annotated, Final

from fastapi import Depends, Request

from app.audit.errors import EpochMoved
from app.changes.errors import FeedTruncated
from app.changes.reading import ChangeFeed
from app.contacts.access import ContactsRead
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, Unauthenticated, Unavailable
from app.permissions.errors import AccountSuspended, NoContact

__all__ = ["CHANGE_PROBLEMS", "Changes", "ContactsRead"]

CHANGE_PROBLEMS: Final = (
    Unauthenticated,
    InsufficientScope,
    NoContact,
    AccountSuspended,
    FeedTruncated,
    Invalid,
    Unavailable,
    LogUnavailable,
    EpochMoved,
)


async def _feed(request: Request) -> ChangeFeed:
    feed: ChangeFeed = request.app.state.application.changes.feed
    return feed


Changes = Annotated[ChangeFeed, Depends(_feed)]
