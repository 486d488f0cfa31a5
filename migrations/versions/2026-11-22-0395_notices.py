"""Notices: what happened, addresses outside that are told, queues, and how each telling stands.

Revision 8053e4b7f4a9, after d5a83c1be7f0. New tables only. The service role may delete: an address that was removed goes with its tellings,
and notices are kept for a month; that they were sent, and who was told, is no look at anybody.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant, Json

revision: str = "8053e4b7f4a9"
down_revision: str | None = "d5a83c1be7f0"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES = ("webhook", "notice", "notice_queue", "notice_delivery")
WAITING = sa.text("state = 'waiting'")
UNSPREAD = sa.text("spread_at IS NULL")


def upgrade() -> None:
    """Make the tables, and let the service role work on them."""
    op.create_table(
        "webhook",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=80), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("former_secret", sa.LargeBinary(), nullable=True),
        sa.Column("former_until", Instant(), nullable=True),
        sa.Column("types", Json(), nullable=False),
        sa.Column("roles", Json(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=True),
        sa.Column("owner", Id(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint("kind IN ('standard','wecom','feishu','dingtalk')", name=op.f("ck_webhook_kind")),
        sa.CheckConstraint("state IN ('active','paused','disabled')", name=op.f("ck_webhook_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    op.create_table(
        "notice",
        sa.Column("id", Id(), nullable=False),
        sa.Column("type", sa.String(length=48), nullable=False),
        sa.Column("occurred_at", Instant(), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.Column("audience", Json(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("spread_at", Instant(), nullable=True),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index(
        "ix_notice_to_spread", "notice", ["created_at", "id"], sqlite_where=UNSPREAD, postgresql_where=UNSPREAD
    )
    op.create_index("ix_notice_created_at", "notice", ["created_at"])
    op.create_table(
        "notice_queue",
        sa.Column("name", sa.String(length=48), nullable=False),
        sa.Column("webhook_id", Id(), nullable=True),
        sa.Column("server", Id(), nullable=True),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.Column("served_at", Instant(), nullable=False),
        sa.Column("rests_until", Instant(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhook.id"], name=op.f("fk_notice_queue_webhook_id_webhook")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_notice_queue")),
    )
    op.create_table(
        "notice_delivery",
        sa.Column("id", Id(), nullable=False),
        sa.Column("notice_id", Id(), nullable=False),
        sa.Column("queue", sa.String(length=48), nullable=False),
        sa.Column("recipient", Id(), nullable=False),
        sa.Column("resource", sa.String(length=64), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("tried_at", Instant(), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("took_ms", sa.Integer(), nullable=True),
        sa.CheckConstraint("state IN ('waiting','delivered','dead')", name=op.f("ck_notice_delivery_state")),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_notice_delivery_notice_id_notice")),
        sa.ForeignKeyConstraint(["queue"], ["notice_queue.name"], name=op.f("fk_notice_delivery_queue_notice_queue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_delivery")),
        sa.UniqueConstraint(
            "notice_id", "queue", "recipient", name=op.f("uq_notice_delivery_notice_id_queue_recipient")
        ),
    )
    op.create_index(
        "ix_notice_delivery_due",
        "notice_delivery",
        ["queue", "due_at", "id"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index(
        "ix_notice_delivery_order",
        "notice_delivery",
        ["queue", "resource", "version"],
        sqlite_where=WAITING,
        postgresql_where=WAITING,
    )
    op.create_index("ix_notice_delivery_queue_id", "notice_delivery", ["queue", "id"])
    fence({}, TABLES)


def downgrade() -> None:
    """Drop all four; grants go with them."""
    for table in reversed(TABLES):
        op.drop_table(table)
