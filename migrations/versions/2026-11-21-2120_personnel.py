"""The ledger of personnel events keeps which numbers an event brought, and is listed by its source, newest first.

Revision a16ebd84c3e5, after c4a86e19b7f5. The column is nullable and the release before this one does not know it: rows that it writes
brought no numbers.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.models import Json

revision: str = "a16ebd84c3e5"
down_revision: str | None = "c4a86e19b7f5"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the column and the index."""
    op.add_column("hr_event", sa.Column("numbers", Json(), nullable=True))
    op.create_index("ix_hr_event_client_id_id", "hr_event", ["client_id", "id"])


def downgrade() -> None:
    """Take both away again; what the events brought stays on the contacts."""
    op.drop_index("ix_hr_event_client_id_id", table_name="hr_event")
    op.drop_column("hr_event", "numbers")
