"""Named guards of business facts, what routes call, and the problems that every look or write can meet."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Path, Request

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.engagements.errors import NotExternal, OwnAssignment, ReferenceReused, TooManyEngagements, UnknownStaff
from app.engagements.keeping import EngagementKeeper
from app.engagements.reading import EngagementPages
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, NotFound, Unauthenticated, Unavailable
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted
from app.permissions.guard import LookGuard, WriteGuard
from app.permissions.standing import Viewer

LOOK_PROBLEMS: Final = (Unauthenticated, InsufficientScope, NoContact, AccountSuspended, LogUnavailable, EpochMoved)
WRITE_PROBLEMS: Final = (
    Unauthenticated,
    InsufficientScope,
    NoContact,
    AccountSuspended,
    NotPermitted,
    Invalid,
    Unavailable,
)
PUSH_PROBLEMS: Final = (
    *WRITE_PROBLEMS,
    NotFound,
    OwnAssignment,
    NotExternal,
    UnknownStaff,
    TooManyEngagements,
    ReferenceReused,
)

EngagementsRead = Annotated[Viewer, Depends(LookGuard(Scope.CONTACTS_READ))]
EngagementsWrite = Annotated[Viewer, Depends(WriteGuard(Scope.ENGAGEMENTS_WRITE))]


async def _pages(request: Request) -> EngagementPages:
    pages: EngagementPages = request.app.state.application.engagements.pages
    return pages


async def _keeper(request: Request) -> EngagementKeeper:
    keeper: EngagementKeeper = request.app.state.application.engagements.keeper
    return keeper


Named = Annotated[UUID, Path(alias="engagement", description="Id of the engagement.")]
Pages = Annotated[EngagementPages, Depends(_pages)]
Keeper = Annotated[EngagementKeeper, Depends(_keeper)]
