"""Collection: consents, privacy notices and who saw them; live consents, relations and the end of keeping on the contact's row.

Revision 2af8d0519e43, after 19e7cf408d32. Nothing is taken away: the columns are nullable and the release before this one does not know
them. The three tables are append-only, fenced as those of revision 5b1f0c7e2d34.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import context, op

from app.kit.models import Id, Instant

revision: str = "2af8d0519e43"
down_revision: str | None = "19e7cf408d32"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

COLUMNS = ("retain_until", "consented", "relations")
APPEND_ONLY = (
    ("consent", (("id",),)),
    ("privacy_notice", (("id",), ("version",))),
    ("privacy_acknowledgement", (("notice_id", "contact_id"),)),
)
"""Tables and their unique keys."""


def upgrade() -> None:
    """Add the columns, make the tables, fence them."""
    op.add_column("contact", sa.Column("retain_until", sa.Date(), nullable=True))
    op.add_column("contact", sa.Column("consented", sa.Text(), nullable=True))
    op.add_column("contact", sa.Column("relations", sa.LargeBinary(), nullable=True))
    make_consents()
    make_notices()
    if op.get_bind().dialect.name == "postgresql":
        fence_postgresql()
    else:
        fence_sqlite()


def downgrade() -> None:
    """Drop it all; triggers and grants go with the tables, relations are lost with their column."""
    for table, _ in reversed(APPEND_ONLY):
        op.drop_table(table)
    for name in reversed(COLUMNS):
        op.drop_column("contact", name)


def make_consents() -> None:
    """Make the table of consents."""
    op.create_table(
        "consent",
        sa.Column("id", Id(), nullable=False),
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("field", sa.String(length=32), nullable=False),
        sa.Column("basis", sa.String(length=16), nullable=False),
        sa.Column("event", sa.String(length=12), nullable=False),
        sa.Column("purpose", sa.String(length=32), nullable=True),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("proof", sa.LargeBinary(), nullable=True),
        sa.Column("notice_version", sa.Integer(), nullable=True),
        sa.Column("forms", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor_type", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("event IN ('given','withdrawn')", name=op.f("ck_consent_event")),
        sa.CheckConstraint("source IN ('person','recorded')", name=op.f("ck_consent_source")),
        sa.CheckConstraint(
            "basis IN ('consent','separate_consent','provision','cross_border')", name=op.f("ck_consent_basis")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_contact_id_id", "consent", ["contact_id", "id"])


def make_notices() -> None:
    """Make the tables of notices and of who saw them."""
    op.create_table(
        "privacy_notice",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title_zh", sa.String(length=200), nullable=False),
        sa.Column("title_en", sa.String(length=200), nullable=False),
        sa.Column("text_zh", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("valid_from", Instant(), nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.Column("actor_type", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_notice")),
        sa.UniqueConstraint("version", name=op.f("uq_privacy_notice_version")),
    )
    op.create_table(
        "privacy_acknowledgement",
        sa.Column("notice_id", Id(), nullable=False),
        sa.Column("contact_id", Id(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("notice_id", "contact_id", name=op.f("pk_privacy_acknowledgement")),
    )


def fence_sqlite() -> None:
    """Refuse update, delete, and an insert that would replace."""
    for table, keys in APPEND_ONLY:
        taken = " OR ".join(
            f'EXISTS (SELECT 1 FROM "{table}" WHERE '
            + " AND ".join(f'"{column}" = NEW."{column}"' for column in key)
            + ")"
            for key in keys
        )
        refusal = f"SELECT RAISE(ABORT, '{table} is append-only')"
        op.execute(f'CREATE TRIGGER {table}_no_update BEFORE UPDATE ON "{table}" BEGIN {refusal}; END')
        op.execute(f'CREATE TRIGGER {table}_no_delete BEFORE DELETE ON "{table}" BEGIN {refusal}; END')
        op.execute(f'CREATE TRIGGER {table}_no_insert BEFORE INSERT ON "{table}" WHEN {taken} BEGIN {refusal}; END')


def fence_postgresql() -> None:
    """Refuse update, delete and truncate, also in sessions that replicate; let the service role read and append."""
    for table, _ in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.{table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION public.duanhao_append_only()"
        )
        op.execute(f"ALTER TABLE public.{table} ENABLE ALWAYS TRIGGER append_only")
    role = context.config.attributes.get("service_role")
    if not role:
        return
    name = op.get_bind().execute(sa.text("SELECT quote_ident(:role)"), {"role": role}).scalar_one()
    op.execute(f"GRANT SELECT, INSERT ON {', '.join(table for table, _ in APPEND_ONLY)} TO {name}")
