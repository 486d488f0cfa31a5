"""Keys for history, apart from those of cards, and the certificates of what was destroyed of them.

Revision d5a8439ac4fe, after c497289b38ed. Two new tables: the release before this one knows neither, and what it writes into history stays
under the key of the card, as does everything written before; such values are read as ever, and a purge counts them as left. A key of
history can be wrapped anew while it lives and destroyed once; its row stays.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.fences import fence
from app.kit.models import Id, Instant

revision: str = "d5a8439ac4fe"
down_revision: str | None = "c497289b38ed"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

APPEND_ONLY = {"history_purge": (("id",),)}
"""Table, and its unique keys."""
KEPT = ("handle", "subject_id", "quarter", "created_at")
"""What never changes of a key."""


def upgrade() -> None:
    """Make the tables, and fence what is over."""
    live = sa.text("wrapped IS NOT NULL")
    op.create_table(
        "history_key",
        sa.Column("handle", sa.LargeBinary(length=8), nullable=False),
        sa.Column("subject_id", Id(), nullable=False),
        sa.Column("quarter", sa.Integer(), nullable=False),
        sa.Column("kek_version", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("destroyed_at", Instant(), nullable=True),
        sa.Column("purge_id", Id(), nullable=True),
        sa.CheckConstraint("length(handle) = 8", name=op.f("ck_history_key_handle")),
        sa.CheckConstraint("quarter % 10 BETWEEN 1 AND 4", name=op.f("ck_history_key_quarter")),
        sa.CheckConstraint(
            "(wrapped IS NULL) = (destroyed_at IS NOT NULL) AND (wrapped IS NULL) = (purge_id IS NOT NULL)",
            name=op.f("ck_history_key_destroyed"),
        ),
        sa.PrimaryKeyConstraint("handle", name=op.f("pk_history_key")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_history_key_subject_id_quarter", "history_key", ["subject_id", "quarter"])
    op.create_index(
        "ix_history_key_live", "history_key", ["quarter", "handle"], sqlite_where=live, postgresql_where=live
    )
    op.create_index("ix_history_key_purge_id_handle", "history_key", ["purge_id", "handle"])
    op.create_table(
        "history_purge",
        sa.Column("id", Id(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history_purge")),
    )
    fence(APPEND_ONLY, lasting=["history_key"])
    if op.get_bind().dialect.name == "postgresql":
        fence_postgresql()
    else:
        fence_sqlite()


def downgrade() -> None:
    """Drop both tables: what history says since the upgrade can then be read by nobody, as if all of it had been purged."""
    op.drop_table("history_purge")
    op.drop_table("history_key")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION public.duanhao_history_key_stays()")


def fence_sqlite() -> None:
    """Let a key be destroyed once; refuse that it comes back, becomes another's, or goes without a trace."""
    refusal = "SELECT RAISE(ABORT, 'history_key is destroyed once')"
    moved = " OR ".join(f'OLD."{column}" IS NOT NEW."{column}"' for column in KEPT)
    op.execute(
        "CREATE TRIGGER history_key_no_update BEFORE UPDATE ON history_key "
        f"WHEN OLD.wrapped IS NULL OR {moved} BEGIN {refusal}; END"
    )
    op.execute(f"CREATE TRIGGER history_key_no_delete BEFORE DELETE ON history_key BEGIN {refusal}; END")
    op.execute(
        "CREATE TRIGGER history_key_no_insert BEFORE INSERT ON history_key "
        f"WHEN EXISTS (SELECT 1 FROM history_key WHERE handle = NEW.handle) BEGIN {refusal}; END"
    )


def fence_postgresql() -> None:
    """Do the same, also in sessions that replicate."""
    moved = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in KEPT)
    op.execute(
        f"""
        CREATE FUNCTION public.duanhao_history_key_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.wrapped IS NOT NULL AND NOT ({moved}) THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'history_key is destroyed once' USING ERRCODE = 'insufficient_privilege';
        END $$
        """
    )
    for name, verbs, level in (("destroyed_once", "UPDATE OR DELETE", "ROW"), ("stays", "TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {verbs} ON public.history_key "
            f"FOR EACH {level} EXECUTE FUNCTION public.duanhao_history_key_stays()"
        )
        op.execute(f"ALTER TABLE public.history_key ENABLE ALWAYS TRIGGER {name}")
