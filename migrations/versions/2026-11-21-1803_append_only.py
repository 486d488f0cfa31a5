"""What is appended stays, and the service role gets only what it needs.

Revision 5b1f0c7e2d34, after aad5aa9e4ecf. On both engines triggers refuse to change or remove rows of the append-only tables, whoever asks;
on SQLite that includes ``INSERT OR REPLACE``, which would delete without firing a delete trigger on a connection that does not ask for
recursive triggers. On PostgreSQL the service role may read and append there and nothing else.
"""

from collections.abc import Sequence

from alembic import context, op
from sqlalchemy import text

revision: str = "5b1f0c7e2d34"
down_revision: str | None = "aad5aa9e4ecf"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

APPEND_ONLY = (
    ("log", "leaf", (("index",),)),
    ("log", "event", (("index",), ("id",))),
    ("log", "subject_entry", (("contact_id", "index"),)),
    ("log", "batch", (("size",),)),
    (None, "contact_change", (("id",),)),
)
"""Schema, table, and its unique keys."""

CHANGEABLE = (
    "access_grant",
    "audit_intent",
    "client",
    "contact",
    "contact_department",
    "contact_tag",
    "data_key",
    "department",
    "epoch",
    "hr_event",
    "idempotency",
    "kek",
    "outbox",
    "revoked_token",
    "signing_key",
    "user_account",
)


def upgrade() -> None:
    """Fence the append-only tables; grant the rest."""
    if op.get_bind().dialect.name == "postgresql":
        fence_postgresql()
        grant_postgresql()
    else:
        fence_sqlite()


def downgrade() -> None:
    """Take the fences down."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    for schema, table, _ in APPEND_ONLY:
        if postgresql:
            op.execute(f"DROP TRIGGER append_only ON {schema or 'public'}.{table}")
        else:
            prefix = f"{schema}." if schema else ""
            for verb in ("insert", "update", "delete"):
                op.execute(f"DROP TRIGGER {prefix}{table}_no_{verb}")
    if postgresql:
        op.execute("DROP FUNCTION public.duanhao_append_only()")
        role = context.config.attributes.get("service_role")
        if role:
            name = quoted(role)
            op.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public, log FROM {name}")
            op.execute(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {name}")
            op.execute(f"REVOKE USAGE ON SCHEMA log FROM {name}")


def fence_sqlite() -> None:
    """Refuse update, delete, and an insert that would replace."""
    for schema, table, keys in APPEND_ONLY:
        prefix = f"{schema}." if schema else ""
        taken = " OR ".join(
            f'EXISTS (SELECT 1 FROM "{table}" WHERE '
            + " AND ".join(f'"{column}" = NEW."{column}"' for column in key)
            + ")"
            for key in keys
        )
        refusal = f"SELECT RAISE(ABORT, '{table} is append-only')"
        op.execute(f'CREATE TRIGGER {prefix}{table}_no_update BEFORE UPDATE ON "{table}" BEGIN {refusal}; END')
        op.execute(f'CREATE TRIGGER {prefix}{table}_no_delete BEFORE DELETE ON "{table}" BEGIN {refusal}; END')
        op.execute(
            f'CREATE TRIGGER {prefix}{table}_no_insert BEFORE INSERT ON "{table}" WHEN {taken} BEGIN {refusal}; END'
        )


def fence_postgresql() -> None:
    """Refuse update, delete and truncate, also in sessions that replicate."""
    op.execute(
        """
        CREATE FUNCTION public.duanhao_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
        END $$
        """
    )
    for schema, table, _ in APPEND_ONLY:
        name = f"{schema or 'public'}.{table}"
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
            "FOR EACH STATEMENT EXECUTE FUNCTION public.duanhao_append_only()"
        )
        op.execute(f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER append_only")


def quoted(role: str) -> str:
    """Quote a role's name."""
    found: str = op.get_bind().execute(text("SELECT quote_ident(:role)"), {"role": role}).scalar_one()
    return found


def grant_postgresql() -> None:
    """Let the service role read and append the log, move its head, and work on the rest."""
    role = context.config.attributes.get("service_role")
    if not role:
        return
    name = quoted(role)
    op.execute(f"GRANT USAGE ON SCHEMA public, log TO {name}")
    for schema, table, _ in APPEND_ONLY:
        op.execute(f"GRANT SELECT, INSERT ON {schema or 'public'}.{table} TO {name}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE ON log.head, log.quota TO {name}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(CHANGEABLE)} TO {name}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}")
    op.execute(f"GRANT SELECT ON public.alembic_version TO {name}")
