"""On PostgreSQL the free list is swept after a fiftieth of it was taken: entries of numbers just taken stand before the next free one.

Revision 7083dae4c621, after 6f72c9e3b510. The default, a fifth of a table, lets 200,000 of them stand in a plan of a million, which costs
the next number some hundreds of pages; a fiftieth lets it cost some tens.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "7083dae4c621"
down_revision: str | None = "6f72c9e3b510"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Say when the table of numbers is swept; SQLite has nothing to sweep."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE number SET (autovacuum_vacuum_scale_factor = 0.02)")


def downgrade() -> None:
    """Go back to the server's own measure."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE number RESET (autovacuum_vacuum_scale_factor)")
