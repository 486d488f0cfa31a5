"""Tables of requests: the request with its course, who is asked, what was said, what was done.

A request's row carries its whole course under one MAC, so nobody adds a signature by SQL; what is asked, with its reasons, lies boxed in
``body``. Tasks are an index of it: what an inbox is read from, and nothing rests on. Decisions and comments are only ever added.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant, Json


class ApprovalRequest(Base):
    """One request. ``next_at`` is when the clock has something to do with it; ``version`` counts everything that happened to it."""

    __tablename__ = "approval_request"
    __table_args__ = (
        Index(
            "ix_approval_request_next_at",
            "next_at",
            sqlite_where=text("next_at IS NOT NULL"),
            postgresql_where=text("next_at IS NOT NULL"),
        ),
        Index("ix_approval_request_requester_id_id", "requester_id", "id"),
        Index("ix_approval_request_beneficiary_id_id", "beneficiary_id", "id"),
        Index("ix_approval_request_subject_id_kind", "subject_id", "kind"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(98))
    state: Mapped[str] = mapped_column(String(24))
    version: Mapped[int] = mapped_column(Integer)
    requester_id: Mapped[UUID] = mapped_column(Id)
    beneficiary_id: Mapped[UUID] = mapped_column(Id)
    subject_type: Mapped[str] = mapped_column(String(48))
    subject_id: Mapped[str] = mapped_column(String(128))
    filed_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)
    next_at: Mapped[datetime | None] = mapped_column(Instant)
    record: Mapped[Any] = mapped_column(Json)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    body_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class ApprovalTask(Base):
    """One person asked in one step of a request; ``basis`` is as what (``resolving.Found``)."""

    __tablename__ = "approval_task"
    __table_args__ = (
        Index(
            "ix_approval_task_person_id_due_at",
            "person_id",
            "due_at",
            "request_id",
            sqlite_where=text("open"),
            postgresql_where=text("open"),
        ),
        Index("ix_approval_task_person_id_request_id", "person_id", "request_id"),
    )
    request_id: Mapped[UUID] = mapped_column(Id, ForeignKey("approval_request.id"), primary_key=True)
    step: Mapped[str] = mapped_column(String(48), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(98))
    open: Mapped[bool] = mapped_column(Boolean)
    due_at: Mapped[datetime] = mapped_column(Instant)
    basis: Mapped[str | None] = mapped_column(String(64))


class ApprovalDecision(Base):
    """What somebody said to a step, over exactly what was asked then (``body_digest``). Append-only."""

    __tablename__ = "approval_decision"
    __table_args__ = (UniqueConstraint("request_id", "round", "step", "person_id"),)
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    request_id: Mapped[UUID] = mapped_column(Id, ForeignKey("approval_request.id"))
    round: Mapped[int] = mapped_column(Integer)
    step: Mapped[str] = mapped_column(String(48))
    person_id: Mapped[UUID] = mapped_column(Id)
    actor_id: Mapped[UUID] = mapped_column(Id, index=True)
    word: Mapped[str] = mapped_column(String(16))
    requester_id: Mapped[UUID] = mapped_column(Id)
    body_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    comment: Mapped[bytes | None] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class ApprovalComment(Base):
    """What somebody wrote beside a request, boxed. Append-only."""

    __tablename__ = "approval_comment"
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    request_id: Mapped[UUID] = mapped_column(Id, ForeignKey("approval_request.id"), index=True)
    author_id: Mapped[UUID] = mapped_column(Id)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(Instant)


class ApprovalEffect(Base):
    """What an approved request did, once: the pair of request and number is the key that makes a repeat harmless."""

    __tablename__ = "approval_effect"
    request_id: Mapped[UUID] = mapped_column(Id, ForeignKey("approval_request.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    effect: Mapped[str] = mapped_column(String(48))
    result: Mapped[Any] = mapped_column(Json)
    applied_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    cause: Mapped[str | None] = mapped_column(String(24))


class ApprovalValue(Base):
    """A protected value that a request proposes, sealed under its subject's own key as the card would keep it."""

    __tablename__ = "approval_value"
    request_id: Mapped[UUID] = mapped_column(Id, ForeignKey("approval_request.id"), primary_key=True)
    field: Mapped[str] = mapped_column(String(48), primary_key=True)
    contact_id: Mapped[UUID] = mapped_column(Id)
    envelope: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary(16))
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
