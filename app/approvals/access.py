"""Named guards of requests, what routes call, and the problems that every look or write can meet."""

from typing import Annotated, ClassVar, Final
from uuid import UUID

from fastapi import Depends, Path, Request

from app.approvals.desk import ApprovalDesk
from app.approvals.errors import (
    AlreadyDecided,
    AlreadyRequested,
    BadForm,
    MayNotFile,
    NobodyMayDecide,
    NotAsked,
    NotOpen,
    NotReturnable,
    NotShorter,
    SeparationOfDuties,
    TooManyAttachments,
    UnknownAttachment,
    UnknownBeneficiary,
    UnknownRequestKind,
)
from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.kit.errors import (
    InsufficientScope,
    Invalid,
    LogUnavailable,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
    Unavailable,
)
from app.permissions.errors import AccountSuspended, NoContact
from app.permissions.guard import LookGuard, ViewerGuard, WriteGuard
from app.permissions.standing import Viewer

_ALWAYS: Final = (Unauthenticated, InsufficientScope, NoContact, AccountSuspended)
KIND_PROBLEMS: Final = (*_ALWAYS, Invalid, Unavailable)
LOOK_PROBLEMS: Final = (*_ALWAYS, LogUnavailable, EpochMoved, Invalid)
FILE_PROBLEMS: Final = (
    *_ALWAYS,
    Invalid,
    Unavailable,
    NotFound,
    UnknownRequestKind,
    MayNotFile,
    BadForm,
    UnknownBeneficiary,
    AlreadyRequested,
    NobodyMayDecide,
    UnknownAttachment,
    TooManyAttachments,
)
ACT_PROBLEMS: Final = (*_ALWAYS, Invalid, Unavailable, NotFound, NotAsked, NotOpen)
AMEND_PROBLEMS: Final = (
    *ACT_PROBLEMS,
    UnknownRequestKind,
    BadForm,
    AlreadyRequested,
    NobodyMayDecide,
    UnknownAttachment,
    TooManyAttachments,
)
DECIDE_PROBLEMS: Final = (
    *ACT_PROBLEMS,
    AlreadyDecided,
    SeparationOfDuties,
    NotShorter,
    PreconditionFailed,
    NobodyMayDecide,
)
PASS_PROBLEMS: Final = (*ACT_PROBLEMS, AlreadyDecided, SeparationOfDuties, UnknownBeneficiary)
END_PROBLEMS: Final = (*_ALWAYS, Invalid, Unavailable, NotFound, NotAsked, NotReturnable)


class KindsGuard(ViewerGuard):
    """For the kinds of requests: rules and nobody's data, so no permit; the standing is read afresh because no record compares it."""

    discloses: ClassVar[bool] = False
    fresh: ClassVar[bool] = True


KindsRead = Annotated[Viewer, Depends(KindsGuard(Scope.APPROVALS_USE))]
RequestsRead = Annotated[Viewer, Depends(LookGuard(Scope.APPROVALS_USE))]
RequestsWrite = Annotated[Viewer, Depends(WriteGuard(Scope.APPROVALS_USE))]


async def _desk(request: Request) -> ApprovalDesk:
    desk: ApprovalDesk = request.app.state.application.approvals
    return desk


Named = Annotated[UUID, Path(alias="id", description="Id of the request.")]
Desk = Annotated[ApprovalDesk, Depends(_desk)]
