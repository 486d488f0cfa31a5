"""When each rule of the policy last decided something.

Revision 5d20b384c176, after 4c1af273b065. One ordinary table; nothing depends on it.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import context, op

from app.kit.models import Instant

revision: str = "5d20b384c176"
down_revision: str | None = "4c1af273b065"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "rule_evidence",
        sa.Column("rule_id", sa.String(64), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("rule_id", name=op.f("pk_rule_evidence")),
    )
    role = context.config.attributes.get("service_role")
    if op.get_bind().dialect.name == "postgresql" and role:
        name = op.get_bind().execute(sa.text("SELECT quote_ident(:role)"), {"role": role}).scalar_one()
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON rule_evidence TO {name}")


def downgrade() -> None:
    """Drop it; its grants go with it."""
    op.drop_table("rule_evidence")
