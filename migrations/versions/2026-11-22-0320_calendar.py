"""Working days: what was said of days, which years were announced, and the revisions that made it so.

Revision 6e31c295d287, after 5d20b384c176. New tables only. Revisions are append-only on both engines; the rows that they add up to are
ordinary. The first start after it takes over what the package chinesecalendar knows.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant, Json

revision: str = "6e31c295d287"
down_revision: str | None = "5d20b384c176"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

HISTORY = "calendar_revision"
CHANGEABLE = ("calendar_day", "calendar_year")


def upgrade() -> None:
    """Make the tables, fence the history, and let the service role work."""
    op.create_table(
        "calendar_day",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("layer", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name_zh", sa.String(64), nullable=True),
        sa.Column("name_en", sa.String(64), nullable=True),
        sa.Column("source", sa.String(160), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("layer IN ('published','company')", name=op.f("ck_calendar_day_layer")),
        sa.CheckConstraint("kind IN ('working','off')", name=op.f("ck_calendar_day_kind")),
        sa.PrimaryKeyConstraint("date", "layer", name=op.f("pk_calendar_day")),
    )
    op.create_index("ix_calendar_day_year_layer", "calendar_day", ["year", "layer"])
    op.create_table(
        "calendar_year",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("source", sa.String(160), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("status IN ('confirmed','predicted')", name=op.f("ck_calendar_year_status")),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_calendar_year")),
    )
    op.create_table(
        HISTORY,
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(160), nullable=False),
        sa.Column("actor_type", sa.String(16), nullable=False),
        sa.Column("actor_id", sa.String(128), nullable=False),
        sa.Column("changes", Json(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_calendar_revision")),
        sa.UniqueConstraint("id", name=op.f("uq_calendar_revision_id")),
    )
    fence({HISTORY: (("seq",), ("id",))}, CHANGEABLE)


def downgrade() -> None:
    """Drop it all; triggers and grants go with the tables."""
    for table in (HISTORY, *reversed(CHANGEABLE)):
        op.drop_table(table)
