"""Departures, and the undertakings that leavers confirm.

Revision c5e92d601b48, after f81c50934e7b. Departures are changed and never deleted; texts and confirmations are only added to.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant, Json

revision: str = "c5e92d601b48"
down_revision: str | None = "b4d81c5f0a37"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_WAITS = sa.text("archived_at IS NULL AND returned_at IS NULL")


def upgrade() -> None:
    """Add the three tables."""
    op.create_table(
        "departure",
        sa.Column("id", Id(), nullable=False),
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("department_id", Id(), nullable=True),
        sa.Column("to_id", Id(), nullable=True),
        sa.Column("tag", sa.LargeBinary(length=32), nullable=True),
        sa.Column("ended", Json(), nullable=False),
        sa.Column("left_at", Instant(), nullable=False),
        sa.Column("remove_by", Instant(), nullable=False),
        sa.Column("checked_at", Instant(), nullable=True),
        sa.Column("archived_at", Instant(), nullable=True),
        sa.Column("returned_at", Instant(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_departure_contact_id_contact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departure")),
    )
    op.create_index(
        "uq_departure_open", "departure", ["contact_id"], unique=True, sqlite_where=_WAITS, postgresql_where=_WAITS
    )
    op.create_index("ix_departure_remove_by", "departure", ["remove_by"], sqlite_where=_WAITS, postgresql_where=_WAITS)
    op.create_index("ix_departure_contact_id_id", "departure", ["contact_id", "id"])
    op.create_index("ix_departure_tag", "departure", ["tag"])
    op.create_table(
        "undertaking_text",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title_zh", sa.String(length=200), nullable=False),
        sa.Column("title_en", sa.String(length=200), nullable=False),
        sa.Column("text_zh", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.Column("actor_type", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_undertaking_text")),
        sa.UniqueConstraint("version", name=op.f("uq_undertaking_text_version")),
    )
    op.create_table(
        "undertaking",
        sa.Column("text_id", Id(), nullable=False),
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("means", sa.String(length=8), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor_type", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("means IN ('own','recorded')", name=op.f("ck_undertaking_means")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_undertaking_contact_id_contact")),
        sa.PrimaryKeyConstraint("text_id", "contact_id", name=op.f("pk_undertaking")),
    )
    op.create_index("ix_undertaking_contact_id_at", "undertaking", ["contact_id", "at"])
    fence(
        {"undertaking_text": [("id",), ("version",)], "undertaking": [("text_id", "contact_id")]},
        lasting=("departure",),
    )


def downgrade() -> None:
    """Drop them again; nobody's card waits to be taken away any more."""
    for table in ("undertaking", "undertaking_text", "departure"):
        op.drop_table(table)
