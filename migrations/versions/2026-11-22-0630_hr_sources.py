"""Sources that sign their personnel events.

Revision e70b4f823d6a, after d6fa3e712c59. Rows are never removed: a source is disabled.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant

revision: str = "e70b4f823d6a"
down_revision: str | None = "d6fa3e712c59"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "hr_source",
        sa.Column("id", Id(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("former_secret", sa.LargeBinary(), nullable=True),
        sa.Column("former_until", Instant(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("state IN ('active','disabled')", name=op.f("ck_hr_source_state")),
        sa.CheckConstraint("(former_secret IS NULL) = (former_until IS NULL)", name=op.f("ck_hr_source_former")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hr_source")),
        sa.UniqueConstraint("name", name=op.f("uq_hr_source_name")),
    )
    fence({}, lasting=("hr_source",))


def downgrade() -> None:
    """Drop it again; sources need tokens."""
    op.drop_table("hr_source")
