"""Named guards of checks, drift and exports, what routes call, and the problems that each look can meet."""

from typing import Annotated, Final

from fastapi import Depends, Request

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, Unauthenticated, Unavailable
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted
from app.permissions.guard import LookGuard
from app.permissions.standing import Viewer
from app.switching.checking import NumberChecks

LOOK_PROBLEMS: Final = (
    Unauthenticated,
    InsufficientScope,
    NoContact,
    AccountSuspended,
    NotPermitted,
    Invalid,
    LogUnavailable,
    Unavailable,
    EpochMoved,
)

PlanChecked = Annotated[Viewer, Depends(LookGuard(Scope.NUMBERS_ADMIN))]


async def _checks(request: Request) -> NumberChecks:
    checks: NumberChecks = request.app.state.application.switching.checks
    return checks


Checks = Annotated[NumberChecks, Depends(_checks)]
