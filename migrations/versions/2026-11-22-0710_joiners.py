"""Where people are announced for: the department of somebody who is to join, beside the sealed event, for as long as it waits or is due.

Revision 5e61b8d2a40f, after 3c5094d782bf. What was announced before counts as of no department that is known: the event is sealed, and is
not opened for this.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from app.kit.models import Id

revision: str = "5e61b8d2a40f"
down_revision: str | None = "4d50a7c193fe"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("hr_event", sa.Column("department_id", Id(), nullable=True))


def downgrade() -> None:
    """Take it away again."""
    op.drop_column("hr_event", "department_id")
