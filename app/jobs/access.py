"""Named guards of jobs, what routes call, and the problems that every look or write can meet."""

from typing import Annotated, Final

from fastapi import Depends, Request

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.jobs.desk import JobDesk
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, NotFound, Unauthenticated
from app.permissions.errors import AccountSuspended, NoContact
from app.permissions.guard import LookGuard, WriteGuard
from app.permissions.standing import Viewer

PROBLEMS: Final = (Unauthenticated, InsufficientScope, NoContact, AccountSuspended, LogUnavailable, Invalid)
LOOK_PROBLEMS: Final = (*PROBLEMS, EpochMoved)
ONE_PROBLEMS: Final = (*LOOK_PROBLEMS, NotFound)

_WHO_ASKS: Final = (Scope.CONTACTS_READ, Scope.HR_WRITE, Scope.NUMBERS_ADMIN, Scope.POLICY_ADMIN)
"""Scopes of those who can ask for long work; everybody is shown their own."""

JobsRead = Annotated[Viewer, Depends(LookGuard(*_WHO_ASKS))]
JobsCancel = Annotated[Viewer, Depends(WriteGuard(*_WHO_ASKS))]


async def _desk(request: Request) -> JobDesk:
    desk: JobDesk = request.app.state.application.jobs
    return desk


Desk = Annotated[JobDesk, Depends(_desk)]
