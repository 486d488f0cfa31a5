"""Named guards of provisions, what routes call, and the problems that every look or write can meet."""

from typing import Annotated, ClassVar, Final
from uuid import UUID

from fastapi import Depends, Path, Request

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, NotFound, Unauthenticated, Unavailable
from app.permissions.errors import AccountSuspended, NoContact
from app.permissions.guard import LookGuard, WriteGuard
from app.permissions.standing import Viewer
from app.provisions.desk import ProvisionDesk

_ALWAYS: Final = (Unauthenticated, InsufficientScope, NoContact, AccountSuspended, Invalid)
LOOK_PROBLEMS: Final = (*_ALWAYS, LogUnavailable, EpochMoved)
WRITE_PROBLEMS: Final = (*_ALWAYS, Unavailable, NotFound)


class PackageGuard(LookGuard):
    """For what discloses and is put on record as made: the standing is read afresh."""

    fresh: ClassVar[bool] = True


ProvisionsRead = Annotated[Viewer, Depends(LookGuard(Scope.APPROVALS_USE))]
PackagesMake = Annotated[Viewer, Depends(PackageGuard(Scope.APPROVALS_USE))]
ProvisionsWrite = Annotated[Viewer, Depends(WriteGuard(Scope.APPROVALS_USE))]


async def _desk(request: Request) -> ProvisionDesk:
    desk: ProvisionDesk = request.app.state.application.provisions
    return desk


Named = Annotated[UUID, Path(alias="id", description="Id of the provision.")]
Desk = Annotated[ProvisionDesk, Depends(_desk)]
