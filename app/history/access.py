"""The guard of certificates, what routes call, and how each look can fail."""

from typing import Annotated, Final

from fastapi import Depends, Request

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.history.reading import PurgePages
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, Unauthenticated
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted
from app.permissions.guard import LookGuard
from app.permissions.standing import Viewer

LOOK_PROBLEMS: Final = (
    Unauthenticated,
    InsufficientScope,
    NoContact,
    AccountSuspended,
    NotPermitted,
    Invalid,
    LogUnavailable,
    EpochMoved,
)

PurgesRead = Annotated[Viewer, Depends(LookGuard(Scope.APPROVALS_USE))]


async def _pages(request: Request) -> PurgePages:
    pages: PurgePages = request.app.state.application.history.pages
    return pages


Pages = Annotated[PurgePages, Depends(_pages)]
