"""Who was erased when retention was over: a certificate each, and a mark on the row that is left of the card.

Revision 64025416cb4b, after 8194ebf5d732. One new table, one column and one index; the release before this one knows none of them, erases
nobody, and shows nobody who was erased: their key is gone.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

from app.kit.fences import fence
from app.kit.models import Id, Instant

revision: str = "64025416cb4b"
down_revision: str | None = "8194ebf5d732"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

APPEND_ONLY = {"erasure": (("id",), ("contact_id",))}
"""Table, and its unique keys."""


def upgrade() -> None:
    """Make the table, the column, and the index of who is in the archive."""
    op.add_column("contact", sa.Column("erased_at", Instant(), nullable=True))
    archived = sa.text("status = 'archived' AND erased_at IS NULL")
    op.create_index("ix_contact_in_archive", "contact", ["id"], sqlite_where=archived, postgresql_where=archived)
    op.create_table(
        "erasure",
        sa.Column("id", Id(), nullable=False),
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_erasure_contact_id_contact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
        sa.UniqueConstraint("contact_id", name=op.f("uq_erasure_contact_id")),
    )
    fence(APPEND_ONLY)


def downgrade() -> None:
    """Drop it all, unless somebody was erased: their rows would be taken for ones that were edited, for ever."""
    if op.get_bind().scalar(sa.text("SELECT count(*) FROM erasure")):
        message = "people were erased, and the release before this one would take what is left of them for damage"
        raise CommandError(message)
    op.drop_table("erasure")
    op.drop_index("ix_contact_in_archive", "contact")
    op.drop_column("contact", "erased_at")
