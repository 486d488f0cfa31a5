"""Provisions: what was given outside, who consented, its one package, and what was said of its return.

Revision c497289b38ed, after b1869287da0c. New tables only: the release before this one knows none of them. Packages, parts and returns are
append-only, and nothing of a provision is deleted, on either engine: the record is kept for three years after it is over (PIPL 56).
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant, Json

revision: str = "c497289b38ed"
down_revision: str | None = "b1869287da0c"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LASTING = ("provision", "provision_consent")
APPEND_ONLY = {
    "provision_package": (("id",), ("provision_id",)),
    "provision_part": (("package_id", "contact_id"),),
    "provision_return": (("id",),),
}
"""Table, and its unique keys."""
STATES = "state IN ('open','provided','overdue','declared','returned','destroyed','lapsed')"
KINDS = "('returned','destroyed')"


def upgrade() -> None:
    """Make the tables, fence them, and let the service role work."""
    make_provisions()
    make_packages()
    fence(APPEND_ONLY, lasting=LASTING)
    for table in LASTING:
        keep(table)


def downgrade() -> None:
    """Drop everything again, triggers and grants with it."""
    for table in ("provision_return", "provision_part", "provision_package", "provision_consent", "provision"):
        op.drop_table(table)


def keep(table: str) -> None:
    """Refuse that rows are deleted."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON public.{table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION public.duanhao_append_only()"
        )
        op.execute(f"ALTER TABLE public.{table} ENABLE ALWAYS TRIGGER kept")
        return
    refusal = f"SELECT RAISE(ABORT, 'rows of {table} are kept')"
    op.execute(f'CREATE TRIGGER {table}_no_delete BEFORE DELETE ON "{table}" BEGIN {refusal}; END')


def make_provisions() -> None:
    """Make provisions and who consented."""
    due = sa.text("next_at IS NOT NULL")
    op.create_table(
        "provision",
        sa.Column("id", Id(), nullable=False),
        sa.Column("request_id", Id(), nullable=False),
        sa.Column("requester_id", Id(), nullable=False),
        sa.Column("responsible_id", Id(), nullable=False),
        sa.Column("contract", sa.String(length=128), nullable=False),
        sa.Column("fields", Json(), nullable=False),
        sa.Column("crosses", Json(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("return_by", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("cause", sa.String(length=32), nullable=True),
        sa.Column("package_id", Id(), nullable=True),
        sa.Column("packaged_at", Instant(), nullable=True),
        sa.Column("reminded_at", Instant(), nullable=True),
        sa.Column("overdue_at", Instant(), nullable=True),
        sa.Column("return_kind", sa.String(length=16), nullable=True),
        sa.Column("declared_by", Id(), nullable=True),
        sa.Column("declared_at", Instant(), nullable=True),
        sa.Column("confirmed_by", Id(), nullable=True),
        sa.Column("confirmed_at", Instant(), nullable=True),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("next_at", Instant(), nullable=True),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint(STATES, name=op.f("ck_provision_state")),
        sa.CheckConstraint(f"return_kind IN {KINDS}", name=op.f("ck_provision_return_kind")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_provision_ends_after_start")),
        sa.CheckConstraint("confirmed_by <> declared_by", name=op.f("ck_provision_second_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provision")),
        sa.UniqueConstraint("request_id", name=op.f("uq_provision_request_id")),
    )
    op.create_index("ix_provision_requester_id_id", "provision", ["requester_id", "id"])
    op.create_index("ix_provision_responsible_id_id", "provision", ["responsible_id", "id"])
    op.create_index("ix_provision_next_at", "provision", ["next_at"], sqlite_where=due, postgresql_where=due)
    op.create_table(
        "provision_consent",
        sa.Column("provision_id", Id(), nullable=False),
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["provision_id"], ["provision.id"], name=op.f("fk_provision_consent_provision_id_provision")
        ),
        sa.PrimaryKeyConstraint("provision_id", "contact_id", name=op.f("pk_provision_consent")),
    )
    op.create_index("ix_provision_consent_contact_id", "provision_consent", ["contact_id"])


def make_packages() -> None:
    """Make packages, their parts, and returns."""
    op.create_table(
        "provision_package",
        sa.Column("id", Id(), nullable=False),
        sa.Column("provision_id", Id(), nullable=False),
        sa.Column("made_by", Id(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("event_id", Id(), nullable=False),
        sa.Column("sealed_to", sa.String(length=32), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["provision_id"], ["provision.id"], name=op.f("fk_provision_package_provision_id_provision")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provision_package")),
        sa.UniqueConstraint("provision_id", name=op.f("uq_provision_package_provision_id")),
    )
    op.create_table(
        "provision_part",
        sa.Column("package_id", Id(), nullable=False),
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("fields", Json(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["package_id"], ["provision_package.id"], name=op.f("fk_provision_part_package_id_provision_package")
        ),
        sa.PrimaryKeyConstraint("package_id", "contact_id", name=op.f("pk_provision_part")),
    )
    op.create_index("ix_provision_part_contact_id", "provision_part", ["contact_id"])
    op.create_table(
        "provision_return",
        sa.Column("id", Id(), nullable=False),
        sa.Column("provision_id", Id(), nullable=False),
        sa.Column("said", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("person_id", Id(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("said IN ('declared','confirmed','refused')", name=op.f("ck_provision_return_said")),
        sa.CheckConstraint(f"kind IN {KINDS}", name=op.f("ck_provision_return_kind")),
        sa.ForeignKeyConstraint(
            ["provision_id"], ["provision.id"], name=op.f("fk_provision_return_provision_id_provision")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provision_return")),
    )
    op.create_index("ix_provision_return_provision_id_id", "provision_return", ["provision_id", "id"])
