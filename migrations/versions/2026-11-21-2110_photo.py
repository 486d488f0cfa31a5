"""Photos, in a table of their own so that a card's row stays small, and the company's own list of tags.

Revision c4a86e19b7f5, after 9e50bc73f2d4. Both tables are ordinary: a photo that is replaced is gone, and what was done is in the
contact's history and in the access log.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import context, op

from app.kit.models import Id, Instant

revision: str = "c4a86e19b7f5"
down_revision: str | None = "9e50bc73f2d4"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES = ("contact_photo", "tag")


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "contact_photo",
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=16), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_contact_photo_contact_id_contact")),
        sa.PrimaryKeyConstraint("contact_id", name=op.f("pk_contact_photo")),
    )
    op.create_table(
        "tag",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tag")),
    )
    role = context.config.attributes.get("service_role")
    if op.get_bind().dialect.name == "postgresql" and role:
        name = op.get_bind().execute(sa.text("SELECT quote_ident(:role)"), {"role": role}).scalar_one()
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(TABLES)} TO {name}")


def downgrade() -> None:
    """Drop both; grants go with them."""
    for table in reversed(TABLES):
        op.drop_table(table)
