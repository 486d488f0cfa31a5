"""Pools whose numbers of a pattern come first, pools that give the tail of the holder's mobile, and the consent that this takes.

Revision 8194ebf5d732, after 7083dae4c621. What may stand in two columns grows; no row changes. SQLite changes no constraint of a table that
is there, so both tables are written anew, in the words in which the store keeps them, and so are their indexes and triggers.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

revision: str = "8194ebf5d732"
down_revision: str | None = "7083dae4c621"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

POOL, CONSENT, NAMED = "number_pool", "consent", "ck_number_pool_pattern"
STRATEGY = ("ck_number_pool_strategy", "strategy IN ('lowest','longest_idle','random'{})", ",'pattern','mobile_tail'")
BASIS = ("ck_consent_basis", "basis IN ('consent','separate_consent','provision','cross_border'{})", ",'number_tail'")
PATTERN = "(strategy = 'pattern') = (pattern IS NOT NULL)"


def upgrade() -> None:
    """Add the column of the pattern, and let the new words stand."""
    op.add_column(POOL, sa.Column("pattern", sa.String(length=16), nullable=True))
    allow(POOL, STRATEGY, more=True)
    allow(CONSENT, BASIS, more=True)
    if op.get_bind().dialect.name == "postgresql":
        op.create_check_constraint(op.f(NAMED), POOL, PATTERN)


def downgrade() -> None:
    """Take the words back: such pools go on as ``lowest``; consents are append-only, and while there are such this stops."""
    if op.get_bind().scalar(sa.text("SELECT count(*) FROM consent WHERE basis = 'number_tail'")):
        message = "consents to number_tail are on record, and the release before this one cannot read them"
        raise CommandError(message)
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f(NAMED), POOL)
    op.execute("UPDATE number_pool SET strategy = 'lowest', pattern = NULL WHERE strategy IN ('pattern','mobile_tail')")
    allow(CONSENT, BASIS, more=False)
    allow(POOL, STRATEGY, more=False)
    op.drop_column(POOL, "pattern")


def allow(table: str, check: tuple[str, str, str], *, more: bool) -> None:
    """Let the further words of a check stand in ``table``, or no longer."""
    name, words, further = check
    narrow, wide = words.format(""), words.format(further)
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f(name), table)
        op.create_check_constraint(op.f(name), table, wide if more else narrow)
        return
    if table == POOL:
        narrow, wide = f"CHECK ({narrow})", f"CHECK ({wide}), CONSTRAINT {NAMED} CHECK ({PATTERN})"
    rewrite(table, *((narrow, wide) if more else (wide, narrow)))


def rewrite(table: str, old: str, new: str) -> None:
    """Make a table of SQLite anew with ``new`` for ``old`` in its words, and bring over rows, indexes and triggers.

    The older way of renaming leaves alone what refers to the table by its name.
    """
    run = op.get_bind().exec_driver_sql
    found = run(
        "SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type <> 'table'", (table,)
    )
    words, *others = [row[0] for row in found]
    if words.count(old) != 1:
        message = f"the table {table} is not as the history made it"
        raise CommandError(message)
    named = run("SELECT name FROM sqlite_schema WHERE tbl_name = ? AND type = 'index' AND sql IS NOT NULL", (table,))
    for name in [row[0] for row in named]:
        run(f'DROP INDEX "{name}"')
    columns = ", ".join(f'"{row[1]}"' for row in run(f'PRAGMA table_info("{table}")'))
    run("PRAGMA legacy_alter_table = ON")
    run(f'ALTER TABLE "{table}" RENAME TO "{table}_before"')
    run("PRAGMA legacy_alter_table = OFF")
    run(words.replace(old, new))
    run(f'INSERT INTO "{table}" ({columns}) SELECT {columns} FROM "{table}_before"')
    run(f'DROP TABLE "{table}_before"')
    for each in others:
        run(each)
