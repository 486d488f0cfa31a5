"""Named guards of emergencies, what routes call, and the problems that every look or write can meet."""

from typing import Annotated, Final

from fastapi import Depends, Request

from app.audit.errors import EpochMoved
from app.auth.errors import FreshSignInRequired
from app.auth.scopes import Scope
from app.emergency.desk import EmergencyDesk
from app.emergency.errors import AlreadyDone, NotEligible, OwnPart, SessionOver
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, NotFound, Unauthenticated, Unavailable
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted
from app.permissions.guard import LookGuard, WriteGuard
from app.permissions.standing import Viewer

LOOK_PROBLEMS: Final = (
    Unauthenticated,
    InsufficientScope,
    NoContact,
    AccountSuspended,
    LogUnavailable,
    EpochMoved,
    Invalid,
)
WRITE_PROBLEMS: Final = (Unauthenticated, InsufficientScope, NoContact, AccountSuspended, Invalid, Unavailable)
SESSION_PROBLEMS: Final = (*WRITE_PROBLEMS, FreshSignInRequired, NotEligible, NotFound, SessionOver, AlreadyDone)
REVIEW_PROBLEMS: Final = (*WRITE_PROBLEMS, NotFound, NotPermitted, OwnPart, AlreadyDone)

EmergencyRead = Annotated[Viewer, Depends(LookGuard(Scope.CONTACTS_READ))]
EmergencyWrite = Annotated[Viewer, Depends(WriteGuard(Scope.APPROVALS_USE))]


async def _desk(request: Request) -> EmergencyDesk:
    desk: EmergencyDesk = request.app.state.application.emergency
    return desk


Desk = Annotated[EmergencyDesk, Depends(_desk)]
