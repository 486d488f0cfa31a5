"""Files of requests: what each is, and its content in sealed pieces.

Revision b1869287da0c, after a275067916cb. New tables alone: the release before this one knows none of them, and a request that it writes
has no files. Keys of files lie in ``data_key`` beside those of people.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant

revision: str = "b1869287da0c"
down_revision: str | None = "a275067916cb"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

CHANGEABLE = ("attachment", "attachment_chunk")


def upgrade() -> None:
    """Make the tables, and let the service role work."""
    staged = sa.text("request_id IS NULL")
    op.create_table(
        "attachment",
        sa.Column("id", Id(), nullable=False),
        sa.Column("request_id", Id(), nullable=True),
        sa.Column("owner_id", Id(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.String(length=96), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("uploaded_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("(request_id IS NULL) <> (expires_at IS NULL)", name="ck_attachment_staged_or_filed"),
        sa.CheckConstraint("size BETWEEN 1 AND 10485760", name="ck_attachment_size"),
        sa.ForeignKeyConstraint(
            ["request_id"], ["approval_request.id"], name="fk_attachment_request_id_approval_request"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_attachment"),
    )
    op.create_index("ix_attachment_request_id", "attachment", ["request_id"])
    for column in ("owner_id", "expires_at"):
        op.create_index(f"ix_attachment_{column}", "attachment", [column], sqlite_where=staged, postgresql_where=staged)
    op.create_table(
        "attachment_chunk",
        sa.Column("attachment_id", Id(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attachment_id"], ["attachment.id"], name="fk_attachment_chunk_attachment_id_attachment"
        ),
        sa.PrimaryKeyConstraint("attachment_id", "place", name="pk_attachment_chunk"),
    )
    fence({}, CHANGEABLE)


def downgrade() -> None:
    """Drop it all, files with it; grants go with the tables. Requests keep ids and digests of what they rested on."""
    op.drop_table("attachment_chunk")
    op.drop_table("attachment")
