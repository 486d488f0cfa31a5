"""Devices: telephones and gateways, the secrets that they call with, and who has them.

Revision 3f71c9a0e254, after 19ec87de0832. Rows are never removed: a device is retired, a secret and an assignment end.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant

revision: str = "3f71c9a0e254"
down_revision: str | None = "19ec87de0832"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

KEPT = ("device", "device_secret", "device_assignment")
_THERE = sa.text("state <> 'retired'")
_OPEN = sa.text("ended_at IS NULL")
_DUE = sa.text("state = 'to_hand_over'")


def upgrade() -> None:
    """Add the three tables; the service may not delete from them."""
    op.create_table(
        "device",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("vendor", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("serial", sa.String(length=64), nullable=True),
        sa.Column("mac_address", sa.String(length=17), nullable=True),
        sa.Column("label", sa.String(length=64), nullable=True),
        sa.Column("department_id", Id(), nullable=True),
        sa.Column("room", sa.String(length=32), nullable=True),
        sa.Column("follows", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("answerable_id", Id(), nullable=True),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint(
            "kind IN ('desk_phone','conference_phone','dect_phone','softphone','gateway')",
            name=op.f("ck_device_kind"),
        ),
        sa.CheckConstraint("follows IN ('person','place')", name=op.f("ck_device_follows")),
        sa.CheckConstraint(
            "state IN ('in_stock','in_use','to_hand_over','suspended','lost','retired')", name=op.f("ck_device_state")
        ),
        sa.CheckConstraint("(state = 'to_hand_over') = (due_at IS NOT NULL)", name=op.f("ck_device_due")),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_device_department_id_department")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
    )
    op.create_index(
        "uq_device_serial", "device", ["vendor", "serial"], unique=True, sqlite_where=_THERE, postgresql_where=_THERE
    )
    op.create_index(
        "uq_device_mac_address", "device", ["mac_address"], unique=True, sqlite_where=_THERE, postgresql_where=_THERE
    )
    op.create_index("ix_device_department_id", "device", ["department_id"])
    op.create_index("ix_device_due_at", "device", ["due_at"], sqlite_where=_DUE, postgresql_where=_DUE)
    op.create_table(
        "device_secret",
        sa.Column("id", Id(), nullable=False),
        sa.Column("device_id", Id(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=True),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_device_secret_device_id_device")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_secret")),
    )
    op.create_index("ix_device_secret_device_id", "device_secret", ["device_id"])
    op.create_table(
        "device_assignment",
        sa.Column("id", Id(), nullable=False),
        sa.Column("device_id", Id(), nullable=False),
        sa.Column("holder_type", sa.String(length=16), nullable=False),
        sa.Column("holder_id", Id(), nullable=False),
        sa.Column("holder_name", sa.String(length=32), nullable=True),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("cause", sa.String(length=16), nullable=True),
        sa.Column("actor_type", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=128), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint(
            "holder_type IN ('contact','department','room')", name=op.f("ck_device_assignment_holder_type")
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (cause IS NULL)", name=op.f("ck_device_assignment_ended")),
        sa.ForeignKeyConstraint(["device_id"], ["device.id"], name=op.f("fk_device_assignment_device_id_device")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_assignment")),
    )
    op.create_index(
        "uq_device_assignment_open",
        "device_assignment",
        ["device_id"],
        unique=True,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index("ix_device_assignment_device_id_id", "device_assignment", ["device_id", "id"])
    op.create_index(
        "ix_device_assignment_holder_id",
        "device_assignment",
        ["holder_id"],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    fence({}, lasting=KEPT)


def downgrade() -> None:
    """Drop them again; no device can call any more."""
    for table in reversed(KEPT):
        op.drop_table(table)
