"""The named guard of deadlines, what routes call, and the problems that every look can meet."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Path, Request

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.clocks.reading import DeadlinePages
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, Unauthenticated
from app.permissions.errors import AccountSuspended, NoContact
from app.permissions.guard import LookGuard
from app.permissions.standing import Viewer

LOOK_PROBLEMS: Final = (
    Unauthenticated,
    InsufficientScope,
    NoContact,
    AccountSuspended,
    Invalid,
    LogUnavailable,
    EpochMoved,
)

DeadlinesRead = Annotated[Viewer, Depends(LookGuard(Scope.CONTACTS_READ))]


async def _pages(request: Request) -> DeadlinePages:
    pages: DeadlinePages = request.app.state.application.clocks.pages
    return pages


Named = Annotated[UUID, Path(alias="id", description="Id of the deadline.")]
Pages = Annotated[DeadlinePages, Depends(_pages)]
