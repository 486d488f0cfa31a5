"""External contacts: columns for names that are sealed, and the order of lists for who has no plain name.

Revision d83f5a17c9e6, after a16ebd84c3e5. Nothing is taken away: the columns are nullable, the release before this one does not know them
and writes no contact of these kinds. ``ix_contact_name_id`` stays for that release.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "d83f5a17c9e6"
down_revision: str | None = "a16ebd84c3e5"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

COLUMNS = ("sealed_name", "sealed_name_en", "sealed_alias")
SEALED = "kind IN ('external','student','applicant')"
UNSEALED = "kind NOT IN ('external','student','applicant')"
PLAIN = f"{UNSEALED} OR (name IS NULL AND name_en IS NULL AND alias IS NULL)"


def upgrade() -> None:
    """Add the columns with what holds them and the plain ones apart, and the index.

    SQLite adds no constraint to a table that is there but takes one with a column: there each column has its own part.
    """
    if op.get_bind().dialect.name == "sqlite":
        for name in COLUMNS:
            also = f" CONSTRAINT ck_contact_plain_name CHECK ({PLAIN})" if name == COLUMNS[0] else ""
            op.execute(
                f"ALTER TABLE contact ADD COLUMN {name} BLOB"
                f" CONSTRAINT ck_contact_{name} CHECK ({SEALED} OR {name} IS NULL){also}"
            )
    else:
        for name in COLUMNS:
            op.add_column("contact", sa.Column(name, sa.LargeBinary(), nullable=True))
        empty = " AND ".join(f"{name} IS NULL" for name in COLUMNS)
        op.create_check_constraint(op.f("ck_contact_sealed_name"), "contact", f"{SEALED} OR ({empty})")
        op.create_check_constraint(op.f("ck_contact_plain_name"), "contact", PLAIN)
    op.create_index("ix_contact_label_id", "contact", [sa.text("coalesce(name, organisation, '')"), "id"])


def downgrade() -> None:
    """Drop all of it; names of external contacts are lost with their columns."""
    op.drop_index("ix_contact_label_id", table_name="contact")
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(op.f("ck_contact_plain_name"), "contact")
        op.drop_constraint(op.f("ck_contact_sealed_name"), "contact")
    for name in reversed(COLUMNS):
        op.drop_column("contact", name)
