"""Named guards of reconciliations, how a body is described, what routes call, and the problems that each can meet."""

import re
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Path, Request

from app.attachments.errors import TooManyUploads, UploadTooSlow
from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.hr.errors import FuseBlown
from app.kit.edge import Uploads
from app.kit.errors import (
    BodyTooLarge,
    InsufficientScope,
    Invalid,
    LogUnavailable,
    NotFound,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.pagination import BadCursor
from app.kit.uploads import FRAME_BYTES
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted
from app.permissions.guard import LookGuard, WriteGuard
from app.permissions.jobs import TooManyJobs
from app.permissions.standing import Viewer
from app.reconciliations.desk import ReconciliationDesk
from app.reconciliations.errors import (
    AlreadyBegun,
    DiffMoved,
    EmptyFile,
    Expired,
    Incomplete,
    NotCompared,
    Outdated,
    UnfitTime,
    UnknownScope,
)
from app.reconciliations.keeping import MOST

UPLOADS: Final = Uploads(re.compile(r"/v1/hr/reconciliations"), MOST + FRAME_BYTES)
_ALWAYS: Final = (
    Unauthenticated,
    InsufficientScope,
    NoContact,
    AccountSuspended,
    NotPermitted,
    Invalid,
    LogUnavailable,
)
LOOK_PROBLEMS: Final = (*_ALWAYS, EpochMoved, BadCursor)
ONE_PROBLEMS: Final = (*_ALWAYS, EpochMoved, NotFound)
ROWS_PROBLEMS: Final = (*LOOK_PROBLEMS, NotFound)
_ONCE: Final = (Unavailable, TooManyJobs, IdempotencyKeyReused, IdempotencyInProgress)
TAKE_PROBLEMS: Final = (
    *_ALWAYS,
    *_ONCE,
    BodyTooLarge,
    UnsupportedMediaType,
    UnknownScope,
    UnfitTime,
    EmptyFile,
    TooManyUploads,
    UploadTooSlow,
)
APPLY_PROBLEMS: Final = (
    *_ALWAYS,
    *_ONCE,
    NotFound,
    NotCompared,
    AlreadyBegun,
    DiffMoved,
    Outdated,
    Expired,
    Incomplete,
    FuseBlown,
)

ReconciliationsRead = Annotated[Viewer, Depends(LookGuard(Scope.HR_WRITE, Scope.CONTACTS_READ))]
"""The source's own scope, and what every person carries: who decides on a blown fuse has to see the diff."""
ReconciliationsWrite = Annotated[Viewer, Depends(WriteGuard(Scope.HR_WRITE))]


async def _desk(request: Request) -> ReconciliationDesk:
    desk: ReconciliationDesk = request.app.state.application.reconciliations
    return desk


Named = Annotated[UUID, Path(alias="id", description="Id of the reconciliation.")]
Desk = Annotated[ReconciliationDesk, Depends(_desk)]
