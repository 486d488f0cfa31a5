"""The feed of changes: what every change of the directory leaves, and how far its numbers are.

Revision 2b4f83c671ae, after 0e9b46f2a1d8. A directory that is there already counts as one change set that is kept no longer: who asks for
what came after nothing is told to read it whole.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy import text

from app.kit.fences import fence
from app.kit.models import Id, Instant

revision: str = "2b4f83c671ae"
down_revision: str | None = "1a3e72b5609d"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_CHANGE = "directory_change"
_HEAD = "directory_head"


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        _CHANGE,
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("change_set", Id(), nullable=False),
        sa.Column("subject_type", sa.String(length=16), nullable=False),
        sa.Column("subject_id", Id(), nullable=False),
        sa.Column("sort", sa.String(length=16), nullable=False),
        sa.Column("groups", sa.String(length=120), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("about", Id(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("at", Instant(), nullable=True),
        sa.CheckConstraint("(version IS NULL) = (at IS NULL)", name=op.f("ck_directory_change_numbered")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_directory_change")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_directory_change_version_seq", _CHANGE, ["version", "seq"])
    _partly("ix_directory_change_waiting", ["seq"], "version IS NULL")
    _partly("ix_directory_change_before", ["subject_id", "seq"], "before IS NOT NULL")
    op.create_table(
        _HEAD,
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_directory_head_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_directory_head")),
    )
    there = "CASE WHEN EXISTS (SELECT 1 FROM contact) OR EXISTS (SELECT 1 FROM department) THEN 1 ELSE 0 END"
    op.execute(f"INSERT INTO {_HEAD} (id, version, floor, told) SELECT 1, {there}, {there}, {there}")
    fence({}, (_CHANGE,), lasting=(_HEAD,))
    if (role := context.config.attributes.get("service_role")) and op.get_bind().dialect.name == "postgresql":
        name = op.get_bind().execute(text("SELECT quote_ident(:role)"), {"role": role}).scalar_one()
        op.execute(f"GRANT USAGE ON SEQUENCE {_CHANGE}_seq_seq TO {name}")


def downgrade() -> None:
    """Drop both; whoever follows reads the directory whole."""
    op.drop_table(_HEAD)
    op.drop_table(_CHANGE)


def _partly(name: str, columns: list[str], condition: str) -> None:
    which = text(condition)
    op.create_index(name, _CHANGE, columns, sqlite_where=which, postgresql_where=which)
