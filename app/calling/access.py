"""Named guards of calling privileges, what routes call, and the problems that every look or write can meet."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Path, Request

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.calling.reading import PrivilegePages
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, Unauthenticated
from app.permissions.errors import AccountSuspended, NoContact
from app.permissions.guard import LookGuard, WriteGuard
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

PrivilegesRead = Annotated[Viewer, Depends(LookGuard(Scope.NUMBERS_READ))]
PrivilegesEnd = Annotated[Viewer, Depends(WriteGuard(Scope.NUMBERS_READ))]


async def _pages(request: Request) -> PrivilegePages:
    pages: PrivilegePages = request.app.state.application.calling.pages
    return pages


Named = Annotated[UUID, Path(alias="id", description="Id of the privilege.")]
Pages = Annotated[PrivilegePages, Depends(_pages)]
