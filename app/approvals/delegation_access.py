"""Named guards of delegations, what their routes call, and the problems that every look or write can meet."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Path, Request

from app.approvals.delegation_desk import DelegationDesk
from app.approvals.delegation_errors import (
    DelegationRing,
    DelegationTooDeep,
    PersonUnclear,
    SelfDelegation,
    TooManyDelegations,
    UnfitDelegate,
    UnfitTerm,
    UnknownKind,
)
from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, Unauthenticated, Unavailable
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
GIVE_PROBLEMS: Final = (
    *WRITE_PROBLEMS,
    NotPermitted,
    UnfitDelegate,
    SelfDelegation,
    UnfitTerm,
    UnknownKind,
    DelegationRing,
    DelegationTooDeep,
    TooManyDelegations,
    PersonUnclear,
)

DelegationsRead = Annotated[Viewer, Depends(LookGuard(Scope.APPROVALS_USE))]
DelegationsWrite = Annotated[Viewer, Depends(WriteGuard(Scope.APPROVALS_USE))]


async def _desk(request: Request) -> DelegationDesk:
    desk: DelegationDesk = request.app.state.application.delegations
    return desk


Named = Annotated[UUID, Path(alias="id", description="Id of the delegation.")]
Desk = Annotated[DelegationDesk, Depends(_desk)]
