"""Who decides for whom, and which contacts are one natural person.

Revision b386178a27dc, after 7f42d3a6e398. New tables only: ``delegation`` is ordinary, behind row MACs; ``person_link`` is append-only,
fenced as those of revision 5b1f0c7e2d34.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant, Json

revision: str = "b386178a27dc"
down_revision: str | None = "7f42d3a6e398"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

APPEND_ONLY = {"person_link": (("id",), ("contact_id", "number"))}
"""Table, and its unique keys."""


def upgrade() -> None:
    """Make both tables, fence one, and let the service role work on them."""
    make_delegations()
    make_persons()
    fence(APPEND_ONLY, lasting=("delegation",))


def downgrade() -> None:
    """Drop both; triggers and grants go with them."""
    op.drop_table("person_link")
    op.drop_table("delegation")


def make_delegations() -> None:
    """Make the table of who decides for whom."""
    op.create_table(
        "delegation",
        sa.Column("id", Id(), nullable=False),
        sa.Column("principal_id", Id(), nullable=False),
        sa.Column("delegate_id", Id(), nullable=False),
        sa.Column("kinds", Json(), nullable=True),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("filed_by", Id(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("cause", sa.String(length=16), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("principal_id <> delegate_id", name=op.f("ck_delegation_two_people")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_delegation_ends_after_start")),
        sa.CheckConstraint(
            "reason IN ('MANUAL','OUT_OF_OFFICE','ESCALATION','SELF_REVIEW')", name=op.f("ck_delegation_reason")
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (cause IS NULL)", name=op.f("ck_delegation_whole_end")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
    )
    op.create_index("ix_delegation_delegate_id_ends_at", "delegation", ["delegate_id", "ends_at"])
    op.create_index("ix_delegation_principal_id_ends_at", "delegation", ["principal_id", "ends_at"])
    op.create_index("ix_delegation_ends_at", "delegation", ["ends_at"])


def make_persons() -> None:
    """Make the table of natural persons."""
    op.create_table(
        "person_link",
        sa.Column("id", Id(), nullable=False),
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("person_id", Id(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor_type", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_link")),
        sa.UniqueConstraint("contact_id", "number", name=op.f("uq_person_link_contact_id_number")),
    )
    op.create_index("ix_person_link_person_id", "person_link", ["person_id"])
