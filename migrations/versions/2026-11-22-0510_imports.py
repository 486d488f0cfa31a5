"""Imports: files that were handed in, their pieces until they are done with, and what became of each row.

Revision 81d4e06b7fa3, after 3f71c9a0e254.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant, Json

revision: str = "81d4e06b7fa3"
down_revision: str | None = "3f71c9a0e254"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

RUN, PIECE, ROW = "import_run", "import_piece", "import_row"


def upgrade() -> None:
    """Add the tables; what is past is deleted by the service itself."""
    op.create_table(
        RUN,
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("format", sa.String(length=16), nullable=False),
        sa.Column("place", sa.String(length=32), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("overrules", sa.Boolean(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("caller", sa.String(length=160), nullable=False),
        sa.Column("contact_id", Id(), nullable=True),
        sa.Column("job_id", Id(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("counts", Json(), nullable=False),
        sa.Column("proposals", Json(), nullable=True),
        sa.Column("problem", sa.String(length=64), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.CheckConstraint("state IN ('queued','running','done','failed')", name=op.f("ck_import_run_state")),
        sa.CheckConstraint("size BETWEEN 1 AND 67108864", name=op.f("ck_import_run_size")),
        sa.CheckConstraint("done >= 0 AND (total IS NULL OR done <= total)", name=op.f("ck_import_run_progress")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    op.create_index("ix_import_run_kind_id", RUN, ["kind", "id"])
    op.create_index("ix_import_run_digest", RUN, ["digest"])
    unfinished = sa.text("finished_at IS NULL")
    op.create_index("ix_import_run_open", RUN, ["created_at"], sqlite_where=unfinished, postgresql_where=unfinished)
    op.create_table(
        PIECE,
        sa.Column("import_id", Id(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["import_run.id"], name=op.f("fk_import_piece_import_id_import_run")),
        sa.PrimaryKeyConstraint("import_id", "place", name=op.f("pk_import_piece")),
    )
    op.create_table(
        ROW,
        sa.Column("import_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=9), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("column_name", sa.String(length=40), nullable=True),
        sa.Column("item", sa.String(length=64), nullable=True),
        sa.Column("notes", Json(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('adopted','unchanged','conflict','problem')", name=op.f("ck_import_row_outcome")
        ),
        sa.ForeignKeyConstraint(["import_id"], ["import_run.id"], name=op.f("fk_import_row_import_id_import_run")),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_import_row")),
    )
    op.create_index("ix_import_row_import_id_outcome_number", ROW, ["import_id", "outcome", "number"])
    fence({}, changeable=(RUN, PIECE, ROW))


def downgrade() -> None:
    """Drop them again; what was imported stays."""
    for table in (ROW, PIECE, RUN):
        op.drop_table(table)
