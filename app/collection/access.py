"""Who may call what, the services that routes call, and the problems that every look or write here can meet."""

from typing import Annotated, ClassVar, Final

from fastapi import Depends, Request

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.collection.desk import CollectionDesk
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, Unauthenticated, Unavailable
from app.permissions.errors import AccountSuspended, NoContact
from app.permissions.guard import LookGuard, ViewerGuard, WriteGuard
from app.permissions.standing import Viewer


class TextGuard(ViewerGuard):
    """For routes that tell rules and notices, which are nobody's data: no permit, and a standing that is read afresh."""

    discloses: ClassVar[bool] = False
    fresh: ClassVar[bool] = True


TextsRead = Annotated[Viewer, Depends(TextGuard(Scope.CONTACTS_READ))]
NoticesWrite = Annotated[Viewer, Depends(WriteGuard(Scope.CONTACTS_WRITE))]
CollectionRead = Annotated[Viewer, Depends(LookGuard(Scope.CONTACTS_READ))]
OwnWord = Annotated[Viewer, Depends(WriteGuard(Scope.APPROVALS_USE))]
"""What every person's token can do: to consent, to take it back and to acknowledge are decisions."""

TEXT_PROBLEMS: Final = (Unauthenticated, InsufficientScope, NoContact, AccountSuspended, Invalid, Unavailable)
LOOK_PROBLEMS: Final = (*TEXT_PROBLEMS, LogUnavailable, EpochMoved)


async def _desk(request: Request) -> CollectionDesk:
    desk: CollectionDesk = request.app.state.application.collection
    return desk


Desk = Annotated[CollectionDesk, Depends(_desk)]
