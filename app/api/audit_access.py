"""Who may call the operations on the access log, and how each of them can fail."""

from typing import Annotated, Final

from fastapi import Depends

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.kit.errors import InsufficientScope, LogUnavailable, Problem, Unauthenticated
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted
from app.permissions.guard import LookGuard
from app.permissions.standing import Viewer

LOG_PROBLEMS: Final[tuple[type[Problem], ...]] = (
    Unauthenticated,
    InsufficientScope,
    NoContact,
    AccountSuspended,
    NotPermitted,
    LogUnavailable,
    EpochMoved,
)

LogRead = Annotated[Viewer, Depends(LookGuard(Scope.ACCESS_LOG_READ))]
