"""What migrations say of new tables: which are only ever added to, on both engines, and what the service role may do with each.

A fence stands in the store itself, so that no code of ours, and no service account's SQL, changes what was written.
"""

from collections.abc import Iterable, Mapping

from alembic import context, op
from sqlalchemy import text

Key = tuple[str, ...]


def fence(
    append_only: Mapping[str, Iterable[Key]], changeable: Iterable[str] = (), *, lasting: Iterable[str] = ()
) -> None:
    """Refuse every change of rows in ``append_only`` tables (each with its unique keys) and grant the service role what it needs.

    Rows of ``lasting`` tables it changes and never deletes.
    """
    if op.get_bind().dialect.name == "postgresql":
        for table in append_only:
            _fence_postgresql(table)
        _grant(
            {
                "SELECT, INSERT": append_only,
                "SELECT, INSERT, UPDATE": lasting,
                "SELECT, INSERT, UPDATE, DELETE": changeable,
            }
        )
        return
    for table, keys in append_only.items():
        _fence_sqlite(table, keys)


def _fence_sqlite(table: str, keys: Iterable[Key]) -> None:
    """Refuse update, delete, and an insert that would replace."""
    taken = " OR ".join(
        f'EXISTS (SELECT 1 FROM "{table}" WHERE {_same(key)})'  # noqa: S608 — names of a migration, no input
        for key in keys
    )
    refusal = f"SELECT RAISE(ABORT, '{table} is append-only')"
    op.execute(f'CREATE TRIGGER {table}_no_update BEFORE UPDATE ON "{table}" BEGIN {refusal}; END')
    op.execute(f'CREATE TRIGGER {table}_no_delete BEFORE DELETE ON "{table}" BEGIN {refusal}; END')
    op.execute(f'CREATE TRIGGER {table}_no_insert BEFORE INSERT ON "{table}" WHEN {taken} BEGIN {refusal}; END')


def _same(key: Key) -> str:
    return " AND ".join(f'"{each}" = NEW."{each}"' for each in key)


def _fence_postgresql(table: str) -> None:
    """Refuse update, delete and truncate, also in sessions that replicate."""
    op.execute(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.{table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION public.duanhao_append_only()"
    )
    op.execute(f"ALTER TABLE public.{table} ENABLE ALWAYS TRIGGER append_only")


def _grant(rights: Mapping[str, Iterable[str]]) -> None:
    role = context.config.attributes.get("service_role")
    if not role:
        return
    name = op.get_bind().execute(text("SELECT quote_ident(:role)"), {"role": role}).scalar_one()
    for right, tables in rights.items():
        if named := ", ".join(tables):
            op.execute(f"GRANT {right} ON {named} TO {name}")
