"""Contacts are found by simplified forms, rare characters, every dot and the digits that spell a name: their keys, derived anew.

An index of hotlines lists them for searches of those who see little else.

Revision 3c5094d782bf, after 0e9b46f2a1d8. Everybody's keys are replaced, by the rules that the service writes by; a directory of 100,000
takes some minutes. The way back leaves them: the rules before find by all of them but the digits.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.contacts.search import keys_of, sort_name
from app.kit.models import Id, Json

revision: str = "3c5094d782bf"
down_revision: str | None = "2b4f83c671ae"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

AT_ONCE = 500
TEXTS = ("kind", "name", "name_en", "alias", "user_name_key", "employee_no", "title", "organisation", "extension")
CONTACT = sa.table(
    "contact",
    sa.column("id", Id()),
    sa.column("status", sa.String()),
    sa.column("short_numbers", Json()),
    *(sa.column(name, sa.String()) for name in TEXTS),
)
MEMBERSHIP = sa.table("contact_department", sa.column("contact_id", Id()), sa.column("department_id", Id()))
KEYS = sa.table(
    "contact_key",
    sa.column("contact_id", Id()),
    sa.column("rank", sa.SmallInteger()),
    sa.column("term", sa.String()),
    sa.column("name", sa.String()),
)


def upgrade() -> None:
    """Derive the keys of every contact that is not archived, so many contacts at a time; index hotlines."""
    hotline = sa.text("kind = 'hotline'")
    op.create_index("ix_contact_hotline", "contact", ["id"], sqlite_where=hotline, postgresql_where=hotline)
    connection = op.get_bind()
    page = sa.select(CONTACT).where(CONTACT.c.status != "archived").order_by(CONTACT.c.id).limit(AT_ONCE)
    found = [dict(row) for row in connection.execute(page).mappings()]
    while found:
        identities = [card["id"] for card in found]
        connection.execute(sa.delete(KEYS).where(KEYS.c.contact_id.in_(identities)))
        belonging = connection.execute(
            sa.select(MEMBERSHIP).where(MEMBERSHIP.c.contact_id.in_(identities)).order_by(MEMBERSHIP.c.contact_id)
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
            connection.execute(sa.insert(KEYS), rows)
        found = [dict(row) for row in connection.execute(page.where(CONTACT.c.id > identities[-1])).mappings()]


def downgrade() -> None:
    """Take away the index and the digits that spell names; the rest is found by the rules before as well."""
    op.drop_index("ix_contact_hotline", "contact")
    op.get_bind().execute(sa.delete(KEYS).where(KEYS.c.rank.in_((23, 31))))
