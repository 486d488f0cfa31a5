"""Grants have a scope, and people carry marks that cap what they see.

Revision e1a40b6c2f97, after d83f5a17c9e6. Nothing is taken away: rows that name a contact or a department stay as they are, under the MAC
that they have. A release before this one leaves out rows with a scope, because their MAC covers more than it knows, and reads no marks.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import context, op

from app.kit.models import Id, Instant, Json

revision: str = "e1a40b6c2f97"
down_revision: str | None = "d83f5a17c9e6"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OLD_TARGET = "(contact_id IS NULL) <> (department_id IS NULL)"
ONE_TARGET = (
    "(scope_kind IS NULL AND (contact_id IS NULL) <> (department_id IS NULL))"
    " OR (scope_kind IS NOT NULL AND contact_id IS NULL AND department_id IS NULL)"
)
WHOLE_SCOPE = "(scope_kind IS NULL) = (scope_value IS NULL)"
KINDS = ("contact", "department", "subtree", "company", "legal_entity", "region", "kind", "tag", "assigned")
SCOPE_KIND = f"scope_kind IN ({', '.join(repr(each) for each in KINDS)})"
COLUMNS = (
    "id",
    "account_id",
    "contact_id",
    "department_id",
    "fields",
    "outcome",
    "purpose",
    "request_id",
    "starts_at",
    "ends_at",
    "revoked_at",
    "mac",
    "created_at",
)
"""What the table of grants had before scopes, and has still."""
CHECKS = {"one_target": ONE_TARGET, "whole_scope": WHOLE_SCOPE, "scope_kind": SCOPE_KIND}


def upgrade() -> None:
    """Widen the grants, then make the table of marks.

    SQLite changes no constraint of a table that is there: a new table takes the place of the old one, with its rows.
    """
    if op.get_bind().dialect.name == "sqlite":
        replace(scoped=True)
    else:
        op.add_column("access_grant", sa.Column("scope_kind", sa.String(length=16), nullable=True))
        op.add_column("access_grant", sa.Column("scope_value", sa.String(length=128), nullable=True))
        op.drop_constraint(op.f("ck_access_grant_one_target"), "access_grant")
        for name, check in CHECKS.items():
            op.create_check_constraint(op.f(f"ck_access_grant_{name}"), "access_grant", check)
    op.create_table(
        "standing_mark",
        sa.Column("id", Id(), nullable=False),
        sa.Column("account_id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=True),
        sa.Column("request_id", Id(), nullable=True),
        sa.Column("operator", sa.String(length=64), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.CheckConstraint("kind IN ('untrained', 'suspended', 'overdue_return')", name=op.f("ck_standing_mark_kind")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_standing_mark_ends_after_start")),
        sa.CheckConstraint("(request_id IS NULL) <> (operator IS NULL)", name=op.f("ck_standing_mark_one_origin")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_mark")),
    )
    op.create_index(op.f("ix_standing_mark_account_id"), "standing_mark", ["account_id"])
    role = context.config.attributes.get("service_role")
    if role and op.get_bind().dialect.name == "postgresql":
        name = op.get_bind().execute(sa.text("SELECT quote_ident(:role)"), {"role": role}).scalar_one()
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON standing_mark TO {name}")


def downgrade() -> None:
    """Drop the marks, and the grants that only a scope describes."""
    op.drop_table("standing_mark")
    op.execute("DELETE FROM access_grant WHERE scope_kind IS NOT NULL")
    if op.get_bind().dialect.name == "sqlite":
        replace(scoped=False)
        return
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_access_grant_{name}"), "access_grant")
    op.drop_column("access_grant", "scope_value")
    op.drop_column("access_grant", "scope_kind")
    op.create_check_constraint(op.f("ck_access_grant_one_target"), "access_grant", OLD_TARGET)


def replace(*, scoped: bool) -> None:
    """Make the table of grants anew, with or without scopes, and bring its rows over."""
    op.drop_index("ix_access_grant_account_id", table_name="access_grant")
    op.rename_table("access_grant", "access_grant_before")
    scope = [
        sa.Column("scope_kind", sa.String(length=16), nullable=True),
        sa.Column("scope_value", sa.String(length=128), nullable=True),
    ]
    op.create_table(
        "access_grant",
        sa.Column("id", Id(), nullable=False),
        sa.Column("account_id", Id(), nullable=False),
        sa.Column("contact_id", Id(), nullable=True),
        sa.Column("department_id", Id(), nullable=True),
        *(scope if scoped else ()),
        sa.Column("fields", Json(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=False),
        sa.Column("request_id", Id(), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        *(
            sa.CheckConstraint(check, name=op.f(f"ck_access_grant_{name}"))
            for name, check in (CHECKS if scoped else {"one_target": OLD_TARGET}).items()
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_access_grant_ends_after_start")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_grant")),
    )
    names = ", ".join(COLUMNS)
    op.execute(f"INSERT INTO access_grant ({names}) SELECT {names} FROM access_grant_before")
    op.drop_table("access_grant_before")
    op.create_index("ix_access_grant_account_id", "access_grant", ["account_id"])
