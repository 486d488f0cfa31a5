"""Calling privileges: what a line may do beyond the house, until when, by which request.

Revision 19ec87de0832, after 08db76cdf721. Rows are never removed; only how they ended is written later.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant

revision: str = "19ec87de0832"
down_revision: str | None = "08db76cdf721"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLE = "calling_privilege"


def upgrade() -> None:
    """Add the table; the service may not delete from it."""
    op.create_table(
        TABLE,
        sa.Column("id", Id(), nullable=False),
        sa.Column("request_id", Id(), nullable=False),
        sa.Column("assignment_id", Id(), nullable=False),
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("domain", sa.String(length=32), nullable=False),
        sa.Column("digits", sa.String(length=15), nullable=False),
        sa.Column("function", sa.String(length=20), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("cause", sa.String(length=12), nullable=True),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint(
            "function IN ('long_distance','international','external_forward','conference')",
            name=op.f("ck_calling_privilege_function"),
        ),
        sa.CheckConstraint("until > since", name=op.f("ck_calling_privilege_ends_after_start")),
        sa.CheckConstraint("(ended_at IS NULL) = (cause IS NULL)", name=op.f("ck_calling_privilege_ended")),
        sa.ForeignKeyConstraint(
            ["assignment_id"],
            ["number_assignment.id"],
            name=op.f("fk_calling_privilege_assignment_id_number_assignment"),
        ),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_calling_privilege_contact_id_contact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calling_privilege")),
    )
    op.create_index("ix_calling_privilege_contact_id_id", TABLE, ["contact_id", "id"])
    op.create_index("ix_calling_privilege_assignment_id", TABLE, ["assignment_id"])
    op.create_index("ix_calling_privilege_request_id", TABLE, ["request_id"])
    op.create_index("ix_calling_privilege_until", TABLE, ["until"])
    fence({}, lasting=(TABLE,))


def downgrade() -> None:
    """Drop it again; every line is back to calls inside the house."""
    op.drop_table(TABLE)
