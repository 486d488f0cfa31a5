"""Business facts about customers and partners, and the staff who work on them.

Revision 08d6be3f7c21, after f27c95d8a1b3. New tables only. Both are ordinary: a fact and who works on it change, behind row MACs, and what
was done is in the access log.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import context, op

from app.kit.models import Id, Instant

revision: str = "08d6be3f7c21"
down_revision: str | None = "f27c95d8a1b3"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES = ("engagement", "engagement_staff")
KINDS = "kind IN ('account','order','ticket')"
ENDS = "until >= since"


def upgrade() -> None:
    """Make both tables, and let the service role work on them."""
    op.create_table(
        "engagement",
        sa.Column("id", Id(), nullable=False),
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.String(length=128), nullable=False),
        sa.Column("source", sa.String(length=96), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_engagement_kind")),
        sa.CheckConstraint(ENDS, name=op.f("ck_engagement_ends_after_start")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_engagement_contact_id_contact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engagement")),
        sa.UniqueConstraint("source", "kind", "reference", name=op.f("uq_engagement_source_kind_reference")),
    )
    op.create_index("ix_engagement_contact_id_id", "engagement", ["contact_id", "id"])
    op.create_table(
        "engagement_staff",
        sa.Column("engagement_id", Id(), nullable=False),
        sa.Column("staff_id", Id(), nullable=False),
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f("ck_engagement_staff_kind")),
        sa.CheckConstraint(ENDS, name=op.f("ck_engagement_staff_ends_after_start")),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagement.id"], name=op.f("fk_engagement_staff_engagement_id_engagement")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["contact.id"], name=op.f("fk_engagement_staff_staff_id_contact")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_engagement_staff_contact_id_contact")),
        sa.PrimaryKeyConstraint("engagement_id", "staff_id", name=op.f("pk_engagement_staff")),
    )
    op.create_index("ix_engagement_staff_staff_id_until", "engagement_staff", ["staff_id", "until"])
    role = context.config.attributes.get("service_role")
    if op.get_bind().dialect.name == "postgresql" and role:
        name = op.get_bind().execute(sa.text("SELECT quote_ident(:role)"), {"role": role}).scalar_one()
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {', '.join(TABLES)} TO {name}")


def downgrade() -> None:
    """Drop both; grants go with them."""
    for table in reversed(TABLES):
        op.drop_table(table)
