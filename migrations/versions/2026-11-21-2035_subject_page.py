"""Index rows of events are written packed, and spread a moment later.

Revision b7d2f09a6e14. A page is a derived index, not evidence: the service may remove one, which it does in the transaction that has put
its rows into ``subject_entry``; ``audit verify`` holds both against the events.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy import text

revision: str = "b7d2f09a6e14"
down_revision: str | None = "5b1f0c7e2d34"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Make the table, and let the service role read, add and remove."""
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "subject_page",
        sa.Column("index", big, autoincrement=False, nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bits", big, nullable=False),
        sa.Column("contacts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("index", "part", name=op.f("pk_subject_page")),
        schema="log",
        sqlite_with_rowid=False,
    )
    role = context.config.attributes.get("service_role")
    if op.get_bind().dialect.name == "postgresql" and role:
        name = op.get_bind().execute(text("SELECT quote_ident(:role)"), {"role": role}).scalar_one()
        op.execute(f"GRANT SELECT, INSERT, DELETE ON log.subject_page TO {name}")


def downgrade() -> None:
    """Drop the table; what is still packed in it can be derived from the events again."""
    op.drop_table("subject_page", schema="log")
