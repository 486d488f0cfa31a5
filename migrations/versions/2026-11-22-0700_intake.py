"""Leavers that a service account sent within a day are counted by an index.

Revision 4d50a7c193fe, after 3c5094d782bf. No row changes; the ledger is locked for as long as its departures take to be read.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "4d50a7c193fe"
down_revision: str | None = "3c5094d782bf"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INDEX, EVENT = "ix_hr_event_leavers", "hr_event"


def upgrade() -> None:
    """Index."""
    leavers = sa.text("type IN ('employee.leaving','employee.left')")
    op.create_index(INDEX, EVENT, ["client_id", "received_at"], sqlite_where=leavers, postgresql_where=leavers)


def downgrade() -> None:
    """Drop the index."""
    op.drop_index(INDEX, EVENT)
