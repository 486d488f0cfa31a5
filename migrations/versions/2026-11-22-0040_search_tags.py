"""Search tags: what sealed values are looked up by, and the plan by which they are made.

Revision 19e7cf408d32, after 08d6be3f7c21. A revision has no keys, so it makes no tags: in a directory with people in it the plan begins
with none, lookups answer 503, and the worker tags everybody (``duanhao keys retag`` does so at once).
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import context, op

from app.kit.models import Id, Instant, Json

revision: str = "19e7cf408d32"
down_revision: str | None = "08d6be3f7c21"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES = ("search_tag", "search_plan")
BEGINNING = {"email.exact": 0, "mobile.exact": 0, "mobile.last4": 0, "name.exact": 0}
"""The plan of an empty directory: everybody shares one tag."""


def upgrade() -> None:
    """Make both tables, and the plan that the directory begins with."""
    op.create_table(
        "search_tag",
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("generation", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("partition", Id(), nullable=False),
        sa.Column("tag", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("field", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("proof", sa.LargeBinary(length=24), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_search_tag_contact_id_contact")),
        sa.PrimaryKeyConstraint(
            "kind", "generation", "partition", "tag", "contact_id", "field", name=op.f("pk_search_tag")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_search_tag_contact_id"), "search_tag", ["contact_id"])
    op.create_table(
        "search_plan",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("bits", Json(), nullable=False),
        sa.Column("next_key_version", sa.Integer(), nullable=True),
        sa.Column("next_bits", Json(), nullable=True),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_search_plan_one")),
        sa.CheckConstraint("(next_key_version IS NULL) = (next_bits IS NULL)", name=op.f("ck_search_plan_following")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_plan")),
    )
    begin(op.get_bind())
    role = context.config.attributes.get("service_role")
    if op.get_bind().dialect.name == "postgresql" and role:
        name = op.get_bind().execute(sa.text("SELECT quote_ident(:role)"), {"role": role}).scalar_one()
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(TABLES)} TO {name}")


def downgrade() -> None:
    """Drop both; everything in them is derived."""
    for table in reversed(TABLES):
        op.drop_table(table)


def begin(connection: sa.Connection) -> None:
    """Write the one row of the plan: complete for an empty directory, without any kind for one that has people."""
    peopled = connection.execute(sa.text("SELECT EXISTS (SELECT 1 FROM contact)")).scalar_one()
    plan = sa.table(
        "search_plan",
        sa.column("id", sa.SmallInteger()),
        sa.column("generation", sa.Integer()),
        sa.column("key_version", sa.Integer()),
        sa.column("bits", Json()),
        sa.column("updated_at", Instant()),
    )
    first = {
        "id": 1,
        "generation": 0 if peopled else 1,
        "key_version": 1,
        "bits": {} if peopled else BEGINNING,
        "updated_at": datetime.now(UTC),
    }
    connection.execute(sa.insert(plan), [first])
