"""SCIM: what provisioning clients call those whom they keep, and the groups that they made.

Revision 1a3e72b5609d, after 0e9b46f2a1d8.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant, Json

revision: str = "1a3e72b5609d"
down_revision: str | None = "f81c50934e7b"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the two tables; a link goes with its contact, a group with its tag."""
    op.create_table(
        "scim_link",
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=True),
        sa.Column("unsaid", Json(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_scim_link_contact_id_contact")),
        sa.PrimaryKeyConstraint("client_id", "contact_id", name=op.f("pk_scim_link")),
        sa.UniqueConstraint("client_id", "external_id", name=op.f("uq_scim_link_client_id_external_id")),
    )
    op.create_index(op.f("ix_scim_link_contact_id"), "scim_link", ["contact_id"])
    op.create_table(
        "scim_group",
        sa.Column("id", Id(), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("external_id", sa.String(length=255), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scim_group")),
        sa.UniqueConstraint("tag", name=op.f("uq_scim_group_tag")),
        sa.UniqueConstraint("client_id", "external_id", name=op.f("uq_scim_group_client_id_external_id")),
    )
    fence({}, changeable=("scim_link", "scim_group"))


def downgrade() -> None:
    """Forget what clients called whom; contacts and tags stay."""
    op.drop_table("scim_group")
    op.drop_table("scim_link")
