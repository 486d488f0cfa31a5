"""What goes out of attachments; what comes in is a form with one file."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from app.attachments.kinds import FileType
from app.disclosure.view import DisclosureNote
from app.kit.schemas import Output


class AttachmentView(Output):
    """A file of a request. One that was changed past the service is not `available`, and nothing but its id and digest is told."""

    id: UUID
    digest: str = Field(
        description="Stands for exactly this content under this id; part of what decisions are signed over."
    )
    name: str | None
    media_type: FileType | None
    size: int | None
    uploaded_by: UUID | None
    uploaded_at: datetime | None
    available: bool


class AttachmentList(Output):
    """The files of a request, in the order in which they came."""

    items: list[AttachmentView]
    disclosure: DisclosureNote


class StagedView(Output):
    """A file that waits to be filed with."""

    id: UUID
    digest: str
    name: str
    media_type: FileType
    size: int
    uploaded_at: datetime
    expires_at: datetime


class StagedList(Output):
    """Files that wait."""

    items: list[StagedView]
    disclosure: DisclosureNote


class StagedReceipt(Output):
    """What staging a file answers."""

    id: UUID
    media_type: FileType
    size: int
    digest: str
    expires_at: datetime


class AttachmentReceipt(Output):
    """What putting a file to a request answers; `request_version` is what a decision names in `If-Match`."""

    id: UUID
    media_type: FileType
    size: int
    digest: str
    expires_at: None
    request_version: str
