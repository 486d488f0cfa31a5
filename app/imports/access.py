"""Named guards of imports, how a body is described, what routes call, and the problems that each can meet."""

import re
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Path, Request

from app.attachments.errors import TooManyUploads, UploadTooSlow
from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.imports.desk import ImportDesk
from app.imports.errors import EmptyFile, NothingKeptBack, UnknownFormat, UnknownProfile
from app.imports.keeping import MOST
from app.kit.edge import Uploads
from app.kit.errors import (
    BodyTooLarge,
    InsufficientScope,
    Invalid,
    LogUnavailable,
    NotFound,
    Unauthenticated,
    UnsupportedMediaType,
)
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.pagination import BadCursor
from app.kit.uploads import FORM, FRAME_BYTES
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted
from app.permissions.guard import LookGuard, WriteGuard
from app.permissions.jobs import TooManyJobs
from app.permissions.standing import Viewer

SCOPES: Final = (Scope.NUMBERS_ADMIN, Scope.CONTACTS_WRITE, Scope.HR_WRITE)
"""One of which is enough to ask; which kinds a caller may do, the kinds say."""
UPLOADS: Final = Uploads(re.compile(r"/v1/imports"), MOST + FRAME_BYTES)
BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        FORM: {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
                "required": ["file"],
                "additionalProperties": False,
            }
        }
    },
}
LOOK_PROBLEMS: Final = (
    Unauthenticated,
    InsufficientScope,
    NoContact,
    AccountSuspended,
    NotPermitted,
    Invalid,
    LogUnavailable,
    EpochMoved,
)
ONE_PROBLEMS: Final = (*LOOK_PROBLEMS, NotFound)
PAGE_PROBLEMS: Final = (*LOOK_PROBLEMS, BadCursor)
TAKE_PROBLEMS: Final = (
    *LOOK_PROBLEMS[:7],
    BodyTooLarge,
    UnsupportedMediaType,
    UnknownFormat,
    UnknownProfile,
    NothingKeptBack,
    EmptyFile,
    TooManyUploads,
    UploadTooSlow,
    TooManyJobs,
    IdempotencyKeyReused,
    IdempotencyInProgress,
)

ImportsRead = Annotated[Viewer, Depends(LookGuard(*SCOPES))]
ImportsWrite = Annotated[Viewer, Depends(WriteGuard(*SCOPES))]


async def _desk(request: Request) -> ImportDesk:
    desk: ImportDesk = request.app.state.application.imports
    return desk


Named = Annotated[UUID, Path(alias="id", description="Id of the import.")]
Desk = Annotated[ImportDesk, Depends(_desk)]
