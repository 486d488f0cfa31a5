"""What a domain admits, which numbers are nice and kept back, which pools run out, and the indexes by which that is counted.

Revision 08db76cdf721, after f7ca65bce610. New columns have defaults that change nothing: the release before this one knows none of them.
Numbers that are there already are not classified (version 0) until the worker has gone through their pool once.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant, Json

revision: str = "08db76cdf721"
down_revision: str | None = "f7ca65bce610"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MEMBERS = ("digits", "kind", "name_zh", "name_en")
FURTHER = (
    ("10", "service", "运营商客服号码段（10xxx）", "Operators' services (10xxx)"),
    ("12", "service", "政府服务热线号码段（12xxx）", "Public service lines (12xxx)"),
    ("95", "service", "全国服务号码段（95xxx）", "Nationwide services (95xxx)"),
    ("96", "service", "地方服务号码段（96xxx）", "Local services (96xxx)"),
)
"""reference/directory-numbers.md (d), conflict check 5: what begins like these is somebody else's."""

ASIDE = "state NOT IN ('available','assigned')"


def upgrade() -> None:
    """Add it all."""
    op.add_column("number_domain", sa.Column("first_digits", sa.String(10), nullable=False, server_default="2345678"))
    op.add_column("number_domain", sa.Column("shortest", sa.Integer(), nullable=False, server_default="2"))
    op.add_column("number_domain", sa.Column("longest", sa.Integer(), nullable=False, server_default="15"))
    op.add_column("number_domain", sa.Column("access_codes", Json(), nullable=False, server_default="[]"))
    op.add_column("number_pool", sa.Column("lead_days", sa.Integer(), nullable=True))
    op.add_column("number_pool", sa.Column("keeps_nice", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("number", sa.Column("nice", sa.SmallInteger(), nullable=False, server_default="0"))
    op.add_column("number", sa.Column("nice_version", sa.SmallInteger(), nullable=False, server_default="0"))
    partial("ix_number_nice", "number", ["pool_id", "nice", "sort_key"], "state = 'available' AND nice > 0")
    partial("ix_number_aside", "number", ["pool_id", "state", "available_from"], ASIDE)
    table = "number_assignment"
    op.create_index("ix_number_assignment_pool_id_started_at", table, ["pool_id", "started_at"])
    partial("ix_number_assignment_ended", table, ["pool_id", "ended_at"], "ended_at IS NOT NULL")
    op.create_table(
        "number_pool_alarm",
        sa.Column("pool_id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("since", Instant(), nullable=True),
        sa.Column("crossings", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('low_water','exhaustion')", name=op.f("ck_number_pool_alarm_kind")),
        sa.ForeignKeyConstraint(["pool_id"], ["number_pool.id"], name=op.f("fk_number_pool_alarm_pool_id_number_pool")),
        sa.PrimaryKeyConstraint("pool_id", "kind", name=op.f("pk_number_pool_alarm")),
    )
    fence({}, ("number_pool_alarm",))
    reserved = sa.table("number_reserved", *(sa.column(name, sa.String()) for name in MEMBERS))
    have = set(op.get_bind().scalars(sa.select(reserved.c.digits)))
    for each in FURTHER:
        if each[0] not in have:
            op.execute(reserved.insert().values(dict(zip(MEMBERS, each, strict=True))))


def downgrade() -> None:
    """Take it all away again."""
    op.drop_table("number_pool_alarm")
    op.drop_index("ix_number_assignment_ended", table_name="number_assignment")
    op.drop_index("ix_number_assignment_pool_id_started_at", table_name="number_assignment")
    op.drop_index("ix_number_aside", table_name="number")
    op.drop_index("ix_number_nice", table_name="number")
    for name in ("nice_version", "nice"):
        op.drop_column("number", name)
    for name in ("keeps_nice", "lead_days"):
        op.drop_column("number_pool", name)
    for name in ("access_codes", "longest", "shortest", "first_digits"):
        op.drop_column("number_domain", name)
    listed = ", ".join(f"'{each[0]}'" for each in FURTHER)
    op.execute(f"DELETE FROM number_reserved WHERE digits IN ({listed})")


def partial(name: str, table: str, columns: list[str], where: str) -> None:
    """Index the rows that ``where`` picks."""
    condition = sa.text(where)
    op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition)
