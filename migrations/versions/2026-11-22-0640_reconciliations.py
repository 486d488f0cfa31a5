"""Reconciliations: head-counts that were handed in, what is different, and who let a blown fuse pass.

Revision f81c50934e7b, after 0e9b46f2a1d8.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant, Json

revision: str = "f81c50934e7b"
down_revision: str | None = "e70b4f823d6a"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

RUN, PIECE, ROW, RELEASE = (
    "reconciliation",
    "reconciliation_piece",
    "reconciliation_row",
    "reconciliation_release",
)


def upgrade() -> None:
    """Add the tables; what is past is deleted by the service itself."""
    op.create_table(
        RUN,
        sa.Column("id", Id(), nullable=False),
        sa.Column("source", sa.String(length=54), nullable=False),
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("department_id", Id(), nullable=True),
        sa.Column("as_of", Instant(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(length=32), nullable=False),
        sa.Column("caller", sa.String(length=160), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("job_id", Id(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("compared_at", Instant(), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("leavers", sa.Integer(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("nameless", sa.Integer(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=True),
        sa.Column("apply_job_id", Id(), nullable=True),
        sa.Column("released_by", Id(), nullable=True),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("counts", Json(), nullable=False),
        sa.Column("outcomes", Json(), nullable=False),
        sa.Column("notes", Json(), nullable=False),
        sa.Column("problem", sa.String(length=64), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued','comparing','compared','applying','applied','failed')",
            name=op.f("ck_reconciliation_state"),
        ),
        sa.CheckConstraint("size BETWEEN 1 AND 67108864", name=op.f("ck_reconciliation_size")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation")),
    )
    op.create_index("ix_reconciliation_caller_id", RUN, ["caller", "id"])
    op.create_index("ix_reconciliation_begun_at", RUN, ["begun_at"])
    op.create_index("ix_reconciliation_state_created_at", RUN, ["state", "created_at"])
    op.create_table(
        PIECE,
        sa.Column("reconciliation_id", Id(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("box", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"],
            ["reconciliation.id"],
            name=op.f("fk_reconciliation_piece_reconciliation_id_reconciliation"),
        ),
        sa.PrimaryKeyConstraint("reconciliation_id", "place", name=op.f("pk_reconciliation_piece")),
    )
    op.create_table(
        ROW,
        sa.Column("reconciliation_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wave", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=18), nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("employee_no", sa.String(length=32), nullable=True),
        sa.Column("contact_id", Id(), nullable=True),
        sa.Column("department_id", Id(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("members", Json(), nullable=False),
        sa.Column("column_name", sa.String(length=40), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("box", sa.LargeBinary(), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.Column("result", sa.String(length=64), nullable=True),
        sa.CheckConstraint(
            "kind IN ('joiner','returned','changed','leaver','newer','unknown_department','unreadable')",
            name=op.f("ck_reconciliation_row_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"],
            ["reconciliation.id"],
            name=op.f("fk_reconciliation_row_reconciliation_id_reconciliation"),
        ),
        sa.PrimaryKeyConstraint("reconciliation_id", "number", name=op.f("pk_reconciliation_row")),
    )
    op.create_index("ix_reconciliation_row_reconciliation_id_kind_number", ROW, ["reconciliation_id", "kind", "number"])
    op.create_index("ix_reconciliation_row_reconciliation_id_wave_number", ROW, ["reconciliation_id", "wave", "number"])
    op.create_table(
        RELEASE,
        sa.Column("request_id", Id(), nullable=False),
        sa.Column("reconciliation_id", Id(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("leavers", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_reconciliation_release")),
    )
    op.create_index("ix_reconciliation_release_reconciliation_id", RELEASE, ["reconciliation_id"])
    fence({}, changeable=(RUN, PIECE, ROW, RELEASE))


def downgrade() -> None:
    """Drop them again; what was applied stays."""
    for table in (RELEASE, ROW, PIECE, RUN):
        op.drop_table(table)
