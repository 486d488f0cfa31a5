"""Named guards of the policy, what routes call, and the problems that every look or write can meet."""

from typing import Annotated, ClassVar, Final

from fastapi import Depends, Request

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.kit.errors import (
    BodyTooLarge,
    InsufficientScope,
    Invalid,
    LogUnavailable,
    Unauthenticated,
    UnsupportedMediaType,
)
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted, PolicyUnreadable
from app.permissions.guard import LookGuard, ViewerGuard, WriteGuard
from app.permissions.standing import Viewer
from app.policy.desk import PolicyDesk
from app.policy.errors import (
    BadPolicyPack,
    PolicyVersionTaken,
)

_ALWAYS: Final = (Unauthenticated, InsufficientScope, NoContact, AccountSuspended, PolicyUnreadable)
RULES_PROBLEMS: Final = (*_ALWAYS, LogUnavailable, Invalid)
LOOK_PROBLEMS: Final = (*_ALWAYS, LogUnavailable, EpochMoved, NotPermitted, Invalid)
WRITE_PROBLEMS: Final = (*_ALWAYS, LogUnavailable, NotPermitted, Invalid)
UPLOAD_PROBLEMS: Final = (*WRITE_PROBLEMS, BodyTooLarge, UnsupportedMediaType, BadPolicyPack, PolicyVersionTaken)


class RulesGuard(ViewerGuard):
    """For the pack in force: rules and nobody's data, so no permit; the standing is read afresh because no record compares it."""

    discloses: ClassVar[bool] = False
    fresh: ClassVar[bool] = True


RulesRead = Annotated[Viewer, Depends(RulesGuard(Scope.CONTACTS_READ))]
GovernanceRead = Annotated[Viewer, Depends(LookGuard(Scope.POLICY_ADMIN, Scope.ACCESS_LOG_READ))]
PolicyAsk = Annotated[Viewer, Depends(WriteGuard(Scope.POLICY_ADMIN, Scope.ACCESS_LOG_READ))]
PolicyWrite = Annotated[Viewer, Depends(WriteGuard(Scope.POLICY_ADMIN))]


async def _desk(request: Request) -> PolicyDesk:
    desk: PolicyDesk = request.app.state.application.policy
    return desk


Desk = Annotated[PolicyDesk, Depends(_desk)]
