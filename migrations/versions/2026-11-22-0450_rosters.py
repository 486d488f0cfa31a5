"""Who is on call for a role, and as what somebody is asked in a step of a request.

Revision e6b954abd50f, after d5a8439ac4fe. A new table behind row MACs, and one nullable column: the release before this one knows neither,
and tasks that it writes say nothing of why somebody is asked.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant

revision: str = "e6b954abd50f"
down_revision: str | None = "d5a8439ac4fe"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Make the table and the column, and let the service role work on both."""
    op.add_column("approval_task", sa.Column("basis", sa.String(length=64), nullable=True))
    op.create_table(
        "on_call_shift",
        sa.Column("id", Id(), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("person_id", Id(), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("filed_by", Id(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_on_call_shift_ends_after_start")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_on_call_shift")),
    )
    op.create_index("ix_on_call_shift_role_ends_at", "on_call_shift", ["role", "ends_at"])
    fence({}, lasting=("on_call_shift",))


def downgrade() -> None:
    """Drop both; grants go with them."""
    op.drop_table("on_call_shift")
    op.drop_column("approval_task", "basis")
