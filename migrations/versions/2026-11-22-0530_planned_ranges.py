"""Ranges that open at a date: until then their numbers are planned.

Revision 0e9b46f2a1d8, after c25f98d7104b.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.models import Instant

revision: str = "0e9b46f2a1d8"
down_revision: str | None = "c25f98d7104b"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add when a range opens; those that there are have been open from the start."""
    op.add_column("number_range", sa.Column("opens_at", Instant(), nullable=True))


def downgrade() -> None:
    """Forget it; numbers that are planned stay so until their date."""
    op.drop_column("number_range", "opens_at")
