"""Tables of attachments: what each is, behind a MAC, and its content in sealed pieces under a key of its own (``data_key``)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant

_STAGED = text("request_id IS NULL")


class Attachment(Base):
    """One file. Until it is filed with, it is its uploader's alone and has an end; from then on it is the request's and has none."""

    __tablename__ = "attachment"
    __table_args__ = (
        CheckConstraint("(request_id IS NULL) <> (expires_at IS NULL)", name="staged_or_filed"),
        CheckConstraint("size BETWEEN 1 AND 10485760", name="size"),
        Index("ix_attachment_request_id", "request_id"),
        Index("ix_attachment_owner_id", "owner_id", sqlite_where=_STAGED, postgresql_where=_STAGED),
        Index("ix_attachment_expires_at", "expires_at", sqlite_where=_STAGED, postgresql_where=_STAGED),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    request_id: Mapped[UUID | None] = mapped_column(Id, ForeignKey("approval_request.id"))
    owner_id: Mapped[UUID] = mapped_column(Id)
    name: Mapped[bytes] = mapped_column(LargeBinary)
    media_type: Mapped[str] = mapped_column(String(96))
    size: Mapped[int] = mapped_column(Integer)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    uploaded_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class AttachmentChunk(Base):
    """One piece of a file; its place, and whether it is the last, is sealed with it."""

    __tablename__ = "attachment_chunk"
    attachment_id: Mapped[UUID] = mapped_column(Id, ForeignKey("attachment.id"), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
