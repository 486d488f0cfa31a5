"""Searches within departments read these departments alone: keys stand in each department of their contact too, but for numbers.

Revision 6f72c9e3b510, after 5e61b8d2a40f. Derived from the keys that there are, in one statement and in the order of the new table; a
directory of 100,000 takes about a minute. A process of the release before writes nothing here: stop it first.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import context, op

from app.kit.models import Id

revision: str = "6f72c9e3b510"
down_revision: str | None = "5e61b8d2a40f"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TERM = sa.String(65).with_variant(sa.String(65, collation="C"), "postgresql")
NAME = sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql")
MEMBERS = "ix_contact_department_department_id_contact_id"
NUMBERS = 12
KEYS = ("rank", "term", "name", "contact_id")


def upgrade() -> None:
    """Make the table, fill it, and let the service role work on it; list members of a department from an index alone."""
    op.create_index(MEMBERS, "contact_department", ["department_id", "contact_id"])
    op.drop_index("ix_contact_department_department_id", "contact_department")
    op.create_table(
        "department_key",
        sa.Column("department_id", Id(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("term", TERM, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("contact_id", Id(), nullable=False),
        sa.PrimaryKeyConstraint("department_id", *KEYS, name=op.f("pk_department_key")),
        sqlite_with_rowid=False,
    )
    belonging = sa.table("contact_department", sa.column("contact_id"), sa.column("department_id"))
    key = sa.table("contact_key", *(sa.column(each) for each in KEYS))
    within = sa.table("department_key", sa.column("department_id"), *(sa.column(each) for each in KEYS))
    columns = (belonging.c.department_id, *(key.c[each] for each in KEYS))
    found = (
        sa.select(*columns)
        .join_from(belonging, key, key.c.contact_id == belonging.c.contact_id)
        .where(key.c.rank != NUMBERS)
        .order_by(*columns)
    )
    connection = op.get_bind()
    connection.execute(sa.insert(within).from_select(["department_id", *KEYS], found))
    role = context.config.attributes.get("service_role")
    if connection.dialect.name == "postgresql" and role:
        name = connection.execute(sa.text("SELECT quote_ident(:role)"), {"role": role}).scalar_one()
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON department_key TO {name}")


def downgrade() -> None:
    """Drop the table, in which everything is derived; put the index back."""
    op.drop_table("department_key")
    op.create_index("ix_contact_department_department_id", "contact_department", ["department_id"])
    op.drop_index(MEMBERS, "contact_department")
