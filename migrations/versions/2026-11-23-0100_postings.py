"""Sets of whom long words find, for searches of several words: generations, ordinals, sets.

Revision 3b7d0e52c9a4, after 64025416cb4b. Three new tables that a worker fills where the directory is large; everything in them is derived
from the keys of contacts and from the version of the directory. The release before this one knows none of them and searches without.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant

revision: str = "3b7d0e52c9a4"
down_revision: str | None = "64025416cb4b"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

CHANGEABLE = ("posting_generation", "posting_ordinal", "posting")


def upgrade() -> None:
    """Make the tables. On PostgreSQL sets are not packed a second time, since they are packed already and read whole."""
    op.create_table(
        "posting_generation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("alive_at", Instant(), nullable=False),
        sa.Column("ready_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posting_generation")),
    )
    op.create_table(
        "posting_ordinal",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("contact_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("generation", "ordinal", name=op.f("pk_posting_ordinal")),
        sa.UniqueConstraint("generation", "contact_id", name=op.f("uq_posting_ordinal_generation_contact_id")),
        sqlite_with_rowid=False,
    )
    bytewise = sa.String(65).with_variant(sa.String(65, collation="C"), "postgresql")
    op.create_table(
        "posting",
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rank", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("whole", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("term", bytewise, nullable=False),
        sa.Column("members", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("generation", "rank", "whole", "term", name=op.f("pk_posting")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE posting ALTER COLUMN members SET STORAGE EXTERNAL")
    fence({}, CHANGEABLE)


def downgrade() -> None:
    """Drop them; they are made anew."""
    for each in reversed(CHANGEABLE):
        op.drop_table(each)
