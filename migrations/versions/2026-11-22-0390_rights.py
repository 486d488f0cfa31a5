"""Grants to which the person has consented, tiers and roles that were lent, and who answers for a client.

Revision d5a83c1be7f0, after b386178a27dc. Only additions: no grant of before lifts a cap, no client of before has an owner, and their rows'
MACs are of what they were. A release before this one does not believe a grant that lifts or a client that has an owner, because their MACs
cover more than it knows; what it finds lent it takes for given, since the account says so.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant, Json

revision: str = "d5a83c1be7f0"
down_revision: str | None = "b386178a27dc"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add both columns and the table."""
    op.add_column("access_grant", sa.Column("lifts", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("client", sa.Column("owner_id", Id(), nullable=True))
    op.create_table(
        "standing_loan",
        sa.Column("id", Id(), nullable=False),
        sa.Column("account_id", Id(), nullable=False),
        sa.Column("request_id", Id(), nullable=False),
        sa.Column("tier", sa.String(2), nullable=True),
        sa.Column("tier_before", sa.String(2), nullable=True),
        sa.Column("roles", Json(), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("mac", sa.LargeBinary(32), nullable=False),
        sa.CheckConstraint("(tier IS NULL) = (tier_before IS NULL)", name=op.f("ck_standing_loan_whole_tier")),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name=op.f("ck_standing_loan_ends_after_start")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_loan")),
        sa.UniqueConstraint("request_id", name=op.f("uq_standing_loan_request_id")),
    )
    op.create_index(op.f("ix_standing_loan_account_id"), "standing_loan", ["account_id"])
    fence({}, lasting=("standing_loan",))


def downgrade() -> None:
    """Drop them; what was lent stays with its holder, and grants that lift go."""
    op.drop_table("standing_loan")
    op.execute("DELETE FROM access_grant WHERE lifts")
    op.drop_column("client", "owner_id")
    op.drop_column("access_grant", "lifts")
