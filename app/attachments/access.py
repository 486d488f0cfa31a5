"""What the routes of attachments call, where files are posted, how a body is described, and the problems that an upload can meet."""

import re
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Path, Request

from app.approvals.access import ACT_PROBLEMS, LOOK_PROBLEMS
from app.approvals.errors import NotOpen, TooManyAttachments
from app.attachments.desk import AttachmentDesk
from app.attachments.errors import (
    AttachmentUnreadable,
    ContentMismatch,
    TooManyUploads,
    UnfitFileName,
    UnreadableFile,
    UnsafeContent,
    UploadTooSlow,
)
from app.attachments.kinds import MOST_BYTES, FileType
from app.attachments.reading import DISCLOSURE
from app.kit.edge import Uploads
from app.kit.errors import BodyTooLarge, NotFound, UnsupportedMediaType
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.kit.problems import responses
from app.kit.uploads import FORM, FRAME_BYTES

UPLOADS: Final = Uploads(re.compile(r"/v1/(requests/[^/]+/)?attachments"), MOST_BYTES + FRAME_BYTES)

_BINARY: Final = {"type": "string", "format": "binary"}
BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        FORM: {
            "schema": {
                "type": "object",
                "properties": {"file": _BINARY},
                "required": ["file"],
                "additionalProperties": False,
            },
            "encoding": {"file": {"contentType": ", ".join(FileType)}},
        }
    },
}
UPLOAD_PROBLEMS: Final = (
    *ACT_PROBLEMS[:6],
    BodyTooLarge,
    UnsupportedMediaType,
    UnfitFileName,
    ContentMismatch,
    UnreadableFile,
    UnsafeContent,
    TooManyAttachments,
    TooManyUploads,
    UploadTooSlow,
    IdempotencyKeyReused,
    IdempotencyInProgress,
)
ATTACH_PROBLEMS: Final = (*UPLOAD_PROBLEMS, NotFound, NotOpen)
FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": f"The file, to be saved; `{DISCLOSURE}` holds the note of the disclosure",
        "content": {kind.value: {"schema": _BINARY} for kind in FileType},
        "headers": {name: {"schema": {"type": "string"}} for name in ("Content-Disposition", DISCLOSURE)},
    },
    **responses(*LOOK_PROBLEMS, NotFound, AttachmentUnreadable),
}


async def _desk(request: Request) -> AttachmentDesk:
    desk: AttachmentDesk = request.app.state.application.attachments
    return desk


Named = Annotated[UUID, Path(alias="id", description="Id of the attachment.")]
Attachment = Annotated[UUID, Path(description="Id of the attachment.")]
Desk = Annotated[AttachmentDesk, Depends(_desk)]
