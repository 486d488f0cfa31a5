"""Work that is booked as a job and done by the outbox: any number of one kind goes on at a time; and how far ends of waits were told.

Revision c25f98d7104b, after 81d4e06b7fa3. The index that lets one job of a kind run at a time asks for a run.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text

from app.kit.fences import fence
from app.kit.models import Instant

revision: str = "c25f98d7104b"
down_revision: str | None = "81d4e06b7fa3"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INDEX = "uq_job_running"


def upgrade() -> None:
    """Leave jobs without a run out of the index, and add the tide."""
    _make("state = 'running' AND owner IS NOT NULL")
    op.create_table(
        "number_tide",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("told_until", Instant(), nullable=False),
        sa.Column("told_row", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_number_tide_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_tide")),
    )
    fence({}, lasting=("number_tide",))


def downgrade() -> None:
    """Let one job of a kind run again; booked ones that run are told as waiting."""
    op.drop_table("number_tide")
    op.execute("UPDATE job SET state = 'queued' WHERE state = 'running' AND owner IS NULL")
    _make("state = 'running'")


def _make(condition: str) -> None:
    op.drop_index(_INDEX, "job")
    which = text(condition)
    op.create_index(_INDEX, "job", ["kind"], unique=True, sqlite_where=which, postgresql_where=which)
