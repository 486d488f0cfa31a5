"""What operators do where nobody can be asked, and service accounts whose owner has left.

Revision 4d92c6f01b7e, after e6b954abd50f. New tables alone: the release before this one knows neither of them.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant

revision: str = "4d92c6f01b7e"
down_revision: str | None = "e6b954abd50f"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

CHANGEABLE = ("operator_act", "client_handover")
OPEN = sa.text("settled_at IS NULL")


def upgrade() -> None:
    """Make both tables, and let the service role work."""
    op.create_table(
        "operator_act",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("what", sa.String(length=64), nullable=False),
        sa.Column("whom", Id(), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("proposed_by", sa.String(length=96), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("ready_at", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("done_by", sa.String(length=96), nullable=True),
        sa.Column("done_at", Instant(), nullable=True),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("(done_by IS NULL) = (done_at IS NULL)", name=op.f("ck_operator_act_whole")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_act")),
    )
    op.create_index("ix_operator_act_what", "operator_act", ["kind", "what"])
    op.create_table(
        "client_handover",
        sa.Column("id", Id(), nullable=False),
        sa.Column("client_id", sa.String(length=63), nullable=False),
        sa.Column("former_id", Id(), nullable=False),
        sa.Column("acting_id", Id(), nullable=True),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("(outcome IS NULL) = (settled_at IS NULL)", name=op.f("ck_client_handover_whole")),
        sa.CheckConstraint(
            "outcome IN ('taken_over', 'passed_on', 'disabled')", name=op.f("ck_client_handover_outcome")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_client_handover")),
    )
    op.create_index("ix_client_handover_due", "client_handover", ["due_at"], sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index(
        "uq_client_handover_open",
        "client_handover",
        ["client_id"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    fence({}, CHANGEABLE)


def downgrade() -> None:
    """Drop both again; what was done stays done."""
    op.drop_table("client_handover")
    op.drop_table("operator_act")
