"""Deadlines of personnel events.

Revision d6fa3e712c59, after 0e9b46f2a1d8. Rows are never removed: what was broken stays on record.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant

revision: str = "d6fa3e712c59"
down_revision: str | None = "c5e92d601b48"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_RUNNING = sa.text("met_at IS NULL AND ended_at IS NULL")


def upgrade() -> None:
    """Add the table; events that were taken before owe nothing."""
    op.create_table(
        "deadline",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=128), nullable=False),
        sa.Column("subject", sa.LargeBinary(length=32), nullable=False),
        sa.Column("contact_id", Id(), nullable=True),
        sa.Column("department_id", Id(), nullable=True),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("first_due_at", Instant(), nullable=False),
        sa.Column("predicted", sa.Boolean(), nullable=False),
        sa.Column("counted_at", Instant(), nullable=False),
        sa.Column("calendar", sa.Integer(), nullable=False),
        sa.Column("next_at", Instant(), nullable=True),
        sa.Column("reminded_at", Instant(), nullable=True),
        sa.Column("escalated_at", Instant(), nullable=True),
        sa.Column("breached_at", Instant(), nullable=True),
        sa.Column("met_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("cause", sa.String(length=12), nullable=True),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("kind IN ('joiner','mover','leaver')", name=op.f("ck_deadline_kind")),
        sa.CheckConstraint("(ended_at IS NULL) = (cause IS NULL)", name=op.f("ck_deadline_ended")),
        sa.CheckConstraint("met_at IS NULL OR ended_at IS NULL", name=op.f("ck_deadline_one_end")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadline")),
        sa.UniqueConstraint("source", "event_id", name=op.f("uq_deadline_source_event_id")),
    )
    op.create_index("ix_deadline_next_at", "deadline", ["next_at"])
    op.create_index("ix_deadline_running", "deadline", ["id"], sqlite_where=_RUNNING, postgresql_where=_RUNNING)
    op.create_index("ix_deadline_subject", "deadline", ["subject"])
    op.create_index("ix_deadline_due_at", "deadline", ["due_at"])
    fence({}, lasting=("deadline",))


def downgrade() -> None:
    """Drop it again."""
    op.drop_table("deadline")
