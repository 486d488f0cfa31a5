"""Packs as they were uploaded, which of them is in force since when, simulations, and long work with its progress.

Revision f27c95d8a1b3, after e1a40b6c2f97. Versions and activations are append-only on both engines: what was in force on a day stays
answerable. A partial index lets one job of a kind run at a time, whoever claims it.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy import text

from app.kit.models import Id, Instant, Json

revision: str = "f27c95d8a1b3"
down_revision: str | None = "e1a40b6c2f97"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = (
    ("policy_version", (("id",), ("digest",), ("profile", "version"))),
    ("policy_activation", (("seq",), ("id",))),
)
"""Table, and its unique keys."""
CHANGEABLE = ("policy_simulation", "job", "job_row")


def upgrade() -> None:
    """Make the tables, fence what is appended, and let the service role work."""
    make_policy()
    make_jobs()
    if op.get_bind().dialect.name == "postgresql":
        fence_postgresql()
        grant_postgresql()
    else:
        fence_sqlite()


def downgrade() -> None:
    """Drop it all; triggers and grants go with the tables, and the pack in force is again the one that the settings name."""
    for table in ("job_row", "job", "policy_simulation", "policy_activation", "policy_version"):
        op.drop_table(table)


def make_policy() -> None:
    """Make versions, activations and simulations."""
    op.create_table(
        "policy_version",
        sa.Column("id", Id(), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("profile", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("canonical", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("author_type", sa.String(length=16), nullable=False),
        sa.Column("author_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_version")),
        sa.UniqueConstraint("digest", name=op.f("uq_policy_version_digest")),
        sa.UniqueConstraint("profile", "version", name=op.f("uq_policy_version_profile_version")),
    )
    op.create_table(
        "policy_activation",
        sa.Column("seq", ROW_NUMBER, autoincrement=False, nullable=False),
        sa.Column("id", Id(), nullable=False),
        sa.Column("version_id", Id(), nullable=False),
        sa.Column("previous_id", Id(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("actor_type", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("request_id", Id(), nullable=True),
        sa.Column("simulation_id", Id(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_policy_activation")),
        sa.UniqueConstraint("id", name=op.f("uq_policy_activation_id")),
    )
    op.create_index(op.f("ix_policy_activation_version_id"), "policy_activation", ["version_id"])
    op.create_table(
        "policy_simulation",
        sa.Column("id", Id(), nullable=False),
        sa.Column("base_digest", sa.String(length=64), nullable=False),
        sa.Column("candidate_digest", sa.String(length=64), nullable=False),
        sa.Column("candidate", sa.Text(), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("job_id", Id(), nullable=True),
        sa.Column("author_type", sa.String(length=16), nullable=False),
        sa.Column("author_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_simulation")),
    )


def make_jobs() -> None:
    """Make jobs and what became of each of their items."""
    op.create_table(
        "job",
        sa.Column("id", Id(), nullable=False),
        sa.Column("kind", sa.String(length=48), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("payload", Json(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("caller", sa.String(length=160), nullable=False),
        sa.Column("subject", Json(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("heartbeat_at", Instant(), nullable=True),
        sa.Column("owner", Id(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("result", Json(), nullable=True),
        sa.Column("problem", Json(), nullable=True),
        sa.Column("mac", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("state IN ('queued','running','done','failed','cancelled')", name=op.f("ck_job_state")),
        sa.CheckConstraint("done >= 0 AND done <= total", name=op.f("ck_job_progress")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    running = text("state = 'running'")
    op.create_index("uq_job_running", "job", ["kind"], unique=True, sqlite_where=running, postgresql_where=running)
    waiting = text("state IN ('queued','running')")
    op.create_index("ix_job_waiting", "job", ["created_at"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_index("ix_job_caller_id", "job", ["caller", "id"])
    op.create_table(
        "job_row",
        sa.Column("job_id", Id(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("detail", Json(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job.id"], name=op.f("fk_job_row_job_id_job")),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("pk_job_row")),
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
    """Refuse update, delete and truncate, also in sessions that replicate."""
    for table, _ in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.{table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION public.duanhao_append_only()"
        )
        op.execute(f"ALTER TABLE public.{table} ENABLE ALWAYS TRIGGER append_only")


def grant_postgresql() -> None:
    """Let the service role read and append, and work on jobs and simulations."""
    role = context.config.attributes.get("service_role")
    if not role:
        return
    name = op.get_bind().execute(text("SELECT quote_ident(:role)"), {"role": role}).scalar_one()
    op.execute(f"GRANT SELECT, INSERT ON {', '.join(table for table, _ in APPEND_ONLY)} TO {name}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(CHANGEABLE)} TO {name}")
