"""What contacts are found by: keys beside every contact, derived from its C1 text.

Revision 9e50bc73f2d4, after 7c3e9a51d0b2. Contacts that are there already get theirs, by the rules that the service writes by.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from app.contacts.search import keys_of, sort_name
from app.kit.models import Id, Json

revision: str = "9e50bc73f2d4"
down_revision: str | None = "7c3e9a51d0b2"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

AT_ONCE = 500
TERM = sa.String(65).with_variant(sa.String(65, collation="C"), "postgresql")
NAME = sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql")
TEXTS = ("kind", "name", "name_en", "alias", "user_name_key", "employee_no", "title", "extension")


def upgrade() -> None:
    """Make the table, fill it, index it, and let the service role work on it."""
    op.create_table(
        "contact_key",
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("term", TERM, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_contact_key_contact_id_contact")),
        sa.PrimaryKeyConstraint("contact_id", "rank", "term", name=op.f("pk_contact_key")),
        sqlite_with_rowid=False,
    )
    fill(op.get_bind())
    op.create_index("ix_contact_key_rank_term", "contact_key", ["rank", "term", "name", "contact_id"])
    role = context.config.attributes.get("service_role")
    if op.get_bind().dialect.name == "postgresql" and role:
        name = op.get_bind().execute(sa.text("SELECT quote_ident(:role)"), {"role": role}).scalar_one()
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON contact_key TO {name}")


def downgrade() -> None:
    """Drop the table; everything in it is derived."""
    op.drop_table("contact_key")


def fill(connection: sa.Connection) -> None:
    """Derive the keys of every contact that is not archived, so many contacts at a time."""
    contact = sa.table(
        "contact",
        sa.column("id", Id()),
        sa.column("status", sa.String()),
        sa.column("short_numbers", Json()),
        *(sa.column(name, sa.String()) for name in TEXTS),
    )
    membership = sa.table("contact_department", sa.column("contact_id", Id()), sa.column("department_id", Id()))
    keys = sa.table(
        "contact_key",
        sa.column("contact_id", Id()),
        sa.column("rank", sa.SmallInteger()),
        sa.column("term", sa.String()),
        sa.column("name", sa.String()),
    )
    page = sa.select(contact).where(contact.c.status != "archived").order_by(contact.c.id).limit(AT_ONCE)
    found = [dict(row) for row in connection.execute(page).mappings()]
    while found:
        identities = [card["id"] for card in found]
        belonging = connection.execute(
            sa.select(membership).where(membership.c.contact_id.in_(identities)).order_by(membership.c.contact_id)
        )
        departments = {
            identity: [row.department_id for row in rows]
            for identity, rows in groupby(belonging, lambda row: row.contact_id)
        }
        rows: list[dict[str, Any]] = [
            {"contact_id": card["id"], "rank": key.rank, "term": key.term, "name": sort_name(card)}
            for card in found
            for key in sorted(keys_of(card, departments.get(card["id"], ())))
        ]
        if rows:
            connection.execute(sa.insert(keys), rows)
        found = [dict(row) for row in connection.execute(page.where(contact.c.id > identities[-1])).mappings()]
