"""The order of personnel events: what waits and what is due, and of every subject who wrote each member last.

Revision b4d81c5f0a37, after 0e9b46f2a1d8. Events that failed before hold nobody up: what they said was not kept, so they cannot be
replayed.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text

from app.kit.fences import fence
from app.kit.models import Id, Instant

revision: str = "b4d81c5f0a37"
down_revision: str | None = "0e9b46f2a1d8"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_DUE = text("next_at IS NOT NULL")


def upgrade() -> None:
    """Add the subjects, and to events where they stand and when they are looked at again."""
    op.create_table(
        "hr_subject",
        sa.Column("subject_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("minted", sa.Boolean(), nullable=False),
        sa.Column("sequences", sa.Text(), nullable=False),
        sa.Column("writers", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("subject_hash", name=op.f("pk_hr_subject")),
    )
    op.create_index("ix_hr_subject_id", "hr_subject", ["id"])
    column: sa.Column[Any]
    for column in (
        sa.Column("sealed_for", Id(), nullable=True),
        sa.Column("placed_at", Instant(), nullable=True),
        sa.Column("next_at", Instant(), nullable=True),
        sa.Column("wait_until", Instant(), nullable=True),
        sa.Column("holds", sa.Boolean(), server_default=sa.false(), nullable=False),
    ):
        op.add_column("hr_event", column)
    op.create_index("ix_hr_event_next_at", "hr_event", ["next_at"], sqlite_where=_DUE, postgresql_where=_DUE)
    op.execute("UPDATE hr_event SET sealed_for = contact_id WHERE payload IS NOT NULL")
    fence({}, lasting=("hr_subject",))


def downgrade() -> None:
    """Take it away again; what waits or is due is told as before, and nobody looks at it."""
    op.drop_index("ix_hr_event_next_at", table_name="hr_event")
    for column in ("holds", "wait_until", "next_at", "placed_at", "sealed_for"):
        op.drop_column("hr_event", column)
    op.drop_index("ix_hr_subject_id", table_name="hr_subject")
    op.drop_table("hr_subject")
