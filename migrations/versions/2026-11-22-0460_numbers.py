"""Holds, side states with a reason and an end, numbers that the exchange confirms, ends of assignments that are acted on.

Revision f7ca65bce610, after 4d92c6f01b7e. What waits for a date, whatever it waits in, is one index: a hold that is over needs nobody to
say so. Assignments that have an end get the time at which the worker is to look at them.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant, Json

revision: str = "f7ca65bce610"
down_revision: str | None = "4d92c6f01b7e"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

WEEK: dict[str, str] = {"sqlite": "604800000000", "postgresql": "interval '7 days'"}
"""Seven days, as the store keeps times."""

LASTING = ("number_hold",)


def upgrade() -> None:
    """Add what numbers and assignments are told of further, and the table of holds."""
    op.add_column("number_pool", sa.Column("confirms", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("number", sa.Column("hold_id", Id(), nullable=True))
    op.add_column("number", sa.Column("kept_for", sa.String(length=100), nullable=True))
    op.drop_index("ix_number_quarantine", "number")
    partial("ix_number_waiting", "number", ["pool_id", "available_from", "state"], "available_from IS NOT NULL")
    op.add_column("number_assignment", sa.Column("due_at", Instant(), nullable=True))
    op.add_column("number_assignment", sa.Column("holder_code", sa.String(length=32), nullable=True))
    op.execute(
        f"UPDATE number_assignment SET due_at = until - {WEEK[op.get_bind().dialect.name]} "
        "WHERE ended_at IS NULL AND until IS NOT NULL"
    )
    partial("ix_number_assignment_due", "number_assignment", ["due_at"], "ended_at IS NULL AND due_at IS NOT NULL")
    op.create_table(
        "number_hold",
        sa.Column("id", Id(), nullable=False),
        sa.Column("pool_id", Id(), nullable=False),
        sa.Column("numbers", Json(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("owner", sa.String(length=96), nullable=False),
        sa.Column("purpose", sa.String(length=100), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("extended", sa.Integer(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("cause", sa.String(length=12), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("kind IN ('hold','reservation')", name=op.f("ck_number_hold_kind")),
        sa.CheckConstraint("(ended_at IS NULL) = (cause IS NULL)", name=op.f("ck_number_hold_ended")),
        sa.ForeignKeyConstraint(["pool_id"], ["number_pool.id"], name=op.f("fk_number_hold_pool_id_number_pool")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_hold")),
    )
    partial("ix_number_hold_expires_at", "number_hold", ["expires_at"], "ended_at IS NULL")
    fence({}, lasting=LASTING)


def downgrade() -> None:
    """Drop it all again; what is held is free at once, what is reserved or blocked until a date stays so until somebody ends it."""
    op.drop_table("number_hold")
    op.drop_index("ix_number_assignment_due", "number_assignment")
    op.drop_column("number_assignment", "holder_code")
    op.drop_column("number_assignment", "due_at")
    op.drop_index("ix_number_waiting", "number")
    op.execute("UPDATE number SET state = 'available', available_from = NULL WHERE state = 'held'")
    partial("ix_number_quarantine", "number", ["pool_id", "available_from"], "state = 'quarantined'")
    op.drop_column("number", "kept_for")
    op.drop_column("number", "hold_id")
    op.drop_column("number_pool", "confirms")


def partial(name: str, table: str, columns: list[str], where: str) -> None:
    """Index the rows that ``where`` picks."""
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)
