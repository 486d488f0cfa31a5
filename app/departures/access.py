"""Who may call what, what routes call, and the problems that every look or write here can meet."""

from typing import Annotated, ClassVar, Final
from uuid import UUID

from fastapi import Depends, Path, Request

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.departures.desk import DepartureDesk
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, Unauthenticated, Unavailable
from app.permissions.errors import AccountSuspended, NoContact
from app.permissions.guard import LookGuard, ViewerGuard, WriteGuard
from app.permissions.standing import Viewer


class TextGuard(ViewerGuard):
    """For routes that tell texts, which are nobody's data: no permit, and a standing that is read afresh."""

    discloses: ClassVar[bool] = False
    fresh: ClassVar[bool] = True


DeparturesRead = Annotated[Viewer, Depends(LookGuard(Scope.CONTACTS_READ))]
TextsRead = Annotated[Viewer, Depends(TextGuard(Scope.CONTACTS_READ))]
TextsWrite = Annotated[Viewer, Depends(WriteGuard(Scope.CONTACTS_WRITE))]
OwnWord = Annotated[Viewer, Depends(WriteGuard(Scope.APPROVALS_USE))]
"""What every person's token can do; whoever speaks for somebody else is asked for their role besides."""

TEXT_PROBLEMS: Final = (Unauthenticated, InsufficientScope, NoContact, AccountSuspended, Invalid, Unavailable)
LOOK_PROBLEMS: Final = (*TEXT_PROBLEMS, LogUnavailable, EpochMoved)


async def _desk(request: Request) -> DepartureDesk:
    desk: DepartureDesk = request.app.state.application.departures
    return desk


Named = Annotated[UUID, Path(alias="id", description="Id of the departure.")]
Desk = Annotated[DepartureDesk, Depends(_desk)]
