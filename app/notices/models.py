"""Tables of notices: what happened, where it is told, and how each telling stands. Ids and codes, never personal data.

An address and its secrets are boxed. What decides where something is sent, and what is sent, stands under a MAC; how a telling stands, and
who is at work on a queue, does not: it changes with every attempt and decides nothing but when.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kit.models import Base, Id, Instant, Json


class WebhookRow(Base):
    """One address outside: a subscriber of ours (``standard``) or the robot of a group chat."""

    __tablename__ = "webhook"
    __table_args__ = (
        CheckConstraint("kind IN ('standard','wecom','feishu','dingtalk')", name="kind"),
        CheckConstraint("state IN ('active','paused','disabled')", name="state"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    label: Mapped[str] = mapped_column(String(80))
    address: Mapped[bytes] = mapped_column(LargeBinary)
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    former_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    former_until: Mapped[datetime | None] = mapped_column(Instant)
    types: Mapped[Any] = mapped_column(Json)
    roles: Mapped[Any] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(16))
    cause: Mapped[str | None] = mapped_column(String(16))
    owner: Mapped[UUID | None] = mapped_column(Id)
    row_version: Mapped[int] = mapped_column(Integer)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(Instant)
    updated_at: Mapped[datetime] = mapped_column(Instant)


class NoticeRow(Base):
    """One thing that happened. ``spread_at`` is when its tellings were made; the resource and its version order them."""

    __tablename__ = "notice"
    __table_args__ = (
        Index(
            "ix_notice_to_spread",
            "created_at",
            "id",
            sqlite_where=text("spread_at IS NULL"),
            postgresql_where=text("spread_at IS NULL"),
        ),
        Index("ix_notice_created_at", "created_at"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    type: Mapped[str] = mapped_column(String(48))
    occurred_at: Mapped[datetime] = mapped_column(Instant)
    resource: Mapped[str | None] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer)
    body: Mapped[Any] = mapped_column(Json)
    audience: Mapped[Any] = mapped_column(Json)
    created_at: Mapped[datetime] = mapped_column(Instant)
    spread_at: Mapped[datetime | None] = mapped_column(Instant)
    mac: Mapped[bytes] = mapped_column(LargeBinary(32))


class NoticeQueueRow(Base):
    """One queue, served by one process at a time: an address outside, or a share of the mail.

    ``failures`` counts those since the last success; ``failing_since`` is the first of them.
    """

    __tablename__ = "notice_queue"
    name: Mapped[str] = mapped_column(String(48), primary_key=True)
    webhook_id: Mapped[UUID | None] = mapped_column(Id, ForeignKey("webhook.id"))
    server: Mapped[UUID | None] = mapped_column(Id)
    leased_until: Mapped[datetime | None] = mapped_column(Instant)
    served_at: Mapped[datetime] = mapped_column(Instant)
    rests_until: Mapped[datetime | None] = mapped_column(Instant)
    failures: Mapped[int] = mapped_column(Integer)
    failing_since: Mapped[datetime | None] = mapped_column(Instant)


class NoticeDeliveryRow(Base):
    """One telling of one notice. Of what an answer said only its status, its kind and how long it took are kept."""

    __tablename__ = "notice_delivery"
    __table_args__ = (
        UniqueConstraint("notice_id", "queue", "recipient"),
        CheckConstraint("state IN ('waiting','delivered','dead')", name="state"),
        Index(
            "ix_notice_delivery_due",
            "queue",
            "due_at",
            "id",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index(
            "ix_notice_delivery_order",
            "queue",
            "resource",
            "version",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_notice_delivery_queue_id", "queue", "id"),
    )
    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    notice_id: Mapped[UUID] = mapped_column(Id, ForeignKey("notice.id"))
    queue: Mapped[str] = mapped_column(String(48), ForeignKey("notice_queue.name"))
    recipient: Mapped[UUID] = mapped_column(Id)
    resource: Mapped[str | None] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(Integer)
    due_at: Mapped[datetime] = mapped_column(Instant)
    created_at: Mapped[datetime] = mapped_column(Instant)
    tried_at: Mapped[datetime | None] = mapped_column(Instant)
    outcome: Mapped[str | None] = mapped_column(String(32))
    status: Mapped[int | None] = mapped_column(Integer)
    took_ms: Mapped[int | None] = mapped_column(Integer)
